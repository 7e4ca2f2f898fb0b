//! A small catalog, histories and programs by hand, for tests of the interpreter.

use segue::language::calendar::{Clock, Zone, parse_moment};
use segue::language::catalog::{
    Attribute, Catalog, ColumnRef, Event, EventId, Named, Profile, Property, PropertyId, RawMatch, SourceTableId, Type,
};
use segue::language::interpret::history::{CustomerId, Datum, EventRow, History};
use segue::language::interpret::scalar::Scalar;
use segue::language::interpret::{self, Evaluation};
use segue::language::ir::*;
use segue::language::num::Num;
use segue::language::source::{SourceId, Span};

pub const SPAN: Span = Span { source: SourceId(0), start: 0, end: 0 };
pub const MINUTE: i64 = 60_000_000;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;
pub const BUY: EventId = EventId(0);
pub const OPEN: EventId = EventId(1);
pub const VIEW: EventId = EventId(2);
pub const CART: EventId = EventId(3);
/// Of views and carts.
pub const PRODUCT: PropertyId = PropertyId(0);
pub const SECONDS: PropertyId = PropertyId(1);
pub const AMOUNT: PropertyId = PropertyId(0);
pub const WHAT: PropertyId = PropertyId(1);
pub const RATIO: PropertyId = PropertyId(2);

pub fn named(name: &str) -> Named {
    Named { name: name.into(), span: SPAN }
}

pub fn property(name: &str, ty: Type, fold: bool) -> Property {
    Property {
        name: named(name),
        description: None,
        ty,
        column: ColumnRef::Own(name.into()),
        known: None,
        fold,
        empty_is_value: false,
        pii: false,
    }
}

pub fn event(name: &str, properties: Vec<Property>, event_id: Option<&str>) -> Event {
    Event {
        name: named(name),
        description: None,
        source: SourceTableId(0),
        raw: RawMatch::All,
        aliases: Vec::new(),
        filter: None,
        event_id: event_id.map(str::to_owned),
        subject: Vec::new(),
        properties,
        session: false,
    }
}

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
    let text = |name| property(name, Type::Text, false);
    let session = |name, properties| Event { session: true, ..event(name, properties, None) };
    let properties = vec![
        property("amount", Type::Money { scale: 2 }, false),
        property("what", Type::Text, true),
        property("ratio", Type::Number, false),
    ];
    Catalog {
        events: vec![
            event("buy", properties, Some("id")),
            event("open", Vec::new(), None),
            session("view", vec![text("product"), property("seconds", Type::Integer, false)]),
            session("cart", vec![text("product")]),
        ],
        profile: Some(Profile {
            path: String::new(),
            path_span: SPAN,
            customer: "id".into(),
            created: Some("created".into()),
            updated_at: None,
            timezone: None,
            attributes: vec![
                attribute("country", Type::Text),
                attribute("signup", Type::Date),
                attribute("points", Type::Integer),
            ],
        }),
        ..Catalog::default()
    }
}

pub fn clock() -> Clock {
    let zone = Zone::utc();
    Clock { as_of: parse_moment("2026-11-21", &zone).unwrap(), zone }
}

/// A purchase some microseconds before the as-of instant.
pub fn buy(before: i64, amount: i64, what: &str) -> EventRow {
    let text = Some(Datum::Text(what.into()));
    let properties = vec![Some(Datum::Money(amount)), text, Some(Datum::Number(f64::NAN))];
    EventRow { event: BUY, time: clock().as_of - before, properties, event_id: None }
}

pub fn open(before: i64) -> EventRow {
    EventRow { event: OPEN, time: clock().as_of - before, properties: Vec::new(), event_id: None }
}

/// A view; an empty product is missing.
pub fn view(before: i64, product: &str) -> EventRow {
    let properties = vec![Some(Datum::Text(product.into())), None];
    EventRow { event: VIEW, time: clock().as_of - before, properties, event_id: None }
}

pub fn cart(before: i64, product: &str) -> EventRow {
    EventRow { event: CART, properties: vec![Some(Datum::Text(product.into()))], ..view(before, "") }
}

pub fn of(events: Vec<EventRow>) -> History {
    History { events, ..History::default() }
}

pub fn rule(condition: Cond) -> Program {
    let kind = RuleKind::Segment;
    let rule = Rule { name: "r".into(), title: None, description: None, kind, condition, span: SPAN };
    Program { rules: vec![rule], ..Program::default() }
}

pub fn evaluate(program: &Program, history: &History) -> Evaluation {
    interpret::evaluate(program, &catalog(), &clock(), &[(CustomerId::Number(1), history.clone())]).remove(0)
}

pub fn holds(condition: Cond, history: &History) -> bool {
    evaluate(&rule(condition), history).members == [true]
}

pub fn holds_at(condition: Cond, clock: &Clock, history: &History) -> bool {
    let customers = [(CustomerId::Number(1), history.clone())];
    interpret::evaluate(&rule(condition), &catalog(), clock, &customers).remove(0).members == [true]
}

/// Which of the customers a condition holds for.
pub fn among(condition: Cond, customers: &[(CustomerId, History)]) -> Vec<bool> {
    let answers = interpret::evaluate(&rule(condition), &catalog(), &clock(), customers);
    answers.iter().map(|answer| answer.members == [true]).collect()
}

pub fn value(value: Value, history: &History) -> Option<Scalar> {
    let shown =
        Trait { name: "t".into(), title: None, description: None, value, ty: Type::Number, hidden: false, span: SPAN };
    let program = Program { traits: vec![shown], ..Program::default() };
    evaluate(&program, history).traits.remove(0)
}

pub fn last_days(event: EventId, days: u32) -> Behaviour {
    let start = Some(Edge::Back { amount: days, unit: Unit::Day });
    let window = Window { start, end: Some(Edge::AsOf) };
    Behaviour { matching: Matching { event, pred: None }, window, since: None }
}

pub fn any(event: EventId) -> Matching {
    Matching { event, pred: None }
}

pub fn ever(event: EventId, pred: Option<Pred>) -> Behaviour {
    Behaviour { matching: Matching { event, pred }, window: Window::EVER, since: None }
}

pub fn count(behaviour: Behaviour, op: Op, n: i64) -> Cond {
    Cond::Count { behaviour, op, n: Num::int(n) }
}

pub fn what(op: Op, text: &str) -> Pred {
    let right = Operand::Literal(Literal::Text(text.into()));
    Pred::Test(Test::Compare { left: Operand::Property(WHAT), op, right })
}

pub fn num(n: i64) -> Option<Scalar> {
    Some(Scalar::Num(Num::int(n)))
}
