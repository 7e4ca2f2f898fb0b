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
}

codes! { check:
    UNKNOWN_NAME = "E0301", "A name that nothing declares.";
}

codes! { spec:
    MALFORMED_TIMELINE = "E0601", "A timeline that can't be read.";
}
