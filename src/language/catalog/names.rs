//! What a declaration may be called.
//!
//! Owns: the shape of names and the words that no declaration may take.
//! Must not know: YAML or the grammar; whether a text is a name is the parser's answer.

pub use crate::language::syntax::CONNECTIVES;
use crate::language::syntax::is_name;

/// Words that open a condition or value of their own. They would hide anything called like that.
pub const OPENERS: &[&str] = &["everyone", "first", "last", "known", "customer"];

/// Words that an event in particular can't have: functions, prefixes, the built-in histories, and the words before the name of
/// a declaration, which `campaign winback` would read as.
pub const EVENT_OPENERS: &[&str] = &[
    "campaign",
    "model",
    "policy",
    "segment",
    "stages",
    "trait",
    "anniversary",
    "avg",
    "bottom",
    "contacted",
    "count",
    "days",
    "decile",
    "distinct",
    "entered",
    "held",
    "left",
    "max",
    "median",
    "member",
    "min",
    "most",
    "percentile",
    "percentile_rank",
    "predicted",
    "quintile",
    "rate",
    "sample",
    "sum",
    "top",
];

/// Whether the text has the shape of a name, be it one of the connectives or not.
pub fn is_shaped(text: &str) -> bool {
    CONNECTIVES.contains(&text) || is_name(text)
}

/// Combining marks that no composed letter exists for belong to the letter before them.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

/// The nearest text that has the shape of a name: `Order Placed!` gives `order_placed`.
pub fn shaped(text: &str) -> Option<String> {
    let mut out = String::new();
    for c in text.trim().chars() {
        if c.is_alphabetic() || c == '_' || (!out.is_empty() && (c.is_numeric() || is_mark(c))) {
            out.extend(c.to_lowercase());
        } else if c.is_numeric() {
            out.push('_');
            out.push(c);
        } else if c == '-' && !out.is_empty() {
            out.push('-');
        } else if !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
    }
    let out = out.trim_end_matches(['_', '-']).to_owned();
    let out = out.replace("--", "-").replace("-_", "_");
    is_shaped(&out).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        for good in ["a", "_", "anti-aging", "anti-âge", "a1", "été", "购买", "a_b-c9"] {
            assert!(is_shaped(good), "{good}");
        }
        for bad in ["", "-a", "a-", "a--b", "7up", "a b", "a.b", "a$", "\u{301}a", "a\u{202e}b"] {
            assert!(!is_shaped(bad), "{bad}");
        }
        assert_eq!(shaped("Order Placed!").as_deref(), Some("order_placed"));
        assert_eq!(shaped("7up").as_deref(), Some("_7up"));
        assert_eq!(shaped("!!"), None);
    }

    #[test]
    fn connectives_are_the_words_that_the_parser_refuses() {
        for word in CONNECTIVES {
            assert!(!is_name(word), "{word}");
        }
        for word in OPENERS.iter().chain(EVENT_OPENERS) {
            assert!(is_name(word), "{word}");
        }
    }
}
