//! Random projects with campaigns, and the days of their runs. Used by the tests of decisions, and by the crate's own tests of gates.

#[path = "../generate/dice.rs"]
#[allow(dead_code)]
#[allow(clippy::duplicate_mod, reason = "the crate's own tests of gates have no generator beside them")]
mod dice;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{Decimal128Type, Int64Type, TimestampMicrosecondType};
use segue::audience::campaign::{Decisions, Input, Ledger, LedgerBuilder};
use segue::audience::history::history_schema;
use segue::error::Error;
use segue::language::calendar::{Clock, Zone, date_of, parse_moment};
use segue::language::catalog::{Catalog, Channel, Named, Type};
use segue::language::interpret::scalar::Scalar;
use segue::language::ir::*;
use segue::language::num::Num;
use segue::language::source::{SourceId, Span};

use dice::Dice;

pub const DAY: i64 = 86_400_000_000;
const SPAN: Span = Span { source: SourceId(0), start: 0, end: 0 };
const CHANNELS: [&str; 4] = ["email", "sms", "push", "site"];
/// Two that are, one that is none.
const ZONES: [&str; 3] = ["America/St_Johns", "Asia/Tokyo", "Mars/Base"];

/// A project, its customers, and a history from before its first run.
pub struct World {
    pub seed: u64,
    pub project: String,
    pub holdout: Option<Num>,
    pub catalog: Catalog,
    pub zone: Zone,
    pub program: Program,
    pub customers: ArrayRef,
    pub ids: Vec<String>,
    /// By rule, of how many in a hundred it is true.
    density: Vec<u64>,
    start: i64,
    pub before: RecordBatch,
}

/// What is known on the day of a run.
pub struct Day {
    pub clock: Clock,
    pub members: Vec<BooleanBuffer>,
    pub traits: Vec<Vec<Option<Scalar>>>,
    pub due: Vec<bool>,
}

/// A row of the history.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub customer: String,
    pub at: i64,
    pub event: String,
    pub name: String,
    pub arm: Option<String>,
    pub channel: Option<String>,
    pub action: Option<String>,
    /// In millionths.
    pub cost: Option<i128>,
}

fn percent(n: i64) -> Num {
    Num::Exact { units: i128::from(n), scale: 2 }
}

fn cents(n: i64) -> Num {
    percent(n)
}

fn named(name: &str) -> Named {
    Named { name: name.into(), span: SPAN }
}

fn length(dice: &mut Dice) -> Length {
    let lengths = [
        (1, Unit::Day),
        (36, Unit::Hour),
        (2, Unit::Day),
        (3, Unit::Day),
        (1, Unit::Week),
        (1, Unit::Month),
        (1_500, Unit::Minute),
    ];
    let &(amount, unit) = dice.pick(&lengths);
    Length { amount, unit }
}

impl World {
    pub fn new(seed: u64, customers: usize, campaigns: usize) -> World {
        let mut dice = Dice::new(seed);
        let numbers = dice.chance(50);
        let (customers, ids): (ArrayRef, Vec<String>) = if numbers {
            let ids: Vec<i64> = (0..customers as i64).map(|n| n * 7 - 300).collect();
            (Arc::new(Int64Array::from(ids.clone())), ids.iter().map(i64::to_string).collect())
        } else {
            let mut ids: Vec<String> = (0..customers).map(|n| format!("c{n}")).collect();
            ids.sort();
            (Arc::new(StringArray::from(ids.clone())), ids)
        };
        let catalog = catalog(&mut dice);
        let zone: &&str = dice.pick(&["Europe/Paris", "UTC", "America/Sao_Paulo"]);
        let zone = Zone::new(zone).expect("known");
        let day = *dice.pick(&["2026-10-21", "2026-03-25", "2026-02-24"]);
        let start = parse_moment(day, &zone).expect("a day");
        let mut world = World {
            seed,
            project: format!("shop{}", seed % 3),
            holdout: dice.chance(40).then(|| percent(dice.between(1, 20))),
            catalog,
            zone,
            program: Program::default(),
            customers,
            ids,
            density: Vec::new(),
            start,
            before: RecordBatch::new_empty(history_schema(&arrow::datatypes::DataType::Utf8)),
        };
        for channel in CHANNELS {
            let consent = world.rule(&format!("{channel}.consent"), 80);
            let suppressed = world.rule(&format!("{channel}.suppressed"), 12);
            world.program.gates.push(Gate { channel: channel.into(), consent, suppressed });
        }
        for (name, ty) in [("spent", Type::Money { scale: 2 }), ("visits", Type::Integer), ("zone", Type::Text)] {
            let value = Value::Literal(Literal::Num(Num::int(0)));
            let (title, description) = (None, None);
            let hidden = false;
            world.program.traits.push(Trait { name: name.into(), title, description, value, ty, hidden, span: SPAN });
        }
        world.program.zone = dice.chance(60).then_some(2);
        for number in 0..campaigns {
            world.campaign(&format!("k{number}"), &mut dice);
        }
        for name in ["fatigue", "pressure"] {
            if dice.chance(80) {
                let rules = (0..dice.between(1, 2)).map(|_| PolicyRule {
                    at_most: Frequency {
                        n: dice.between(0, 4).max(dice.between(0, 1)) as u64,
                        within: length(&mut dice),
                    },
                    channels: dice.some(&CHANNELS.map(str::to_owned), 40),
                });
                let policy = Policy { name: name.into(), description: None, rules: rules.collect() };
                world.program.policies.push(policy);
            }
        }
        world.before = world.earlier(&mut dice);
        world
    }

    /// A rule that is true of so many in a hundred.
    pub fn rule(&mut self, name: &str, density: u64) -> RuleId {
        let (name, condition) = (name.to_owned(), Cond::Const(true));
        let (title, description) = (None, None);
        self.program.rules.push(Rule { name, title, description, kind: RuleKind::Segment, condition, span: SPAN });
        self.density.push(density);
        RuleId(self.program.rules.len() as u32 - 1)
    }

    /// Adds a random campaign; the answer is its place.
    pub fn add_campaign(&mut self, name: &str, seed: u64) -> usize {
        self.campaign(name, &mut Dice::new(seed));
        self.program.campaigns.len() - 1
    }

    fn campaign(&mut self, name: &str, dice: &mut Dice) {
        let density = dice.between(40, 100) as u64;
        let rule = self.rule(name, density);
        let except = (0..dice.weighed(&[(5, 0), (3, 1), (2, 2)]))
            .map(|n| (format!("{name}_staff{n}"), self.rule(&format!("{name}.except.{n}"), 10)))
            .collect();
        // Most campaigns reach on the channels that all others reach on, too.
        let action = |dice: &mut Dice| Action {
            verb: "offer".into(),
            arguments: vec![format!("serum-{}", dice.below(9))],
            channel: (!dice.chance(4)).then(|| dice.pick(&CHANNELS).to_string()),
        };
        let hold_out = dice.chance(50).then(|| dice.between(1, 40));
        let mut arms = Vec::new();
        match dice.weighed(&[(4, "all"), (3, "guards"), (4, "shares")]) {
            "all" => arms.push(Arm { name: "1".into(), take: Take::All, action: action(dice) }),
            "guards" => {
                let guards = dice.between(1, 3);
                for n in 1..=guards {
                    let guard = self.rule(&format!("{name}.arm.{n}"), 45);
                    arms.push(Arm { name: n.to_string(), take: Take::When(guard), action: action(dice) });
                }
                if dice.chance(60) {
                    let name = (guards + 1).to_string();
                    arms.push(Arm { name, take: Take::Otherwise, action: action(dice) });
                }
            }
            _ => {
                let mut rest = 100 - hold_out.unwrap_or(0);
                let names = ["a", "b", "c"];
                let count = dice.between(1, 3) as usize;
                for (n, name) in names.into_iter().enumerate().take(count) {
                    let share = if n + 1 == count { rest } else { dice.between(1, rest - (count - n - 1) as i64) };
                    rest -= share;
                    // As the checker may hand them over: 12.5% has another scale.
                    let share = if dice.chance(50) {
                        percent(share)
                    } else {
                        Num::Exact { units: i128::from(share) * 10, scale: 3 }
                    };
                    arms.push(Arm { name: name.into(), take: Take::Share(share), action: action(dice) });
                }
            }
        }
        let people = self.ids.len() as i64;
        let date = |dice: &mut Dice, low, high| {
            let at = self.start + dice.between(low, high) * DAY;
            date_of(self.zone.date(at))
        };
        let priced = dice.chance(35);
        self.program.campaigns.push(Campaign {
            rule,
            was: dice.chance(20).then(|| format!("old_{name}")),
            except,
            arms,
            hold_out: hold_out.map(percent),
            priority: dice.between(-1, 2),
            at_most: dice
                .chance(60)
                .then(|| Frequency { n: dice.weighed(&[(1, 0), (8, 1), (5, 2)]), within: length(dice) }),
            limit: dice.chance(50).then(|| Limit {
                n: dice.between(0, people) as u64,
                by: dice.weighed(&[(3, None), (3, Some(0)), (2, Some(1))]),
            }),
            with: Vec::new(),
            goal: None,
            every: dice.chance(50).then(|| Every { weekdays: vec![1], at: 540 }),
            from: dice.chance(15).then(|| date(dice, -2, 3)),
            until: dice.chance(15).then(|| date(dice, 2, 6)),
            cost: priced.then(|| cents(dice.between(0, 9))),
            budget: dice.chance(40).then(|| cents(dice.between(0, people * 6))),
            quiet: dice.chance(25).then(|| Quiet { from: dice.below(1440) as u16, to: dice.below(1440) as u16 }),
        });
    }

    /// Contacts and holdouts from before the first run, of this project's campaigns and of some that are gone, of its customers and of
    /// others; and what is no contact at all.
    fn earlier(&self, dice: &mut Dice) -> RecordBatch {
        let mut names: Vec<String> = vec!["gone".into(), "gone_too".into()];
        names.extend(self.program.campaigns.iter().map(|campaign| {
            let name = self.name(campaign);
            campaign.was.clone().unwrap_or(name.to_owned())
        }));
        let rows = (0..self.ids.len()).map(|_| Row {
            customer: if dice.chance(90) {
                dice.pick(&self.ids).clone()
            } else {
                format!("{}", dice.between(900_000, 999_999))
            },
            at: self.start - dice.between(0, 40 * 1440) * 60_000_000,
            event: dice.weighed(&[(8, "contacted"), (2, "held out"), (1, "entered"), (1, "left")]).into(),
            name: dice.pick(&names).clone(),
            arm: None,
            channel: dice.chance(90).then(|| dice.pick(&["email", "sms", "push", "site", "fax"]).to_string()),
            action: None,
            cost: dice.chance(50).then(|| i128::from(dice.between(0, 9)) * 10_000),
        });
        let mut rows: Vec<Row> = rows.collect();
        if dice.chance(50) {
            // The order of the history itself, whose ids are looked up one after the other.
            rows.sort_by(|a, b| (a.at, &a.event, &a.name, &a.customer).cmp(&(b.at, &b.event, &b.name, &b.customer)));
        }
        batch(&rows)
    }

    pub fn name(&self, campaign: &Campaign) -> &str {
        &self.program.rules[campaign.rule.0 as usize].name
    }

    /// What is known on a day, the same whatever else the program asks. Runs are a day apart, more or less.
    pub fn day(&self, number: u64) -> Day {
        let mut dice = Dice::new(self.seed ^ (number << 32) ^ 0xdead);
        let minutes = dice.weighed(&[(4, 540), (2, 1_300), (1, 0), (1, 150)]) + dice.between(0, 59);
        let as_of = self.start + number as i64 * DAY + minutes * 60_000_000 + dice.between(0, 1) * 7_000_000;
        let members = self.density.iter().enumerate().map(|(rule, &density)| {
            // Who belongs today mostly did so yesterday.
            let mut lasting = Dice::new(self.seed ^ ((rule as u64) << 40) ^ 0xbeef);
            let mut daily = Dice::new(self.seed ^ ((rule as u64) << 40) ^ (number << 8) ^ 0xfeed);
            let bit = |_| {
                let (always, today) = (lasting.chance(density), daily.chance(density));
                if daily.chance(85) { always } else { today }
            };
            BooleanBuffer::from_iter((0..self.ids.len()).map(bit))
        });
        let members = members.collect();
        let mut lasting = Dice::new(self.seed ^ 0xabcd);
        let mut values = |of: &dyn Fn(&mut Dice) -> Scalar| -> Vec<Option<Scalar>> {
            self.ids.iter().map(|_| (!lasting.chance(15)).then(|| of(&mut lasting))).collect()
        };
        let spent = values(&|dice| Scalar::Num(cents(dice.between(-5, 60))));
        let visits = values(&|dice| Scalar::Num(Num::int(dice.between(0, 8))));
        let zones = values(&|dice| Scalar::Text(dice.pick(&ZONES).to_string()));
        let due = |campaign: &Campaign| {
            let name = self.name(campaign).bytes().fold(0u64, |sum, b| sum * 31 + u64::from(b));
            campaign.every.is_none() || Dice::new(self.seed ^ name ^ (number << 16)).chance(75)
        };
        Day {
            clock: Clock { as_of, zone: self.zone.clone() },
            members,
            traits: vec![spent, visits, zones],
            due: self.program.campaigns.iter().map(due).collect(),
        }
    }

    pub fn ledger(&self, day: &Day, history: &[RecordBatch]) -> Result<Ledger, Error> {
        let mut ledger =
            LedgerBuilder::new(&self.program, &BTreeMap::new(), &self.catalog, &day.clock, &self.customers, &day.due)?;
        for batch in history {
            ledger.add(batch)?;
        }
        Ok(ledger.finish())
    }

    pub fn input<'a>(&'a self, day: &'a Day, ledger: &'a Ledger) -> Input<'a> {
        Input {
            project: &self.project,
            holdout: self.holdout,
            program: &self.program,
            catalog: &self.catalog,
            clock: &day.clock,
            customers: &self.customers,
            members: &day.members,
            traits: &day.traits,
            due: &day.due,
            ledger,
        }
    }

    /// Runs so many days, each with the history that those before left. `each` sees every day with the history before it.
    pub fn simulate(
        &self,
        days: u64,
        decide: &dyn Fn(&Input) -> Result<Decisions, Error>,
        each: &mut dyn FnMut(&Day, &[RecordBatch], &Decisions),
    ) -> Vec<RecordBatch> {
        let mut history = vec![self.before.clone()];
        for number in 0..days {
            let day = self.day(number);
            let ledger = self.ledger(&day, &history).expect("a ledger");
            let input = self.input(&day, &ledger);
            let decisions = decide(&input).expect("decided");
            each(&day, &history, &decisions);
            history.extend(decisions.history(&input).expect("tables"));
        }
        history
    }
}

fn catalog(dice: &mut Dice) -> Catalog {
    let channels = CHANNELS.iter().map(|&name| Channel {
        name: named(name),
        consent: None,
        suppression: Vec::new(),
        cost: match name {
            "email" => Some(cents(1)),
            "sms" => Some(Num::Exact { units: 75, scale: 3 }),
            _ => None,
        },
        quiet: (name == "sms" && dice.chance(60)).then_some((21 * 60, 8 * 60)),
        pii: false,
    });
    Catalog { channels: channels.collect(), ..Catalog::default() }
}

/// Rows as a table of the history; its customers are text.
pub fn batch(rows: &[Row]) -> RecordBatch {
    let text = |of: &dyn Fn(&Row) -> Option<String>| Arc::new(StringArray::from_iter(rows.iter().map(of))) as ArrayRef;
    let at = TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.at)).with_timezone("UTC");
    let costs = Decimal128Array::from_iter(rows.iter().map(|row| row.cost));
    let columns = vec![
        text(&|row| Some(row.customer.clone())),
        Arc::new(at),
        text(&|row| Some(row.event.clone())),
        text(&|row| Some(row.name.clone())),
        text(&|row| row.arm.clone()),
        text(&|row| row.channel.clone()),
        text(&|row| row.action.clone()),
        Arc::new(costs.with_precision_and_scale(38, 6).expect("fits")),
    ];
    RecordBatch::try_new(history_schema(&arrow::datatypes::DataType::Utf8), columns).expect("a table")
}

/// The rows of tables of the history.
pub fn rows(history: &[RecordBatch]) -> Vec<Row> {
    let mut all = Vec::new();
    for batch in history {
        let column = |name: &str| batch.column_by_name(name).expect("a column").clone();
        let text = |name: &str| {
            let column = column(name);
            let texts = column.as_string::<i32>().clone();
            move |row: usize| texts.is_valid(row).then(|| texts.value(row).to_owned())
        };
        let customers = column("customer");
        let at = column("at");
        let at = at.as_primitive::<TimestampMicrosecondType>();
        let costs = column("cost");
        let costs = costs.as_primitive::<Decimal128Type>();
        let (event, name, arm, channel, action) =
            (text("event"), text("name"), text("arm"), text("channel"), text("action"));
        all.extend((0..batch.num_rows()).map(|row| Row {
            customer: match customers.as_primitive_opt::<Int64Type>() {
                Some(ids) => ids.value(row).to_string(),
                None => customers.as_string::<i32>().value(row).to_owned(),
            },
            at: at.value(row),
            event: event(row).expect("never missing"),
            name: name(row).expect("never missing"),
            arm: arm(row),
            channel: channel(row),
            action: action(row),
            cost: costs.is_valid(row).then(|| costs.value(row)),
        }));
    }
    all
}

/// Outcomes, arms and details by campaign and customer, to be compared.
pub type Told = BTreeMap<String, BTreeMap<String, (String, Option<u16>, Option<String>)>>;

pub fn told(world: &World, decisions: &Decisions) -> Told {
    use segue::audience::campaign::Verdict;
    let one = |verdict: Verdict| match verdict {
        Verdict::Sent { arm } => Some(arm),
        Verdict::HeldOut { arm, .. } => arm,
        Verdict::Stopped(..) => None,
    };
    let campaigns = decisions.campaigns.iter().map(|decided| {
        let pairs = decided.pairs().map(|(row, verdict)| {
            let detail = decided.detail(verdict).map(str::to_owned);
            (world.ids[row as usize].clone(), (verdict.outcome().to_owned(), one(verdict), detail))
        });
        (decided.name.clone(), pairs.collect())
    });
    campaigns.collect()
}
