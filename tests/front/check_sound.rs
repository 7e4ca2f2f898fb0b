//! Proofs against the interpreter: what the checker says never holds, always holds or changes nothing, does so for random people.
//!
//! `SEGUE_SEED` and `SEGUE_CASES` set the start and the number of rules.

use std::collections::BTreeSet;

use segue::language::calendar::{Clock, Zone};
use segue::language::catalog::{Catalog, EventId, ListId, Type};
use segue::language::check::{CheckFile, Checked, Options, check_files};
use segue::language::interpret::evaluate;
use segue::language::interpret::history::{CustomerId, Datum, EventRow, History, ProfileRow};
use segue::language::source::Sources;
use segue::language::syntax;

use crate::check_support::catalog;

const DAY: i64 = 86_400_000_000;
/// What rules are about.
const THEMES: usize = 24;

/// SplitMix64: small, and the same everywhere.
struct Dice {
    state: u64,
    /// What a rule is about, so that its parts have something to say about each other.
    theme: usize,
}

impl Dice {
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn window(&mut self) -> &'static str {
        self.pick(&[
            "",
            "",
            "",
            "in 30d",
            "in 1mo",
            "in 90d",
            "in 12w",
            "in 2h",
            "over 30d ago",
            "over 1mo ago",
            "over 12mo ago",
            "between 90d and 30d ago",
            "between 2mo and 30d ago",
            "since 2026-01-01",
            "before 2026-02-01",
            "on 2026-03-01",
            "between 2026-01-01 and 2026-02-28",
            "since 2026-01-01T12:00",
            "in this month",
            "in previous month",
            "in previous 3 weeks",
            "between 30d and 1mo ago",
            "since last open",
            "since last 2 open",
            "since first purchased serum",
        ])
    }

    fn sign(&mut self) -> &'static str {
        self.pick(&["=", "≠", "<", "≤", ">", "≥"])
    }

    fn atom(&mut self) -> String {
        let (sign, n) = (self.sign(), self.below(4));
        let theme = if self.below(4) == 0 { self.below(THEMES) } else { self.theme };
        match theme {
            0..=6 => {
                let event = match self.below(8) {
                    0 => "visited".to_owned(),
                    1 => "open".to_owned(),
                    _ => {
                        let subject = self.pick(&[
                            "",
                            "",
                            "anti-aging",
                            "serum",
                            "retinol",
                            "(retinol or anti-aging)",
                            "other than serum",
                            "skincare",
                        ]);
                        let filter =
                            self.pick(&["", "", "where (quantity ≥ 2)", "where (quantity > 3)", "where (gift)"]);
                        format!("purchased {subject} {filter}")
                    }
                };
                let window = self.window();
                match self.below(5) {
                    0 => format!("no {event} {window}"),
                    1 => format!("{event} {window}"),
                    2 if !window.is_empty() => format!("{} {event} {window}", self.pick(&["first", "last"])),
                    3 if self.below(3) == 0 => format!("{event} on {sign} {n} days {window}"),
                    _ if self.below(4) == 0 => format!("{event} between {n} and {} {window}", n + 2),
                    _ => format!("{event} {sign} {n} {window}"),
                }
            }
            7 | 8 => format!("age {sign} {n}"),
            9 => format!("score {sign} {}", self.pick(&["1", "1.5", "2", "2.5"])),
            10 => format!("balance {sign} {}", self.pick(&["1", "1.005", "2.50"])),
            11 | 12 => self
                .pick(&[
                    "country = FR",
                    "country = DE",
                    "country in (FR, DE)",
                    "country ≠ FR",
                    "country not in (FR, DE)",
                    "country is known",
                    "country is unknown",
                    "age is known",
                    "age between 1 and 2",
                ])
                .to_owned(),
            13 => self.pick(&["is_member", "staff", "tags has vip", "opted_out"]).to_owned(),
            14 => {
                let window =
                    ["in 30d", "over 30d ago", "in 1mo", "over 1mo ago", "since 2026-01-01", "before 2026-02-01"];
                format!("{} {}", self.pick(&["joined", "birth_date"]), self.pick(&window))
            }
            15 => format!("sum(quantity of purchased {}) {sign} {n}", self.window()),
            16 => {
                let value = self.pick(&[
                    "2 * age",
                    "age - 1",
                    "age / 2",
                    "age - balance",
                    "balance - 0.5",
                    "count(purchased) + count(open)",
                    "count(purchased) - count(open since last purchased)",
                    "3 / count(purchased)",
                ]);
                format!("{value} {sign} {}", self.pick(&["1", "2", "0.5", "2.005"]))
            }
            17 => {
                let function = self.pick(&["median(", "percentile(90, ", "first(", "last(", "most frequent(", "max("]);
                let window = self.pick(&["", "in 30d", "since last open"]);
                format!("{function}quantity of purchased {window}) {sign} {n}")
            }
            18 => {
                let value = self.pick(&["last(category of purchased)", "most frequent(category of purchased in 90d)"]);
                let test = self.pick(&["= serum", "≠ serum", "in (skincare, lipstick)", "= retinol", "is known"]);
                format!("{value} {test}")
            }
            19 => self.pick(&["last(gift of purchased)", "first(gift of purchased)"]).to_owned(),
            20 => {
                let window = self.pick(&["", "in 90d"]);
                let (sign, share) = (self.sign(), self.pick(&["0", "50%", "100%", "150%"]));
                format!("rate(open per purchased {window}) {sign} {share}")
            }
            21 => {
                let (end, by) = (self.pick(&["top", "bottom"]), self.pick(&["", "", "among staff"]));
                let size = self.pick(&["5%", "40%", "60%", "100%", "3", "20"]);
                format!("{end} {size} by age {by}")
            }
            22 => match self.below(3) {
                0 => format!("quintile(age) {sign} {n}"),
                1 => format!("decile(balance among staff) {sign} {n}"),
                _ => format!("percentile_rank(age) {sign} {}", self.pick(&["0%", "25%", "100%"])),
            },
            _ => format!("sample {} of \"{}\"", self.pick(&["10%", "20%", "50%"]), self.pick(&["a", "a", "b"])),
        }
    }

    fn condition(&mut self, depth: usize) -> String {
        if depth == 0 || self.below(4) == 0 {
            return self.atom();
        }
        match self.below(5) {
            0 => format!("not ({})", self.condition(depth - 1)),
            1 | 2 => self.joined("or", depth),
            _ => self.joined("and", depth),
        }
    }

    fn joined(&mut self, word: &str, depth: usize) -> String {
        let parts: Vec<String> = (0..2 + self.below(2)).map(|_| format!("({})", self.condition(depth - 1))).collect();
        parts.join(&format!(" {word} "))
    }

    fn people(&mut self, how_many: i64, catalog: &Catalog, clock: &Clock) -> Vec<(CustomerId, History)> {
        (0..how_many).map(|id| (CustomerId::Number(id), self.person(catalog, clock))).collect()
    }

    /// A person whose events lie at and around the edges of the windows.
    fn person(&mut self, catalog: &Catalog, clock: &Clock) -> History {
        let mut history = History::default();
        for _ in 0..self.below(6) {
            let event = EventId(self.below(3) as u32);
            let back = [0, 1, 28, 29, 30, 31, 59, 60, 61, 62, 84, 90, 365, 366][self.below(14)];
            let nudge = [-1, 0, 1, 3_600_000_000, -3_600_000_000, 7 * DAY][self.below(6)];
            let time = if self.below(5) == 0 {
                clock.as_of - (self.next() % (400 * DAY as u64)) as i64
            } else {
                clock.as_of - back * DAY + nudge
            };
            let def = catalog.event(event).expect("an event");
            let properties = def
                .properties
                .iter()
                .map(|p| {
                    let texts = ["anti-aging", "serum", "retinol", "skincare", "lipstick"];
                    self.datum(p.ty, &texts, clock)
                })
                .collect();
            history.events.push(EventRow { event, time, properties, event_id: None });
        }
        let attributes = catalog.attributes().iter().map(|a| self.datum(a.ty, &["FR", "DE", "IT"], clock)).collect();
        history.profile = Some(ProfileRow { created: None, attributes });
        if self.below(2) == 0 {
            history.lists = BTreeSet::from([ListId(0)]);
        }
        history
    }

    fn datum(&mut self, ty: Type, texts: &[&str], clock: &Clock) -> Option<Datum> {
        if self.below(4) == 0 {
            return None;
        }
        Some(match ty {
            Type::Text => Datum::Text(self.pick(texts).to_owned()),
            Type::Integer => Datum::Integer(self.below(5) as i64),
            Type::Money { .. } => Datum::Money([0, 100, 101, 250, 300][self.below(5)]),
            Type::Number => Datum::Number([1.0, 1.25, 1.5, 2.0, 2.5, f64::NAN][self.below(6)]),
            Type::YesNo => Datum::YesNo(self.below(2) == 0),
            Type::Date => Datum::Date(clock.zone.date(clock.as_of) - [0, 1, 28, 29, 30, 31, 32, 100][self.below(8)]),
            Type::Instant => {
                Datum::Instant(clock.as_of - [0, 28, 29, 30, 31, 100][self.below(6)] * DAY + self.below(3) as i64 - 1)
            }
            Type::TextList => Datum::TextList(vec![self.pick(&["vip", "new"]).to_owned()]),
        })
    }
}

fn checked(sources: &mut Sources, catalog: &Catalog, options: &Options, text: &str) -> Checked {
    let id = sources.add("rule.seg", text);
    let parsed = syntax::parse(sources.get(id).expect("added"));
    assert!(parsed.diagnostics.is_empty(), "{text}: {:#?}", parsed.diagnostics);
    check_files(catalog, options, &[CheckFile { stem: "rule", parsed: &parsed.file }])
}

fn setting(name: &str, or: u64) -> u64 {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(or)
}

#[test]
fn proofs_are_sound() {
    let seed = setting("SEGUE_SEED", 20_261_121);
    let cases = setting("SEGUE_CASES", 150);
    println!("SEGUE_SEED={seed}");
    let mut dice = Dice { state: seed, theme: 0 };
    let mut base = Sources::default();
    let catalog = catalog(&mut base);
    let zone = Zone::new("Europe/Paris").expect("a zone");
    let options = Options { zone: zone.clone(), ..Options::default() };
    let mut proved = 0;
    for _ in 0..cases {
        dice.theme = dice.below(THEMES);
        let text = dice.condition(2);
        let mut sources = base.clone();
        let said = checked(&mut sources, &catalog, &options, &text);
        let rule = said.program.rules.first();
        let Some(_) = rule else { panic!("{text}: {:#?}", said.diagnostics) };
        // Around the ends of winter time and of February, and anywhere.
        let as_of = [1_774_746_000_000_000, 1_772_323_200_000_000, 1_769_900_400_000_000][dice.below(3)]
            + (dice.next() % (3 * DAY as u64)) as i64;
        let clock = Clock { as_of, zone: zone.clone() };
        let people = dice.people(60, &catalog, &clock);
        for d in &said.diagnostics {
            // What is written at the place could be `everyone` or nobody instead.
            let holds = match (d.code.as_str(), d.primary.text.as_str()) {
                ("W0420" | "W0506" | "W0507" | "W0508" | "W0509", _) => continue,
                (_, "true for everyone" | "holds whenever the other part does" | "the other part makes this true") => {
                    true
                }
                (_, "holds wherever the other part does not") => true,
                (_, "true for no one" | "wherever this holds, the other part does, too") => false,
                (_, "rules out the other part" | "the other part rules this out") => false,
                _ => panic!("{text}: {d:#?}"),
            };
            if d.code.as_str() == "E0501" {
                let answers = evaluate(&said.program, &catalog, &clock, &people);
                let nobody = answers.iter().all(|a| !a.members.contains(&true));
                assert!(nobody, "seed {seed}: E0501\n{text}\nat {as_of}");
            }
            proved += 1;
            let instead = if holds { "(everyone)" } else { "(not everyone)" };
            let mut other = text.clone();
            other.replace_range(d.primary.span.range(), instead);
            let simpler = checked(&mut sources, &catalog, &options, &other);
            let (ones, twos) = (
                evaluate(&said.program, &catalog, &clock, &people),
                evaluate(&simpler.program, &catalog, &clock, &people),
            );
            for ((person, one), two) in people.iter().zip(ones).zip(twos) {
                assert_eq!(
                    one.members, two.members,
                    "seed {seed}: {} {}\n{text}\nis not\n{other}\nfor {person:#?}\nat {as_of}",
                    d.code, d.primary.text
                );
            }
        }
    }
    println!("{proved} findings of {cases} rules");
    assert!(proved * 4 > cases, "the generator finds too little to prove: {proved}");
}

#[test]
fn equal_meanings_are_equal() {
    let seed = setting("SEGUE_SEED", 7);
    println!("SEGUE_SEED={seed}");
    let mut dice = Dice { state: seed, theme: 0 };
    let mut sources = Sources::default();
    let catalog = catalog(&mut sources);
    let options = Options::default();
    let mut text = String::new();
    for i in 0..150 {
        dice.theme = dice.below(THEMES);
        text.push_str(&format!("segment s{i}: {}\n", dice.condition(1)));
    }
    let said = checked(&mut sources, &catalog, &options, &text);
    let clock = Clock { as_of: 1_772_323_200_000_000, zone: Zone::utc() };
    let people = dice.people(100, &catalog, &clock);
    let number = |name: &str| said.program.rules.iter().position(|r| r.name == name).expect("a rule");
    let answers = evaluate(&said.program, &catalog, &clock, &people);
    let mut pairs = 0;
    for d in said.diagnostics.iter().filter(|d| d.code.as_str() == "W0510") {
        let mut names = d.message.split('`').skip(1).step_by(2);
        let (a, b) = (number(names.next().expect("one")), number(names.next().expect("another")));
        pairs += 1;
        for answer in &answers {
            assert_eq!(answer.members[a], answer.members[b], "{}", d.message);
        }
    }
    assert!(pairs > 0, "no two segments with one meaning");
}

/// A stage that is said to be empty is empty; nobody is at two stages, and with `otherwise` everybody at one.
#[test]
fn empty_stages_are_empty() {
    let seed = setting("SEGUE_SEED", 11);
    let cases = setting("SEGUE_CASES", 100);
    println!("SEGUE_SEED={seed}");
    let mut dice = Dice { state: seed, theme: 0 };
    let mut base = Sources::default();
    let catalog = catalog(&mut base);
    let options = Options::default();
    let clock = Clock { as_of: 1_772_323_200_000_000, zone: Zone::utc() };
    let mut empty = 0;
    for _ in 0..cases {
        dice.theme = dice.below(THEMES);
        let lines: Vec<String> = (0..3 + dice.below(3)).map(|i| format!("  {} → l{i}\n", dice.condition(1))).collect();
        let text = format!("stages s:\n{}  otherwise → rest\n", lines.concat());
        let mut sources = base.clone();
        let said = checked(&mut sources, &catalog, &options, &text);
        let people = dice.people(60, &catalog, &clock);
        let answers = evaluate(&said.program, &catalog, &clock, &people);
        for answer in &answers {
            assert_eq!(answer.members.iter().filter(|m| **m).count(), 1, "seed {seed}\n{text}");
        }
        for d in said.diagnostics.iter().filter(|d| d.code.as_str() == "W0517") {
            empty += 1;
            let from = text.get(d.primary.span.range()).expect("a stage");
            let rule = format!("s.{from}");
            let i = said.program.rules.iter().position(|r| r.name == rule).expect("its rule");
            assert!(answers.iter().all(|a| !a.members[i]), "seed {seed}: {from}\n{text}");
        }
    }
    println!("{empty} empty stages of {cases}");
    assert!(empty * 10 > cases, "the generator finds too few empty stages: {empty}");
}
