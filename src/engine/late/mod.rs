//! What is evaluated behind the aggregation: over all customers, column by column.
//!
//! Owns: running the late program. Promises: the answer depends on the customers, their ids and values alone; `column` holds the
//! values, `rank` puts customers in order. Must not know: DataFusion, files, the catalog.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::Int64Type;

use crate::engine::kernels::test;
use crate::engine::plan::late::{Bits, Late, Step, Val};
use crate::engine::plan::program::Scalar;
use crate::language::calendar::Zone;
use crate::language::num::Num;
use crate::language::sample;

pub mod column;

mod rank;

pub use column::Column;
use rank::Ranked;

/// What is known of the customers before: their ids in ascending order, one bitmap a wanted node, one column an export.
#[derive(Debug)]
pub struct Known<'a> {
    pub customers: &'a ArrayRef,
    pub answers: Vec<BooleanBuffer>,
    pub columns: Vec<Column>,
}

/// What a step has found.
enum Found {
    Bits(BooleanBuffer),
    Ranked(Ranked),
}

/// The late program at work.
pub struct Work<'a> {
    known: Known<'a>,
    found: Vec<Found>,
}

impl<'a> Work<'a> {
    /// Runs all steps.
    pub fn new(late: &Late, known: Known<'a>) -> Work<'a> {
        let mut work = Work { known, found: Vec::with_capacity(late.steps.len()) };
        for step in &late.steps {
            let found = work.step(step);
            work.found.push(found);
        }
        work
    }

    fn step(&self, step: &Step) -> Found {
        let rows = self.known.customers.len();
        Found::Bits(match step {
            Step::And(parts) => {
                let all = BooleanBuffer::new_set(rows);
                parts.iter().fold(all, |all, part| &all & &self.bits(*part))
            }
            Step::Or(parts) => {
                let none = BooleanBuffer::new_unset(rows);
                parts.iter().fold(none, |any, part| &any | &self.bits(*part))
            }
            Step::Not(part) => !&self.bits(*part),
            Step::Ranking { by, among, percentiles } => {
                let among = among.map(|among| self.bits(among));
                let ranked = (0..rows).filter(|&row| among.as_ref().is_none_or(|bits| bits.value(row)));
                let values = ranked.filter_map(|row| Some((row, self.value(by, row)?)));
                return Found::Ranked(Ranked::new(values, rows, *percentiles));
            }
            Step::Part { ranking, end, size } => match self.ranked(*ranking) {
                Some(ranked) => {
                    let part = ranked.part(*end, *size);
                    BooleanBuffer::collect_bool(rows, |row| ranked.place(row).is_some_and(|p| part.contains(&p)))
                }
                None => BooleanBuffer::new_unset(rows),
            },
            Step::Sample { salt, share } => match self.known.customers.as_primitive_opt::<Int64Type>() {
                Some(ids) => {
                    BooleanBuffer::collect_bool(rows, |row| sample::holds(salt, *share, &ids.value(row).to_string()))
                }
                None => match self.known.customers.as_string_opt::<i32>() {
                    Some(ids) => BooleanBuffer::collect_bool(rows, |row| sample::holds(salt, *share, ids.value(row))),
                    None => BooleanBuffer::new_unset(rows),
                },
            },
            Step::Test(test) => {
                // What depends on ranks is a number, which no zone tells anything about.
                let zone = Zone::utc();
                BooleanBuffer::collect_bool(rows, |row| test::test(test, &zone, &|value| self.value(value, row)))
            }
        })
    }

    /// Who has the bit.
    pub fn bits(&self, at: Bits) -> BooleanBuffer {
        let found = match at {
            Bits::Answer(at) => self.known.answers.get(at as usize),
            Bits::Step(at) => match self.found.get(at as usize) {
                Some(Found::Bits(bits)) => Some(bits),
                _ => None,
            },
        };
        found.cloned().unwrap_or_else(|| BooleanBuffer::new_unset(self.known.customers.len()))
    }

    /// A customer's value.
    pub fn value<'b>(&'b self, value: &'b Val, row: usize) -> Option<Scalar<'b>> {
        match value {
            Val::Missing => None,
            Val::Literal(literal) => Some(literal.scalar()),
            Val::Export(at) => self.known.columns.get(*at as usize)?.get(row),
            Val::Rank { ranking, scale } => self.ranked(*ranking)?.scaled(row, *scale).map(Scalar::Num),
            Val::Arithmetic { op, left, right } => {
                let left = number(self.value(left, row)?)?;
                let right = number(self.value(right, row)?)?;
                left.combine(*op, right).map(Scalar::Num)
            }
        }
    }

    fn ranked(&self, at: u32) -> Option<&Ranked> {
        match self.found.get(at as usize)? {
            Found::Ranked(ranked) => Some(ranked),
            Found::Bits(_) => None,
        }
    }
}

fn number(value: Scalar<'_>) -> Option<Num> {
    match value {
        Scalar::Num(num) => Some(num),
        _ => None,
    }
}
