//! A cheap look over the whole text before the grammar sees it.
//!
//! Owns: the coarse tokens, the comments, characters that deceive, nesting depth, and the pieces that recovery parses one by one.
//! Promises: linear time, constant stack, whatever the text.
//! Must not know: the tree.

use super::words;
use super::{Comment, MAX_DEPTH};
use crate::language::diagnostic::{Diagnostic, code};
use crate::language::source::{SourceFile, SourceId, Span};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    /// Digits and what touches them.
    Number,
    /// Quoted text with its quotes.
    Text,
    Open,
    Close,
    Colon,
    /// Any other single character or sign.
    Sign,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub kind: Kind,
    pub start: u32,
    pub end: u32,
    /// The first token of its line.
    pub first: bool,
}

/// A stretch of the text from one declaration word to the next.
#[derive(Debug, Default)]
pub(super) struct Piece {
    /// Range in `tokens`.
    pub tokens: std::ops::Range<usize>,
    /// Where the nesting became too deep.
    pub too_deep: Option<u32>,
    /// Where a calculation became too long: each sign nests what stands before it.
    pub too_long: Option<u32>,
    /// Parentheses that nothing closes.
    pub unclosed: Vec<u32>,
    /// A closing parenthesis that nothing opened.
    pub unopened: Option<u32>,
    /// A quotation mark that nothing closes.
    pub quote: Option<u32>,
    /// Holds a character that was already reported.
    pub reported: bool,
}

impl Piece {
    /// Whether the grammar must not see it.
    pub fn beyond(&self) -> bool {
        self.too_deep.is_some() || self.too_long.is_some()
    }

    fn sound(&self) -> bool {
        !self.beyond() && self.unclosed.is_empty() && self.unopened.is_none() && self.quote.is_none()
    }
}

#[derive(Debug, Default)]
pub(super) struct Scan {
    pub tokens: Vec<Token>,
    pub comments: Vec<Comment>,
    pub diagnostics: Vec<Diagnostic>,
    pub pieces: Vec<Piece>,
    /// The text with deceiving characters as blanks, where there are any.
    pub cleaned: Option<String>,
}

impl Scan {
    /// Whether the grammar may be run on the whole text.
    pub fn sound(&self) -> bool {
        self.cleaned.is_none() && self.pieces.iter().all(Piece::sound)
    }

    /// The end of the last token that ends at or before `end`: spans never end in white space or a comment.
    pub fn trim(&self, start: usize, end: usize) -> usize {
        let n = self.tokens.partition_point(|t| t.end as usize <= end);
        n.checked_sub(1).and_then(|i| self.tokens.get(i)).map_or(start, |t| (t.end as usize).max(start))
    }

    /// The index of the first token that begins at or after `at`, or that `at` lies in.
    pub fn token_at(&self, at: usize) -> usize {
        self.tokens.partition_point(|t| (t.end as usize) <= at)
    }
}

/// How many deceiving characters are reported one by one.
const MAX_REPORTS: usize = 50;

struct Scanner<'a> {
    source: SourceId,
    text: &'a str,
    at: usize,
    first: bool,
    out: Scan,
    hidden: Vec<usize>,
    reports: usize,
}

/// Looks over `source`.
pub(super) fn scan(source: &SourceFile) -> Scan {
    let mut s = Scanner {
        source: source.id,
        text: &source.text,
        at: 0,
        first: true,
        out: Scan::default(),
        hidden: Vec::new(),
        reports: 0,
    };
    s.run();
    let Scanner { mut out, hidden, .. } = s;
    out.pieces = pieces(&source.text, &out.tokens, &hidden);
    let quotes: Vec<u32> =
        out.tokens.iter().filter(|t| t.kind == Kind::Text && !closed(&source.text, t)).map(|t| t.start).collect();
    for piece in &mut out.pieces {
        let (Some(a), Some(b)) = (out.tokens.get(piece.tokens.start), out.tokens.get(piece.tokens.end.wrapping_sub(1)))
        else {
            continue;
        };
        let i = quotes.partition_point(|&q| q < a.start);
        piece.quote = quotes.get(i).copied().filter(|&q| q < b.end);
    }
    if !hidden.is_empty() {
        out.cleaned = Some(clean(&source.text, &hidden));
    }
    out
}

fn closed(text: &str, token: &Token) -> bool {
    let inner = text.get(token.start as usize..token.end as usize).unwrap_or("");
    if !inner.starts_with('"') {
        return true;
    }
    let mut escaped = false;
    for (i, b) in inner.bytes().enumerate().skip(1) {
        match b {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return i + 1 == inner.len(),
            _ => {}
        }
    }
    false
}

fn clean(text: &str, hidden: &[usize]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for &at in hidden {
        out.push_str(text.get(done..at).unwrap_or(""));
        let n = text.get(at..).and_then(|t| t.chars().next()).map_or(1, char::len_utf8);
        out.extend(std::iter::repeat_n(' ', n));
        done = at + n;
    }
    out.push_str(text.get(done..).unwrap_or(""));
    out
}

impl Scanner<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at..).and_then(|t| t.chars().next())
    }

    fn token(&mut self, kind: Kind, start: usize) {
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        self.out.tokens.push(Token { kind, start: small(start), end: small(self.at), first: self.first });
        self.first = false;
    }

    fn run(&mut self) {
        if self.text.starts_with('\u{FEFF}') {
            self.at = 3;
        }
        while let Some(c) = self.peek() {
            let start = self.at;
            match c {
                '\n' => {
                    self.at += 1;
                    self.first = true;
                }
                ' ' | '\t' | '\u{A0}' | '\u{202F}' | '\u{3000}' => self.at += c.len_utf8(),
                '\r' if self.text.as_bytes().get(self.at + 1) == Some(&b'\n') => self.at += 1,
                '#' => self.comment(),
                '"' => self.quoted('"'),
                '“' | '”' | '„' | '«' | '»' | '\'' | '‘' | '’' | '‚' | '`' => self.foreign_quote(c),
                '(' | ')' | ':' => {
                    self.at += 1;
                    self.token(
                        match c {
                            '(' => Kind::Open,
                            ')' => Kind::Close,
                            _ => Kind::Colon,
                        },
                        start,
                    );
                }
                c if words::is_start(c) || c.is_ascii_digit() => {
                    self.word();
                    self.token(if c.is_ascii_digit() { Kind::Number } else { Kind::Word }, start);
                }
                c if deceives(c).is_some() => {
                    self.report(c, start);
                    self.hidden.push(start);
                    self.at += c.len_utf8();
                }
                c => {
                    self.at += c.len_utf8();
                    // Signs of several characters are one token, so that a message shows them whole.
                    while let Some(d) = self.peek()
                        && "-=<>!&|".contains(c)
                        && "=>&|-".contains(d)
                    {
                        self.at += d.len_utf8();
                    }
                    self.token(Kind::Sign, start);
                }
            }
        }
    }

    fn word(&mut self) {
        while let Some(c) = self.peek() {
            let hyphen =
                c == '-' && self.text.get(self.at + 1..).and_then(|t| t.chars().next()).is_some_and(words::is_continue);
            if !words::is_continue(c) && !hyphen {
                break;
            }
            self.at += c.len_utf8();
        }
    }

    fn comment(&mut self) {
        let start = self.at;
        let rest = self.text.get(self.at..).unwrap_or("");
        let line = rest.split('\n').next().unwrap_or("");
        self.at += line.len();
        let line = line.strip_suffix('\r').unwrap_or(line);
        self.look(line, start, false);
        let span = Span::new(self.source, start, start + line.len());
        self.out.comments.push(Comment { text: line.get(1..).unwrap_or("").to_string(), span, own_line: self.first });
    }

    fn quoted(&mut self, close: char) {
        let start = self.at;
        let rest = self.text.get(self.at..).unwrap_or("");
        let line = rest.split('\n').next().unwrap_or("").trim_end();
        let mut escaped = false;
        let mut len = line.len();
        for (i, c) in line.char_indices().skip(1) {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                c if c == close => {
                    len = i + c.len_utf8();
                    break;
                }
                _ => {}
            }
        }
        self.at += len.max(1);
        self.look(self.text.get(start..self.at).unwrap_or(""), start, true);
        self.token(Kind::Text, start);
    }

    /// Quotation marks that are not ours: one token with what they enclose, if they close on the line.
    fn foreign_quote(&mut self, open: char) {
        let start = self.at;
        let rest = self.text.get(start + open.len_utf8()..).unwrap_or("");
        let line = rest.split('\n').next().unwrap_or("");
        let closing: &[char] = match open {
            '\'' | '‘' | '’' | '‚' => &['\'', '‘', '’'],
            '`' => &['`'],
            _ => &['“', '”', '„', '«', '»', '"'],
        };
        self.at += open.len_utf8();
        match line.find(closing) {
            Some(i) => {
                self.at += i + line.get(i..).and_then(|t| t.chars().next()).map_or(0, char::len_utf8);
                self.look(self.text.get(start..self.at).unwrap_or(""), start, true);
                self.token(Kind::Text, start);
            }
            None => self.token(Kind::Sign, start),
        }
    }

    /// Reports deceiving characters inside a comment or quoted text.
    fn look(&mut self, text: &str, start: usize, quoted: bool) {
        if text.is_ascii() && !text.bytes().any(|b| b < 0x20 && b != b'\t' || b == 0x7F) {
            return;
        }
        for (i, c) in text.char_indices() {
            // Joiners are part of how some scripts and emoji are written.
            let joiner = matches!(c, '\u{200C}' | '\u{200D}') || c == '\u{AD}' && quoted;
            if c != '\t' && !joiner && deceives(c).is_some() {
                self.report(c, start + i);
            }
        }
    }

    fn report(&mut self, c: char, at: usize) {
        self.reports += 1;
        if self.reports > MAX_REPORTS {
            return;
        }
        let span = Span::new(self.source, at, at + c.len_utf8());
        let what = deceives(c).unwrap_or("an invisible character");
        let number = format!("U+{:04X}", u32::from(c));
        self.out.diagnostics.push(
            Diagnostic::new(code::syntax::HIDDEN_CHARACTER, span, format!("{what} ({number}) stands in the text"))
                .label("it can't be seen, and it can make the text read as something else")
                .help(format!("remove {number}"))
                .fix(format!("remove {number}"), vec![(span, String::new())]),
        );
    }
}

/// What is deceiving about a character, if anything.
fn deceives(c: char) -> Option<&'static str> {
    Some(match c {
        '\t' | '\n' => return None,
        '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
            "a character that changes the direction of writing"
        }
        '\0' => "a null character",
        '\u{2028}' | '\u{2029}' => "a line separator that many editors do not show",
        c if c.is_control() => "a control character",
        '\u{AD}'
        | '\u{34F}'
        | '\u{180E}'
        | '\u{200B}'..='\u{200D}'
        | '\u{2060}'..='\u{2064}'
        | '\u{206A}'..='\u{206F}'
        | '\u{FEFF}'
        | '\u{FFF9}'..='\u{FFFB}'
        | '\u{E0000}'..='\u{E007F}' => "an invisible character",
        _ => return None,
    })
}

/// Cuts the tokens at declaration words, and judges each piece.
fn pieces(text: &str, tokens: &[Token], hidden: &[usize]) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut piece = Piece::default();
    // Open parentheses with the number of `not` before each; the sum of both is the depth.
    let mut open: Vec<(u32, usize)> = Vec::new();
    let mut height = Height::default();
    let mut depth = 0usize;
    let mut nots = 0usize;
    let mut finish = |piece: &mut Piece, open: &mut Vec<(u32, usize)>, end: usize| {
        // The outermost ones tell enough.
        piece.unclosed = open.iter().map(|o| o.0).take(8).collect();
        open.clear();
        piece.tokens.end = end;
        let from = tokens.get(piece.tokens.start).map_or(0, |t| t.start as usize);
        let to = tokens.get(end).map_or(text.len(), |t| t.start as usize);
        let i = hidden.partition_point(|&h| h < from);
        piece.reported = hidden.get(i).is_some_and(|&h| h < to);
        out.push(std::mem::replace(piece, Piece { tokens: end..end, ..Piece::default() }));
    };
    for (i, token) in tokens.iter().enumerate() {
        if i > piece.tokens.start && token.kind == Kind::Word && declares(text, tokens, i) {
            finish(&mut piece, &mut open, i);
            (depth, nots) = (0, 0);
            height = Height::default();
        }
        let word = text.get(token.start as usize..token.end as usize).unwrap_or("");
        height.see(token.kind, word);
        if height.now > 2 * MAX_DEPTH && piece.too_long.is_none() {
            piece.too_long = Some(token.start);
        }
        match token.kind {
            Kind::Open => {
                open.push((token.start, nots));
                depth += 1 + nots;
                nots = 0;
            }
            Kind::Close => {
                nots = 0;
                match open.pop() {
                    Some((_, n)) => depth = depth.saturating_sub(1 + n),
                    None => piece.unopened = piece.unopened.or(Some(token.start)),
                }
            }
            Kind::Word if matches!(word, "not" | "NOT" | "Not") => nots += 1,
            Kind::Sign if word.starts_with('!') && word != "!=" => nots += word.len(),
            _ => nots = 0,
        }
        if depth + nots > MAX_DEPTH && piece.too_deep.is_none() {
            piece.too_deep = Some(token.start);
        }
    }
    if piece.tokens.start < tokens.len() {
        finish(&mut piece, &mut open, tokens.len());
    }
    out
}

/// How high the tree of a calculation becomes: one for each sign and each pair of parentheses.
#[derive(Default)]
struct Height {
    now: usize,
    /// The highest in these parentheses.
    most: usize,
    outer: Vec<(usize, usize)>,
}

impl Height {
    fn see(&mut self, kind: Kind, word: &str) {
        match kind {
            Kind::Open => {
                self.outer.push((self.now, self.most));
                (self.now, self.most) = (0, 0);
            }
            Kind::Close => {
                let inner = self.most + 1;
                let (now, most) = self.outer.pop().unwrap_or_default();
                self.now = now.max(inner);
                self.most = most.max(self.now);
            }
            Kind::Sign if matches!(word, "+" | "-" | "*" | "/" | "×" | "÷" | "·" | "−" | "–") => {
                self.now += 1;
                self.most = self.most.max(self.now);
            }
            Kind::Sign | Kind::Colon => self.now = 0,
            Kind::Word if matches!(word, "and" | "or" | "but" | "then") => self.now = 0,
            _ => {}
        }
    }
}

/// Whether a declaration begins at this word: a declaration word and a name, then `:`, `was` or a title; or, at the start of a
/// line, a declaration word and a name, or a `:` later in the line.
fn declares(text: &str, tokens: &[Token], i: usize) -> bool {
    let word = |k: usize| tokens.get(k).map_or("", |t| text.get(t.start as usize..t.end as usize).unwrap_or(""));
    let kind = |k: usize| tokens.get(k).map(|t| t.kind);
    if !words::declares(word(i)) {
        return false;
    }
    let named = kind(i + 1) == Some(Kind::Word) && !words::is_hard(word(i + 1));
    if named && (matches!(kind(i + 2), Some(Kind::Colon | Kind::Text)) || word(i + 2) == "was") {
        return true;
    }
    let Some(token) = tokens.get(i) else { return false };
    if !token.first {
        return false;
    }
    let line = tokens.iter().skip(i + 1).take_while(|t| !t.first).take(12);
    named || line.take_while(|t| t.kind != Kind::Open).any(|t| t.kind == Kind::Colon)
}
