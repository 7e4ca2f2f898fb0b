//! A run by standard aggregates.
//!
//! Owns: the outcome that the statements make. Promises: the outcome that the kernel makes of the same files, to the byte; where that
//! can't be said, an error that names each rule and its reason. Must not know: how statements come about.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::buffer::BooleanBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};

use super::read::Why;
use super::run::{Reader, reads};
use super::{Names, Portable, Writer, portable};
use crate::engine::meter::Meter;
use crate::engine::plan::lower::{Parts, Table};
use crate::engine::run::{Limits, Outcome};
use crate::engine::tables::Tables;
use crate::error::Error;
use crate::language::calendar::Clock;
use crate::language::catalog::Catalog;
use crate::language::ir::Program;

/// A customer's id, in the order of an outcome.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Id {
    Number(i64),
    Text(String),
}

/// What a run by standard aggregates is about.
pub(super) struct Work<'a> {
    pub catalog: &'a Catalog,
    pub program: &'a Program,
    pub clock: &'a Clock,
    pub tables: &'a Tables,
    pub parts: &'a Parts,
    pub reader: Reader,
    pub names: Names,
}

/// The rules that SQL can't say, each with its reason.
pub fn unsaid(portable: &Portable, program: &Program) -> Vec<String> {
    let name = |rule: usize| program.rules.get(rule).map_or("", |rule| rule.name.as_str());
    portable.reasons.iter().map(|reason| format!("`{}`: {}", name(reason.rule), reason.why)).collect()
}

/// Evaluates a program by standard aggregates. `parts` are what the kernel would be given: they say what is counted beside the rules.
/// `start` is told what there is to read: rows and files.
pub async fn outcome(
    (catalog, program, clock): (&Catalog, &Program, &Clock),
    tables: &Tables,
    parts: &Parts,
    limits: Limits,
    meter: &Arc<Meter>,
    start: impl FnOnce(u64, usize),
) -> Result<Outcome, Error> {
    let portable = portable(catalog, program, clock, tables);
    let reasons = unsaid(&portable, program);
    if !reasons.is_empty() {
        return Err(refused(&reasons));
    }
    let reader = Reader::new(&portable, tables, limits, Arc::clone(meter))?;
    let mut plans = Vec::with_capacity(portable.statements.len());
    for statement in &portable.statements {
        plans.push(reader.plan(&statement.text).await?);
    }
    let to_read = plans.iter().map(reads).fold((0, 0), |sum, (rows, files)| (sum.0 + rows, sum.1 + files));
    start(to_read.0, to_read.1);
    let work = Work { catalog, program, clock, tables, parts, reader, names: Names::new(catalog) };
    work.profiles_once().await?;
    // Of each customer the rules that hold.
    let mut all: BTreeMap<Id, Vec<usize>> = BTreeMap::new();
    for (statement, plan) in portable.statements.iter().zip(plans) {
        for batch in work.reader.run(plan).await? {
            let (ids, members) = columns(&batch)?;
            let ids = ids_of(ids)?;
            for (rule, holds) in statement.rules.iter().zip(members) {
                let holds = holds.as_boolean_opt().ok_or_else(odd)?;
                for row in (0..holds.len()).filter(|&row| holds.is_valid(row) && holds.value(row)) {
                    if let Some(Some(id)) = ids.get(row) {
                        all.entry(id.clone()).or_default().push(*rule);
                    }
                }
            }
        }
    }
    let lists = parts.branches.iter().any(|branch| matches!(branch.table, Table::List(_)));
    let population = if parts.population || lists { Some(work.population().await?) } else { None };
    let report = work.report(population.as_ref()).await?;
    if parts.population {
        for id in population.into_iter().flatten() {
            all.entry(id).or_default();
        }
    }
    let members =
        (0..program.rules.len()).map(|rule| BooleanBuffer::from_iter(all.values().map(|r| r.contains(&rule))));
    let members = members.collect();
    let customers: ArrayRef = if tables.number_ids {
        let number = |id| if let Id::Number(n) = id { Some(n) } else { None };
        Arc::new(all.into_keys().filter_map(number).collect::<Vec<i64>>().into_iter().collect::<Int64Array>())
    } else {
        let text = |id| if let Id::Text(text) = id { Some(text) } else { None };
        Arc::new(StringArray::from_iter_values(all.into_keys().filter_map(text)))
    };
    meter.passed();
    Ok(Outcome { customers, members, traits: Vec::new(), report, passes: 1, kept: Default::default() })
}

/// What stands in the way of a run by standard aggregates.
pub fn refused(reasons: &[String]) -> Error {
    let help = "`--engine auto` runs all rules; `--only NAME` asks for those that can be said";
    Error::usage(format!("standard aggregates can't say every rule:\n  {}", reasons.join("\n  "))).with_help(help)
}

impl Work<'_> {
    /// All customers.
    async fn population(&self) -> Result<BTreeSet<Id>, Error> {
        let writer = Writer::new(self.catalog, self.program, self.clock, self.tables, &[], &self.names);
        let text = writer.population().map_err(|Why(why)| refused(&[format!("the population: {why}")]))?;
        let mut all = BTreeSet::new();
        for batch in self.reader.rows(&text).await? {
            all.extend(ids_of(columns(&batch)?.0)?.into_iter().flatten());
        }
        Ok(all)
    }
}

fn columns(batch: &RecordBatch) -> Result<(&ArrayRef, &[ArrayRef]), Error> {
    batch.columns().split_first().ok_or_else(odd)
}

/// The ids of a column, missing ones included.
pub(super) fn ids_of(column: &ArrayRef) -> Result<Vec<Option<Id>>, Error> {
    if let Some(numbers) = column.as_primitive_opt::<Int64Type>() {
        return Ok(numbers.iter().map(|id| id.map(Id::Number)).collect());
    }
    let texts = cast(column, &DataType::Utf8).map_err(|_| odd())?;
    let texts = texts.as_string_opt::<i32>().ok_or_else(odd)?;
    Ok(texts.iter().map(|id| id.map(|id| Id::Text(id.to_owned()))).collect())
}

pub(super) fn odd() -> Error {
    Error::Engine { message: "a statement has other columns than written".into(), help: None }
}
