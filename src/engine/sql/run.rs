//! The statements, run by DataFusion's own SQL.
//!
//! Owns: a session with the raw tables and the two functions that the text asks for, and what statements take. Promises: the members of
//! each rule that can be said. Must not know: how the text came about.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringViewArray, StringViewBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use datafusion::catalog::TableProvider;
use datafusion::common::{Result, TableReference};
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::SessionContext;

use super::{Portable, Which, portable};
use crate::engine::meter::Meter;
use crate::engine::run::{Limits, Spills, caught, session, translate};
use crate::engine::tables::{self, Layout, Tables};
use crate::error::Error;
use crate::language::calendar::Clock;
use crate::language::catalog::Catalog;
use crate::language::interpret::history::History;
use crate::language::ir::Program;
use crate::language::text::nfc;

/// What the statements say.
#[derive(Debug, Clone)]
pub struct Answer {
    pub portable: Portable,
    /// For each rule of the program its members' ids, sorted as text; `None` where SQL can't say the rule.
    pub members: Vec<Option<Vec<String>>>,
}

/// Runs the portable plan over the files of a project.
pub async fn answers(
    catalog: &Catalog,
    program: &Program,
    clock: &Clock,
    root: &Path,
    limits: Limits,
) -> Result<Answer, Error> {
    let tables = tables::open(catalog, root).await?;
    evaluate(catalog, program, clock, &tables, limits).await
}

/// Runs the portable plan over histories, as if they were files.
pub async fn answers_of_histories(
    catalog: &Catalog,
    program: &Program,
    clock: &Clock,
    customers: &[(String, History)],
    layout: Layout,
    limits: Limits,
) -> Result<Answer, Error> {
    let (catalog, tables) = tables::in_memory(catalog, customers, layout)?;
    evaluate(&catalog, program, clock, &tables, limits).await
}

async fn evaluate(
    catalog: &Catalog,
    program: &Program,
    clock: &Clock,
    tables: &Tables,
    limits: Limits,
) -> Result<Answer, Error> {
    let portable = portable(catalog, program, clock, tables);
    let reader = Reader::new(&portable, tables, limits, Arc::default())?;
    let mut members: Vec<Option<Vec<String>>> = vec![None; program.rules.len()];
    for statement in &portable.statements {
        let batches = reader.rows(&statement.text).await?;
        for (column, rule) in statement.rules.iter().enumerate() {
            let mut ids = Vec::new();
            for batch in &batches {
                let odd =
                    || Error::Engine { message: "the statement has other columns than written".into(), help: None };
                let holds = batch.columns().get(column + 1).and_then(|c| c.as_boolean_opt()).ok_or_else(odd)?;
                let customers = batch.columns().first().ok_or_else(odd)?;
                for row in 0..batch.num_rows() {
                    if holds.is_valid(row) && holds.value(row) {
                        ids.push(id(customers, row));
                    }
                }
            }
            ids.sort_unstable();
            if let Some(place) = members.get_mut(*rule) {
                *place = Some(ids);
            }
        }
    }
    Ok(Answer { portable, members })
}

/// Runs statements.
pub(super) struct Reader {
    context: SessionContext,
    meter: Arc<Meter>,
}

impl Reader {
    /// One that knows the tables by the statements' names; what statements take is measured.
    pub fn new(portable: &Portable, tables: &Tables, limits: Limits, meter: Arc<Meter>) -> Result<Reader, Error> {
        Ok(Reader { context: context(portable, tables, limits)?, meter })
    }

    /// Gives a table a name that another one had.
    pub fn name(&self, name: TableReference, table: Arc<dyn TableProvider>) -> Result<(), Error> {
        self.context.deregister_table(name.clone()).map_err(|e| translate(&e))?;
        self.context.register_table(name, table).map(drop).map_err(|e| translate(&e))
    }

    /// A statement that is ready to run.
    pub async fn plan(&self, text: &str) -> Result<Arc<dyn ExecutionPlan>, Error> {
        let (context, text) = (self.context.clone(), text.to_owned());
        caught(async move { context.sql(&text).await?.create_physical_plan().await }).await
    }

    /// Its rows.
    pub async fn run(&self, plan: Arc<dyn ExecutionPlan>) -> Result<Vec<RecordBatch>, Error> {
        let (task, meter) = (self.context.task_ctx(), Arc::clone(&self.meter));
        caught(async move {
            meter.begin(&plan);
            let batches = collect(Arc::clone(&plan), task).await?;
            meter.end(&plan);
            Ok(batches)
        })
        .await
    }

    /// The rows of a statement.
    pub async fn rows(&self, text: &str) -> Result<Vec<RecordBatch>, Error> {
        self.run(self.plan(text).await?).await
    }
}

/// The rows and files that a plan reads, as far as that is known.
pub(super) fn reads(plan: &Arc<dyn ExecutionPlan>) -> (u64, usize) {
    if let Some(scan) = plan.downcast_ref::<DataSourceExec>() {
        let Some(config) = scan.data_source().downcast_ref::<FileScanConfig>() else { return (0, 0) };
        let rows = config.statistics().num_rows.get_value().copied().unwrap_or(0);
        return (rows as u64, config.file_groups.iter().map(|group| group.len()).sum());
    }
    let below = plan.children().into_iter().map(reads);
    below.fold((0, 0), |sum, (rows, files)| (sum.0 + rows, sum.1 + files))
}

fn id(ids: &ArrayRef, row: usize) -> String {
    if let Some(numbers) = ids.as_primitive_opt::<Int64Type>() {
        return numbers.value(row).to_string();
    }
    if let Some(texts) = ids.as_string_view_opt() {
        return texts.value(row).to_owned();
    }
    ids.as_string_opt::<i32>().map_or(String::new(), |texts| texts.value(row).to_owned())
}

/// A session that knows the tables by the statements' names.
fn context(portable: &Portable, tables: &Tables, limits: Limits) -> Result<SessionContext, Error> {
    let context = session(tables, limits, Spills::Yes)?;
    // One pass of the optimiser does for statements that are written as they are meant; more take longer than the statement.
    context.state_ref().write().config_mut().options_mut().optimizer.max_passes = 1;
    for table in &portable.tables {
        let opened = match table.which {
            Which::Source(at) => tables.sources.get(at).and_then(Option::as_ref),
            Which::Lookup(at) => tables.lookups.get(at).and_then(Option::as_ref),
            Which::Profiles => tables.profile.as_ref(),
            Which::List(at) => tables.lists.get(at).and_then(Option::as_ref),
        };
        let Some(opened) = opened else { continue };
        let name = TableReference::bare(table.name.as_str());
        context.register_table(name, Arc::clone(&opened.provider)).map_err(|e| translate(&e))?;
    }
    context.register_udf(ScalarUDF::from(Portably::new(Function::EpochUs)));
    context.register_udf(ScalarUDF::from(Portably::new(Function::NfcNormalize)));
    Ok(context)
}

/// The functions that DuckDB has and DataFusion has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Function {
    EpochUs,
    NfcNormalize,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Portably {
    function: Function,
    signature: Signature,
}

impl Portably {
    fn new(function: Function) -> Portably {
        Portably { function, signature: Signature::any(1, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Portably {
    fn name(&self) -> &str {
        match self.function {
            Function::EpochUs => "epoch_us",
            Function::NfcNormalize => "nfc_normalize",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.function {
            Function::EpochUs => DataType::Int64,
            Function::NfcNormalize => DataType::Utf8View,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some(argument) = args.args.first() else {
            return Err(DataFusionError::Internal("a function wants an argument".into()));
        };
        let array = argument.to_array(args.number_rows)?;
        let made: ArrayRef = match self.function {
            Function::EpochUs => Arc::new(micros(&array)?),
            Function::NfcNormalize => Arc::new(normal(&array)?),
        };
        Ok(ColumnarValue::Array(made))
    }
}

fn micros(array: &ArrayRef) -> Result<Int64Array> {
    let days = |days: &ArrayRef| days.as_primitive::<Date32Type>().unary(|day| i64::from(day) * super::text::DAY);
    Ok(match array.data_type() {
        DataType::Date32 => days(array),
        DataType::Date64 => days(&cast(array, &DataType::Date32)?),
        DataType::Dictionary(_, values) => micros(&cast(array, values)?)?,
        DataType::Timestamp(_, zone) => {
            let wanted = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
            cast(array, &wanted)?.as_primitive::<TimestampMicrosecondType>().unary(|at| at)
        }
        other => return Err(DataFusionError::Plan(format!("epoch_us is not for {other}"))),
    })
}

fn normal(array: &ArrayRef) -> Result<StringViewArray> {
    let texts = cast(array, &DataType::Utf8View)?;
    let texts = texts.as_string_view();
    if texts.iter().flatten().all(str::is_ascii) {
        return Ok(texts.clone());
    }
    let mut made = StringViewBuilder::with_capacity(texts.len());
    for text in texts {
        made.append_option(text.map(nfc));
    }
    Ok(made.finish())
}
