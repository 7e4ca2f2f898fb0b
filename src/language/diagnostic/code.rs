//! The stable codes of all diagnostics, one table a room.
//!
//! `E` codes are errors by default, `W` codes warnings. A code, once released, is never given another meaning.
//! Ranges: 01xx syntax · 02xx project, catalog and other YAML · 03xx names · 04xx types and forms · 05xx meaning · 06xx specs.
//! Each code has a page in `grammar/codes/CODE.md`, shown by `segue explain CODE`.

use super::Severity;

/// A stable code such as `E0101`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(&'static str);

impl Code {
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// The severity that the code has unless the project sets another.
    pub fn severity(self) -> Severity {
        if self.0.starts_with('W') { Severity::Warning } else { Severity::Error }
    }

    /// The code written like this, if there is one.
    pub fn parse(text: &str) -> Option<Code> {
        all().find(|c| c.0.eq_ignore_ascii_case(text))
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

/// Every code, in order.
pub fn all() -> impl Iterator<Item = Code> {
    [syntax::ALL, yaml::ALL, check::ALL, spec::ALL].into_iter().flatten().copied()
}

macro_rules! codes {
    ($room:ident: $($name:ident = $code:literal, $what:literal;)*) => {
        pub mod $room {
            use super::Code;
            $(#[doc = $what] pub const $name: Code = Code($code);)*
            /// The codes of this room.
            pub const ALL: &[Code] = &[$($name),*];
        }
    };
}

codes! { syntax:
    UNEXPECTED = "E0101", "Text that does not fit the grammar where it stands.";
}

codes! { yaml:
    MALFORMED = "E0201", "A file that is not well-formed YAML.";
    FEATURE = "E0202", "A part of YAML that is not read: anchors, aliases, tags, directives, several documents.";
    LIMIT = "E0203", "A file that is too large, nests too deep or has too many values.";
    BIDI = "E0204", "An invisible character that changes the direction of text.";
    EMPTY = "E0205", "A file without content.";
    TYPE = "E0206", "A value of another type than its key takes.";
    UNKNOWN_KEY = "E0207", "A key that means nothing here.";
    MISSING_KEY = "E0208", "A key that has to be there.";
    DUPLICATE_KEY = "E0209", "A key or value that stands twice in one map or list.";
    CHOICE = "E0210", "A word that is none of the words that may stand here.";
    NAME = "E0211", "A name that can't be written in a rule.";
    RESERVED = "E0212", "A name that the language uses for itself.";
    TAKEN = "E0213", "A name that means something else already.";
    REFERENCE = "E0214", "A source, look-up, taxonomy, channel, property or attribute that is not declared.";
    KIND = "E0215", "A reference to something of the wrong kind.";
    MISPLACED = "E0216", "A key that has no meaning beside the others of its entry.";
    KNOWN_VALUE = "E0217", "A known value or taxonomy entry that is empty or stands twice.";
    TIMEZONE = "E0218", "A time zone that does not exist.";
    CURRENCY = "E0219", "A currency that does not exist.";
    SIZE = "E0220", "An amount of memory that can't be read.";
    OUTSIDE = "E0221", "A path that leaves the project.";
    PATH = "E0222", "A path that can't be what it should be.";
    NO_FILE = "E0223", "A file or folder that the project names and that is not there.";
    NOT_UTF8 = "E0224", "A file that is not UTF-8 text.";
    SAME_STEM = "E0225", "Two bare rules that would have one name.";
    CODE = "E0226", "A diagnostic code that does not exist.";
    AS_OF = "E0227", "An as-of instant that can't be read.";
}

codes! { check:
    UNKNOWN_NAME = "E0301", "A name that nothing declares.";
}

codes! { spec:
    MALFORMED_TIMELINE = "E0601", "A timeline that can't be read.";
}
