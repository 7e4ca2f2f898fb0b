//! Pieces of SQL text.
//!
//! Owns: quoting, numbers, instants, step functions. Promises: what it writes means the same to DataFusion and to DuckDB.
//! Must not know: rules.

use crate::language::calendar::date_of;

pub const SECOND: i64 = 1_000_000;
pub const DAY: i64 = 86_400 * SECOND;

/// The name of a table or column.
pub fn name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text.
pub fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// An instant in microseconds, with what a person would call it.
pub fn instant(at: i64) -> String {
    let (days, clock) = (at.div_euclid(DAY), at.rem_euclid(DAY));
    let Ok(days) = i32::try_from(days) else { return at.to_string() };
    let date = date_of(days);
    let (second, micros) = (clock / SECOND, clock % SECOND);
    let fraction = if micros == 0 { String::new() } else { format!(".{micros:06}") };
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!(
        "{at} /* {:04}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z */",
        date.year, date.month, date.day
    )
}

/// A plain date, which is the microseconds of its midnight.
pub fn date(days: i32) -> String {
    let date = date_of(days);
    format!("{} /* {:04}-{:02}-{:02} */", i64::from(days) * DAY, date.year, date.month, date.day)
}

/// A float, so that every engine reads the same one.
pub fn float(x: f64) -> String {
    format!("CAST('{x:?}' AS DOUBLE)")
}

/// The conditions of an interval: start inclusive, end exclusive; an open end asks nothing.
pub fn between(of: &str, lo: i64, hi: i64) -> Vec<String> {
    let mut all = Vec::new();
    if lo > i64::MIN {
        all.push(format!("{of} >= {}", instant(lo)));
    }
    if hi < i64::MAX {
        all.push(format!("{of} < {}", instant(hi)));
    }
    all
}

/// All of these; nothing is asked where there are none.
pub fn all(parts: &[String]) -> String {
    match parts {
        [] => "TRUE".to_owned(),
        parts => parts.join(" AND "),
    }
}

/// A value that changes at instants: each holds from its start to the next one's, the first from the beginning.
pub fn step(of: &str, steps: &[(i64, String)]) -> String {
    match steps {
        [] => "NULL".to_owned(),
        [(_, value)] => value.clone(),
        many => {
            let (before, after) = many.split_at(many.len() / 2);
            let edge = after.first().map_or(0, |(start, _)| *start);
            format!("CASE WHEN {of} < {edge} THEN {} ELSE {} END", step(of, before), step(of, after))
        }
    }
}

/// The largest multiple of `unit` that is not above; for whole numbers of either sign.
pub fn floor(of: &str, unit: i64) -> String {
    format!("({of} - (({of} % {unit}) + {unit}) % {unit})")
}

/// How often `unit` goes into a number that is not negative. The dividend is a multiple, so that engines which divide whole
/// numbers as floats come to the same.
pub fn whole_part(of: &str, unit: i64) -> String {
    format!("CAST(({of} - {of} % {unit}) / {unit} AS BIGINT)")
}

/// A pattern of `LIKE` that takes this text as it stands.
pub fn literally(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_are_quoted() {
        assert_eq!(name("a \"b\""), "\"a \"\"b\"\"\"");
        assert_eq!(text("l'oréal"), "'l''oréal'");
        assert_eq!(literally("5%_\\"), "5\\%\\_\\\\");
    }

    #[test]
    fn instants_are_readable() {
        assert_eq!(instant(1_500_000), "1500000 /* 1970-01-01T00:00:01.500000Z */");
        assert_eq!(date(-1), "-86400000000 /* 1969-12-31 */");
        assert_eq!(between("t", i64::MIN, i64::MAX), Vec::<String>::new());
    }

    #[test]
    fn steps_are_a_balanced_tree() {
        let steps: Vec<(i64, String)> = (0..3).map(|i| (i * 10, i.to_string())).collect();
        assert_eq!(step("t", &steps), "CASE WHEN t < 10 THEN 0 ELSE CASE WHEN t < 20 THEN 1 ELSE 2 END END");
    }
}
