//! Classes of values: two values of a column are in one class if no test of the branch tells them apart.
//!
//! Owns: the classes and the columns of a batch. Promises: a predicate says the same of all rows whose columns agree in class.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, Int64Array, PrimitiveArray};
use datafusion::common::Result;

use super::views::{Views, by_keys};
use crate::engine::kernels::convert::ordered;
use crate::engine::kernels::hash::Map;
use crate::engine::kernels::test;
use crate::engine::plan::program::{Branch, Cmp, ColumnSpec, How, Lit, Operand, Pred, Scalar, Test, Ty};
use crate::engine::types::{self, Column, normal};
use crate::language::calendar::{DateRange, Zone, returns};
use crate::language::num::Num;
use crate::language::text;

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Behind the columns come what a time says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Column(usize),
    Hour,
    Weekday,
    Date,
}

/// How one column is classed.
#[derive(Debug)]
struct Class {
    of: Of,
    /// Told apart value by value.
    exact: bool,
    points: Vec<Num>,
    /// The points as the column's words: where an answer of a comparison changes.
    cuts: Option<Vec<i64>>,
    literals: Map<String, u32>,
    texts: Vec<(How, String, bool)>,
    lists: Vec<Vec<String>>,
    /// Days on which a yearly return is asked for.
    returns: Vec<(i32, i32)>,
    /// (literal, outcomes of the text tests) → class; 0 is missing.
    known: Map<(u32, Vec<u64>), u32>,
    /// Text as the file has it → class.
    memo: Map<String, u32>,
    views: Views,
    values: Map<String, u32>,
    numbers: Map<i64, u32>,
}

#[derive(Debug)]
pub struct Classes {
    classes: Vec<Class>,
}

impl Classes {
    pub fn new(branch: &Branch) -> Classes {
        let mut classes = Classes { classes: Vec::new() };
        for kind in branch.kinds.iter().filter(|k| !k.foreign) {
            for pred in kind.filter.iter().chain(kind.patterns.iter().map(|(_, p)| p)) {
                classes.learn(pred);
            }
        }
        for class in &mut classes.classes {
            class.points.sort_by(|a, b| a.compare(*b));
            class.points.dedup_by(|a, b| a.compare(*b) == Ordering::Equal);
            let unique: BTreeSet<_> =
                class.texts.drain(..).map(|(how, p, f)| (how as u8, p, f, how)).map(Key).collect();
            class.texts = unique.into_iter().map(|Key((_, p, f, how))| (how, p, f)).collect();
            class.lists.sort();
            class.lists.dedup();
            class.returns.sort_unstable();
            class.returns.dedup();
        }
        classes
    }

    fn class(&mut self, operand: &Operand) -> Option<&mut Class> {
        let of = match operand {
            Operand::Literal(_) => return None,
            Operand::Column(u32::MAX) => return None,
            Operand::Column(c) => Of::Column(*c as usize),
            Operand::Hour => Of::Hour,
            Operand::Weekday => Of::Weekday,
            Operand::Date => Of::Date,
        };
        if let Some(at) = self.classes.iter().position(|c| c.of == of) {
            return self.classes.get_mut(at);
        }
        self.classes.push(Class {
            of,
            exact: false,
            points: Vec::new(),
            cuts: None,
            literals: Map::default(),
            texts: Vec::new(),
            lists: Vec::new(),
            returns: Vec::new(),
            known: Map::default(),
            memo: Map::default(),
            views: Views::default(),
            values: Map::default(),
            numbers: Map::default(),
        });
        self.classes.last_mut()
    }

    fn learn(&mut self, pred: &Pred) {
        match pred {
            Pred::Const(_) => {}
            Pred::And(all) | Pred::Or(all) => all.iter().for_each(|p| self.learn(p)),
            Pred::Not(inner) => self.learn(inner),
            Pred::Test(t) => self.learn_test(t),
        }
    }

    fn learn_test(&mut self, test: &Test<Operand>) {
        match test {
            Test::Compare { left, op, right } => match (left, right) {
                (operand, Operand::Literal(literal)) | (Operand::Literal(literal), operand) => {
                    let sided = !matches!(op, Cmp::Eq | Cmp::Ne);
                    if let Some(class) = self.class(operand) {
                        class.literal(literal, sided);
                    }
                }
                (left, right) => {
                    for operand in [left, right] {
                        if let Some(class) = self.class(operand) {
                            class.exact = true;
                        }
                    }
                }
            },
            Test::OneOf { value, among, .. } => {
                if let Some(class) = self.class(value) {
                    among.iter().for_each(|literal| class.literal(literal, false));
                }
            }
            Test::Anniversary { value, dates } => {
                if let Some(class) = self.class(value) {
                    class.returns.push(*dates);
                }
            }
            Test::Text { value, how, pattern, fold } => {
                if let Some(class) = self.class(value) {
                    class.texts.push((*how, pattern.clone(), *fold));
                }
            }
            Test::Has { value, among } => {
                if let Some(class) = self.class(value) {
                    class.lists.push(among.clone());
                }
            }
            Test::During { value, instants, dates } => {
                if let Some(class) = self.class(value) {
                    let ends = [instants.0, instants.1, i64::from(dates.0), i64::from(dates.1)];
                    class.points.extend(ends.map(Num::int));
                }
            }
            Test::Known(value) | Test::Yes(value) => {
                self.class(value);
            }
        }
    }

    /// For each classed column the class of each row.
    pub fn codes(&mut self, held: &Held<'_>, rows: usize) -> Vec<Vec<u32>> {
        self.classes.iter_mut().map(|class| class.codes(held, rows)).collect()
    }

    /// How many classes there are by now.
    pub fn learnt(&self) -> usize {
        self.classes.iter().map(|c| c.values.len() + c.numbers.len() + c.known.len()).max().unwrap_or(0)
    }

    /// Whether any test looks at the column.
    fn asks(&self, column: usize) -> bool {
        self.classes.iter().any(|c| c.of == Of::Column(column))
    }
}

/// Orders text tests without asking the test itself to have an order.
#[derive(PartialEq, Eq)]
struct Key((u8, String, bool, How));

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.0.0, &self.0.1, self.0.2).cmp(&(other.0.0, &other.0.1, other.0.2))
    }
}

impl Class {
    fn literal(&mut self, literal: &Lit, sided: bool) {
        match literal.scalar() {
            Scalar::Num(n) => self.points.push(n),
            Scalar::Date(days) => self.points.push(Num::int(i64::from(days))),
            Scalar::Instant(at) => self.points.push(Num::int(at)),
            Scalar::Text(text) => {
                // Less and greater tell all texts apart.
                self.exact |= sided;
                let next = self.literals.len() as u32 + 1;
                self.literals.entry(text.to_owned()).or_insert(next);
            }
            Scalar::YesNo(_) | Scalar::List(_) => {}
        }
    }

    fn codes(&mut self, held: &Held<'_>, rows: usize) -> Vec<u32> {
        let by_time = |of: &dyn Fn(i64) -> u32| -> Vec<u32> {
            let times = held.times;
            (0..rows).map(|i| if times.is_valid(i) { 1 + of(times.value(i)) } else { 0 }).collect()
        };
        let column = match self.of {
            Of::Hour => return by_time(&|t| u32::from(held.zone.hour(t))),
            Of::Weekday => return by_time(&|t| u32::from(held.zone.weekday(t))),
            Of::Date if self.exact => return by_time(&|t| held.zone.date(t) as u32),
            Of::Date if !self.returns.is_empty() => {
                let days: Vec<Option<i32>> = held.times.iter().map(|t| t.map(|t| held.zone.date(t))).collect();
                return days.into_iter().map(|d| d.map_or(0, |d| self.day(Num::int(i64::from(d)), d))).collect();
            }
            Of::Date => {
                let cuts = self.cuts(Num::int, WHOLE);
                return by_time(&|t| between(cuts, i64::from(held.zone.date(t))));
            }
            Of::Column(column) => column,
        };
        let Some((spec, Some(column))) = held.columns.get(column) else { return vec![0; rows] };
        match column {
            Column::Text { values, keys } => {
                let mut views = std::mem::take(&mut self.views);
                let classes = views.classes(values, |text| self.text(text, spec));
                self.views = views;
                by_keys(classes, keys.as_ref())
            }
            Column::Int(values) if self.exact => each(values, |v| self.number(v)),
            Column::Int(values) if !self.returns.is_empty() => each(values, |v| {
                let day = if spec.ty == Ty::Instant { held.zone.date(v) } else { whole_day(v) };
                self.day(number(spec.ty, v), day)
            }),
            Column::Int(values) => {
                let cuts = self.cuts(|v| number(spec.ty, v), WHOLE);
                each(values, |v| 1 + between(cuts, v))
            }
            Column::Number(values) if self.exact => each(values, |v| self.number((v + 0.0).to_bits() as i64)),
            Column::Number(values) => {
                let word = |v: f64| ordered((v + 0.0).to_bits() as i64);
                let cuts = self.cuts(
                    |word| Num::Float(f64::from_bits(ordered(word) as u64)),
                    (word(f64::NEG_INFINITY), word(f64::INFINITY)),
                );
                each(values, |v| 1 + between(cuts, word(v)))
            }
            Column::YesNo(values) => values.iter().map(|v| v.map_or(0, |v| 1 + u32::from(v))).collect(),
            Column::List(values) => values
                .iter()
                .map(|items| {
                    let Some(items) = items else { return 0 };
                    let has = self.lists.iter().map(|among| items.iter().any(|item| among.contains(item)));
                    let outcomes = pack(has);
                    self.outcome(0, outcomes)
                })
                .collect(),
        }
    }

    /// The words at which a comparison with one of the points begins to answer otherwise.
    fn cuts(&mut self, value: impl Fn(i64) -> Num, range: (i64, i64)) -> &[i64] {
        let points = &self.points;
        self.cuts.get_or_insert_with(|| {
            let mut cuts: Vec<i64> = Vec::new();
            for point in points {
                cuts.extend(first(range, |word| value(word).compare(*point) != Ordering::Less));
                cuts.extend(first(range, |word| value(word).compare(*point) == Ordering::Greater));
            }
            cuts.sort_unstable();
            cuts.dedup();
            cuts
        })
    }

    fn number(&mut self, value: i64) -> u32 {
        let next = self.numbers.len() as u32 + 1;
        *self.numbers.entry(value).or_insert(next)
    }

    /// Between which points the value lies, or on which.
    fn point(&self, value: Num) -> u32 {
        let below = self.points.partition_point(|p| p.compare(value) == Ordering::Less);
        let on = self.points.get(below).is_some_and(|p| p.compare(value) == Ordering::Equal);
        2 * below as u32 + u32::from(on)
    }

    /// Where the value lies, and on which of the asked days its day returns.
    fn day(&mut self, value: Num, day: i32) -> u32 {
        let outcomes = pack(self.returns.iter().map(|&(lo, hi)| returns(day, DateRange { lo, hi })));
        self.outcome(self.point(value), outcomes)
    }

    fn text(&mut self, raw: &str, spec: &ColumnSpec) -> u32 {
        if let Some(&class) = self.memo.get(raw) {
            return class;
        }
        let class = match normal(raw, spec) {
            None => 0,
            Some(value) if self.exact => {
                let next = self.values.len() as u32 + 1;
                *self.values.entry(value.into_owned()).or_insert(next)
            }
            Some(value) => {
                let literal = self.literals.get(value.as_ref()).copied().unwrap_or(0);
                let outcomes = pack(self.texts.iter().map(|(how, pattern, fold)| {
                    if *fold {
                        test::text_test(*how, &text::fold(&value), &text::fold(pattern))
                    } else {
                        test::text_test(*how, &value, pattern)
                    }
                }));
                self.outcome(literal, outcomes)
            }
        };
        if self.memo.len() > super::MANY {
            self.memo.clear();
        }
        self.memo.insert(raw.to_owned(), class);
        class
    }

    fn outcome(&mut self, literal: u32, outcomes: Vec<u64>) -> u32 {
        let next = self.known.len() as u32 + 1;
        *self.known.entry((literal, outcomes)).or_insert(next)
    }
}

const WHOLE: (i64, i64) = (i64::MIN, i64::MAX);

/// The first word of the range of which something holds that holds of all words behind it, too.
fn first(range: (i64, i64), holds: impl Fn(i64) -> bool) -> Option<i64> {
    let (mut from, mut to) = (i128::from(range.0), i128::from(range.1) + 1);
    let end = to;
    while from < to {
        let middle = (from + to).div_euclid(2);
        if holds(middle as i64) { to = middle } else { from = middle + 1 }
    }
    (from < end).then_some(from as i64)
}

/// How many of the words are not behind this one.
fn between(cuts: &[i64], word: i64) -> u32 {
    match cuts.len() {
        0..=8 => cuts.iter().map(|cut| u32::from(*cut <= word)).sum(),
        _ => cuts.partition_point(|cut| *cut <= word) as u32,
    }
}

/// The class of each value; 0 where there is none.
fn each<T: ArrowPrimitiveType>(values: &PrimitiveArray<T>, mut class: impl FnMut(T::Native) -> u32) -> Vec<u32> {
    match values.nulls().filter(|nulls| nulls.null_count() > 0) {
        None => values.values().iter().map(|&v| class(v)).collect(),
        Some(_) => values.iter().map(|v| v.map_or(0, &mut class)).collect(),
    }
}

fn pack(bits: impl Iterator<Item = bool>) -> Vec<u64> {
    let mut words = Vec::new();
    for (i, bit) in bits.enumerate() {
        if i % 64 == 0 {
            words.push(0);
        }
        if let Some(word) = words.last_mut() {
            *word |= u64::from(bit) << (i % 64);
        }
    }
    words
}

/// The columns of a batch that tests look at.
pub struct Held<'a> {
    columns: Vec<(&'a ColumnSpec, Option<Column>)>,
    times: &'a Int64Array,
    pub zone: &'a Zone,
}

impl<'a> Held<'a> {
    pub fn new(
        arrays: &[ArrayRef],
        specs: &'a [ColumnSpec],
        times: &'a Int64Array,
        zone: &'a Zone,
        classes: &Classes,
    ) -> Result<Held<'a>> {
        let columns = arrays
            .iter()
            .zip(specs)
            .enumerate()
            .map(|(c, (array, spec))| {
                let column = if classes.asks(c) { Some(types::convert(array, spec)?) } else { None };
                Ok((spec, column))
            })
            .collect::<Result<_>>()?;
        Ok(Held { columns, times, zone })
    }

    /// The values of one row.
    pub fn row(&self, row: usize) -> Row {
        let values = self
            .columns
            .iter()
            .map(|(spec, column)| match column {
                None => Owned::Missing,
                Some(Column::Text { values, keys }) => {
                    let at = match keys {
                        None => Some(row),
                        Some(keys) => keys.is_valid(row).then(|| keys.value(row) as usize),
                    };
                    at.filter(|&i| values.is_valid(i))
                        .and_then(|i| normal(values.value(i), spec))
                        .map_or(Owned::Missing, |text| Owned::Text(text.into_owned()))
                }
                Some(Column::Int(values)) if values.is_valid(row) => match spec.ty {
                    Ty::Date => Owned::Date(whole_day(values.value(row))),
                    Ty::Instant => Owned::Instant(values.value(row)),
                    ty => Owned::Num(number(ty, values.value(row))),
                },
                Some(Column::Number(values)) if values.is_valid(row) => Owned::Num(Num::Float(values.value(row))),
                Some(Column::YesNo(values)) if values.is_valid(row) => Owned::YesNo(values.value(row)),
                Some(Column::List(values)) => match values.get(row) {
                    Some(Some(items)) => Owned::List(items.clone()),
                    _ => Owned::Missing,
                },
                Some(_) => Owned::Missing,
            })
            .collect();
        let time = self.times.is_valid(row).then(|| self.times.value(row));
        let local = time.map(|t| (self.zone.hour(t), self.zone.weekday(t), self.zone.date(t)));
        Row { values, local }
    }
}

fn whole_day(days: i64) -> i32 {
    days.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

/// A whole number of the column's type.
fn number(ty: Ty, value: i64) -> Num {
    match ty {
        Ty::Money(scale) => Num::Exact { units: i128::from(value), scale },
        _ => Num::int(value),
    }
}

enum Owned {
    Missing,
    Num(Num),
    Text(String),
    YesNo(bool),
    Date(i32),
    Instant(i64),
    List(Vec<String>),
}

/// The values of one row.
pub struct Row {
    values: Vec<Owned>,
    local: Option<(u8, u8, i32)>,
}

impl Row {
    pub fn read<'a>(&'a self, operand: &'a Operand) -> Option<Scalar<'a>> {
        match operand {
            Operand::Literal(literal) => Some(literal.scalar()),
            Operand::Column(c) => match self.values.get(*c as usize)? {
                Owned::Missing => None,
                Owned::Num(n) => Some(Scalar::Num(*n)),
                Owned::Text(text) => Some(Scalar::Text(text)),
                Owned::YesNo(yes) => Some(Scalar::YesNo(*yes)),
                Owned::Date(days) => Some(Scalar::Date(*days)),
                Owned::Instant(at) => Some(Scalar::Instant(*at)),
                Owned::List(items) => Some(Scalar::List(items)),
            },
            Operand::Hour => self.local.map(|(hour, ..)| Scalar::Num(Num::int(i64::from(hour)))),
            Operand::Weekday => {
                let (_, day, _) = self.local?;
                WEEKDAYS.get(usize::from(day)).map(|day| Scalar::Text(day))
            }
            Operand::Date => self.local.map(|(_, _, date)| Scalar::Date(date)),
        }
    }
}
