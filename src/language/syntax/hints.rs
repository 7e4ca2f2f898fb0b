//! What was probably meant, where the grammar stops.
//!
//! Owns: forms that people are likely to write, known by the words around the place that does not fit.
//! Must not know: the grammar, or what any name means.

use super::scan::{Kind, Token};

const FUNCTIONS: &[&str] = &["avg", "count", "distinct", "max", "median", "min", "sum"];

/// The cure for the token `i`, if the words before it tell what was meant. The condition begins at the token `first`.
pub(super) fn hint(text: &str, tokens: &[Token], first: usize, i: usize) -> Option<String> {
    let word = |k: usize| tokens.get(k).map_or("", |t| text.get(t.start as usize..t.end as usize).unwrap_or(""));
    let back = |n: usize| i.checked_sub(n).filter(|k| *k >= first).map_or("", word);
    let kind = |n: usize| i.checked_sub(n).filter(|k| *k >= first).and_then(|k| tokens.get(k)).map(|t| t.kind);
    let (found, previous) = (word(i), back(1));
    let starts = i == first || matches!(previous, "and" | "or" | "but" | "not" | "(" | ",");
    if let Some(function) = around(tokens, first, i).map(word) {
        match function {
            "rate" => return Some("a rate is of one event per another: `rate(open per sent in 90d)`".to_string()),
            "percentile" => {
                return Some("the percentage stands first: `percentile(90, amount of purchased)`".to_string());
            }
            "quintile" | "decile" | "percentile_rank" => {
                return Some(format!("such as `{function}(spend_12mo)`, or `{function}(spend_12mo among vip)`"));
            }
            "top" | "bottom" => return Some(format!("such as `{function} 10% by spend_12mo`")),
            _ if FUNCTIONS.contains(&function) => {
                let inside = if function == "count" { "purchased" } else { "amount of purchased" };
                return Some(format!("the parentheses hold one event: `{function}({inside} in 90d)`"));
            }
            _ if previous == "of" && back(3) == "(" => {
                let should = match function {
                    "mode" => "`most frequent(category of purchased)`".to_string(),
                    "mean" => "`avg(amount of purchased)`".to_string(),
                    f if f.len() > 1 && f.strip_prefix('p').is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit())) => {
                        format!("`percentile({}, amount of purchased)`", f.get(1..).unwrap_or("90"))
                    }
                    _ => "the functions are `avg`, `count`, `distinct`, `first`, `last`, `max`, `median`, `min`, \
                          `most frequent`, `percentile`, `rate`, `sum`"
                        .to_string(),
                };
                return Some(format!("there is no function `{function}`; {should}"));
            }
            _ => {}
        }
    }
    Some(match (previous, found) {
        ("of", _) if FUNCTIONS.contains(&back(3)) || back(3) == "total" => {
            let function = if back(3) == "total" { "sum" } else { back(3) };
            format!("what a function is made from stands in parentheses: `{function}({} of {found})`", back(2))
        }
        ("of", _) if kind(2) == Some(Kind::Number) => format!("behind a count, one value is meant by `of same {found}`"),
        (_, "by" | "per") if kind(1) == Some(Kind::Number) => {
            "a count of one value is written `≥ 3 of same product`; a rank, `top 10% by spend_12mo`".to_string()
        }
        (_, "per") => "a rate is written `rate(open per sent in 90d)`".to_string(),
        (_, "by") => "a rank is written `top 10% by spend_12mo`, a place in it `quintile(spend_12mo) = 5`".to_string(),
        (_, "%") => "a rank is written `top 10% by spend_12mo`; calculations have `+ - * /`".to_string(),
        ("*", "*") | (_, "^") => "calculations have `+ - * /` and no powers".to_string(),
        (_, "-" | "+" | "−") if kind(1) != Some(Kind::Word) || starts => {
            "the sign of a number touches it, `-5`, and names take none: `0 - spend`".to_string()
        }
        ("since", _) if tokens.get(i).is_some_and(|t| t.kind == Kind::Number) => {
            format!("such as `since last {found} sent`, or a date")
        }
        ("before" | "after", _) if kind(2) == Some(Kind::Word) => {
            let (a, b) = if previous == "before" { (back(2), found) } else { (found, back(2)) };
            format!("the order of events is written `{a} then {b}`")
        }
        ("then", "not" | "never" | "without") => "what must not follow is written `then no purchased`".to_string(),
        ("then", "within" | "after" | "in") => "a bound stands behind the event: `then purchased within 7d`".to_string(),
        (_, "then") => "a sequence is one event after the other: `added_to_cart then purchased`".to_string(),
        (",", _) if found == "then" => "a sequence is one event after the other: `added_to_cart then purchased`".to_string(),
        ("among", _) => "give the group a name of its own, `segment NAME: …`, and rank among it".to_string(),
        (_, "until") => "two dates are joined by `between`: `between 2026-01-01 and 2026-03-31`".to_string(),
        (_, "within" | "all") if starts => {
            "`within` stands behind a date or a step: `renewal_date within 7d`, `viewed then purchased within 7d`".to_string()
        }
        _ if matches!(word(first), "in" | "within") && i > first && i < first + 5 => {
            "a window stands behind its event, `purchased in 90d`; several conditions together are written `in any 14d (…)` or \
             `in one session (…)`"
                .to_string()
        }
        _ => return None,
    })
}

/// The word before the innermost parenthesis that is open at the token `i`.
fn around(tokens: &[Token], first: usize, i: usize) -> Option<usize> {
    let mut closed = 0usize;
    for k in (first..i).rev() {
        match tokens.get(k)?.kind {
            Kind::Close => closed += 1,
            Kind::Open if closed > 0 => closed -= 1,
            Kind::Open => return k.checked_sub(1).filter(|k| *k >= first),
            _ => {}
        }
    }
    None
}
