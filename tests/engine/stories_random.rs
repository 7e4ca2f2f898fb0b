//! Programs made without text, of everything that takes a customer's events in order: the plan against the interpreter.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use segue::language::calendar::{Clock, Zone, parse_moment};
use segue::language::catalog::{AttributeId, Catalog, EventId, PropertyId};
use segue::language::interpret::history::{Datum, EventRow, History, ProfileRow};
use segue::language::ir::{
    Absence, Aggregate, Anchor, Arithmetic, Behaviour, Cond, Edge, End, Length, Literal, Matching, Op, Operand,
    PeriodUnit, Pred, Sequence, Step, Test, TextTest, Unit, Value, Window,
};
use segue::language::num::Num;

use super::differential::{Difference, compare, layout};
use super::stories::{catalog, program, property};

const MINUTE: i64 = 60_000_000;
const NAMES: [&str; 7] = ["item", "n", "cost", "x", "born", "seen", "ok"];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Text,
    Num,
    Date,
    Instant,
    YesNo,
}

fn kind(name: &str) -> Kind {
    match name {
        "item" => Kind::Text,
        "born" => Kind::Date,
        "seen" => Kind::Instant,
        "ok" => Kind::YesNo,
        _ => Kind::Num,
    }
}

struct Maker<'a> {
    rng: ChaCha8Rng,
    catalog: &'a Catalog,
    clock: Clock,
}

impl Maker<'_> {
    fn below(&mut self, n: usize) -> usize {
        self.rng.random_range(0..n)
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_range(0..100) < percent
    }

    fn op(&mut self) -> Op {
        [Op::Eq, Op::Ne, Op::Lt, Op::Le, Op::Gt, Op::Ge][self.below(6)]
    }

    fn name(&mut self, of: Kind) -> &'static str {
        loop {
            let name = NAMES[self.below(7)];
            if kind(name) == of {
                return name;
            }
        }
    }

    fn any_kind(&mut self) -> Kind {
        [Kind::Text, Kind::Num, Kind::Date, Kind::Instant, Kind::YesNo][self.below(5)]
    }

    fn length(&mut self) -> Length {
        let (amount, unit) = [
            (30, Unit::Minute),
            (1, Unit::Hour),
            (90, Unit::Minute),
            (2, Unit::Hour),
            (6, Unit::Hour),
            (1, Unit::Day),
            (2, Unit::Day),
            (1, Unit::Month),
        ][self.below(8)];
        Length { amount, unit }
    }

    fn edge(&mut self) -> Edge {
        let Length { amount, unit } = self.length();
        match self.below(4) {
            0 => Edge::AsOf,
            1 => Edge::Period {
                unit: [PeriodUnit::Day, PeriodUnit::Quarter][self.below(2)],
                offset: -(self.below(2) as i32),
            },
            _ => Edge::Back { amount, unit },
        }
    }

    fn window(&mut self) -> Window {
        if self.chance(50) {
            return Window::EVER;
        }
        let start = self.chance(70).then(|| self.edge());
        let end = self.chance(70).then(|| self.edge());
        Window { start, end }
    }

    /// With both ends, and perhaps in the future.
    fn dates(&mut self) -> Window {
        let length = self.length();
        let end = match self.below(3) {
            0 => Edge::AsOf,
            1 => Edge::Ahead { amount: length.amount, unit: length.unit },
            _ => Edge::Period { unit: PeriodUnit::Month, offset: 1 },
        };
        Window { start: Some(self.edge()), end: Some(end) }
    }

    fn since(&mut self, depth: u32) -> Option<Box<Anchor>> {
        if self.chance(70) {
            return None;
        }
        let end = self.end();
        let back = if end == End::Last { 1 + self.below(3) as u32 } else { 1 };
        Some(Box::new(Anchor { end, back, matching: self.matching(depth) }))
    }

    fn end(&mut self) -> End {
        [End::First, End::Last][self.below(2)]
    }

    fn behaviour(&mut self, depth: u32) -> Behaviour {
        Behaviour { matching: self.matching(depth), window: self.window(), since: self.since(depth) }
    }

    fn matching(&mut self, depth: u32) -> Matching {
        let event = EventId(self.below(3) as u32);
        let pred = self.chance(40).then(|| self.pred(event, depth));
        Matching { event, pred }
    }

    fn property(&mut self, event: EventId, of: Kind) -> PropertyId {
        let name = self.name(of);
        property(self.catalog, event, name)
    }

    fn pred(&mut self, event: EventId, depth: u32) -> Pred {
        match self.below(8) {
            0 => Pred::And((0..2).map(|_| self.pred(event, depth)).collect()),
            1 => Pred::Or((0..2).map(|_| self.pred(event, depth)).collect()),
            2 => Pred::Not(Box::new(self.pred(event, depth))),
            3 => {
                let value = if depth > 0 && self.chance(50) {
                    Operand::Customer(Box::new(Value::Attribute(self.attribute("tags"))))
                } else {
                    Operand::Property(property(self.catalog, event, "tags"))
                };
                Pred::Test(Test::Has { value, among: vec!["p".into()] })
            }
            _ => {
                let of = self.any_kind();
                Pred::Test(self.test(of, &mut |me| me.operand(event, of, depth)))
            }
        }
    }

    fn operand(&mut self, event: EventId, of: Kind, depth: u32) -> Operand {
        if depth > 0 && self.chance(45) {
            return Operand::Customer(Box::new(self.value(of, depth - 1)));
        }
        match of {
            Kind::Num if self.chance(10) => Operand::Hour,
            Kind::Text if self.chance(10) => Operand::Weekday,
            Kind::Date if self.chance(20) => Operand::Date,
            _ if self.chance(20) => Operand::Literal(self.literal(of)),
            _ => Operand::Property(self.property(event, of)),
        }
    }

    fn literal(&mut self, of: Kind) -> Literal {
        match of {
            Kind::Text => Literal::Text(["p", "q", "sun", "mon"][self.below(4)].into()),
            Kind::Num => Literal::Num(Num::Exact { units: self.below(4) as i128, scale: self.below(2) as u8 }),
            Kind::YesNo => Literal::YesNo(self.chance(50)),
            Kind::Date => {
                let day = self.clock.zone.date(self.clock.as_of) - self.below(3) as i32;
                Literal::Date(segue::language::calendar::date_of(day))
            }
            Kind::Instant => Literal::Instant(self.instant()),
        }
    }

    fn test<V>(&mut self, of: Kind, leaf: &mut dyn FnMut(&mut Self) -> V) -> Test<V> {
        match self.below(8) {
            0 => Test::Known(leaf(self)),
            1 => {
                let among = (0..2).map(|_| self.literal(of)).collect();
                Test::OneOf { value: leaf(self), among, negated: self.chance(50) }
            }
            2 | 3 => match of {
                Kind::YesNo => Test::Yes(leaf(self)),
                Kind::Text => {
                    Test::Text { value: leaf(self), how: TextTest::Contains, pattern: "p".into(), fold: false }
                }
                Kind::Date | Kind::Instant if self.chance(50) => {
                    Test::During { value: leaf(self), window: self.dates() }
                }
                Kind::Date | Kind::Instant => Test::Anniversary { value: leaf(self), window: self.dates() },
                Kind::Num => Test::Known(leaf(self)),
            },
            _ => {
                let op = if of == Kind::YesNo { [Op::Eq, Op::Ne][self.below(2)] } else { self.op() };
                Test::Compare { left: leaf(self), op, right: leaf(self) }
            }
        }
    }

    fn attribute(&mut self, name: &str) -> AttributeId {
        AttributeId(self.catalog.attributes().iter().position(|a| a.name.name == name).unwrap() as u32)
    }

    fn value(&mut self, of: Kind, depth: u32) -> Value {
        let behaviour = self.behaviour(depth);
        let event = behaviour.matching.event;
        let name = self.name(of);
        let p = property(self.catalog, event, name);
        let deeper = |me: &mut Self| Box::new(me.value(Kind::Num, depth.saturating_sub(1)));
        match self.below(if of == Kind::Num && depth > 0 { 16 } else { 6 }) {
            0 => Value::Attribute(self.attribute(name)),
            1 => Value::Literal(self.literal(of)),
            2 => Value::Aggregate { function: Aggregate::First(p), behaviour },
            3 => Value::Aggregate { function: Aggregate::Last(p), behaviour },
            4 => Value::Aggregate { function: Aggregate::MostFrequent(p), behaviour },
            5 if matches!(of, Kind::Text | Kind::YesNo) => Value::Aggregate { function: Aggregate::Last(p), behaviour },
            5 => {
                let function = if self.chance(50) { Aggregate::Min(p) } else { Aggregate::Max(p) };
                Value::Aggregate { function, behaviour }
            }
            6 => Value::Aggregate { function: Aggregate::Count, behaviour },
            7 => Value::Aggregate { function: Aggregate::Sum(p), behaviour },
            8 => Value::Aggregate { function: Aggregate::Avg(p), behaviour },
            9 => {
                let millionths = [0, 500_000, 900_000, 333_333, 1_000_000][self.below(5)];
                Value::Aggregate { function: Aggregate::Percentile(p, millionths), behaviour }
            }
            10 => Value::Aggregate { function: Aggregate::Distinct(p), behaviour },
            11 => {
                let per = Behaviour { matching: self.matching(depth), ..behaviour.clone() };
                Value::Rate { of: behaviour, per }
            }
            12 => Value::DaysSinceEvent { end: self.end(), matching: behaviour.matching },
            13 => {
                Value::DaysSinceAttribute(if self.chance(50) { self.attribute("born") } else { self.attribute("seen") })
            }
            _ => {
                let op =
                    [Arithmetic::Add, Arithmetic::Subtract, Arithmetic::Multiply, Arithmetic::Divide][self.below(4)];
                Value::Arithmetic { op, left: deeper(self), right: deeper(self) }
            }
        }
    }

    fn sequence(&mut self, depth: u32, inside: bool) -> Cond {
        let same = self.chance(30).then(|| NAMES[self.below(7)]);
        let of = |me: &mut Self, matching: &Matching| same.map(|name| property(me.catalog, matching.event, name));
        let many = if self.chance(10) { 1 } else { 2 + self.below(3) };
        let steps = (0..many).map(|s| {
            let matching = self.matching(depth);
            let same = of(self, &matching);
            let later = s > 0;
            let without = (later && self.chance(25)).then(|| {
                let matching = self.matching(depth);
                let same = of(self, &matching);
                (matching, same)
            });
            Step {
                pick: (!inside && self.chance(15)).then(|| self.end()),
                matching,
                after: (later && self.chance(15)).then(|| self.length()),
                within: (later && self.chance(30)).then(|| self.length()),
                without,
                same,
            }
        });
        let steps: Vec<Step> = steps.collect();
        let absence = (many == 1 || self.chance(25)).then(|| {
            let matching = self.matching(depth);
            let same = of(self, &matching);
            Absence { matching, within: self.chance(60).then(|| self.length()), same }
        });
        let all_within = self.chance(30).then(|| self.length());
        let (window, since) = if inside { (Window::EVER, None) } else { (self.window(), self.since(depth)) };
        Cond::Sequence(Box::new(Sequence { steps, window, since, all_within, absence }))
    }

    fn same(&mut self, behaviour: Behaviour, depth: u32) -> Cond {
        let of = self.any_kind();
        let name = self.name(of);
        let n = 1 + self.below(3) as u64;
        let without = self.chance(40).then(|| {
            let matching = self.matching(depth);
            let p = property(self.catalog, matching.event, name);
            (matching, p)
        });
        Cond::Same { property: property(self.catalog, behaviour.matching.event, name), behaviour, n, without }
    }

    fn counted(&mut self, behaviour: Behaviour) -> Cond {
        let (op, n) = (self.op(), Num::int(self.below(4) as i64));
        if self.chance(25) {
            let unit = [PeriodUnit::Day, PeriodUnit::Week, PeriodUnit::Month][self.below(3)];
            return Cond::Periods { behaviour, unit, op, n };
        }
        Cond::Count { behaviour, op, n }
    }

    fn inside(&mut self, depth: u32, starts: &mut Vec<Matching>, session: bool) -> Cond {
        let mut matching = self.matching(depth);
        while session && matching.event.0 == 2 {
            matching = self.matching(depth);
        }
        let behaviour = Behaviour { matching, window: Window::EVER, since: None };
        match self.below(7) {
            0 => Cond::And((0..2).map(|_| self.inside(depth, starts, session)).collect()),
            1 => Cond::Or((0..2).map(|_| self.inside(depth, starts, session)).collect()),
            2 => Cond::Not(Box::new(self.inside(depth, starts, session))),
            3 => {
                starts.push(behaviour.matching.clone());
                self.same(behaviour, depth)
            }
            4 if !session => self.sequence(depth, true),
            _ => {
                starts.push(behaviour.matching.clone());
                self.counted(behaviour)
            }
        }
    }

    fn cond(&mut self, depth: u32) -> Cond {
        match self.below(12) {
            0 => Cond::Not(Box::new(self.cond(depth))),
            1 => {
                let behaviour = self.behaviour(depth);
                self.same(behaviour, depth)
            }
            2 => {
                let behaviour = self.behaviour(depth);
                let Behaviour { matching, window, since } = behaviour;
                Cond::Pick { end: self.end(), matching, window, since }
            }
            3..=5 => self.sequence(depth, false),
            6 => {
                let inside = Box::new(self.inside(depth, &mut Vec::new(), true));
                Cond::InSession { inside, window: self.window(), since: self.since(depth) }
            }
            7 => {
                let mut starts = vec![self.matching(depth)];
                let inside = Box::new(self.inside(depth, &mut starts, false));
                Cond::InAny { length: self.length(), inside, starts, window: self.window(), since: self.since(depth) }
            }
            8 | 9 => {
                let of = self.any_kind();
                Cond::Test(self.test(of, &mut |me| me.value(of, depth + 1)))
            }
            _ => {
                let behaviour = self.behaviour(depth);
                self.counted(behaviour)
            }
        }
    }

    /// Half hours, often the same ones; sometimes a microsecond off.
    fn instant(&mut self) -> i64 {
        let off = if self.chance(20) { self.rng.random_range(-1..=1) } else { 0 };
        let back = if self.chance(80) { self.below(12) } else { self.below(24 * 40) } as i64;
        self.clock.as_of - back * 30 * MINUTE + off
    }

    fn datum(&mut self, name: &str) -> Option<Datum> {
        if self.chance(15) {
            return None;
        }
        let text = |me: &mut Self| ["p", "q", "sun", "pq", ""][me.below(5)].to_owned();
        Some(match name {
            "item" => Datum::Text(text(self)),
            "n" => Datum::Integer(self.below(4) as i64 - 1),
            "cost" => Datum::Money(100 * (self.below(3) as i64)),
            "x" => Datum::Number([0.0, -0.0, 1.0, 0.1, f64::NAN, f64::INFINITY][self.below(6)]),
            "born" => {
                let years = 365 * self.below(3) as i32;
                Datum::Date(self.clock.zone.date(self.clock.as_of) - self.below(4) as i32 - years)
            }
            "seen" => {
                let years = 365 * 24 * 60 * MINUTE * self.below(2) as i64;
                Datum::Instant(self.instant() - years)
            }
            "ok" => Datum::YesNo(self.chance(50)),
            _ => Datum::TextList((0..self.below(3)).map(|_| text(self)).collect()),
        })
    }

    fn history(&mut self) -> History {
        let mut history = History::default();
        for _ in 0..self.below(14) {
            let event = EventId(self.below(3) as u32);
            let names: Vec<String> =
                self.catalog.event(event).unwrap().properties.iter().map(|p| p.name.name.clone()).collect();
            let properties = names.iter().map(|name| self.datum(name)).collect();
            history.events.push(EventRow { event, time: self.instant(), properties, event_id: None });
        }
        if self.chance(80) {
            let names: Vec<String> = self.catalog.attributes().iter().map(|a| a.name.name.clone()).collect();
            let attributes = names.iter().map(|name| self.datum(name)).collect();
            history.profile = Some(ProfileRow { created: None, attributes });
        }
        history
    }
}

#[test]
fn the_plan_tells_what_the_interpreter_tells() {
    let seed: u64 = std::env::var("SEGUE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(rand::random);
    let catalog = catalog();
    let rounds = crate::generate::cases(600).div_ceil(100);
    let (mut members, mut asked) = (0, 0);
    for round in 0..rounds {
        let mut rng = ChaCha8Rng::seed_from_u64(seed.wrapping_add(round as u64));
        let zone = Zone::new(["Europe/Paris", "UTC", "America/New_York"][round % 3]).unwrap();
        let as_of = ["2026-10-25T03:30", "2026-11-21", "2026-03-08T04:00", "2024-02-29T00:30"][round % 4];
        let clock = Clock { as_of: parse_moment(as_of, &zone).unwrap(), zone };
        let (layout, limits) = layout(&mut rng);
        let mut maker = Maker { rng, catalog: &catalog, clock: clock.clone() };
        let rules = (0..100).map(|i| (format!("r{i}"), maker.cond((i % 3) / 2))).collect();
        let customers: Vec<(String, History)> = (0..40).map(|i| (format!("c{i:02}"), maker.history())).collect();
        let program = program(rules);
        match compare(&catalog, &program, &clock, &customers, layout, limits) {
            Ok(outcome) => {
                members += outcome.members.iter().map(|m| m.count_set_bits()).sum::<usize>();
                asked += program.rules.len() * outcome.customers.len();
            }
            Err(Difference { rule, customer, what }) => {
                let history = customers.iter().find(|(id, _)| *id == customer).map(|(_, history)| history);
                panic!(
                    "SEGUE_SEED={seed}, round {round}, {layout:?}, as of {as_of}: {rule} {customer} {what}\n{history:#?}"
                );
            }
        }
    }
    println!("{asked} answers, {members} members");
    // Neither all nor nobody: the cases say something.
    assert!(members * 20 > asked && members * 20 < asked * 19);
}
