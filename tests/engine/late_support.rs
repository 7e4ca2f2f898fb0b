//! Programs written as trees, for what is evaluated over all customers.

use segue::engine::{Layout, Limits, Outcome, run_histories};
use segue::language::calendar::{Clock, Zone, parse_moment};
use segue::language::catalog::{
    Attribute, AttributeId, Catalog, ColumnRef, Event, EventId, List, ListId, Named, Profile, Property, PropertyId,
    RawMatch, SourceTable, SourceTableId, Type,
};
use segue::language::interpret::history::{CustomerId, Datum, EventRow, History, ProfileRow};
use segue::language::interpret::scalar::Scalar;
use segue::language::interpret::{Evaluation, evaluate};
use segue::language::ir::*;
use segue::language::num::Num;
use segue::language::source::{SourceId, Span};

pub const SPAN: Span = Span { source: SourceId(0), start: 0, end: 0 };
pub const BUY: EventId = EventId(0);
pub const SCORE: AttributeId = AttributeId(0);
pub const LEVEL: AttributeId = AttributeId(1);
pub const JOINED: AttributeId = AttributeId(2);
pub const SEEN: AttributeId = AttributeId(3);
pub const VIPS: ListId = ListId(0);

fn named(name: &str) -> Named {
    Named { name: name.into(), span: SPAN }
}

/// Purchases with an amount; profiles with a score (money), a level (a float), a date and an instant; one list.
pub fn catalog() -> Catalog {
    let attribute = |name: &str, ty| Attribute {
        name: named(name),
        description: None,
        ty,
        column: name.into(),
        known: None,
        fold: false,
        empty_is_value: false,
        pii: false,
    };
    let amount = Property {
        name: named("amount"),
        description: None,
        ty: Type::Money { scale: 2 },
        column: ColumnRef::Own("amount".into()),
        known: None,
        fold: false,
        empty_is_value: false,
        pii: false,
    };
    Catalog {
        sources: vec![SourceTable {
            name: named("shop"),
            path: String::new(),
            path_span: SPAN,
            customer: "customer".into(),
            time: "time".into(),
            event: Some("event".into()),
            time_unit: None,
            timezone: None,
        }],
        events: vec![Event {
            name: named("buy"),
            description: None,
            source: SourceTableId(0),
            raw: RawMatch::All,
            aliases: Vec::new(),
            filter: None,
            event_id: None,
            subject: Vec::new(),
            properties: vec![amount],
            session: false,
        }],
        profile: Some(Profile {
            path: String::new(),
            path_span: SPAN,
            customer: "id".into(),
            created: Some("created".into()),
            updated_at: None,
            timezone: None,
            attributes: vec![
                attribute("score", Type::Money { scale: 2 }),
                attribute("level", Type::Number),
                attribute("joined", Type::Date),
                attribute("seen", Type::Instant),
            ],
        }),
        lists: vec![List { name: named("vips"), path: String::new(), path_span: SPAN, column: None }],
        ..Catalog::default()
    }
}

pub fn clock() -> Clock {
    let zone = Zone::utc();
    Clock { as_of: parse_moment("2026-11-21", &zone).unwrap(), zone }
}

/// A customer with a profile: score in cents, level.
pub fn person(score: Option<i64>, level: Option<f64>) -> History {
    let attributes = vec![score.map(Datum::Money), level.map(Datum::Number), None, None];
    History { profile: Some(ProfileRow { created: None, attributes }), ..History::default() }
}

/// The same with purchases so many days ago, of so many cents.
pub fn buyer(purchases: &[(i64, i64)]) -> History {
    let row = |&(days, amount): &(i64, i64)| EventRow {
        event: BUY,
        time: clock().as_of - days * super::engine_support::DAY,
        properties: vec![Some(Datum::Money(amount))],
        event_id: None,
    };
    History { events: purchases.iter().map(row).collect(), ..person(None, None) }
}

/// Rules `r0`, `r1` … of these conditions, traits `t0` … of these values.
pub fn program(conditions: Vec<Cond>, values: Vec<Value>) -> Program {
    let rule = |(i, condition): (usize, Cond)| Rule {
        name: format!("r{i}"),
        title: None,
        description: None,
        kind: RuleKind::Segment,
        condition,
        span: SPAN,
    };
    let shown = |(i, value): (usize, Value)| Trait {
        name: format!("t{i}"),
        title: None,
        description: None,
        value,
        ty: Type::Number,
        hidden: false,
        span: SPAN,
    };
    Program {
        rules: conditions.into_iter().enumerate().map(rule).collect(),
        traits: values.into_iter().enumerate().map(shown).collect(),
        event_filters: vec![None],
        ..Program::default()
    }
}

pub fn by(value: Value) -> Rank {
    Rank { by: Box::new(value), among: None }
}

pub fn score() -> Value {
    Value::Attribute(SCORE)
}

pub fn share(percent: i128) -> RankSize {
    RankSize::Share(Num::Exact { units: percent, scale: 2 })
}

pub fn top(size: RankSize, rank: Rank) -> Cond {
    Cond::Ranked { rank, end: RankEnd::Top, size }
}

pub fn bottom(size: RankSize, rank: Rank) -> Cond {
    Cond::Ranked { rank, end: RankEnd::Bottom, size }
}

pub fn quintile(rank: Rank) -> Value {
    Value::Rank { rank, scale: RankScale::Quintile }
}

pub fn number(n: i64) -> Value {
    Value::Literal(Literal::Num(Num::int(n)))
}

pub fn compare(left: Value, op: Op, right: Value) -> Cond {
    Cond::Test(Test::Compare { left, op, right })
}

pub fn not(cond: Cond) -> Cond {
    Cond::Not(Box::new(cond))
}

pub fn rule(n: u32) -> Cond {
    Cond::Rule(RuleId(n))
}

pub fn spend() -> Value {
    let behaviour = Behaviour { matching: Matching { event: BUY, pred: None }, window: Window::EVER, since: None };
    Value::Aggregate { function: Aggregate::Sum(PropertyId(0)), behaviour }
}

pub fn bought(n: i64) -> Cond {
    let behaviour = Behaviour { matching: Matching { event: BUY, pred: None }, window: Window::EVER, since: None };
    Cond::Count { behaviour, op: Op::Ge, n: Num::int(n) }
}

/// The plan's answer, which is the interpreter's too and the same for any threads, batches and order of rows.
pub fn run(program: &Program, customers: &[(&str, History)], number_ids: bool) -> Outcome {
    let (catalog, clock) = (catalog(), clock());
    let owned: Vec<(String, History)> = customers.iter().map(|(id, h)| ((*id).to_owned(), h.clone())).collect();
    let mut answers: Vec<Outcome> = Vec::new();
    for (threads, batch_rows, partitions, shuffle) in [(1, 8_192, 1, 0), (2, 3, 3, 7), (8, 1, 4, 99)] {
        let layout = Layout { partitions, batch_rows, shuffle, dictionaries: false, number_ids };
        let limits = Limits { threads: Some(threads), batch_rows: Some(batch_rows), ..Limits::default() };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let run = run_histories(&catalog, program, &clock, &owned, layout, limits);
        answers.push(runtime.block_on(run).unwrap_or_else(|e| panic!("{e}")));
    }
    let first = answers.remove(0);
    for other in &answers {
        assert_eq!(first.customers.to_data(), other.customers.to_data());
        assert_eq!(first.members, other.members);
        assert_eq!(first.traits, other.traits);
    }
    let mut sorted = crate::generate::customers(&owned, number_ids);
    sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
    agree(&first, program, &sorted, &evaluate(program, &catalog, &clock, &sorted));
    first
}

fn agree(outcome: &Outcome, program: &Program, sorted: &[(CustomerId, History)], expected: &[Evaluation]) {
    let inside: Vec<(&CustomerId, &Evaluation)> =
        sorted.iter().map(|(id, _)| id).zip(expected).filter(|(_, e)| e.in_population).collect();
    assert_eq!(outcome.population(), Some(inside.len()));
    for (row, (id, expected)) in inside.into_iter().enumerate() {
        assert_eq!(outcome.customer(row), id.to_string());
        for (r, rule) in program.rules.iter().enumerate() {
            let found = outcome.members[r].value(row);
            assert_eq!(found, expected.members[r], "{id}: plan {found}, {:#?}", rule.condition);
        }
        for (t, shown) in program.traits.iter().enumerate() {
            let found: &Option<Scalar> = &outcome.traits[t][row];
            assert_eq!(*found, expected.traits[t], "{id}: {:#?}", shown.value);
        }
    }
}

/// The members of each rule, as text.
pub fn members(outcome: &Outcome) -> Vec<String> {
    (0..outcome.members.len()).map(|rule| outcome.member_ids(rule).join(" ")).collect()
}

/// A trait's values, as text, `-` where missing.
pub fn values(outcome: &Outcome, shown: usize) -> String {
    let text = |value: &Option<Scalar>| match value {
        Some(Scalar::Num(num)) => num.to_string(),
        Some(other) => format!("{other:?}"),
        None => "-".to_owned(),
    };
    outcome.traits[shown].iter().map(text).collect::<Vec<_>>().join(" ")
}
