//! "Did you mean": the nearest of a small set of words.

use strsim::damerau_levenshtein;

use crate::language::text::plain;

/// The candidate that is nearest to `word`, if one is near enough. Deterministic: at one distance the smaller text wins.
pub(super) fn nearest<'s>(word: &str, candidates: impl IntoIterator<Item = &'s str>) -> Option<&'s str> {
    let wanted = plain(word);
    let length = wanted.chars().count();
    // A third of the letters may differ; a word of one or two letters is too short to guess from anything but its case.
    let most = if length < 3 { 0 } else { (length / 3).max(1) };
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        if candidate.chars().count().abs_diff(length) > most {
            continue;
        }
        let distance = damerau_levenshtein(&wanted, &plain(candidate));
        if distance <= most && best.is_none_or(|b| (distance, candidate) < b) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// "`a`", "`a` or `b`", "`a`, `b` or `c`".
pub(super) fn alternatives<S: AsRef<str>>(words: &[S]) -> String {
    let quoted: Vec<String> = words.iter().map(|w| format!("`{}`", w.as_ref())).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

/// The first few of a longer list, for a help text.
pub(super) fn some_of<'s>(words: impl IntoIterator<Item = &'s str>) -> String {
    let all: Vec<&str> = words.into_iter().collect();
    match all.get(..8) {
        Some(first) if all.len() > 8 => {
            format!(
                "{} and {} more",
                first.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", "),
                all.len() - 8
            )
        }
        _ => all.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_is_small_and_deterministic() {
        let names = ["purchased", "opened", "visited", "FR", "DE"];
        for (word, expected) in [
            ("purchase", Some("purchased")),
            ("Purchased", Some("purchased")),
            ("purhcased", Some("purchased")),
            ("opned", Some("opened")),
            ("fr", Some("FR")),
            ("FX", None),
            ("refunded", None),
        ] {
            assert_eq!(nearest(word, names), expected, "{word}");
        }
    }

    #[test]
    fn words_are_joined() {
        assert_eq!(alternatives(&["a", "b", "c"]), "`a`, `b` or `c`");
        assert_eq!(alternatives(&["a"]), "`a`");
    }
}
