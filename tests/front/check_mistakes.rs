//! What the checker refuses or doubts: source, then code and underlined text of everything that is said.

use crate::check_support::{check, says};

#[test]
fn fine() {
    says(&[
        ("purchased anti-aging ≥3 in 90d and no open in 30d → offer", &[]),
        ("purchased", &[]),
        ("bought (serum or lipstick-red)", &["E0304 lipstick-red"]),
        ("everyone", &[]),
        ("country = FR", &[]),
        ("is_member but purchased", &[]),
        ("joined in 30d and birth_date before 1990-01-01", &[]),
        ("staff or tags has vip", &[]),
        ("known for 30d", &[]),
        ("sum(amount of purchased in 12mo) ≥ 500", &[]),
        ("purchased where (hour ≥ 22 or weekday in (sat, Sunday))", &[]),
        ("purchased between 2026-01-01 and 2026-03-31", &[]),
        ("purchased on ≥ 4 days in 30d", &[]),
        ("last purchased over 60d ago", &[]),
        ("segment a: purchased\nsegment b: a and country = DE", &[]),
        ("trait spend: sum(amount of purchased)\nsegment big: spend > 1_000 and balance ≤ spend", &[]),
        ("purchased where (purchased.country = FR)", &[]),
        ("age between 30 and 45 and days since last purchased > 60", &[]),
    ]);
}

#[test]
fn names() {
    says(&[
        ("purchsed ≥ 3 in 90d", &["E0301 purchsed"]),
        ("refunded", &["E0301 refunded"]),
        ("anti-aging", &["E0301 anti-aging"]),
        ("purсhased", &["E0106 purсhased", "E0301 purсhased"]),
        ("segment vip: purchased\nsegment vip: open", &["E0302 vip"]),
        ("segment country: purchased", &["E0302 country"]),
        ("segment bought: open", &["E0302 bought"]),
        ("trait spend: count(purchased)\nsegment spend: purchased", &["W0511 spend", "E0302 spend"]),
        ("segment ace: purchased ≥ 9\nsegment асе: open", &["E0303 асе"]),
        ("campaign vip: purchased → offer\nsegment a: vip", &["E0314 vip"]),
        ("segment a: b\nsegment b: c and purchased\nsegment c: a or open\nsegment d: a", &["E0310 a"]),
        ("segment a: a", &["E0310 a"]),
        ("trait t: u\ntrait u: t\nsegment a: t > 3", &["E0310 t"]),
        ("segment FR: country = FR", &[]),
        ("segment broken: purchased ≥\nsegment a: broken and purchased", &["E0101 "]),
        ("purchased crem", &["E0304 crem"]),
        ("purchased lipstick", &["E0305 lipstick"]),
        ("purchased Lipstick", &["E0305 Lipstick"]),
        ("purchased VCS", &[]),
        ("purchased where (shade = ROSE)", &["E0306 ROSE"]),
        ("sent mail", &["E0304 mail"]),
        ("visited home", &[]),
        ("open sprnig", &["W0316 sprnig"]),
        ("country = XX", &["E0307 XX"]),
        ("country = \"fr\"", &["E0307 \"fr\""]),
        ("country = fr and country in (Italy, de)", &["E0501 country in (Italy, de)"]),
        ("language = city", &["E0308 city"]),
        ("language = \"city\"", &[]),
        ("language = en", &["W0316 en"]),
        ("city = Paris", &[]),
        ("purchased where (amont > 3)", &["E0309 amont"]),
        ("sum(prise of purchased) > 3", &["E0309 prise"]),
        ("purchased where (country = FR)", &["E0315 country"]),
        ("purchased where (age > 3)", &[]),
        ("purchased where (customer.age > 3)", &[]),
        ("purchased → ofer serum-15", &["E0311 ofer"]),
        ("purchased → offer serum-16", &["E0313 serum-16"]),
        ("purchased → call by phone", &["E0312 phone"]),
        ("purchased → call", &[]),
    ]);
}

#[test]
fn types() {
    says(&[
        ("country", &["E0401 country"]),
        ("age", &["E0401 age"]),
        ("sum(amount of purchased)", &["E0401 sum(amount of purchased)"]),
        ("purchased serum or cleanser", &["E0402 cleanser"]),
        ("purchased serum but not cleanser in 30d", &["E0402 cleanser in 30d"]),
        ("country = FR or DE or \"IT\" or is_member", &["E0114 country = FR or DE or \"IT\""]),
        ("country is known and country ≠ FR and DE", &["E0114 country ≠ FR and DE"]),
        ("purchased where (channel = web or store)", &["E0114 channel = web or store"]),
        ("age = old", &["E0403 old"]),
        ("age > \"3\"", &["E0403 \"3\""]),
        ("balance > 20%", &["E0403 20%"]),
        ("city = 75001", &["E0403 75001"]),
        ("birth_date > 3", &["E0403 3"]),
        ("age > 2026-01-01", &["E0403 2026-01-01"]),
        ("birth_date = 2026-01-01T10:00", &["E0403 2026-01-01T10:00"]),
        ("age > city", &["E0403 age > city"]),
        ("purchased ≥ 2.5", &["E0404 2.5"]),
        ("purchased = open", &["E0404 open"]),
        ("purchased ≥ 20%", &["E0404 20%"]),
        ("purchased is known", &["E0404 is known"]),
        ("days since purchased > 3", &["E0405 purchased"]),
        ("first purchased", &["W0505 first"]),
        ("no country", &["E0405 no"]),
        ("first is_member", &["E0405 first"]),
        ("country FR", &["E0406 FR"]),
        ("age where (amount > 3) > 5", &["E0406 amount > 3"]),
        ("age in 30d", &["E0407 in 30d"]),
        ("joined ever", &["E0407 ever"]),
        ("birth_date in 3h", &["E0408 3h"]),
        ("birth_date since 2026-01-01T10:00", &["E0408 2026-01-01T10:00"]),
        ("age contains \"3\"", &["E0409 age contains \"3\""]),
        ("tags = vip", &["E0410 vip"]),
        ("country has FR", &["E0410 country has FR"]),
        ("tags contains vip", &["E0410 tags contains vip"]),
        ("is_member = yes", &["E0411 yes"]),
        ("is_member < opted_out", &["E0411 is_member < opted_out"]),
        ("sum(channel of purchased) > 3", &["E0412 channel"]),
        ("distinct(labels of purchased) > 3", &["E0412 labels"]),
        ("days since age > 3", &["E0412 age"]),
        ("trait t: purchased in 30d\nsegment a: t", &["E0413 purchased in 30d"]),
        ("age > staff", &["E0413 staff"]),
        ("count(country) > 3", &["E0413 country"]),
        ("city = \"\"", &["E0414 \"\""]),
        ("purchased where (origin = \"\")", &[]),
        ("purchased where (open)", &["E0415 open"]),
        ("purchased where (count(open) > 3)", &["E0415 count(open)"]),
        ("purchased where (hour = 24)", &["E0416 24"]),
        ("purchased where (weekday = someday)", &["E0416 someday"]),
        ("3 > 2", &["E0417 3 > 2"]),
        ("age = age", &["E0417 age = age"]),
        ("3 < age", &[]),
        ("staff = 3", &["E0418 = 3"]),
        ("score > 120%", &["W0419 120%"]),
        ("not purchased", &["W0420 not purchased", "W0506 not purchased"]),
    ]);
}

#[test]
fn meaning() {
    says(&[
        ("purchased ≥ 3 in 90d and no purchased in 1y", &["E0501 no purchased in 1y"]),
        ("purchased serum in 30d and no purchased in 90d", &["E0501 no purchased in 90d"]),
        ("purchased vitamin-c in 30d and no purchased serum in 30d", &["E0501 no purchased serum in 30d"]),
        ("purchased serum in 90d and no purchased serum in 30d", &[]),
        ("country = FR and country = DE", &["E0501 country = DE"]),
        ("age > 5 and age < 3", &["E0501 age < 3"]),
        ("age > 5 and age < 6", &["E0501 age < 6"]),
        ("score > 5 and score < 6", &[]),
        ("staff and not staff", &["E0501 not staff"]),
        ("age between 45 and 30", &["E0501 age between 45 and 30"]),
        ("purchased between 5 and 2", &["E0501 purchased between 5 and 2"]),
        ("purchased < 0", &["E0501 purchased < 0"]),
        ("age = 2.5", &["E0501 age = 2.5"]),
        ("joined in 30d and joined over 60d ago", &["E0501 joined over 60d ago"]),
        ("purchased where (amount > 5 and amount < 3)", &["E0501 amount < 3"]),
        ("purchased serum where (category = lipstick)", &["E0501 category = lipstick"]),
        ("purchased or (open and no open)", &["W0505 no open"]),
        ("purchased between 30d and 30d ago", &["E0502 between 30d and 30d ago"]),
        ("purchased between 2026-03-01 and 2026-01-01", &["E0502 2026-03-01 and 2026-01-01"]),
        ("purchased between 1mo and 30d ago", &[]),
        ("purchased between 30d and 2mo ago", &[]),
        ("purchased ≥ 0", &["W0504 purchased ≥ 0"]),
        ("purchased or no purchased", &["W0504 no purchased"]),
        ("purchased ≥ 3 in 90d and purchased", &["W0505 purchased"]),
        ("purchased in 30d or purchased in 90d", &["W0505 purchased in 30d"]),
        ("country = FR and country in (FR, DE)", &["W0505 country in (FR, DE)"]),
        ("purchased and purchased", &["W0505 purchased"]),
        ("everyone and purchased", &["W0505 everyone"]),
        ("no open in 30d", &["W0506 no open in 30d"]),
        ("country = FR and purchased ≤ 3", &["W0506 country = FR and purchased ≤ 3"]),
        ("purchased and no open", &[]),
        ("segment vip: purchased ≥ 5\nsegment rest: not vip", &["W0506 not vip"]),
        ("country ≠ FR", &["W0507 country ≠ FR"]),
        ("country is known and country ≠ FR", &[]),
        ("country not in (FR, DE)", &["W0507 country not in (FR, DE)"]),
        ("purchased and open or visited", &["W0508 purchased and open"]),
        ("(purchased and open) or visited", &[]),
        ("no purchased or open", &["W0509 no purchased"]),
        ("segment a: purchased and open\nsegment b: open and bought ≥ 1", &["W0510 b"]),
        ("segment a: not (purchased or staff) and open\nsegment b: open and no purchased but not staff", &["W0510 b"]),
        ("trait t: count(purchased)", &["W0511 t"]),
        ("segment a was a: purchased", &["W0512 a"]),
        ("segment a was b: purchased\nsegment b: open", &["E0317 b"]),
        ("segment a was b: purchased\ncampaign b: open → offer", &["E0317 b"]),
        ("campaign b was a: purchased → offer\ncampaign a: open → offer", &["E0317 a"]),
        ("campaign a was old: purchased → offer\ncampaign b was old: open → offer", &["E0317 old"]),
        (
            "segment a was old: purchased\nsegment b was old: open\nsegment c was old: visited",
            &["E0317 old", "E0317 old"],
        ),
        ("segment a was old: purchased\ncampaign b was old: open → offer", &["E0317 old"]),
        ("segment a was b: purchased\nsegment b was a: open", &["E0317 b", "E0317 a"]),
        ("segment a was age: purchased\nsegment b was open: open", &[]),
    ]);
}

/// The example on the page of each code shows that code and, unless it is a warning beside it, nothing else.
#[test]
fn pages_show_what_they_explain() {
    let mut wrong = String::new();
    for code in segue::language::diagnostic::code::check::ALL {
        let path = crate::support::root().join(format!("grammar/codes/{code}.md"));
        let page = std::fs::read_to_string(&path).unwrap_or_default();
        let example = page.split_once("```seg\n").and_then(|(_, rest)| rest.split_once("\n```"));
        let Some((example, _)) = example else {
            wrong.push_str(&format!("{code}: no example\n"));
            continue;
        };
        let found = check(example).findings();
        let others = found.iter().filter(|f| !f.starts_with(code.as_str()) && f.starts_with('E')).count();
        if others > 0 || !found.iter().any(|f| f.starts_with(code.as_str())) {
            wrong.push_str(&format!("{code}: {example}\n  found {found:?}\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
