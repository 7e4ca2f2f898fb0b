//! What takes a customer's events in the order of time: answers worked out by hand, and the interpreter agrees.

use segue::engine::{Layout, Limits};
use segue::language::calendar::{Clock, Zone, parse_moment};
use segue::language::catalog::{Catalog, EventId, PropertyId, load};
use segue::language::interpret::history::{Datum, EventRow, History};
use segue::language::ir::{
    Absence, Aggregate, Anchor, Behaviour, Cond, Edge, End, Length, Literal, Matching, Op, Operand, Pred, Program,
    Rule, RuleKind, Sequence, Step, Test, Unit, Value, Window,
};
use segue::language::num::Num;
use segue::language::source::{SourceId, Sources, Span};

use super::differential::{Difference, compare};

pub const CATALOG: &str = "
sources:
  s: {path: data, customer: customer, time: time, event: event}
events:
  a:
    source: s
    session: true
    properties: {item: {type: text}, n: {type: integer}, cost: {type: money}, x: {type: number}, born: {type: date}, seen: {type: instant}, ok: {type: yes/no}, tags: {type: list}}
  b:
    source: s
    session: true
    properties: {ok: {type: yes/no}, seen: {type: instant}, born: {type: date}, x: {type: number}, cost: {type: money}, n: {type: integer}, item: {type: text}, tags: {type: list}}
  c:
    source: s
    properties: {n: {type: integer}, item: {type: text}, cost: {type: money}, x: {type: number}, born: {type: date}, seen: {type: instant}, ok: {type: yes/no}, tags: {type: list}}
profiles:
  path: people
  customer: customer
  attributes: {item: {type: text}, n: {type: integer}, cost: {type: money}, x: {type: number}, born: {type: date}, seen: {type: instant}, ok: {type: yes/no}, tags: {type: list}}
";

pub fn catalog() -> Catalog {
    let mut sources = Sources::default();
    let id = sources.add("catalog.yaml", CATALOG);
    let (catalog, found) = load::catalog(&mut sources, id);
    assert!(found.is_empty(), "{found:#?}");
    catalog.unwrap()
}

pub fn program(rules: Vec<(String, Cond)>) -> Program {
    let rule = |(name, condition)| Rule {
        name,
        title: None,
        description: None,
        kind: RuleKind::Segment,
        condition,
        span: Span::new(SourceId(0), 0, 0),
    };
    Program { rules: rules.into_iter().map(rule).collect(), event_filters: vec![None; 3], ..Program::default() }
}

pub fn property(catalog: &Catalog, event: EventId, name: &str) -> PropertyId {
    let all = &catalog.event(event).unwrap().properties;
    PropertyId(all.iter().position(|p| p.name.name == name).unwrap() as u32)
}

const MINUTE: i64 = 60_000_000;
const A: EventId = EventId(0);
const B: EventId = EventId(1);
const C: EventId = EventId(2);

fn of(event: EventId) -> Matching {
    Matching { event, pred: None }
}

fn step(event: EventId) -> Step {
    Step { pick: None, matching: of(event), after: None, within: None, without: None, same: None }
}

fn minutes(amount: u32) -> Option<Length> {
    Some(Length { amount, unit: Unit::Minute })
}

fn chain(steps: Vec<Step>) -> Sequence {
    Sequence { steps, window: Window::EVER, since: None, all_within: None, absence: None }
}

fn sequence(steps: Vec<Step>) -> Cond {
    Cond::Sequence(Box::new(chain(steps)))
}

fn ever(event: EventId) -> Behaviour {
    Behaviour { matching: of(event), window: Window::EVER, since: None }
}

fn count(event: EventId, op: Op, n: i64) -> Cond {
    Cond::Count { behaviour: ever(event), op, n: Num::int(n) }
}

fn since(end: End, back: u32, event: EventId) -> Option<Box<Anchor>> {
    Some(Box::new(Anchor { end, back, matching: of(event) }))
}

fn absence(event: EventId, within: Option<Length>) -> Option<Absence> {
    Some(Absence { matching: of(event), within, same: None })
}

fn clock() -> Clock {
    let zone = Zone::new("Europe/Paris").unwrap();
    Clock { as_of: parse_moment("2026-11-21T12:00", &zone).unwrap(), zone }
}

/// `a60 b30x`: an `a` an hour ago, a `b` half an hour ago with the item `x`.
fn history(line: &str, catalog: &Catalog) -> History {
    let mut history = History::default();
    for word in line.split_whitespace() {
        let event = EventId(u32::from(word.as_bytes()[0] - b'a'));
        let digits: String = word[1..].chars().take_while(char::is_ascii_digit).collect();
        let item = &word[1 + digits.len()..];
        let mut properties = vec![None; 8];
        if !item.is_empty() {
            properties[property(catalog, event, "item").index()] = Some(Datum::Text(item.into()));
        }
        let time = clock().as_of - digits.parse::<i64>().unwrap() * MINUTE;
        history.events.push(EventRow { event, time, properties, event_id: None });
    }
    history
}

/// Runs rules over timelines, which are the customers' names too; the interpreter has to agree.
fn judge(rules: Vec<(&str, Cond, &[&str])>, timelines: &[&str]) {
    let catalog = catalog();
    let customers: Vec<(String, History)> =
        timelines.iter().map(|line| ((*line).to_owned(), history(line, &catalog))).collect();
    let program = program(rules.iter().map(|(name, cond, _)| ((*name).to_owned(), cond.clone())).collect());
    let outcome = compare(&catalog, &program, &clock(), &customers, Layout::default(), Limits::default());
    let outcome = outcome.unwrap_or_else(|Difference { rule, customer, what }| panic!("{rule}, {customer}: {what}"));
    for (rule, (name, _, expected)) in rules.iter().enumerate() {
        let mut expected: Vec<&str> = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(outcome.member_ids(rule), expected, "{name}");
    }
}

#[test]
fn chains() {
    let within = |amount| Step { within: minutes(amount), ..step(B) };
    let after = |amount| Step { after: minutes(amount), ..step(B) };
    let without = || Step { without: Some((of(C), None)), ..step(B) };
    let timelines =
        ["a9", "a9 b9", "b9 a8", "a9 b4", "a9 a5 b4", "a9 c7 b4", "a9 c9 b9", "a9 c9 b4", "a9 a8 a7", "a9 a9 b9 b9 b9"];
    let all_b: &[&str] = &["a9 b9", "a9 b4", "a9 a5 b4", "a9 c7 b4", "a9 c9 b9", "a9 c9 b4", "a9 a9 b9 b9 b9"];
    let mut in_ten = chain(vec![step(A), step(A), step(A)]);
    in_ten.all_within = minutes(2);
    let mut in_one = in_ten.clone();
    in_one.all_within = minutes(1);
    judge(
        vec![
            ("then", sequence(vec![step(A), step(B)]), all_b),
            ("at most", sequence(vec![step(A), within(5)]), all_b),
            ("not at most", sequence(vec![step(A), within(4)]), &["a9 b9", "a9 a5 b4", "a9 c9 b9", "a9 a9 b9 b9 b9"]),
            ("more than", sequence(vec![step(A), after(4)]), &["a9 b4", "a9 a5 b4", "a9 c7 b4", "a9 c9 b4"]),
            ("not more than", sequence(vec![step(A), after(5)]), &[]),
            (
                "nothing between",
                sequence(vec![step(A), without()]),
                &["a9 b9", "a9 b4", "a9 a5 b4", "a9 c9 b9", "a9 c9 b4", "a9 a9 b9 b9 b9"],
            ),
            ("distinct", sequence(vec![step(A), step(A)]), &["a9 a5 b4", "a9 a8 a7", "a9 a9 b9 b9 b9"]),
            ("distinct at one instant", sequence(vec![step(B), step(A), step(B)]), &["a9 a9 b9 b9 b9"]),
            ("four of three", sequence(vec![step(B), step(B), step(B), step(B)]), &[]),
            ("back and forth", sequence(vec![step(B), step(A)]), &["a9 b9", "b9 a8", "a9 c9 b9", "a9 a9 b9 b9 b9"]),
            ("all within", Cond::Sequence(Box::new(in_ten)), &["a9 a8 a7"]),
            ("not all within", Cond::Sequence(Box::new(in_one)), &[]),
        ],
        &timelines,
    );
}

#[test]
fn nothing_behind() {
    let clean = |within| Cond::Sequence(Box::new(Sequence { absence: absence(B, within), ..chain(vec![step(A)]) }));
    let picked = |window| {
        let steps = vec![Step { pick: Some(End::Last), ..step(A) }];
        Cond::Sequence(Box::new(Sequence { absence: absence(B, minutes(60)), window, ..chain(steps) }))
    };
    let itself = Cond::Sequence(Box::new(Sequence { absence: absence(A, minutes(5)), ..chain(vec![step(A)]) }));
    let back = |amount| Some(Edge::Back { amount, unit: Unit::Minute });
    let timelines =
        ["a60", "a61", "a61 b1", "a61 b0", "a90 b90", "a90 b29", "a200 a90 b50", "a70 a70", "a99 a95", "a99 a94"];
    judge(
        vec![
            (
                "an hour",
                clean(minutes(60)),
                &["a61", "a61 b0", "a90 b29", "a200 a90 b50", "a70 a70", "a99 a95", "a99 a94"],
            ),
            ("ever", clean(None), &["a60", "a61", "a61 b0", "a70 a70", "a99 a95", "a99 a94"]),
            (
                "the last",
                picked(Window { start: back(100), end: Some(Edge::AsOf) }),
                &["a61", "a61 b0", "a90 b29", "a70 a70", "a99 a95", "a99 a94"],
            ),
            ("the last, long ago", picked(Window { start: None, end: back(95) }), &[]),
            (
                "itself aside",
                itself,
                &["a60", "a61", "a61 b1", "a61 b0", "a90 b90", "a90 b29", "a200 a90 b50", "a99 a95", "a99 a94"],
            ),
        ],
        &timelines,
    );
}

#[test]
fn one_value_throughout() {
    let catalog = catalog();
    let item = |event| property(&catalog, event, "item");
    let same = |event| Step { same: Some(item(event)), ..step(event) };
    let without = Step { without: Some((of(C), Some(item(C)))), ..same(B) };
    let viewed = |n, without| Cond::Same { behaviour: ever(A), property: item(A), n, without };
    let timelines = ["a9x b4y", "a9x b4x", "a9x c7y b4x", "a9x c7x b4x", "a9 b4", "a9x a8y a7x b4y", "a9x a8x c9y"];
    judge(
        vec![
            ("same", sequence(vec![same(A), same(B)]), &["a9x b4x", "a9x c7y b4x", "a9x c7x b4x", "a9x a8y a7x b4y"]),
            ("nothing of it", sequence(vec![same(A), without]), &["a9x b4x", "a9x c7y b4x", "a9x a8y a7x b4y"]),
            ("two of one", viewed(2, None), &["a9x a8y a7x b4y", "a9x a8x c9y"]),
            ("one without", viewed(1, Some((of(B), item(B)))), &["a9x b4y", "a9x a8y a7x b4y", "a9x a8x c9y"]),
        ],
        &timelines,
    );
}

#[test]
fn since_an_event() {
    let asked = |op, n, anchor| Cond::Count { behaviour: Behaviour { since: anchor, ..ever(A) }, op, n: Num::int(n) };
    let last = || since(End::Last, 1, B);
    let sum = Value::Aggregate { function: Aggregate::Count, behaviour: Behaviour { since: last(), ..ever(A) } };
    let two = Literal::Num(Num::int(2));
    let unlike = Cond::Test(Test::Compare { left: sum, op: Op::Ne, right: Value::Literal(two) });
    let pick = Cond::Pick { end: End::First, matching: of(A), window: Window::EVER, since: since(End::First, 1, B) };
    let timelines = ["a9", "b9", "a9 b9", "b9 a8", "a9 b8", "b9 b8 a7 b6", "b9 a9 b8 a7 a6"];
    judge(
        vec![
            ("some", asked(Op::Ge, 1, last()), &["b9 a8", "b9 a9 b8 a7 a6"]),
            ("none", asked(Op::Eq, 0, last()), &["b9", "a9 b9", "a9 b8", "b9 b8 a7 b6"]),
            ("not one", asked(Op::Ne, 1, last()), &["b9", "a9 b9", "a9 b8", "b9 b8 a7 b6", "b9 a9 b8 a7 a6"]),
            ("since the third last", asked(Op::Ge, 0, since(End::Last, 3, B)), &["b9 b8 a7 b6"]),
            ("missing is unlike", unlike, &["a9", "b9", "a9 b9", "b9 a8", "a9 b8", "b9 b8 a7 b6"]),
            ("the first of all", pick, &["b9 a8", "b9 b8 a7 b6"]),
        ],
        &timelines,
    );
}

#[test]
fn visits_and_stretches() {
    let visit = |inside| Cond::InSession { inside: Box::new(inside), window: Window::EVER, since: None };
    let both = || Cond::And(vec![count(A, Op::Ge, 2), count(B, Op::Eq, 0)]);
    let any = |inside, starts| Cond::InAny {
        length: minutes(30).unwrap(),
        inside: Box::new(inside),
        starts,
        window: Window::EVER,
        since: None,
    };
    let three = || Cond::And(vec![count(A, Op::Ge, 1), count(B, Op::Ge, 1), count(C, Op::Ge, 1)]);
    let timelines = [
        "a90 a60",
        "a90 a59",
        "a90 b60 a30",
        "a99 a80 b20 a10",
        "a90 c75 a45",
        "b90 a70 c60",
        "b90 a70 c59",
        "a1 b1 c1",
    ];
    judge(
        vec![
            ("one visit", visit(both()), &["a90 a60", "a99 a80 b20 a10"]),
            ("in one visit, then", visit(sequence(vec![step(A), step(B)])), &["a90 b60 a30", "a1 b1 c1"]),
            ("in any half hour", any(three(), vec![of(A), of(B), of(C)]), &["b90 a70 c60", "a1 b1 c1"]),
            (
                "with nothing else",
                any(Cond::And(vec![count(A, Op::Ge, 2), count(C, Op::Eq, 0)]), vec![of(A)]),
                &["a90 a60", "a99 a80 b20 a10"],
            ),
        ],
        &timelines,
    );
}

#[test]
fn an_event_and_its_customer() {
    let catalog = catalog();
    let item = |event| property(&catalog, event, "item");
    let last = Value::Aggregate { function: Aggregate::Last(item(B)), behaviour: ever(B) };
    let like = |op| {
        let test =
            Test::Compare { left: Operand::Property(item(A)), op, right: Operand::Customer(Box::new(last.clone())) };
        Matching { event: A, pred: Some(Pred::Test(test)) }
    };
    let times = |op, n| Cond::Count {
        behaviour: Behaviour { matching: like(op), window: Window::EVER, since: None },
        op: Op::Eq,
        n: Num::int(n),
    };
    let most = Value::Aggregate { function: Aggregate::MostFrequent(item(A)), behaviour: ever(A) };
    let literal = |text: &str| Value::Literal(Literal::Text(text.into()));
    let is = |value: Value, text| Cond::Test(Test::Compare { left: value, op: Op::Eq, right: literal(text) });
    let timelines = ["a9x b8y", "a9x b8x a7x", "a9y a8x b7x b7z a6z", "a9y a9x", "a9 b8"];
    judge(
        vec![
            ("once", times(Op::Eq, 1), &["a9y a8x b7x b7z a6z"]),
            ("twice", times(Op::Eq, 2), &["a9x b8x a7x"]),
            ("one unlike", times(Op::Ne, 1), &["a9x b8y", "a9 b8"]),
            ("most frequent", is(most, "x"), &["a9x b8y", "a9x b8x a7x", "a9y a8x b7x b7z a6z", "a9y a9x"]),
            ("last", is(last.clone(), "z"), &["a9y a8x b7x b7z a6z"]),
        ],
        &timelines,
    );
}

#[test]
fn many_events_of_one_customer() {
    let catalog = catalog();
    let clock = clock();
    let mut history = History::default();
    // For two weeks an `a`, a `c` and a `b` a minute.
    for minute in 1..=20_000i64 {
        for (event, second) in [(A, 0), (C, 20), (B, 40)] {
            let time = clock.as_of - minute * MINUTE + second * 1_000_000;
            history.events.push(EventRow { event, time, properties: vec![None; 8], event_id: None });
        }
    }
    let without = |within| Step { without: Some((of(C), None)), within, ..step(B) };
    let mut long = chain(vec![step(A), step(C), step(B), step(A), Step { after: minutes(1), ..step(B) }]);
    long.all_within = Some(Length { amount: 1, unit: Unit::Day });
    let mut short = long.clone();
    short.all_within = minutes(3);
    let mut shorter = long.clone();
    shorter.all_within = minutes(2);
    let rules = vec![
        ("clean".to_owned(), sequence(vec![step(A), without(None)])),
        ("long".to_owned(), Cond::Sequence(Box::new(long))),
        ("short".to_owned(), Cond::Sequence(Box::new(short))),
        ("shorter".to_owned(), Cond::Sequence(Box::new(shorter))),
    ];
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let customers = [("busy".to_owned(), history)];
    let outcome = runtime.block_on(segue::engine::run_histories(
        &catalog,
        &program(rules),
        &clock,
        &customers,
        Layout::default(),
        Limits::default(),
    ));
    let outcome = outcome.unwrap();
    let members: Vec<usize> = (0..4).map(|rule| outcome.size(rule)).collect();
    // From an `a` to the `b` more than a minute behind the next `a`: 2 min 40 s.
    assert_eq!(members, [0, 1, 1, 0]);
}
