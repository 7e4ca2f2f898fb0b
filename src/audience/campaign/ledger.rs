//! What the history tells of contacts, as far as a decision asks for it.
//!
//! Owns: which rows of the history matter (frequency, policies, budgets), and how they are held. Promises: memory for the rows within
//! the longest window only, however long the history is; every row of a budget counts, whoever the customer is. Rows after the as-of
//! instant never count; those at it of a campaign that is decided again don't either: run again, it is the same run.
//! Must not know: how rows are stored, who is contacted now.

use std::collections::{BTreeMap, HashMap};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Int64Type, TimeUnit};

use super::assignment::key;
use super::ids::{Finder, Ids};
use super::verdict::{CONTACTED, HELD_OUT};
use crate::error::Error;
use crate::language::calendar::Clock;
use crate::language::catalog::Catalog;
use crate::language::ir::{Edge, Length, Program};
use crate::language::num::{Num, PLACES};

/// An amount in millionths. Costs and budgets are exact and have six decimals at most.
pub(super) fn micros(amount: Num) -> Result<i128, Error> {
    let wrong = || {
        Error::data(format!("{amount} is no amount of money that can be kept exactly"))
            .with_help("write costs and budgets with at most six decimals")
    };
    let Num::Exact { units, scale } = amount else { return Err(wrong()) };
    if scale <= PLACES {
        return units.checked_mul(10i128.pow(u32::from(PLACES - scale))).ok_or_else(wrong);
    }
    let down = 10i128.pow(u32::from(scale.min(18) - PLACES));
    if units % down == 0 { Ok(units / down) } else { Err(wrong()) }
}

/// The instant T − D: of the instants in (T − D, T] it is the last before.
fn since(clock: &Clock, within: Length) -> i64 {
    clock.edge(Edge::Back { amount: within.amount, unit: within.unit })
}

/// What a contact counts as that names no channel of the catalog.
pub(super) const ELSEWHERE: u16 = u16::MAX;

/// The place of a channel in the catalog.
pub(super) fn channel(catalog: &Catalog, name: Option<&str>) -> u16 {
    let place = name.and_then(|name| catalog.channels.iter().position(|c| c.name.name == name));
    place.and_then(|place| u16::try_from(place).ok()).unwrap_or(ELSEWHERE)
}

/// One line of a policy: at most `n` contacts in (`since`, as-of].
#[derive(Debug, Clone)]
pub(super) struct Pressure {
    /// The place of the policy in the program.
    pub policy: usize,
    pub n: u64,
    pub since: i64,
    /// Places of channels; `None` for all.
    channels: Option<Vec<u16>>,
}

impl Pressure {
    /// The lines of all policies, in their order.
    pub fn all(program: &Program, catalog: &Catalog, clock: &Clock) -> Vec<Pressure> {
        let lines = program.policies.iter().enumerate();
        let lines = lines.flat_map(|(policy, p)| p.rules.iter().map(move |rule| (policy, rule)));
        lines
            .map(|(policy, rule)| Pressure {
                policy,
                n: rule.at_most.n,
                since: since(clock, rule.at_most.within),
                channels: (!rule.channels.is_empty())
                    .then(|| rule.channels.iter().map(|name| channel(catalog, Some(name))).collect()),
            })
            .collect()
    }

    /// Whether contacts on a channel count.
    pub fn counts(&self, channel: u16) -> bool {
        self.channels.as_ref().is_none_or(|channels| channel != ELSEWHERE && channels.contains(&channel))
    }
}

/// A contact or a holdout of one customer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Touch {
    pub at: i64,
    /// The campaign: a place among [`Ledger::names`].
    pub name: u32,
    /// A place in the catalog, or [`ELSEWHERE`].
    pub channel: u16,
    pub held: bool,
}

/// Touches by customer.
#[derive(Debug, Clone, Default)]
pub(super) struct Touches {
    /// By row: 1 + the place of the customer's latest touch, 0 for none. Empty as long as there is no touch at all.
    heads: Vec<u32>,
    /// Each with the one before it of the same customer.
    touches: Vec<(Touch, u32)>,
}

impl Touches {
    pub fn push(&mut self, customers: usize, row: u32, touch: Touch) -> Result<(), Error> {
        if self.heads.is_empty() {
            self.heads.resize(customers, 0);
        }
        let number = u32::try_from(self.touches.len() + 1).map_err(|_| Error::Data {
            message: "the history has more contacts within its windows than can be held".into(),
            help: Some("shorten the windows of policies and of `at most`".into()),
        })?;
        if let Some(head) = self.heads.get_mut(row as usize) {
            self.touches.push((touch, std::mem::replace(head, number)));
        }
        Ok(())
    }

    pub fn of(&self, row: u32) -> impl Iterator<Item = &Touch> {
        let mut next = self.heads.get(row as usize).copied().unwrap_or(0);
        std::iter::from_fn(move || {
            let (touch, before) = self.touches.get((next as usize).checked_sub(1)?)?;
            next = *before;
            Some(touch)
        })
    }
}

/// What is known of a campaign that has a name in the ledger.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    /// `at most` counts from here on.
    capped: Option<i64>,
    /// Has a budget.
    budget: bool,
    /// Is decided now.
    due: bool,
    spent: i128,
}

/// The rows of the history that the decisions of one instant ask for.
#[derive(Debug, Clone)]
pub struct Ledger {
    as_of: i64,
    customers: usize,
    /// Keys of campaigns: the program's first, in its order, then those that are only in the history.
    names: Vec<String>,
    known: Vec<Known>,
    touches: Touches,
}

impl Ledger {
    pub(super) fn is_for(&self, as_of: i64, customers: usize) -> bool {
        self.as_of == as_of && self.customers == customers
    }

    pub(super) fn name(&self, number: u32) -> &str {
        self.names.get(number as usize).map_or("", String::as_str)
    }

    /// The number of a campaign of the program by its key.
    pub(super) fn number(&self, key: &str) -> u32 {
        self.names.iter().position(|name| name == key).map_or(u32::MAX, |number| number as u32)
    }

    pub(super) fn touches(&self) -> &Touches {
        &self.touches
    }

    /// What a campaign has spent so far, in millionths.
    pub(super) fn spent(&self, number: u32) -> i128 {
        self.known.get(number as usize).map_or(0, |known| known.spent)
    }

    /// Whether a touch at an instant lies within the campaign's `at most`.
    pub(super) fn within_cap(&self, number: u32, at: i64) -> bool {
        self.known.get(number as usize).and_then(|known| known.capped).is_some_and(|since| since < at)
    }
}

/// Reads the history, batch by batch in any order.
#[derive(Debug)]
pub struct LedgerBuilder<'a> {
    ledger: Ledger,
    numbers: HashMap<String, u32>,
    pressures: Vec<Pressure>,
    catalog: &'a Catalog,
    finder: Finder<'a>,
}

impl<'a> LedgerBuilder<'a> {
    /// `due` says of each campaign of the program whether it is decided now, as in [`super::Input`]; `customers` are those too. `former`
    /// are the names that campaigns had before: what was recorded under one of them was the same campaign's.
    pub fn new(
        program: &Program,
        former: &BTreeMap<String, Vec<String>>,
        catalog: &'a Catalog,
        clock: &Clock,
        customers: &'a ArrayRef,
        due: &[bool],
    ) -> Result<LedgerBuilder<'a>, Error> {
        let ids = Ids::new(customers)?;
        let mut numbers = HashMap::new();
        let (mut names, mut known) = (Vec::new(), Vec::<Known>::new());
        for (place, campaign) in program.campaigns.iter().enumerate() {
            let name = program.rules.get(campaign.rule.0 as usize).map_or("", |rule| rule.name.as_str());
            let key = key(campaign, name);
            let number = *numbers.entry(key.to_owned()).or_insert_with(|| {
                names.push(key.to_owned());
                known.push(Known::default());
                (names.len() - 1) as u32
            });
            for other in std::iter::once(name).chain(former.get(name).into_iter().flatten().map(String::as_str)) {
                numbers.entry(other.to_owned()).or_insert(number);
            }
            if let Some(known) = known.get_mut(number as usize) {
                known.capped = campaign.at_most.map(|at_most| since(clock, at_most.within)).or(known.capped);
                known.budget |= campaign.budget.is_some();
                known.due |= due.get(place).copied().unwrap_or(false);
            }
        }
        let ledger = Ledger { as_of: clock.as_of, customers: ids.len(), names, known, touches: Touches::default() };
        let pressures = Pressure::all(program, catalog, clock);
        Ok(LedgerBuilder { ledger, numbers, pressures, catalog, finder: Finder::new(ids) })
    }

    /// Rows at or before this instant make no difference; `None`: none does at all.
    pub fn since(&self) -> Option<i64> {
        let budgets = self.ledger.known.iter().filter(|k| k.budget).map(|_| i64::MIN);
        let caps = self.ledger.known.iter().filter_map(|k| k.capped);
        budgets.chain(caps).chain(self.pressures.iter().map(|p| p.since)).min()
    }

    /// Rows of the history: `customer`, `at`, `event`, `name`, `channel`, `cost`; other columns and events are passed over. Rows in
    /// the history's own order are found fastest.
    pub fn add(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        let column = |name: &str, ty: &DataType| -> Result<ArrayRef, Error> {
            let found = batch.column_by_name(name).ok_or_else(|| damaged(format!("it has no column `{name}`")))?;
            if found.data_type() == ty {
                return Ok(found.clone());
            }
            cast(found, ty).map_err(|why| damaged(format!("its column `{name}`: {why}")))
        };
        let raw = batch.column_by_name("customer").ok_or_else(|| damaged("it has no column `customer`".into()))?;
        let whole = raw.data_type().is_integer();
        let customers = column("customer", if whole { &DataType::Int64 } else { &DataType::Utf8 })?;
        let at = column("at", &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())))?;
        let at = cast(&at, &DataType::Int64).map_err(|why| damaged(format!("its column `at`: {why}")))?;
        let events = column("event", &DataType::Utf8)?;
        let names = column("name", &DataType::Utf8)?;
        let channels = column("channel", &DataType::Utf8)?;
        let costs = column("cost", &DataType::Decimal128(38, PLACES as i8))?;
        let (at, events, names) = (at.as_primitive::<Int64Type>(), events.as_string::<i32>(), names.as_string::<i32>());
        let (channels, costs) = (channels.as_string::<i32>(), costs.as_primitive::<Decimal128Type>());
        // Neighbours share their campaign and channel.
        let mut last: Option<(&str, u32)> = None;
        let mut last_channel: Option<(Option<&str>, u16)> = None;
        for row in 0..batch.num_rows() {
            let (held, instant) = match events.value(row) {
                CONTACTED => (false, at.value(row)),
                HELD_OUT => (true, at.value(row)),
                _ => continue,
            };
            let name = names.value(row);
            let number = match last {
                Some((same, number)) if same == name => number,
                _ => self.name(name),
            };
            last = Some((name, number));
            let known = self.ledger.known.get(number as usize).copied().unwrap_or_default();
            if instant > self.ledger.as_of || (instant == self.ledger.as_of && known.due) {
                continue;
            }
            if known.budget && !held && costs.is_valid(row) {
                self.charge(number, costs.value(row))?;
            }
            let written = channels.is_valid(row).then(|| channels.value(row));
            let channel = match last_channel {
                Some((same, channel)) if same == written => channel,
                _ => channel(self.catalog, written),
            };
            last_channel = Some((written, channel));
            let capped = known.capped.is_some_and(|since| since < instant);
            let pressed = !held && self.pressures.iter().any(|p| p.since < instant && p.counts(channel));
            if !capped && !pressed {
                continue;
            }
            let customer = match customers.as_primitive_opt::<Int64Type>() {
                Some(numbers) => self.finder.number(numbers.value(row)),
                None => self.finder.text(customers.as_string::<i32>().value(row)),
            };
            if let Some(customer) = customer {
                let touch = Touch { at: instant, name: number, channel, held };
                self.ledger.touches.push(self.ledger.customers, customer, touch)?;
            }
        }
        Ok(())
    }

    /// Adds to what a campaign has spent so far, in millionths; `name` is its key.
    pub fn spent(&mut self, name: &str, cost: i128) -> Result<(), Error> {
        let number = self.name(name);
        self.charge(number, cost)
    }

    fn charge(&mut self, number: u32, cost: i128) -> Result<(), Error> {
        let Some(known) = self.ledger.known.get_mut(number as usize) else { return Ok(()) };
        let Some(spent) = known.spent.checked_add(cost) else {
            let name = self.ledger.name(number);
            return Err(damaged(format!("the costs of `{name}` are beyond all bounds")));
        };
        known.spent = spent;
        Ok(())
    }

    fn name(&mut self, name: &str) -> u32 {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        let number = self.ledger.names.len() as u32;
        self.ledger.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }

    pub fn finish(self) -> Ledger {
        self.ledger
    }
}

fn damaged(why: String) -> Error {
    Error::data(format!("the history of contacts can't be read: {why}"))
        .with_help("it is written by `segue run`; restore the store to a version that reads")
}
