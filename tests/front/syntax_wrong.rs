//! Forms that are not the language: each is answered with its code, its place, and what to write instead.

use crate::support::{files, root};
use crate::syntax_support::{check_promises, fixed, parse};

/// A text, the code and the place of its one diagnostic, and a part of its help, or the text with its fix made after `=>`.
fn check(table: &[(&str, &str, &str, &str)]) {
    let mut wrong = String::new();
    for (text, code, place, cure) in table {
        check_promises(text);
        let (source, parsed) = parse(text);
        let said: Vec<_> = parsed.diagnostics.iter().map(|d| (d.code.as_str(), source.slice(d.primary.span))).collect();
        let got = match &parsed.diagnostics[..] {
            [d, ..] => match cure.strip_prefix("=> ") {
                Some(_) => fixed(text, d).map_or("no fix".to_string(), |t| format!("=> {t}")),
                None => d.help.clone().unwrap_or_default(),
            },
            [] => "nothing".to_string(),
        };
        let good = if cure.starts_with("=> ") { got == *cure } else { got.contains(cure) };
        if said != [(*code, *place)] || !good {
            let messages: Vec<_> = parsed.diagnostics.iter().map(|d| d.message.as_str()).collect();
            wrong += &format!("{text}\n  said {said:?} {messages:?}\n  got  {got}\n  want {code} {place:?} {cure}\n");
        } else if let Some(text) = cure.strip_prefix("=> ") {
            let (_, again) = parse(text);
            if !again.diagnostics.is_empty() {
                wrong += &format!("{text}: the fix leaves {:?}\n", again.diagnostics);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn signs_and_words_of_other_languages() {
    check(&[
        ("a && b", "E0102", "&&", "=> a and b"),
        ("a || b", "E0102", "||", "=> a or b"),
        ("!a", "E0102", "!", "=> not a"),
        ("!(a or b)", "E0102", "!", "=> not(a or b)"),
        ("a == 3", "E0102", "==", "=> a = 3"),
        ("a =< 3", "E0102", "=<", "=> a <= 3"),
        ("a => 3", "E0102", "=>", "=> a >= 3"),
        ("a <> 3", "E0102", "<>", "=> a != 3"),
        ("a => offer", "E0102", "=>", "=> a -> offer"),
        ("a in 3d => offer", "E0102", "=>", "=> a in 3d -> offer"),
        ("a AND b", "E0102", "AND", "=> a and b"),
        ("a OR b", "E0102", "OR", "=> a or b"),
        ("a IN 30d", "E0102", "IN", "=> a in 30d"),
        ("NOT a", "E0102", "NOT", "=> not a"),
        ("a BETWEEN 30d and 20d ago", "E0102", "BETWEEN", "=> a between 30d and 20d ago"),
        ("NO purchased in 3d", "E0102", "NO", "=> no purchased in 3d"),
        ("SEGMENT x: a", "E0102", "SEGMENT", "=> segment x: a"),
        ("Trait x: a", "E0102", "Trait", "=> trait x: a"),
        ("a more than 3 in 3d", "E0102", "more than 3", "=> a > 3 in 3d"),
        ("a fewer than 3 times in 3d", "E0102", "fewer than 3 times", "=> a < 3 in 3d"),
        ("country is FR", "E0102", "is FR", "=> country = FR"),
        ("is_member is true", "E0102", "is true", "name alone"),
        ("is_member is not true", "E0102", "is not true", "`not` before"),
        ("country is not FR", "E0102", "is not FR", "=> country ≠ FR"),
        ("country is null", "E0102", "is null", "=> country is unknown"),
        ("country is not known", "E0102", "is not known", "=> country is unknown"),
        ("country is not null", "E0102", "is not null", "=> country is known"),
        ("country not FR", "E0102", "not FR", "`country ≠ FR`"),
        ("purchased not serum", "E0102", "not serum", "`purchased other than serum`"),
        ("name like \"a%\"", "E0102", "like", "`contains`"),
        ("average(amount of a) > 3", "E0102", "average", "=> avg(amount of a) > 3"),
        ("weeks since last a > 3", "E0102", "weeks", "=> days since last a > 3"),
        ("share > 20 %", "E0102", "20 %", "=> share > 20%"),
    ]);
}

#[test]
fn quotes_and_parentheses() {
    check(&[
        ("a “b c”", "E0103", "“b c”", "=> a \"b c\""),
        ("a = 'x y'", "E0103", "'x y'", "=> a = \"x y\""),
        ("a \"b c", "E0103", "\"b c", "write `\"`"),
        ("a \"b\\nc\"", "E0103", "\\n", "=> a \"b\\\\nc\""),
        ("a contains 3", "E0103", "3", "=> a contains \"3\""),
        ("a and (b or c", "E0104", "(", "write `)`"),
        ("a or b)", "E0104", ")", "=> a or b"),
        ("a where (x = 1", "E0104", "(", "write `)`"),
    ]);
}

#[test]
fn numbers_durations_dates() {
    check(&[
        ("a ≥3in 90d", "E0108", "3in", "`3 in`"),
        ("a > 1,000", "E0108", "1,000", "=> a > 1_000"),
        ("a > 1234567890123456789", "E0108", "1234567890123456789", ""),
        ("a > 0.1234567890", "E0108", "0.1234567890", ""),
        ("a in 99999999999d", "E0108", "99999999999d", ""),
        ("a in 3m", "E0109", "3m", "`3min` for minutes, `3mo` for months"),
        ("a in 90 day", "E0109", "90 day", "=> a in 90d"),
        ("a in 90 d", "E0109", "90 d", "=> a in 90d"),
        ("a in 3 yrs", "E0109", "3 yrs", "=> a in 3y"),
        ("a in 30D", "E0109", "30D", "=> a in 30d"),
        ("a in 2 quarters", "E0109", "2 quarters", "=> a in 6mo"),
        ("a in 0d", "E0109", "0d", ""),
        ("a in 90", "E0109", "90", "`in 90d`"),
        ("a in 2026", "E0119", "in 2026", "=> a between 2026-01-01 and 2026-12-31"),
        ("a in 2026-10-01", "E0119", "in 2026-10-01", "=> a on 2026-10-01"),
        ("a between 30 and 60 ago", "E0109", "between 30 and 60 ago", "between 60d and 30d ago"),
        ("a since 2026-02-30", "E0110", "2026-02-30", "`2026-02-28`"),
        ("a since 2026-13-01", "E0110", "2026-13-01", ""),
        ("a since 2026-1-5", "E0110", "2026-1-5", "=> a since 2026-01-05"),
        ("a since 21.11.2026", "E0110", "21.11.2026", "=> a since 2026-11-21"),
        ("a since 11/21/2026", "E0110", "11/21/2026", "=> a since 2026-11-21"),
        ("a since 2026-11-21 08:00", "E0110", "2026-11-21 08:00", "=> a since 2026-11-21T08:00"),
        ("a since 2026-11-21T25:00", "E0110", "2026-11-21T25:00", ""),
        ("a > 2026-11-21T08:00:00.1234567", "E0110", "2026-11-21T08:00:00.1234567", ""),
    ]);
}

#[test]
fn counts() {
    check(&[
        ("a 3 times in 90d", "E0111", "3 times", "`≥ 3` or `= 3`"),
        ("a 3 in 90d", "E0111", "3", "`≥ 3` or `= 3`"),
        ("a once", "E0111", "once", "`≥ 1` or `= 1`"),
        ("a twice in 3d", "E0111", "twice", "`≥ 2` or `= 2`"),
        ("a > 3 times", "E0111", "times", "=> a > 3"),
        ("a at least 3 times in 3d", "E0111", "times", "=> a at least 3 in 3d"),
        ("a on 3 days", "E0111", "3", "`on ≥ 3 days` or `on = 3 days`"),
        ("a ≥ 3 days in 30d", "E0111", "≥ 3 days", "`on ≥ 3 days`"),
        ("a in 90d ≥ 3", "E0112", "≥ 3", "=> a ≥ 3 in 90d"),
        ("a in 90d where (x = 1)", "E0112", "where (x = 1)", "=> a where (x = 1) in 90d"),
        ("≥ 3 a in 90d", "E0112", "≥ 3", "=> a ≥ 3 in 90d"),
        (
            "at least 3 a serum where (x = 1) in 90d",
            "E0112",
            "at least 3",
            "=> a serum where (x = 1) at least 3 in 90d",
        ),
        ("count(a) > 3 in 90d", "E0112", "in 90d", "=> count(a in 90d) > 3"),
        ("(a and b) in 90d", "E0112", "in 90d", "behind each behaviour"),
        ("sum(a.amount) > 3", "E0112", "a.amount", "=> sum(amount of a) > 3"),
        ("sum(a) > 3", "E0112", "a", "sum(amount of purchased in 90d)"),
        ("count(x of a) > 3", "E0112", "x", "distinct(x of …)"),
        ("count(a ≥ 3)", "E0112", "≥ 3", "=> count(a) ≥ 3"),
        ("sum(x of a) in 90d > 3", "E0112", "in 90d", "=> sum(x of a in 90d) > 3"),
        ("b > sum(x of a) in 90d", "E0112", "in 90d", "=> b > sum(x of a in 90d)"),
        (
            "sum(x of a in 90d) > 2 * sum(x of a) between 180d and 90d ago",
            "E0112",
            "between 180d and 90d ago",
            "=> sum(x of a in 90d) > 2 * sum(x of a between 180d and 90d ago)",
        ),
        ("rate(a per b) in previous month > 3", "E0112", "in previous month", "=> rate(a per b in previous month) > 3"),
        ("count(a in 3d) in 90d > 3", "E0112", "in 90d", ""),
        ("quintile(a) in 90d > 3", "E0112", "in 90d", ""),
        ("a / 3 > 2 in 90d", "E0112", "in 90d", ""),
        ("days since last a in 90d > 3", "E0112", "in 90d", ""),
        ("a ≥ 3 ≤ 5", "E0113", "≤ 5", "`between 2 and 5`"),
        ("a in 90d in 30d", "E0113", "in 30d", "`between 60d and 30d ago`"),
        ("a where (x = 1) where (y = 2)", "E0113", "where (y = 2)", "join them"),
    ]);
}

#[test]
fn calculations_and_functions() {
    check(&[
        ("a -b > 3", "E0121", "-", "=> a - b > 3"),
        ("count(a)-count(b) > 3", "E0121", "-", "=> count(a) - count(b) > 3"),
        ("a > 5 -3", "E0121", "-", "=> a > 5 - 3"),
        ("a × b > 3", "E0102", "×", "=> a * b > 3"),
        ("a − b > 3", "E0102", "−", "=> a - b > 3"),
        ("a serum / 3 > 2", "E0121", "a serum", "=> count(a serum) / 3 > 2"),
        ("no a / 3 > 2", "E0121", "no a", "`count(a …)`"),
        ("a in 30d / 3 > 2", "E0121", "/ 3", "`count("),
        ("a contains b + c", "E0121", "+ c", ""),
        ("a + 30d > 3", "E0121", "30d", "such as 30,"),
        ("a > b + 30d", "E0121", "30d", "such as 30,"),
        ("country = (FR)", "E0114", "= (FR)", "=> country in (FR)"),
        ("country ≠ (FR,)", "E0114", "≠ (FR,)", "=> country not in (FR)"),
        ("percentile(x of a) > 3", "E0122", "percentile", "`percentile(90, x of a)"),
        ("percentile(x of a, 90) > 3", "E0112", ", 90", "=> percentile(90, x of a) > 3"),
        ("percentile(90%, x of a) > 3", "E0122", "90%", "=> percentile(90, x of a) > 3"),
        ("sample 0.1", "E0126", "0.1", "=> sample 10%"),
        ("median(50, x of a) > 3", "E0122", "50", "`percentile(90, "),
        ("median(a) > 3", "E0112", "a", "median(amount of purchased in 90d)"),
        ("avg(x of last a) > 3", "E0116", "last", "`last(x of a)`"),
        ("most_frequent(x of a) = b", "E0102", "most_frequent", "=> most frequent(x of a) = b"),
        ("rate(a) > 3", "E0122", "rate(a)", "`rate(open per sent in 90d)`"),
        ("rate(a / b) > 3", "E0122", "a / b", "=> rate(a per b) > 3"),
        ("rate(a in 3d per b) > 3", "E0112", "in 3d", "=> rate(a per b in 3d) > 3"),
        ("rate(a in 3d per b in 3d) > 3", "E0112", "in 3d", ""),
        ("rate(no a per b) > 3", "E0116", "no", ""),
        ("rate(a per b ≥ 3) > 3", "E0112", "≥ 3", "`rate(open per sent in 90d) ≥ 20%`"),
        ("sum(x of a / 3) > 3", "E0122", "a / 3", "outside the parentheses"),
    ]);
}

#[test]
fn sequences_and_same() {
    check(&[
        (
            "a then b in 7d",
            "E0123",
            "in 7d",
            "`within 7d` is at most 7d after the step before; behind the first event, `in 7d`",
        ),
        ("a then b in this month", "E0123", "in this month", "put `in this month` behind the first event"),
        ("a then b ≥ 3 within 3d", "E0123", "≥ 3", "`viewed then viewed then purchased`"),
        ("a ≥ 3 then b", "E0123", "≥ 3", "join the count with `and`"),
        ("a then 3 b", "E0101", "3", ""),
        ("no a in 3d then b and c", "E0116", "no", "=> not (a in 3d then b) and c"),
        ("never a then b", "E0116", "never", "=> not (a then b)"),
        ("a then never b", "E0116", "never", "=> a then no b"),
        ("a then no b then c x", "E0123", "then no b", "`then c x without b`"),
        ("a then no b after 1d", "E0123", "after 1d", "`then no b within 1h`"),
        ("a then no b without c", "E0123", "without c", "`then no b`"),
        ("a then no first b", "E0116", "no first", "`not (first …)`"),
        ("a then (b or c)", "E0123", "then (b or c)", "`(a then b) or (a then c)`"),
        ("a then count(b) > 3", "E0123", "then count(b)", ""),
        ("(a or b) then c", "E0123", "then c", "`added_to_cart then purchased within 7d`"),
        ("count(a) > 3 then b", "E0123", "then b", ""),
        ("a and then b", "E0102", "and then", "=> a then b"),
        ("a serum followed by b", "E0102", "followed by", "=> a serum then b"),
        ("a THEN b", "E0102", "THEN", "=> a then b"),
        ("a within 7d then b", "E0123", "within 7d", "`then b within 7d`"),
        ("a after 7d then b", "E0123", "after 7d", "`then b after 7d`"),
        ("a without c then b", "E0123", "without c", "`then b without c`"),
        ("a then b without c within 7d", "E0112", "within 7d", "=> a then b within 7d without c"),
        ("a then b without c after 7d", "E0112", "after 7d", "=> a then b after 7d without c"),
        ("a then b without no c", "E0116", "no", "=> a then b without c"),
        ("a then b without (c or d)", "E0124", "(c or d)", "`without purchased (serum or cream)`"),
        ("a then b all within 7d then c", "E0112", "all within 7d", ""),
        ("a then b within 7d within 3d", "E0113", "within 3d", ""),
        ("a then b after 7d after 3d", "E0113", "after 3d", ""),
        ("a then b of same product", "E0124", "of same product", "=> a then b with same product"),
        ("a of same product then b", "E0124", "of same product", "`with same product` at the end"),
        ("a all within 7d", "E0123", "all within 7d", "`in any 14d (A and B)`"),
        ("a after 7d", "E0123", "after 7d", "`over 30d ago`"),
        ("a in 14d without b x", "E0124", "without b x", "`and no b x in 14d`"),
        ("a of same product in 3d", "E0124", "of same product", "`≥ 2 of same product`"),
        ("a ≥ 3 in 3d of same product", "E0112", "of same product", "=> a ≥ 3 of same product in 3d"),
        ("a ≥ 3 of the same product", "E0102", "of the same product", "=> a ≥ 3 of same product"),
        ("a ≥ 3 with same product", "E0124", "with same product", "=> a ≥ 3 of same product"),
        ("a with same product", "E0124", "with same product", "`a ≥ 2 of same product`"),
        ("a ≥ 3 of same product of same color", "E0113", "of same color", ""),
        ("a ≥ 3 of same product without b in 3d", "E0112", "in 3d", "=> a ≥ 3 of same product in 3d without b"),
        ("a ≥ 3 of same product without b without c", "E0113", "without c", ""),
        ("(a or b) without c", "E0112", "without c", ""),
    ]);
}

#[test]
fn sessions_ranks_and_records() {
    check(&[
        ("in a session (a and b) in 3d", "E0102", "in a session", "=> in one session (a and b) in 3d"),
        ("in the same visit (a and b)", "E0102", "in the same visit", "=> in one session (a and b)"),
        ("in 14d (a and b)", "E0102", "in 14d", "=> in any 14d (a and b)"),
        ("in one 14d (a and b)", "E0102", "in one 14d", "=> in any 14d (a and b)"),
        ("in any 14d (a and b) ≥ 3", "E0112", "≥ 3", "`and` or `or`"),
        ("in one session (a and b) then c", "E0123", "then c", ""),
        ("no in one session (a)", "E0116", "no", "=> not in one session (a)"),
        ("in any 0d (a)", "E0109", "0d", ""),
        ("top 10%", "E0126", "top 10%", "`top 10% by sum(amount of purchased in 12mo)`"),
        ("top 10% of vip by spend", "E0126", "of vip", "=> top 10% by spend among vip"),
        ("top 10% among vip by spend and b", "E0126", "among vip", "=> top 10% by spend among vip and b"),
        ("bottom 10% among vip", "E0126", "bottom 10% among vip", " among vip`"),
        ("top 1_000 customers by spend", "E0126", "customers", "=> top 1_000 by spend"),
        ("top 1,000 by spend", "E0108", "1,000", "=> top 1_000 by spend"),
        ("top 10 % by spend", "E0102", "10 %", "=> top 10% by spend"),
        ("top 10% by spend in 30d", "E0112", "in 30d", "its own window"),
        ("top 10% by sum(x of a) in 30d", "E0112", "in 30d", "=> top 10% by sum(x of a in 30d)"),
        ("top 10% by spend ≥ 3", "E0112", "≥ 3", ""),
        ("top 10% by spend then b", "E0123", "then b", ""),
        ("sample 10 and a", "E0126", "10", "=> sample 10% and a"),
        ("sample 10% of vip", "E0126", "vip", "=> sample 10% of \"vip\""),
        ("sample 10% in 30d", "E0112", "in 30d", ""),
        ("anniversary of birth_date = 3", "E0112", "= 3", ""),
        ("member of vip in 30d", "E0112", "in 30d", "`entered vip in 30d`"),
        ("vip for 30d", "E0119", "for 30d", "`member of vip for 30d`"),
        ("entered vip for 30d", "E0119", "for 30d", "`in 30d`"),
        ("entered vip where (a = b) in 3d", "E0112", "a = b", ""),
        ("no entered vip ≥ 3", "E0116", "no", ""),
        ("never left vip in 3d", "E0116", "never", "=> no left vip in 3d"),
    ]);
}

#[test]
fn stages() {
    check(&[
        ("stages j:", "E0125", "", "`visited in 30d → awareness`"),
        ("stages j: otherwise → a b → c", "E0125", "otherwise → a", ""),
        ("stages j: a → b\n else → c", "E0102", "else", "=> stages j: a → b\n otherwise → c"),
        ("stages j: a → b\n otherwise: c", "E0102", ":", "=> stages j: a → b\n otherwise→ c"),
        ("stages j: a → b otherwise c", "E0125", "", "=> stages j: a → b otherwise → c"),
        ("stages j: a => b", "E0102", "=>", "=> stages j: a -> b"),
        ("stages j: a → \"very hot\"", "E0125", "\"very hot\"", "=> stages j: a → very_hot"),
        ("stages j: a → 'hot'", "E0125", "'hot'", "=> stages j: a → hot"),
        ("stages j: a → goal", "E0125", "goal", "`goal_`"),
        ("stages j: a → b, c → d", "E0125", ",", "=> stages j: a → b c → d"),
        ("stages j:\n b: a in 3d\n otherwise → c", "E0125", "b", "=> stages j:\n a in 3d → b\n otherwise → c"),
        ("stages j was k: a → b", "E0117", "k", ""),
        ("stages j a → b", "E0117", "", "=> stages j: a → b"),
        ("Stages j: a → b", "E0102", "Stages", "=> stages j: a → b"),
        ("stages my journey: a → b", "E0117", "my journey", "=> stages my_journey: a → b"),
        ("stages j: a → in", "E0101", "in", ""),
        ("stages j: a →", "E0101", "", ""),
        ("stages j: a in in 3d → b\n c → d", "E0101", "in", ""),
        ("stages j: a in 3d", "E0125", "", "`visited in 30d → awareness`"),
    ]);
    // Two broken lines are two mistakes, and the name is known all the same.
    let (source, parsed) = parse("stages j:\n a in in 3d → b\n c @ → d\n otherwise → e\nsegment s: j = b");
    let said: Vec<_> = parsed.diagnostics.iter().map(|d| source.line_column(d.primary.span.start as usize)).collect();
    assert_eq!(said, [(2, 7), (3, 4)], "{:?}", parsed.diagnostics);
    assert_eq!(segue::language::syntax::dump::file(&parsed.file), "(error j)\n(segment s (j Eq b))\n");
}

/// Where the grammar stops, the words around the place tell what was meant.
#[test]
fn hints_where_the_grammar_stops() {
    check(&[
        ("rate(a, b) > 20%", "E0101", ",", "`rate(open per sent in 90d)`"),
        ("rate(a of b) > 20%", "E0101", "b", "`rate(open per sent in 90d)`"),
        ("a per b > 20%", "E0101", "per", "`rate(open per sent in 90d)`"),
        ("percentile(90 x of a) > 3", "E0101", "90", "`percentile(90, amount of purchased)`"),
        ("mode(x of a) = b", "E0101", "a", "`most frequent(category of purchased)`"),
        ("p95(x of a) > 3", "E0101", "a", "`percentile(95, amount of purchased)`"),
        ("stddev(x of a) > 3", "E0101", "a", "there is no function `stddev`"),
        ("count(a or b) > 3", "E0101", "or", "`count(purchased in 90d)`"),
        ("sum x of a > 3", "E0101", "a", "`sum(x of a)`"),
        ("quintile(x by y) = 5", "E0101", "by", "`quintile(spend_12mo among vip)`"),
        ("a ≥ 3 of product", "E0101", "product", "`of same product`"),
        ("a ≥ 3 by product", "E0101", "by", "`≥ 3 of same product`"),
        ("top by spend", "E0101", "by", "`top 10% by spend_12mo`"),
        ("best 10% by spend", "E0101", "%", "`top 10% by spend_12mo`"),
        ("count(a) ** 2 > 3", "E0101", "*", "no powers"),
        ("-x > 3", "E0101", "-", "`0 - spend`"),
        ("x > - 5", "E0101", "-", "`-5`"),
        ("no a since 3 b", "E0101", "3", "`since last 3 sent`"),
        ("a before b", "E0101", "b", "`a then b`"),
        ("a after b", "E0101", "b", "`b then a`"),
        ("then b", "E0101", "then", "`added_to_cart then purchased`"),
        ("a then not b", "E0101", "not", "`then no purchased`"),
        ("a then within 7d b", "E0101", "within", "`then purchased within 7d`"),
        ("a until 2026-01-01", "E0101", "until 2026-01-01", "`between 2026-01-01 and 2026-03-31`"),
        ("a from 2026-01-01", "E0101", "from 2026-01-01", "`between 2026-01-01 and 2026-03-31`"),
        ("segment s: a every month", "E0101", "every month", "`in each of previous 3 months`"),
        ("in 90d a ≥ 3", "E0101", "a", "`purchased in 90d`"),
        ("within 7d", "E0101", "within", "`renewal_date within 7d`"),
        ("top 10% by x among (a or b)", "E0101", "(", "`segment NAME: …`"),
        ("a in the month", "E0119", "in the month", "`in previous month`"),
        ("a ≥ 3 in one session", "E0112", "in one session", "`in one session (viewed"),
        ("a in any 14d", "E0112", "in any 14d", "`in any 14d (viewed"),
        ("a since last", "E0119", "since last", "`since last sent`"),
        ("a ≥ 3 same product", "E0124", "same", "`viewed ≥ 3 of same product`"),
        ("a then b same product", "E0124", "product", "`with same product`"),
        ("count(a) > 2(b)", "E0120", "(b)", "`*` multiplies"),
        ("a > 2 count(b)", "E0120", "count", ""),
        ("top 10% spend", "E0126", "top 10% spend", "=> top 10% by spend"),
        ("top 10% of customers by spend", "E0126", "of customers", "=> top 10% by spend"),
        ("no top 10% by spend", "E0116", "no", "=> not top 10% by spend"),
        ("member of vip since 30d", "E0102", "since", "=> member of vip for 30d"),
        ("entered (a or b) in 3d", "E0126", "(a or b)", "`entered gold in 7d or entered vip in 7d`"),
    ]);
}

#[test]
fn lists_where_and_quantifiers() {
    check(&[
        ("a serum, cream in 3d", "E0114", "serum, cream", "=> a (serum or cream) in 3d"),
        ("a (serum, cream)", "E0114", ",", "=> a (serum or cream)"),
        ("a (serum and cream)", "E0114", "and", "purchased a and purchased b"),
        ("country in FR, DE", "E0114", "in FR, DE", "=> country in (FR, DE)"),
        ("country in (FR or DE)", "E0114", "or", "=> country in (FR, DE)"),
        ("country = (FR or DE)", "E0114", "= (FR or DE)", "=> country in (FR, DE)"),
        ("country ≠ (FR, DE)", "E0114", "≠ (FR, DE)", "=> country not in (FR, DE)"),
        ("a where x = 1 in 3d", "E0115", "where x = 1", "=> a where (x = 1) in 3d"),
        ("a (x = 1) in 3d", "E0115", "(x = 1)", "=> a where (x = 1) in 3d"),
        ("no (a or b)", "E0116", "no", "=> not (a or b)"),
        ("no first a in 3d", "E0116", "no first", "=> not (first a in 3d)"),
        ("no last a in 3d then b and c", "E0116", "no last", "=> not (last a in 3d then b) and c"),
        ("no a ≥ 3", "E0116", "no", ""),
        ("last a ≥ 3 in 3d", "E0116", "last", ""),
        ("never a in 3d", "E0116", "never", "=> no a in 3d"),
        ("a not in 30d", "E0116", "not in 30d", "`no a in 30d`"),
    ]);
}

#[test]
fn declarations_and_actions() {
    check(&[
        ("segment x purchased in 3d", "E0117", "", "=> segment x: purchased in 3d"),
        ("segment lapsed buyers: a", "E0117", "lapsed buyers", "=> segment lapsed_buyers: a"),
        ("segment \"Lapsed\": a", "E0117", "\"Lapsed\"", "=> segment Lapsed: a"),
        ("segment in: a", "E0117", "in", ""),
        ("trait x was y: a", "E0117", "y", ""),
        ("campaign x: a", "E0118", "", "`→ offer`"),
        ("segment x: a → offer", "E0118", "→ offer", "=> campaign x: a → offer"),
        ("a in 30d b in 3d", "E0120", "b", "`and` or `or`"),
        ("a serum cream", "E0120", "cream", "(serum or cream)"),
        ("a in 3d\nsegment b: c", "E0120", "a in 3d", "`segment NAME:`"),
        ("everyone everyone", "E0120", "everyone", "join them"),
        ("segment x: a;", "E0101", ";", "=> segment x: a"),
        ("segment x: a = $5", "E0101", "$", "=> segment x: a = 5"),
        ("a = in", "E0101", "in", "=> a = \"in\""),
        ("a and", "E0101", "", ""),
        ("segment x:", "E0101", "", ""),
        ("a →", "E0101", "", ""),
        ("a where", "E0101", "", ""),
    ]);
}

#[test]
fn windows_in_other_words() {
    check(&[
        ("a in last 90 days", "E0119", "in last 90 days", "=> a in 90 days"),
        ("a last 90 days", "E0119", "last 90 days", "=> a in 90 days"),
        ("a serum for the last 90 days", "E0119", "for the last 90 days", "=> a serum in 90 days"),
        ("a in the past 3w", "E0119", "in the past 3w", "=> a in 3w"),
        ("a in last month", "E0119", "in last month", "`in 1mo`"),
        ("a last week", "E0119", "last week", "`in 1w`"),
        ("a since 30d", "E0119", "since 30d", "=> a in 30d"),
        ("a before 30d", "E0119", "before 30d", "=> a over 30d ago"),
        ("a more than 30d ago", "E0119", "more than 30d ago", "=> a over 30d ago"),
        ("a less than 30 days ago", "E0119", "less than 30 days ago", "=> a in 30 days"),
        ("a older than 30d", "E0119", "older than 30d", "=> a over 30d ago"),
        ("a over 30d", "E0119", "", "=> a over 30d ago"),
        ("a between 30d and 60d", "E0119", "", "=> a between 30d and 60d ago"),
        ("a after 2026-01-01", "E0119", "after 2026-01-01", "=> a since 2026-01-01"),
        ("a 30d ago", "E0119", "30d ago", "`over 30d ago`"),
        ("a on 2026-01-01T08:00", "E0119", "on 2026-01-01T08:00", "`on 2026-01-01`"),
        ("a in last quarter", "E0119", "in last quarter", "`in previous quarter`"),
        ("a since last month", "E0119", "since last month", "`in previous month`"),
        ("a in last hour", "E0119", "in last hour", "=> a in 1h"),
        ("a since last 30 days", "E0119", "since last 30 days", "=> a in 30 days"),
        ("a since the last b", "E0119", "since the last b", "=> a since last b"),
        ("a since b serum", "E0119", "since b serum", "`since last b serum` or `since first b serum`"),
        ("a since last 0 b", "E0119", "0", ""),
        ("a since first 3 b", "E0119", "3", "`since last 3 b`"),
        ("a since last b in 30d", "E0113", "in 30d", "`and b in 30d`"),
        ("a since last b ≥ 3", "E0112", "≥ 3", "=> a ≥ 3 since last b"),
        ("a in the previous month", "E0119", "in the previous month", "=> a in previous month"),
        ("a in previous months", "E0119", "in previous months", "=> a in previous month"),
        ("a in previous 3 month", "E0119", "in previous 3 month", "=> a in previous 3 months"),
        ("a in previous 3w", "E0119", "in previous 3w", "`in 3w` goes back from now; `in previous 3 weeks`"),
        ("a in previous 3 hours", "E0119", "in previous 3 hours", "=> a in 3h"),
        ("a in previous 0 weeks", "E0119", "0 weeks", ""),
        ("a in previous 3", "E0119", "in previous 3", "`in previous 3 days`"),
        ("a in this 3 months", "E0119", "in this 3 months", "`in 3mo` goes back from now; `in previous 3 months`"),
        ("a in this 2 quarters", "E0119", "in this 2 quarters", "`in 6mo`"),
        ("a this month", "E0119", "this month", "=> a in this month"),
        ("a serum the previous 3 weeks", "E0119", "the previous 3 weeks", "=> a serum in previous 3 weeks"),
        ("a in each month", "E0119", "in each month", "`in each of previous 3 months`"),
        ("a in each of previous month", "E0119", "in each of previous month", "`in previous month`"),
        (
            "a in each of the last 3 months",
            "E0119",
            "in each of the last 3 months",
            "=> a in each of previous 3 months",
        ),
        (
            "a in every of previous 3 months",
            "E0119",
            "in every of previous 3 months",
            "=> a in each of previous 3 months",
        ),
        ("renewal_date in next 7d", "E0119", "in next 7d", "=> renewal_date within 7d"),
        ("renewal_date in the next 7 days", "E0119", "in the next 7 days", "=> renewal_date in next 7 days"),
        ("renewal_date within the next 7 days", "E0119", "within the next 7 days", "=> renewal_date within 7 days"),
        ("a within the last 7 days", "E0119", "within the last 7 days", "=> a in 7 days"),
        ("a within 7", "E0109", "7", "`within 7d`"),
        ("days since last a > 30d", "E0119", "30d", "plain number"),
    ]);
}

#[test]
fn what_is_not_available_yet() {
    check(&[
        ("predicted churn ≥ 70%", "E0190", "predicted churn ≥ 70%", ""),
        ("model churn: predict no purchased within 60d\n for a from b", "E0190", "model", ""),
    ]);
}

/// The example of each page shows its code, or is a text that a page can show at all.
#[test]
fn pages_show_what_they_explain() {
    for path in files(&root().join("grammar/codes"), "md") {
        let code = path.file_stem().expect("named").to_string_lossy().into_owned();
        if !code.starts_with("E01") || ["E0105", "E0107"].contains(&code.as_str()) {
            continue;
        }
        let page = std::fs::read_to_string(&path).expect("text");
        let example = page.split_once("```seg\n").and_then(|(_, t)| t.split_once("```")).expect("an example").0;
        let (_, parsed) = parse(example);
        assert!(parsed.diagnostics.iter().any(|d| d.code.as_str() == code), "{code}: {:?}", parsed.diagnostics);
    }
}
