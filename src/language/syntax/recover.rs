//! What is wrong with a text that the grammar can't read.
//!
//! Owns: recovery piece by piece, and the words in which a place is described.
//! Promises: one diagnostic a mistake and none for what follows from it; no list of grammar rules ever reaches a reader.
//! Must not know: how the grammar is written beyond the names of its entry points.

use super::ast::{Expr, Item, Name};
use super::builder::Builder;
use super::grammar::{self, Rule};
use super::scan::{Kind, Piece, Token};
use super::{MAX_DEPTH, hints, words};
use crate::language::diagnostic::code::{spec, syntax as codes};
use crate::language::source::Span;
use crate::language::text::nfc;

/// Parses each piece by itself.
pub(super) fn pieces(b: &mut Builder, items: &mut Vec<Item>) {
    for piece in &b.scan.pieces {
        let (start, end) = reach(b, piece);
        let slice = b.text.get(start..end).unwrap_or("");
        if !piece.beyond()
            && let Ok(pairs) = grammar::run(Rule::file, slice)
        {
            b.items(pairs, start, items);
            continue;
        }
        explain(b, piece, Rule::file);
        items.push(Item::Error { name: named(b, piece), span: b.at(start, end) });
    }
}

/// The one condition of a text that is no sound condition.
pub(super) fn condition(b: &mut Builder) -> Expr {
    let all = 0..b.text.len();
    let hole = b.hole(b.at(0, b.text.trim_end().len()));
    match &b.scan.pieces[..] {
        [] => {
            let d = b.error(codes::UNEXPECTED, b.at(0, 0), "a condition is missing").label("nothing stands here");
            b.say(d);
        }
        [piece] => {
            let slice = b.text.get(all).unwrap_or("");
            if !piece.beyond()
                && let Ok(pairs) = grammar::run(Rule::condition, slice)
            {
                return b.condition(pairs, 0);
            }
            explain(b, piece, Rule::condition);
        }
        [_, second, ..] => {
            let at = b.scan.tokens.get(second.tokens.start).map_or(0, |t| t.start as usize);
            let d = b
                .error(codes::UNEXPECTED, b.at(at, b.scan.trim(at, b.text.len())), "a declaration can't stand here")
                .label("expected one condition and nothing else");
            b.say(d);
        }
    }
    hole
}

/// A timeline that can't be read beyond `at`.
pub(super) fn timeline(b: &mut Builder, at: usize) {
    if b.scan.pieces.iter().any(|p| p.reported) {
        return;
    }
    if let Some(piece) = b.scan.pieces.first()
        && quotes_and_parentheses(b, piece)
    {
        return;
    }
    let i = b.scan.token_at(at);
    let (span, found) = match b.scan.tokens.get(i) {
        Some(t) => (span_of(b, t), Some(text_of(b, t))),
        None => (b.at(b.text.trim_end().len(), b.text.trim_end().len()), None),
    };
    let message = match found {
        Some(found) => format!("`{}` does not fit into a timeline here", brief(found)),
        None => "the timeline ends too early".to_string(),
    };
    let d = b
        .error(spec::MALFORMED_TIMELINE, span, message)
        .label("expected an event and when it was")
        .help("such as `purchased anti-aging 80d ago, 50d ago x3; open at 2026-11-01T10:00; nothing`");
    b.say(d);
}

fn reach(b: &Builder, piece: &Piece) -> (usize, usize) {
    let tokens = b.scan.tokens.get(piece.tokens.clone()).unwrap_or(&[]);
    let start = tokens.first().map_or(0, |t| t.start as usize);
    (start, tokens.last().map_or(start, |t| t.end as usize))
}

fn text_of<'a>(b: &Builder<'a>, token: &Token) -> &'a str {
    b.text.get(token.start as usize..token.end as usize).unwrap_or("")
}

fn span_of(b: &Builder, token: &Token) -> Span {
    b.at(token.start as usize, token.end as usize)
}

/// The name that a broken declaration would have had.
fn named(b: &mut Builder, piece: &Piece) -> Option<Name> {
    let tokens = b.scan.tokens.get(piece.tokens.clone()).unwrap_or(&[]);
    let [first, second, ..] = tokens else { return None };
    if first.kind != Kind::Word || !words::declares(text_of(b, first)) || second.kind != Kind::Word {
        return None;
    }
    let text = text_of(b, second);
    (!words::is_hard(text)).then(|| Name { text: nfc(text), span: span_of(b, second) })
}

/// Says why a piece does not parse.
fn explain(b: &mut Builder, piece: &Piece, rule: Rule) {
    if let Some(at) = piece.too_deep {
        let at = at as usize;
        let d = b
            .error(codes::TOO_DEEP, b.at(at, at + 1), "the nesting is too deep")
            .label(format!("more than {MAX_DEPTH} parentheses and `not` within one another"))
            .help("give the inner parts names of their own: `segment NAME: …`");
        b.say(d);
        return;
    }
    if let Some(at) = piece.too_long {
        let at = at as usize;
        let d = b
            .error(codes::TOO_DEEP, b.at(at, at + 1), "the calculation is too long")
            .label(format!("more than {} signs and parentheses, one on the other", 2 * MAX_DEPTH))
            .help("give its parts names of their own: `trait NAME: …`");
        b.say(d);
        return;
    }
    if piece.reported || quotes_and_parentheses(b, piece) {
        return;
    }
    let said = b.diagnostics.len();
    parts(b, piece);
    if b.diagnostics.len() > said {
        return;
    }
    let (start, end) = reach(b, piece);
    if let Err(at) = grammar::run(rule, b.text.get(start..end).unwrap_or("")) {
        place(b, piece.tokens.clone(), start + at);
    }
}

/// Quotation marks and parentheses without counterpart. The answer is whether there were any.
fn quotes_and_parentheses(b: &mut Builder, piece: &Piece) -> bool {
    if let Some(at) = piece.quote {
        let i = b.scan.token_at(at as usize);
        let end = b.scan.tokens.get(i).map_or(at as usize + 1, |t| t.end as usize);
        let span = b.at(at as usize, end);
        let d = b
            .error(codes::QUOTATION, span, "a closing quotation mark is missing")
            .label("quoted text ends on the line on which it begins")
            .help("write `\"` behind the last word of the text");
        b.say(d);
        return true;
    }
    if let Some(at) = piece.unopened {
        let at = at as usize;
        let span = b.at(at, at + 1);
        let d = b
            .error(codes::PARENTHESIS, span, "nothing opens this parenthesis")
            .label("no `(` before it")
            .fix("remove it", vec![(span, String::new())]);
        b.say(d);
        return true;
    }
    if let Some(&at) = piece.unclosed.last() {
        let at = at as usize;
        let (_, end) = reach(b, piece);
        let d = b
            .error(codes::PARENTHESIS, b.at(at, at + 1), "nothing closes this parenthesis")
            .label("no `)` behind it")
            .also(b.at(end, end), "the declaration ends here")
            .help("write `)` where the part in parentheses ends");
        b.say(d);
        return true;
    }
    false
}

/// Tries each part of the conjunction by itself, and what follows the condition.
fn parts(b: &mut Builder, piece: &Piece) {
    let all = b.scan.tokens.get(piece.tokens.clone()).unwrap_or(&[]);
    let offset = piece.tokens.start;
    let declared = all.first().is_some_and(|t| t.kind == Kind::Word && words::declares(text_of(b, t)));
    let colon = all.iter().position(|t| t.kind == Kind::Colon);
    let first = match colon {
        Some(i) if declared => i + 1,
        None if declared => return,
        _ => 0,
    };
    let word = all.first().map_or(String::new(), |t| text_of(b, t).to_ascii_lowercase());
    match word.as_str() {
        "stages" if declared => return stage_lines(b, piece, first),
        // It has no condition.
        "policy" if declared => return,
        _ => {}
    }
    let arrow = arrow_in(b, all, first);
    for range in conjuncts(b, all, first..arrow.unwrap_or(all.len())) {
        part(b, offset, all, range);
    }
    if let Some(i) = arrow
        && let Some(token) = all.get(i)
    {
        let (start, (_, end)) = (token.start as usize, reach(b, piece));
        if let Err(at) = grammar::run(Rule::rest, b.text.get(start..end).unwrap_or("")) {
            place(b, piece.tokens.clone(), start + at);
        }
    }
}

/// Each line of stages by itself: its condition, an arrow, a name.
fn stage_lines(b: &mut Builder, piece: &Piece, first: usize) {
    let all = b.scan.tokens.get(piece.tokens.clone()).unwrap_or(&[]);
    let offset = piece.tokens.start;
    let mut from = first;
    while from < all.len() {
        let arrow = arrow_in(b, all, from);
        let otherwise = all.get(from).is_some_and(|t| text_of(b, t) == "otherwise");
        if !otherwise {
            for range in conjuncts(b, all, from..arrow.unwrap_or(all.len())) {
                part(b, offset, all, range);
            }
        }
        let Some(arrow) = arrow else { return };
        match all.get(arrow + 1) {
            Some(t) if matches!(t.kind, Kind::Word | Kind::Text) && !words::is_hard(text_of(b, t)) => {}
            _ => place(b, offset + arrow..piece.tokens.end, all.get(arrow).map_or(0, |t| t.end as usize)),
        }
        from = arrow + 2;
    }
}

/// The first arrow outside of parentheses, from the token `from` on.
fn arrow_in(b: &Builder, all: &[Token], from: usize) -> Option<usize> {
    let mut depth = 0usize;
    all.iter().enumerate().skip(from).find_map(|(i, token)| {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            Kind::Sign if depth == 0 && matches!(text_of(b, token), "→" | "->" | "=>" | "⇒" | "-->") => {
                return Some(i);
            }
            _ => {}
        }
        None
    })
}

/// The parts of a range of tokens that `and`, `or` and `but` join.
fn conjuncts(b: &Builder, all: &[Token], range: std::ops::Range<usize>) -> Vec<std::ops::Range<usize>> {
    let mut depth = 0usize;
    let mut between = 0usize;
    let mut from = range.start;
    let mut ranges = Vec::new();
    for (i, token) in all.iter().enumerate().take(range.end).skip(range.start) {
        let text = text_of(b, token);
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            Kind::Word if depth == 0 && text == "between" => between += 1,
            Kind::Word if depth == 0 && text == "and" && between > 0 => between -= 1,
            Kind::Word if depth == 0 && matches!(text, "and" | "or" | "but") => {
                ranges.push(from..i);
                from = i + 1;
            }
            Kind::Sign if depth == 0 && matches!(text, "&&" | "||") => {
                ranges.push(from..i);
                from = i + 1;
            }
            _ => {}
        }
    }
    ranges.push(from..range.end);
    ranges
}

/// One part of a conjunction, by itself.
fn part(b: &mut Builder, offset: usize, all: &[Token], range: std::ops::Range<usize>) {
    let (Some(start), Some(end)) = (all.get(range.start), range.end.checked_sub(1).and_then(|i| all.get(i))) else {
        return missing(b, offset + range.start);
    };
    if range.is_empty() {
        return missing(b, offset + range.start);
    }
    let (start, end) = (start.start as usize, end.end as usize);
    match grammar::run(Rule::part, b.text.get(start..end).unwrap_or("")) {
        Ok(pairs) => {
            b.condition(pairs, start);
        }
        Err(at) => place(b, offset + range.start..offset + range.end, start + at),
    }
}

/// A condition is missing before the token `i`.
fn missing(b: &mut Builder, i: usize) {
    let before = i.checked_sub(1).and_then(|i| b.scan.tokens.get(i)).copied();
    let at = before.map_or(0, |t| t.end as usize);
    let message = match before {
        Some(t) => format!("a condition is missing behind `{}`", text_of(b, &t)),
        None => "a condition is missing".to_string(),
    };
    let d = b.error(codes::UNEXPECTED, b.at(at, at), message).label("expected a condition such as `purchased in 90d`");
    b.say(d);
}

/// The parser got as far as `at`, somewhere in the tokens of `range`.
fn place(b: &mut Builder, range: std::ops::Range<usize>, at: usize) {
    let i = b.scan.token_at(at).clamp(range.start, range.end);
    let before = i.checked_sub(1).and_then(|k| b.scan.tokens.get(k)).copied();
    let previous = before.map_or("", |t| text_of(b, &t));
    let expected = expected(previous, before.map(|t| t.kind));
    let Some(token) = (i < range.end).then(|| b.scan.tokens.get(i)).flatten().copied() else {
        let end = before.map_or(at, |t| t.end as usize);
        let message = match previous {
            "" => "a condition is missing".to_string(),
            p => format!("something is missing behind `{}`", brief(p)),
        };
        let d = b.error(codes::UNEXPECTED, b.at(end, end), message).label(format!("expected {expected}"));
        b.say(d);
        return;
    };
    let (text, span) = (text_of(b, &token), span_of(b, &token));
    let mut d = b
        .error(codes::UNEXPECTED, span, format!("`{}` does not fit here", brief(text)))
        .label(format!("expected {expected}"));
    if matches!(text, "$" | "€" | "£" | "¥") {
        d = d
            .label("amounts are plain numbers, in the currency of the project")
            .fix("remove it", vec![(span, String::new())]);
    } else if words::is_hard(text) && expected.contains("a value") {
        let should = words::quoted(text);
        d = d
            .help(match text {
                "no" => format!("a text is quoted: {should}; that a yes/no value is not so is `not NAME`"),
                _ => format!("`{text}` is a word of the language; as a value it is quoted: {should}"),
            })
            .fix(format!("write {should}"), vec![(span, should)]);
    } else if token.kind == Kind::Sign && matches!(text, "'" | "‘" | "’" | "“" | "”") {
        d = d.help("values with other signs than letters, digits, `_` and `-` are quoted: `\"l'été\"`");
    } else if token.kind == Kind::Colon {
        d = d.help("a `:` stands behind the name of a declaration: `segment NAME: …`");
    } else if let Some(help) = hints::hint(b.text, &b.scan.tokens, range.start, i) {
        d = d.help(help);
    }
    b.say(d);
}

/// What can follow a word, for people.
fn expected(previous: &str, kind: Option<Kind>) -> &'static str {
    match previous {
        "" | "and" | "or" | "but" | "not" | "&&" | "||" | ":" | "(" => "a condition such as `purchased in 90d`",
        "no" | "never" | "first" => "an event",
        "in" => "a duration such as `90d`, or values in parentheses",
        "over" => "a duration and `ago`, such as `over 30d ago`",
        "since" | "before" | "on" => "a date such as `2026-11-21`",
        "between" => "two ends joined by `and`",
        "where" => "a condition on the event's properties, in parentheses",
        "least" | "most" | "exactly" => "a number",
        "contains" | "with" | "matches" | "has" => "a value such as `\"New York\"`",
        "is" => "`known` or `unknown`",
        "by" => "a channel",
        "was" => "the old name",
        "of" => "an event",
        "→" | "->" | "=>" => "a name: an action such as `offer`, in stages the name of a stage",
        "then" => "an event",
        "among" => "a segment",
        "segment" | "trait" | "campaign" | "stages" | "policy" => "a name",
        "other" => "`than`",
        "=" | "≠" | "!=" | "<" | ">" | "≤" | "<=" | "≥" | ">=" => "a value such as `3`, `FR` or `\"New York\"`",
        _ if kind == Some(Kind::Number) => "a unit, `and`, `or`, or the end of the condition",
        _ => "`and`, `or`, a window such as `in 90d`, a count such as `≥ 3`, or the end of the condition",
    }
}

fn brief(text: &str) -> String {
    if text.chars().count() <= 30 {
        return text.to_string();
    }
    let head: String = text.chars().take(27).collect();
    format!("{head}…")
}
