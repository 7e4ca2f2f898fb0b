//! Which words are names, which are reserved, and which look alike.
//!
//! Owns: the character classes of names, the list of hard words, quoting, and skeletons for look-alike names.
//! Must not know: where a word stands.

use unicode_normalization::is_nfc;
use unicode_security::mixed_script::AugmentedScriptSet;

/// Words that are never bare names; the grammar has the same list (a test compares them).
pub const HARD: &[&str] = &[
    "after",
    "all",
    "among",
    "and",
    "as",
    "at",
    "before",
    "between",
    "but",
    "by",
    "contains",
    "ends",
    "ever",
    "exactly",
    "for",
    "from",
    "has",
    "in",
    "is",
    "matches",
    "never",
    "no",
    "not",
    "of",
    "on",
    "once",
    "or",
    "otherwise",
    "over",
    "per",
    "since",
    "starts",
    "then",
    "twice",
    "until",
    "when",
    "where",
    "with",
    "within",
    "without",
];

/// Words that begin a declaration or a clause: names, except where a phrase could go on.
pub(super) const DECLARING: &[&str] = &[
    "budget", "campaign", "cost", "every", "except", "goal", "limit", "model", "policy", "priority", "quiet",
    "segment", "stages", "times", "trait",
];

pub(super) fn is_hard(word: &str) -> bool {
    HARD.binary_search(&word).is_ok()
}

/// Whether the word begins a declaration, in any mix of capitals.
pub fn declares(word: &str) -> bool {
    ["segment", "trait", "campaign", "policy", "stages", "model"].iter().any(|w| w.eq_ignore_ascii_case(word))
}

/// Whether a name may begin with this character.
pub(super) fn is_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii() && pest::unicode::XID_START(c)
}

/// Whether a name may hold this character (a hyphen aside).
pub(super) fn is_continue(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii() && pest::unicode::XID_CONTINUE(c)
}

/// Whether `text` can be written as a bare name anywhere: the characters of a name, NFC, and no hard word.
pub fn is_name(text: &str) -> bool {
    shaped(text) && !is_hard(text) && is_nfc(text)
}

fn shaped(text: &str) -> bool {
    let mut last = '-';
    for (i, c) in text.chars().enumerate() {
        let fits = if i == 0 { is_start(c) } else { is_continue(c) || c == '-' && last != '-' };
        if !fits {
            return false;
        }
        last = c;
    }
    last != '-'
}

/// Whether `text` can be written as a bare word where a phrase could go on: a name, and no word of a declaration or connective.
pub(super) fn is_plain(text: &str) -> bool {
    const SHOUTED: &[&str] = &[
        "BETWEEN", "Between", "BEFORE", "SINCE", "WHERE", "Where", "OVER", "THEN", "EVER", "AND", "And", "BUT", "But",
        "NOT", "Not", "IN", "ON", "OR", "Or",
    ];
    is_name(text) && !DECLARING.contains(&text) && !SHOUTED.contains(&text)
}

/// `text` as a value is written: bare where that is possible everywhere, else quoted.
pub fn quote(text: &str) -> String {
    if is_plain(text) { text.to_string() } else { quoted(text) }
}

/// `text` in quotation marks.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

/// What a name looks like: two names with one skeleton can't be told apart by eye.
pub fn skeleton(text: &str) -> String {
    unicode_security::confusable_detection::skeleton(text).collect()
}

/// The first character of another script than the name's first letter, if the scripts are not written together anywhere and
/// the character can be mistaken for another.
pub(super) fn foreign_letter(name: &str) -> Option<(usize, char)> {
    if name.is_ascii() || !AugmentedScriptSet::for_str(name).is_empty() {
        return None;
    }
    let mut all = AugmentedScriptSet::for_str("");
    for (i, c) in name.char_indices() {
        all.intersect_with(AugmentedScriptSet::for_char(c));
        if all.is_empty() {
            let (other, first) = (skeleton(&c.to_string()), name.chars().find(|c| c.is_alphabetic()).unwrap_or(c));
            let deceiving =
                other.is_ascii() && !c.is_ascii() || !first.is_ascii() && skeleton(&first.to_string()).is_ascii();
            return deceiving.then_some((i, c));
        }
    }
    None
}
