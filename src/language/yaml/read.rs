//! Trees to typed records, with every mistake reported.
//!
//! Owns: [`Read`], the readers of scalars, lists and named entries, and the `record!` macro, which makes one declaration the
//! struct, its reader and (through schemars) its JSON Schema, so that the three can't drift apart.
//! Promises: a mistake in one key or entry never hides those of its neighbours.
//! Must not know: what any key means.

use super::{Kind, Node, elsewhere, is_number, is_yes_no};
use crate::language::diagnostic::{Diagnostic, code, nearest};
use crate::language::source::Span;

/// Where readers put what they find.
#[derive(Debug, Default)]
pub struct Reader {
    pub diagnostics: Vec<Diagnostic>,
}

impl Reader {
    pub fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Says that `node` is not what was expected; silent about what has been reported already.
    pub fn expected(&mut self, node: &Node, expected: &str) {
        if matches!(node.kind, Kind::Broken) {
            return;
        }
        self.report(
            Diagnostic::new(code::yaml::TYPE, node.span, format!("expected {expected}, found {}", node.what()))
                .label(format!("{expected} belongs here")),
        );
    }
}

/// A type that can be read from a node.
pub trait Read: Sized {
    /// What is expected, in words: `text`, `a list of names`.
    const WHAT: &'static str;

    /// Reports all that is wrong. `None` where nothing useful could be read, which has then been reported.
    fn read(node: &Node, reader: &mut Reader) -> Option<Self>;

    /// The value of a key that may be left out and is; `None` if it has to be there.
    fn absent() -> Option<Self> {
        None
    }

    /// What stands for a value that has to be there and is not, once that has been reported.
    fn missing() -> Option<Self> {
        None
    }
}

/// A key that has to be there. Without it, or with a value that can't be read, the rest of its record is still read.
#[derive(Debug, Clone)]
pub struct Needed<T>(pub Option<T>);

impl<T: Read> Read for Needed<T> {
    const WHAT: &'static str = T::WHAT;

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        Some(Needed(T::read(node, reader)))
    }

    fn missing() -> Option<Self> {
        Some(Needed(None))
    }
}

/// A value and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At<T> {
    pub value: T,
    pub span: Span,
}

/// Text. Unquoted text that YAML takes for a number or a truth value is refused, since editors would read it otherwise.
pub type Text = At<String>;

impl Read for At<String> {
    const WHAT: &'static str = "text";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.kind {
            Kind::Scalar { text, quoted } if *quoted || !(is_number(text) || is_yes_no(text)) => {
                Some(At { value: text.clone(), span: node.span })
            }
            Kind::Scalar { text, .. } => {
                let quoted = format!("\"{text}\"");
                reader.report(
                    Diagnostic::new(code::yaml::TYPE, node.span, format!("expected text, found {}", node.what()))
                        .label("YAML takes this for something else")
                        .help(format!("write it in quotes: `{quoted}`"))
                        .fix("put it in quotes", vec![(node.span, quoted)]),
                );
                None
            }
            _ => {
                reader.expected(node, Self::WHAT);
                None
            }
        }
    }
}

/// A value taken as the text that was written, be it `NO`, `007` or `true`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal(pub At<String>);

impl Read for Literal {
    const WHAT: &'static str = "a value";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.kind {
            Kind::Scalar { text, .. } => Some(Literal(At { value: text.clone(), span: node.span })),
            _ => {
                reader.expected(node, Self::WHAT);
                None
            }
        }
    }
}

impl Read for At<bool> {
    const WHAT: &'static str = "`true` or `false`";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let Kind::Scalar { text, quoted } = &node.kind else {
            reader.expected(node, Self::WHAT);
            return None;
        };
        if !quoted && is_yes_no(text) {
            return Some(At { value: text.eq_ignore_ascii_case("true"), span: node.span });
        }
        let meant = match text.to_ascii_lowercase().as_str() {
            "yes" | "y" | "on" | "true" | "1" => Some("true"),
            "no" | "n" | "off" | "false" | "0" => Some("false"),
            _ => None,
        };
        let mut d = Diagnostic::new(code::yaml::TYPE, node.span, format!("expected {}, found `{text}`", Self::WHAT));
        if let Some(meant) = meant {
            d = d.help(format!("write `{meant}`")).fix(format!("write `{meant}`"), vec![(node.span, meant.to_owned())]);
        }
        reader.report(d);
        None
    }
}

/// Readers of whole numbers, as YAML writes them: no sign, no leading zero.
macro_rules! whole {
    ($($ty:ty: $what:literal;)*) => {$(
        impl Read for At<$ty> {
            const WHAT: &'static str = $what;

            fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
                if let Kind::Scalar { text, quoted: false } = &node.kind
                    && let Ok(value) = text.parse::<$ty>()
                    && value.to_string() == *text
                {
                    return Some(At { value, span: node.span });
                }
                reader.expected(node, Self::WHAT);
                None
            }
        }
    )*};
}

whole! {
    u8: "a small whole number";
    u32: "a whole number";
    u64: "a whole number";
}

impl<T: Read> Read for Option<T> {
    const WHAT: &'static str = T::WHAT;

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match node.kind {
            Kind::Null => Some(None),
            // What could not be read has been reported; the rest of the record is still worth having.
            _ => Some(T::read(node, reader)),
        }
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: Read> Read for Vec<T> {
    const WHAT: &'static str = "a list";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.kind {
            Kind::List(items) => Some(items.iter().filter_map(|item| T::read(item, reader)).collect()),
            _ => {
                reader.expected(node, Self::WHAT);
                None
            }
        }
    }
}

/// One of something or a list of it.
#[derive(Debug, Clone)]
pub struct OneOrMany<T>(pub Vec<T>);

impl<T: Read> Read for OneOrMany<T> {
    const WHAT: &'static str = T::WHAT;

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        match &node.kind {
            Kind::List(_) => Vec::read(node, reader).map(OneOrMany),
            _ => T::read(node, reader).map(|one| OneOrMany(vec![one])),
        }
    }
}

/// A map from names to entries, in the order of the file. An entry that could not be read keeps its name, so that uses of the
/// name do not become mistakes of their own.
#[derive(Debug, Clone)]
pub struct Entries<T>(pub Vec<Entry<T>>);

#[derive(Debug, Clone)]
pub struct Entry<T> {
    pub name: At<String>,
    pub value: Option<T>,
    /// Something within this entry has been reported.
    pub broken: bool,
}

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Entries(Vec::new())
    }
}

impl<T: Read> Read for Entries<T> {
    const WHAT: &'static str = "a map of names";

    fn read(node: &Node, reader: &mut Reader) -> Option<Self> {
        let Kind::Map(entries) = &node.kind else {
            reader.expected(node, Self::WHAT);
            return None;
        };
        let mut seen: Vec<At<String>> = Vec::new();
        let mut index = std::collections::HashMap::new();
        let mut out = Vec::new();
        for (key, value) in entries {
            let Some(name) = key_text(key, reader) else { continue };
            let before = reader.diagnostics.len();
            let value = match value.kind {
                // The place of nothing says nothing: the name is what lacks a value.
                Kind::Null if T::absent().is_none() => {
                    let message = format!("`{}` says nothing", name.value);
                    reader.report(
                        Diagnostic::new(code::yaml::MISSING_KEY, name.span, message)
                            .label(format!("{} is expected behind the `:`", T::WHAT)),
                    );
                    None
                }
                _ => T::read(value, reader),
            };
            let broken = reader.diagnostics.len() > before;
            if let Some(&first) = index.get(&name.value) {
                let first: &At<String> = match seen.get::<usize>(first) {
                    Some(first) => first,
                    None => continue,
                };
                repeated(&name, first.span, reader);
                continue;
            }
            index.insert(name.value.clone(), seen.len());
            seen.push(name.clone());
            out.push(Entry { name, value, broken });
        }
        Some(Entries(out))
    }

    fn absent() -> Option<Self> {
        None
    }
}

fn repeated(name: &At<String>, first: Span, reader: &mut Reader) {
    reader.report(
        Diagnostic::new(code::yaml::DUPLICATE_KEY, name.span, format!("`{}` stands here twice", name.value))
            .label("again")
            .also(first, "first here")
            .help("keep one of the two, or give it another name"),
    );
}

/// The text of a key.
pub fn key_text(key: &Node, reader: &mut Reader) -> Option<At<String>> {
    match &key.kind {
        Kind::Scalar { text, .. } => Some(At { value: text.clone(), span: key.span }),
        Kind::Null if key.span.start < key.span.end => {
            reader.report(
                Diagnostic::new(code::yaml::TYPE, key.span, "expected a name, found nothing")
                    .label("YAML takes this for nothing")
                    .help("write the name in quotes"),
            );
            None
        }
        _ => {
            reader.expected(key, "a name");
            None
        }
    }
}

fn unknown_key(name: &At<String>, what: &str, allowed: &[&str], meant: Option<&str>) -> Diagnostic {
    let list = allowed.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", ");
    let d = Diagnostic::new(code::yaml::UNKNOWN_KEY, name.span, format!("`{}` is no key of {what}", name.value))
        .help(format!("keys of {what} are {list}"));
    match meant {
        Some(meant) => d
            .label(format!("did you mean `{meant}`?"))
            .fix(format!("write `{meant}`"), vec![(name.span, meant.to_owned())]),
        None => d,
    }
}

/// The fields of a record while it is read.
pub struct Fields<'n> {
    entries: Vec<(At<String>, &'n Node)>,
    span: Span,
}

impl<'n> Fields<'n> {
    /// The map's entries, after reporting unknown and repeated keys.
    pub fn of(node: &'n Node, what: &str, allowed: &[&str], reader: &mut Reader) -> Option<Fields<'n>> {
        let entries: &[(Node, Node)] = match &node.kind {
            Kind::Map(entries) => entries,
            // An entry that says nothing is a record without keys; it will lack those that are required.
            Kind::Null => &[],
            _ => {
                reader.expected(node, what);
                return None;
            }
        };
        let mut out: Vec<(At<String>, &Node)> = Vec::new();
        let mut misspelt: Vec<(&str, At<String>, &Node)> = Vec::new();
        for (key, value) in entries {
            let Some(name) = key_text(key, reader) else { continue };
            if let Some((first, _)) = out.iter().find(|(n, _)| n.value == name.value) {
                let first = first.span;
                repeated(&name, first, reader);
            } else if allowed.contains(&name.value.as_str()) {
                out.push((name, value));
            } else {
                let meant = nearest(&name.value, allowed.iter().copied());
                reader.report(unknown_key(&name, what, allowed, meant));
                misspelt.extend(meant.map(|meant| (meant, name, value)));
            }
        }
        // A misspelt key is read as the one it stands for, so that it is not missed as well.
        for (meant, name, value) in misspelt {
            if !out.iter().any(|(n, _)| n.value == meant) {
                out.push((At { value: meant.to_owned(), span: name.span }, value));
            }
        }
        // The first key stands for the whole record when something is missing: a whole block underlined helps nobody.
        let span = entries.first().map_or(node.span, |(k, _)| k.span);
        Some(Fields { entries: out, span })
    }

    /// The value of a key. `None` if it is required and missing or unreadable.
    pub fn take<T: Read>(&self, key: &str, what: &str, reader: &mut Reader) -> Option<T> {
        match self.entries.iter().find(|(n, _)| n.value == key) {
            Some((name, node)) => {
                if !matches!(node.kind, Kind::Null) {
                    return T::read(node, reader);
                }
                // A key that is written was meant to say something, and what is unsaid may let more through.
                let unsaid = T::absent();
                let d = Diagnostic::new(code::yaml::MISSING_KEY, name.span, format!("`{key}` says nothing"))
                    .label(format!("{} is expected behind the `:`", T::WHAT));
                reader.report(match unsaid {
                    Some(_) => d.help(format!("write it, or take out `{key}:`")),
                    None => d,
                });
                unsaid.or_else(T::missing)
            }
            None => {
                let value = T::absent();
                if value.is_none() {
                    reader.report(
                        Diagnostic::new(code::yaml::MISSING_KEY, self.span, format!("{what} lacks `{key}`"))
                            .label(format!("`{key}:` is missing here"))
                            .help(format!("add `{key}:` with {}", T::WHAT)),
                    );
                    return T::missing();
                }
                value
            }
        }
    }
}

/// The key of a field: `type` for `r#type`.
pub fn key(field: &'static str) -> &'static str {
    field.strip_prefix("r#").unwrap_or(field)
}

/// Declares a record: its struct, its reader and its schema at once. A field of type `Option<…>` may be left out.
macro_rules! record {
    ($($(#[$meta:meta])* pub struct $name:ident ($what:literal) { $($(#[$fmeta:meta])* pub $field:ident: $ty:ty,)* })*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, schemars::JsonSchema)]
        #[schemars(deny_unknown_fields, transform = $crate::language::yaml::schema::written)]
        pub struct $name {
            $($(#[$fmeta])* pub $field: $ty,)*
        }

        impl $crate::language::yaml::read::Read for $name {
            const WHAT: &'static str = $what;

            fn read(
                node: &$crate::language::yaml::Node,
                reader: &mut $crate::language::yaml::read::Reader,
            ) -> Option<Self> {
                let fields =
                    $crate::language::yaml::read::Fields::of(node, $what, &[$($crate::language::yaml::read::key(stringify!($field))),*], reader)?;
                // All fields are read before any is asked for, so that every mistake is reported.
                $(let $field: Option<$ty> = fields.take($crate::language::yaml::read::key(stringify!($field)), $what, reader);)*
                Some($name { $($field: $field?),* })
            }
        }
    )*};
}
pub(crate) use record;

/// A word out of a fixed set: the enum, its reader and its schema at once.
macro_rules! choice {
    ($($(#[$meta:meta])* pub enum $name:ident ($what:literal) { $($(#[$vmeta:meta])* $variant:ident = $word:literal,)* })*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, schemars::JsonSchema)]
        pub enum $name {
            $($(#[$vmeta])* #[schemars(rename = $word)] $variant,)*
        }

        impl $name {
            /// The word that is written.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),* }
            }
        }

        impl $crate::language::yaml::read::Read for $crate::language::yaml::read::At<$name> {
            const WHAT: &'static str = $what;

            fn read(
                node: &$crate::language::yaml::Node,
                reader: &mut $crate::language::yaml::read::Reader,
            ) -> Option<Self> {
                let word = $crate::language::yaml::read::word(node, $what, &[$($word),*], reader)?;
                let value = match word { $($word => $name::$variant,)* _ => return None };
                Some($crate::language::yaml::read::At { value, span: node.span })
            }
        }
    )*};
}
pub(crate) use choice;

/// One of `words`, or a finding that lists them.
pub fn word(node: &Node, what: &str, words: &[&'static str], reader: &mut Reader) -> Option<&'static str> {
    let Kind::Scalar { text, .. } = &node.kind else {
        reader.expected(node, what);
        return None;
    };
    if let Some(word) = words.iter().find(|w| **w == text.as_str()) {
        return Some(word);
    }
    reader.report(unknown_word(text, node.span, what, words.iter().copied()));
    None
}

/// `text` is none of `words`.
pub fn unknown_word<'a>(
    text: &str,
    span: Span,
    what: &str,
    words: impl Iterator<Item = &'a str> + Clone,
) -> Diagnostic {
    let list = words.clone().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", ");
    let d =
        Diagnostic::new(code::yaml::CHOICE, span, format!("`{text}` is not {what}")).help(format!("use one of {list}"));
    match elsewhere::ours(text, words.clone()).or_else(|| nearest(text, words)) {
        Some(meant) => {
            d.label(format!("did you mean `{meant}`?")).fix(format!("write `{meant}`"), vec![(span, meant.to_owned())])
        }
        None => d,
    }
}
