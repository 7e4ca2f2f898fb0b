//! The plan that finds the rows of a person.
//!
//! Owns: the filter on ids and the time of an event. Promises: all columns of the file. Must not know: what becomes of the rows.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::common::{Result, ScalarValue};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};

use super::{instant, micros, name};
use crate::engine::kernels::convert::{Recipe, value};
use crate::language::catalog::SourceTable;

/// The name of the time's column, behind the file's own.
pub const TIME: &str = "segue: time";

/// The rows of a file in which one of some columns holds one of some ids, with all columns; behind them, of events, the time in
/// microseconds since 1970. `None` where no such id can be there.
pub fn rows_of_person(
    file: &Arc<dyn TableProvider>,
    columns: &[&str],
    of: &str,
    number: bool,
    ids: &[String],
    source: Option<&SourceTable>,
) -> Result<Option<LogicalPlan>> {
    let wanted: Vec<Expr> = match number {
        true => ids.iter().filter_map(|id| id.parse::<i64>().ok()).map(lit).collect(),
        false => ids.iter().map(|id| lit(ScalarValue::Utf8View(Some(id.clone())))).collect(),
    };
    let mut theirs: Option<Expr> = None;
    for column in columns {
        let id = value(&Recipe::Id { number, label: format!("column `{column}` of {of}") }, name(column))?;
        let is = id.in_list(wanted.clone(), false);
        theirs = Some(match theirs {
            Some(other) => other.or(is),
            None => is,
        });
    }
    let Some(theirs) = theirs.filter(|_| !wanted.is_empty()) else { return Ok(None) };
    let mut all: Vec<Expr> = file.schema().fields().iter().map(|field| name(field.name())).collect();
    if let Some(source) = source {
        let label = format!("column `{}` of {of}", source.time);
        let unit = source.time_unit.map(micros);
        all.push(instant(&source.time, source.timezone.as_deref(), unit, label)?.alias(TIME));
    }
    let scan = LogicalPlanBuilder::scan("person", provider_as_source(Arc::clone(file)), None)?;
    scan.filter(theirs)?.project(all)?.build().map(Some)
}
