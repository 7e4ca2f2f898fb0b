//! YAML text to a tree of nodes with places.
//!
//! Owns: the only use of the YAML library, and ([`read`]) how a tree becomes typed records with every mistake reported.
//! Promises: any text gives a tree or a finding, within fixed bounds of size, nesting and number of nodes; every node knows its bytes.
//! Must not know: what any key means.
//!
//! Segue reads a plain part of YAML 1.2: maps, lists and scalars. Anchors, aliases, tags, merge keys and several documents in
//! one file are refused: a catalog that is reviewed should say what it means where it stands.

mod elsewhere;
pub mod read;
pub mod schema;

use serde_yaml::granit_parser as yaml;

use super::diagnostic::{Diagnostic, code};
use super::source::{SourceFile, SourceId, Span};

/// The largest YAML text that is read.
pub const MAX_BYTES: usize = 8 << 20;
/// The most nodes (keys, values, lists, maps) of one file.
pub const MAX_NODES: usize = 100_000;
/// The deepest nesting.
pub const MAX_DEPTH: usize = 64;

/// A value and its place.
#[derive(Debug, Clone)]
pub struct Node {
    pub kind: Kind,
    pub span: Span,
}

/// What a node is.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Nothing was written, or `null` or `~`.
    Null,
    /// Text as it was written, after quotes and escapes.
    Scalar {
        text: String,
        quoted: bool,
    },
    List(Vec<Node>),
    /// Keys in the order of the file; repeated ones are still here.
    Map(Vec<(Node, Node)>),
    /// Something that has been reported already.
    Broken,
}

impl Node {
    /// What this is, in words, for a message.
    pub fn what(&self) -> &'static str {
        match &self.kind {
            Kind::Null | Kind::Broken => "nothing",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
            Kind::Scalar { text, quoted: false } if is_yes_no(text) => "yes or no",
            Kind::Scalar { text, quoted: false } if is_number(text) => "a number",
            Kind::Scalar { .. } => "text",
        }
    }
}

/// `true` or `false`, as YAML 1.2 has it. `yes`, `no`, `on`, `off` and `NO` are text.
pub(crate) fn is_yes_no(text: &str) -> bool {
    matches!(text, "true" | "false" | "True" | "False" | "TRUE" | "FALSE")
}

/// Whether YAML 1.2 takes the unquoted text for a number. `007` counts: readers differ about it.
pub(crate) fn is_number(text: &str) -> bool {
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    if let Some(digits) = body.strip_prefix("0x") {
        return !digits.is_empty() && digits.chars().all(|c| c.is_ascii_hexdigit());
    }
    if let Some(digits) = body.strip_prefix("0o") {
        return !digits.is_empty() && digits.chars().all(|c| c.is_digit(8));
    }
    if matches!(body, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let starts = body.starts_with(|c: char| c.is_ascii_digit())
        || (body.starts_with('.') && body.chars().nth(1).is_some_and(|c| c.is_ascii_digit()));
    starts
        && body.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'))
        && body.parse::<f64>().is_ok()
}

/// The twelve characters that turn the direction of the text around them.
pub(crate) fn is_bidi(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The one document of a file. `None` where there is no tree to speak of; `diagnostics` says why.
pub fn parse(file: &SourceFile, diagnostics: &mut Vec<Diagnostic>) -> Option<Node> {
    let whole = |end: usize| Span::new(file.id, 0, end);
    if file.text.len() > MAX_BYTES {
        let message =
            format!("this file has {} MB, and {} MB at most are read", file.text.len() >> 20, MAX_BYTES >> 20);
        let help = "keep values that are not a small closed set out of the catalog";
        diagnostics.push(Diagnostic::new(code::yaml::LIMIT, whole(0), message).help(help));
        return None;
    }
    let text = without_bidi(file, diagnostics);
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        diagnostics.push(Diagnostic::new(code::yaml::EMPTY, whole(0), "this file is empty"));
        return None;
    }
    let mut builder = Builder::new(file, diagnostics);
    let options = yaml::options! {
        emit_comments: false, emit_unresolved_aliases: true, disallow_directives: true,
        flow_nesting_limit: MAX_DEPTH, block_nesting_limit: MAX_DEPTH,
    };
    for event in yaml::Parser::new_from_str_with_options(&text, options) {
        let keep_going = match event {
            Ok((event, place)) => builder.event(event, place.byte_range().unwrap_or(0..0)),
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(0);
                builder.failed(&text, at, error.kind());
                return None;
            }
        };
        if !keep_going {
            return None;
        }
    }
    let root = builder.root.take().filter(|node| !matches!(node.kind, Kind::Null));
    if root.is_none() {
        diagnostics.push(Diagnostic::new(code::yaml::EMPTY, whole(0), "this file is empty"));
    }
    root
}

/// The text with each bidirectional control replaced by as many bytes of something harmless, so that places stay right.
fn without_bidi(file: &SourceFile, diagnostics: &mut Vec<Diagnostic>) -> String {
    let mut text = String::with_capacity(file.text.len());
    for (at, c) in file.text.char_indices() {
        if !is_bidi(c) {
            text.push(c);
            continue;
        }
        let span = Span::new(file.id, at, at + c.len_utf8());
        let message =
            format!("the invisible character U+{:04X} changes the direction of the text around it", u32::from(c));
        diagnostics.push(
            Diagnostic::new(code::yaml::BIDI, span, message)
                .label("what is read here is not what is shown")
                .help("remove it")
                .fix("remove it", vec![(span, String::new())]),
        );
        text.extend(std::iter::repeat_n('_', c.len_utf8()));
    }
    text
}

/// A list or map that is still open.
enum Open {
    List(Vec<Node>, Start),
    Map(Vec<(Node, Node)>, Option<Node>, Start),
}

#[derive(Clone, Copy)]
struct Start {
    at: usize,
    /// Written in brackets.
    flow: bool,
}

impl Start {
    fn new(place: &std::ops::Range<usize>, style: yaml::StructureStyle) -> Start {
        Start { at: place.start, flow: style == yaml::StructureStyle::Flow }
    }
}

struct Builder<'a> {
    source: SourceId,
    given: &'a str,
    diagnostics: &'a mut Vec<Diagnostic>,
    open: Vec<Open>,
    root: Option<Node>,
    nodes: usize,
    documents: usize,
}

impl<'a> Builder<'a> {
    fn new(file: &'a SourceFile, diagnostics: &'a mut Vec<Diagnostic>) -> Self {
        Builder {
            source: file.id,
            given: &file.text,
            diagnostics,
            open: Vec::new(),
            root: None,
            nodes: 0,
            documents: 0,
        }
    }

    /// The place in the text as it was given: where a direction control was replaced, a place may fall inside it.
    fn span(&self, range: &std::ops::Range<usize>) -> Span {
        let (mut start, mut end) = (range.start.min(self.given.len()), range.end.min(self.given.len()));
        while !self.given.is_char_boundary(start) {
            start -= 1;
        }
        while !self.given.is_char_boundary(end) {
            end += 1;
        }
        Span::new(self.source, start, end.max(start))
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Takes one event; `false` ends the reading.
    fn event(&mut self, event: yaml::Event<'_>, place: std::ops::Range<usize>) -> bool {
        use yaml::Event as E;
        let span = self.span(&place);
        if event.is_node() {
            self.nodes += 1;
            if self.nodes > MAX_NODES {
                let message = format!("this file has more than {MAX_NODES} keys and values");
                self.report(Diagnostic::new(code::yaml::LIMIT, span, message).label("reading stopped here"));
                return false;
            }
            if event.anchor_id().is_some() || event.tag().is_some() {
                let what = if event.anchor_id().is_some() { "anchors (`&name`)" } else { "tags (`!name`)" };
                self.report(
                    Diagnostic::new(code::yaml::FEATURE, span, format!("{what} are not read here"))
                        .label("belongs to this")
                        .help("write the value itself where it is used; quotes make a value text"),
                );
            }
        }
        match event {
            E::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let message = "a second document begins in this file";
                    self.report(
                        Diagnostic::new(code::yaml::FEATURE, span, message)
                            .help("remove `---`, or use a file of its own"),
                    );
                    return false;
                }
            }
            E::Scalar(text, style, ..) => {
                let quoted = style != yaml::ScalarStyle::Plain;
                let kind = if !quoted && matches!(&*text, "" | "~" | "null" | "Null" | "NULL") {
                    Kind::Null
                } else {
                    Kind::Scalar { text: text.into_owned(), quoted }
                };
                self.node(Node { kind, span });
            }
            E::Alias(_) | E::UnresolvedAlias(_) => {
                self.report(
                    Diagnostic::new(code::yaml::FEATURE, span, "aliases (`*name`) are not read here")
                        .help("write the value itself; text that begins with `*` needs quotes"),
                );
                self.node(Node { kind: Kind::Broken, span });
            }
            E::SequenceStart(style, ..) => self.open.push(Open::List(Vec::new(), Start::new(&place, style))),
            E::MappingStart(style, ..) => self.open.push(Open::Map(Vec::new(), None, Start::new(&place, style))),
            E::SequenceEnd | E::MappingEnd => self.close(place.end),
            _ => {}
        }
        true
    }

    fn close(&mut self, end: usize) {
        // A block ends, for the library, where the next one begins; its last entry says where its text ends.
        let node = match self.open.pop() {
            Some(Open::List(items, start)) => {
                let last = if start.flow { end } else { items.last().map_or(end, |n| n.span.end as usize) };
                Node { span: self.span(&(start.at..last.max(start.at))), kind: Kind::List(items) }
            }
            Some(Open::Map(entries, _, start)) => {
                let inner = || entries.last().map_or(end, |(k, v)| v.span.end.max(k.span.end) as usize);
                let last = if start.flow { end } else { inner() };
                Node { span: self.span(&(start.at..last.max(start.at))), kind: Kind::Map(entries) }
            }
            None => return,
        };
        self.node(node);
    }

    fn node(&mut self, node: Node) {
        match self.open.last_mut() {
            Some(Open::List(items, _)) => items.push(node),
            Some(Open::Map(entries, key, _)) => match key.take() {
                None => *key = Some(node),
                Some(key) => entries.push((key, node)),
            },
            None => self.root = Some(node),
        }
    }

    fn failed(&mut self, text: &str, at: usize, kind: &yaml::ErrorKind) {
        use yaml::ErrorKind as K;
        let at = at.min(text.len());
        let end = text.get(at..).and_then(|t| t.chars().next()).map_or(at, |c| at + c.len_utf8());
        let span = self.span(&(at..end));
        let diagnostic = match kind {
            K::RecursionLimitExceeded => {
                Diagnostic::new(code::yaml::LIMIT, span, format!("this nests deeper than {MAX_DEPTH} lists and maps"))
                    .label("reading stopped here")
            }
            K::DirectiveDisallowed => Diagnostic::new(code::yaml::FEATURE, span, "directives (`%…`) are not read here")
                .help("remove this line; text that begins with `%` needs quotes"),
            K::TabNotAllowed | K::TabInBlockIndentation | K::TabInIndentation | K::TabAtBlockScalarStart => {
                Diagnostic::new(code::yaml::MALFORMED, span, "a tab stands where only spaces may")
                    .label("tab")
                    .help("indent with spaces")
            }
            _ => {
                let (message, help) = words(kind);
                let mut d = Diagnostic::new(code::yaml::MALFORMED, span, message).label("reading stopped here");
                d.help = help.map(str::to_owned);
                d
            }
        };
        self.report(diagnostic);
    }
}

/// What the library found, in words that people know.
fn words(kind: &yaml::ErrorKind) -> (String, Option<&'static str>) {
    use yaml::ErrorKind as K;
    let (message, help) = match kind {
        K::UnclosedFlowCollection { open } => {
            let close = if *open == '[' { ']' } else { '}' };
            return (format!("`{open}` is never closed"), Some(if close == ']' { "add `]`" } else { "add `}`" }));
        }
        K::MismatchedFlowCollectionEnd { open, close } => {
            return (format!("`{open}` is closed by `{close}`"), None);
        }
        K::UnexpectedEofFlowSequence | K::ExpectedFlowSequenceSeparator => (
            "a list in `[…]` goes on without `,` or `]`",
            Some("separate the items with `,` and close the list with `]`"),
        ),
        K::UnexpectedEofFlowMapping | K::UnexpectedEofImplicitFlowMapping | K::ExpectedFlowMappingSeparator => (
            "a map in `{…}` goes on without `,` or `}`",
            Some("separate the entries with `,` and close the map with `}`"),
        ),
        K::MisplacedFlowCollectionEnd => ("a closing bracket without its opening one", None),
        K::UnclosedQuotedScalar => ("quoted text is never closed", Some("add the closing quote")),
        K::UnknownQuotedScalarEscape => {
            ("an unknown escape in quoted text", Some("write `\\\\` for a backslash, or use single quotes"))
        }
        K::ExpectedBlockMappingKey | K::InvalidIndentation | K::ExpectedBlockSequenceEntry => {
            ("this line does not line up with those above", Some("entries of one map or list begin in the same column"))
        }
        K::MappingValueNotAllowed | K::InvalidColonPlacement => {
            ("a `:` stands where no value may follow", Some("text with `: ` in it needs quotes"))
        }
        K::SimpleKeyExpected | K::InvalidSimpleKey => {
            ("a key without `:`", Some("write `key: value`, each on a line of its own"))
        }
        K::InvalidTrailingSingleQuotedScalar | K::InvalidTrailingDoubleQuotedScalar => {
            ("text follows the closing quote", Some("put the quotes around the whole text"))
        }
        K::UnexpectedCharacter { character } => {
            return (
                format!("`{}` can't stand here", character.escape_default()),
                Some("text that begins with such a character needs quotes"),
            );
        }
        _ => return (format!("this is not well-formed YAML: {kind}"), None),
    };
    (message.to_owned(), help)
}
