//! The plan around the program.
//!
//! Owns: scans, look-ups, projections, the union, the one aggregate. Promises: pure; standard nodes and functions found by
//! name. Must not know: how it is run.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::catalog::TableProvider;
use datafusion::common::{Column, JoinType, Result, ScalarValue};
use datafusion::datasource::provider_as_source;
use datafusion::error::DataFusionError;
use datafusion::functions_aggregate::expr_fn::{max, min};
use datafusion::functions_window::expr_fn::{rank, row_number};
use datafusion::logical_expr::logical_plan::Union;
use datafusion::logical_expr::{AggregateUDF, Expr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, ScalarUDF, lit};

use super::lower::{Lowered, Moment, Parts, Table, micros};
use super::program::{Branch, ColumnSpec, Kind, Program, Ty};
use crate::engine::bucket::{FEW_GROUPS, GROUPS, Share};
use crate::engine::identities::{Id, Resolution};
use crate::engine::kernels::bucket::{belongs, group};
use crate::engine::kernels::convert::{Recipe, literal, text, value};
use crate::engine::kernels::customer::customer;
use crate::engine::kernels::declared::{Claim, declared};
use crate::engine::kernels::history::History;
use crate::engine::kernels::slot::asked::EventAsked;
use crate::engine::kernels::slot::{EventSlot, slot_type};
use crate::engine::report::Counters;
use crate::engine::tables::prune::Asked;
use crate::engine::tables::{Opened, Tables};
use crate::language::catalog::{Catalog, ColumnRef, LinkTable, LookupId, SourceTable, Unknown};

pub mod person;

pub mod streamed;

/// The names of the answer's columns.
pub const BUCKET: &str = "bucket";
pub const CUSTOMER: &str = "customer";
pub const ANSWER: &str = "answer";

/// What is read in place of a branch's files.
#[derive(Debug, Clone)]
pub struct Instead {
    /// Rows `(group, state)` of the files that are known.
    pub states: Option<Arc<dyn TableProvider>>,
    /// The numbers of the files that are not.
    pub rest: Vec<usize>,
}

/// The plan of a pass over a share of the customers; `None` where there is nothing to read. Branches for which there is something
/// instead read that.
pub fn plan(
    catalog: &Catalog,
    tables: &Tables,
    parts: &Parts,
    counters: &Arc<Counters>,
    links: Option<&Arc<Resolution>>,
    share: Share,
    instead: &[Option<Instead>],
) -> Result<Option<LogicalPlan>> {
    let builder = Builder::new(catalog, tables, &parts.program, counters, links, share, instead);
    Builder { earlier: &parts.earlier, ..builder }.together(parts, History::answer())
}

/// The logs of some files of a branch's source, by group, with the first and the last time of all rows. Rows without customer are a
/// group, too.
pub fn log(
    catalog: &Catalog,
    tables: &Tables,
    program: &Program,
    lowered: &Lowered,
    files: Vec<usize>,
    counters: &Arc<Counters>,
    links: Option<&Arc<Resolution>>,
) -> Result<LogicalPlan> {
    let instead = [Some(Instead { states: None, rest: files })];
    let builder = Builder::new(catalog, tables, program, counters, links, Share::ALL, &instead);
    let log = builder.history(History::log())?.alias("log");
    let times = [min(name("time")).alias("first"), max(name("time")).alias("last")];
    builder.dealt(builder.all(0, lowered)?)?.aggregate(vec![name(BUCKET)], std::iter::once(log).chain(times))?.build()
}

/// Keys that a look-up table holds twice: one row with a key, if there is any.
pub fn repeated_keys(catalog: &Catalog, tables: &Tables, lookup: LookupId) -> Result<Option<LogicalPlan>> {
    let (Some(table), Some(Some(opened))) = (catalog.lookups.get(lookup.index()), tables.lookups.get(lookup.index()))
    else {
        return Ok(None);
    };
    let key = text_id(name(&table.key), &table.name.name)?.alias("key");
    let count = datafusion::functions_aggregate::expr_fn::count(lit(1)).alias("rows");
    LogicalPlanBuilder::scan("lookup", provider_as_source(Arc::clone(&opened.provider)), None)?
        .project(vec![key])?
        .aggregate(vec![name("key")], vec![count])?
        .filter(name("rows").gt(lit(1i64)).and(name("key").is_not_null()))?
        .sort_with_limit(vec![name("key").sort(true, false)], Some(1))?
        .build()
        .map(Some)
}

/// The rows of a link table: the two ids and the time.
pub fn links(table: &LinkTable, opened: &Opened, number: bool) -> Result<LogicalPlan> {
    let label = |c: &str| format!("column `{c}` of link table `{}`", table.name.name);
    let id = |c: &str| value(&Recipe::Id { number, label: label(c) }, name(c));
    let time = match &table.time {
        Some(c) => instant(c, table.timezone.as_deref(), table.time_unit.map(micros), label(c))?,
        None => lit(ScalarValue::Int64(None)),
    };
    let columns = vec![id(&table.from)?.alias("from"), id(&table.to)?.alias("to"), time.alias("time")];
    scan("links", opened)?.project(columns)?.build()
}

/// The ids of a column, each once, with their rows; rows without id are left out.
pub fn occurrences(column: &str, of: &str, opened: &Opened, number: bool) -> Result<LogicalPlan> {
    let id = value(&Recipe::Id { number, label: format!("column `{column}` of {of}") }, name(column))?.alias("id");
    let count = datafusion::functions_aggregate::expr_fn::count(lit(1)).alias("rows");
    scan("ids", opened)?
        .project(vec![id])?
        .filter(name("id").is_not_null())?
        .aggregate(vec![name("id")], vec![count])?
        .build()
}

/// How many rows of a column have an id.
pub fn rows_of(column: &str, of: &str, opened: &Opened, id: Id<'_>) -> Result<LogicalPlan> {
    let (number, wanted) = match id {
        Id::Number(n) => (true, lit(n)),
        Id::Text(text) => (false, lit(ScalarValue::Utf8View(Some(text.to_owned())))),
    };
    let own = value(&Recipe::Id { number, label: format!("column `{column}` of {of}") }, name(column))?;
    let count = datafusion::functions_aggregate::expr_fn::count(lit(1)).alias("rows");
    scan("ids", opened)?
        .project(vec![own.alias("id")])?
        .filter(name("id").eq(wanted))?
        .aggregate(Vec::<Expr>::new(), vec![count])?
        .build()
}

/// The customers of one file of a compacted store, compared with what the file declares.
pub fn declared_of(source: &SourceTable, opened: &Opened, file: usize, number: bool) -> Result<Option<LogicalPlan>> {
    let shares = opened.clustered.as_ref().map_or(&[][..], |c| c.shares.as_slice());
    let (Some(&share), Some(inputs), Some((name_of, _))) = (shares.get(file), &opened.inputs, opened.each.get(file))
    else {
        return Ok(None);
    };
    let label = format!("column `{}` of source `{}`", source.customer, source.name.name);
    let id = value(&Recipe::Id { number, label }, name(&source.customer))?;
    let claim = Claim { lo: share.lo, hi: share.hi, sorted: true, label: name_of.clone() };
    LogicalPlanBuilder::scan("file", provider_as_source(inputs.only(&[file])), None)?
        .project(vec![declared(&claim, id)?])?
        .build()
        .map(Some)
}

/// A column by its name alone, whatever its letters.
fn name(column: &str) -> Expr {
    Expr::Column(Column::new_unqualified(column))
}

fn text_id(column: Expr, of: &str) -> Result<Expr> {
    value(&Recipe::Id { number: false, label: format!("the key of `{of}`") }, column)
}

struct Builder<'a> {
    catalog: &'a Catalog,
    tables: &'a Tables,
    program: &'a Program,
    /// The programs of earlier instants.
    earlier: &'a [Moment],
    links: Option<&'a Arc<Resolution>>,
    counters: &'a Arc<Counters>,
    share: Share,
    slot: Arc<ScalarUDF>,
    asked: Arc<ScalarUDF>,
    /// By branch.
    instead: &'a [Option<Instead>],
    /// Whether rows have a column for states.
    with_states: bool,
    /// The branch whose rows are to come in the order of customers.
    streams: Option<usize>,
}

impl<'a> Builder<'a> {
    fn new(
        catalog: &'a Catalog,
        tables: &'a Tables,
        program: &'a Program,
        counters: &'a Arc<Counters>,
        links: Option<&'a Arc<Resolution>>,
        share: Share,
        instead: &'a [Option<Instead>],
    ) -> Builder<'a> {
        let slot = Arc::new(ScalarUDF::from(EventSlot::new(Arc::clone(counters))));
        let asked = Arc::new(ScalarUDF::from(EventAsked::new(Arc::clone(counters))));
        let with_states = instead.iter().flatten().any(|i| i.states.is_some());
        Builder {
            catalog,
            tables,
            program,
            earlier: &[],
            links,
            counters,
            share,
            slot,
            asked,
            instead,
            with_states,
            streams: None,
        }
    }

    /// All branches under one aggregate.
    fn together(&self, parts: &Parts, function: History) -> Result<Option<LogicalPlan>> {
        let mut branches = Vec::with_capacity(parts.branches.len());
        for (b, branch) in parts.branches.iter().enumerate() {
            let other = self.instead.get(b).and_then(Option::as_ref);
            if let Some(states) = other.and_then(|other| other.states.as_ref()) {
                branches.push(Arc::new(self.states(b, states)?));
            }
            if other.is_none_or(|other| !other.rest.is_empty()) {
                branches.push(Arc::new(self.dealt(self.matching(b, branch)?)?.build()?));
            }
        }
        let Some(first) = branches.first() else { return Ok(None) };
        let all = match branches.len() {
            1 => Arc::clone(first),
            _ => Arc::new(LogicalPlan::Union(Union::try_new_with_loose_types(branches)?)),
        };
        let history = self.history(function)?.alias(ANSWER);
        let all = LogicalPlanBuilder::from(Arc::unwrap_or_clone(all));
        all.aggregate(vec![name(BUCKET)], vec![history])?.build().map(Some)
    }

    /// Rows of one table that match something.
    fn matching(&self, number: usize, lowered: &Lowered) -> Result<LogicalPlanBuilder> {
        let rows = self.all(number, lowered)?;
        // Behind the filter, so that only rows that stay are hashed. Where most stay, letting the others go is dearer than keeping
        // them: `history` leaves them out.
        if lowered.branch.keeps_most(self.sifts(lowered)) { Ok(rows) } else { rows.filter(name("slot").is_not_null()) }
    }

    /// Rows with their group, and the column for states if there is one.
    fn dealt(&self, rows: LogicalPlanBuilder) -> Result<LogicalPlanBuilder> {
        // States are of the groups that a pass over all customers has.
        let (share, groups) = match self.is_clustered() {
            _ if self.with_states => (Share::ALL, GROUPS),
            true if self.share.is_small() => (self.share, FEW_GROUPS),
            _ => (self.share, GROUPS),
        };
        let bucket = group(share, groups, name(CUSTOMER)).alias(BUCKET);
        let mut columns = vec![bucket, name(CUSTOMER), name("time"), name("slot")];
        if self.with_states {
            columns.push(lit(ScalarValue::BinaryView(None)).alias("state"));
        }
        columns.extend(self.measures());
        rows.project(columns)
    }

    /// Rows that bring the states of files instead of an event.
    fn states(&self, number: usize, states: &Arc<dyn TableProvider>) -> Result<LogicalPlan> {
        let id = if self.tables.number_ids { ScalarValue::Int64(None) } else { ScalarValue::Utf8View(None) };
        let mut columns = vec![
            name("group").alias(BUCKET),
            lit(id).alias(CUSTOMER),
            lit(ScalarValue::Int64(None)).alias("time"),
            lit(ScalarValue::try_from(&slot_type())?).alias("slot"),
            name("state"),
        ];
        columns.extend((0..self.program.int_channels).map(|c| lit(ScalarValue::Int64(None)).alias(format!("i{c}"))));
        let texts = 0..self.program.text_channels;
        columns.extend(texts.map(|c| lit(ScalarValue::Utf8View(None)).alias(format!("t{c}"))));
        LogicalPlanBuilder::scan(format!("s{number}"), provider_as_source(Arc::clone(states)), None)?
            .project(columns)?
            .build()
    }

    /// The call of the aggregate.
    fn history(&self, function: History) -> Result<Expr> {
        let state = if self.with_states { name("state") } else { lit(ScalarValue::Null) };
        let mut arguments = vec![self.literal()?, name(CUSTOMER), name("time"), name("slot"), state];
        arguments.extend(self.measures());
        Ok(AggregateUDF::from(function).call(arguments))
    }

    /// The programs, by their instants.
    fn literal(&self) -> Result<Expr> {
        let programs: Vec<&Program> = self.earlier.iter().map(|moment| &moment.program).chain([self.program]).collect();
        let programs = ScalarValue::LargeUtf8(Some(text(&programs)?));
        Ok(lit(ScalarValue::Dictionary(Box::new(DataType::Int8), Box::new(programs))))
    }

    fn measures(&self) -> impl Iterator<Item = Expr> {
        let ints = (0..self.program.int_channels).map(|c| name(&format!("i{c}")));
        ints.chain((0..self.program.text_channels).map(|c| name(&format!("t{c}"))))
    }

    /// The files of a branch that are read, if not all are: those of which nothing is kept, those of a pass over a compacted store.
    fn only<'b>(&'b self, number: usize, opened: &'b Opened) -> Option<&'b [usize]> {
        let rest = self.instead.get(number).and_then(Option::as_ref).map(|other| other.rest.as_slice());
        rest.or(opened.only.as_deref())
    }

    /// Rows of one table as customer, time, slot and measures.
    fn all(&self, number: usize, lowered: &Lowered) -> Result<LogicalPlanBuilder> {
        let mut raw = self.raw(number, lowered)?;
        if self.share != Share::ALL && self.clustered(lowered).is_none() {
            raw = LogicalPlanBuilder::from(raw).filter(belongs(self.share, name(CUSTOMER)))?.build()?;
        }
        let rows = match lowered.table {
            Table::Profile => self.latest_profiles(raw)?,
            _ => raw,
        };
        let rows = match &lowered.collapse {
            None => rows,
            Some((id, properties)) => self.collapse(rows, lowered, *id, properties)?,
        };
        let branch = Branch { sifted: self.sifts(lowered), ..lowered.branch.clone() };
        let mut columns = vec![name(CUSTOMER), name("time"), self.slot(&branch)?.alias("slot")];
        let measure = |held: &[(u32, u32)], channel: u32, none: ScalarValue| {
            let column = held.iter().find(|(c, _)| *c == channel).map(|(_, c)| *c);
            match column.and_then(|c| Some((c, branch.columns.get(c as usize)?))) {
                Some((c, spec)) => value(&Recipe::Value(spec.clone()), name(&format!("c{c}"))),
                None => Ok(lit(none)),
            }
        };
        let ints = self.program.int_channels;
        for c in 0..ints {
            columns.push(measure(&lowered.ints, c, ScalarValue::Int64(None))?.alias(format!("i{c}")));
        }
        for c in 0..self.program.text_channels {
            columns.push(measure(&lowered.texts, ints + c, ScalarValue::Utf8View(None))?.alias(format!("t{c}")));
        }
        LogicalPlanBuilder::from(rows).project(columns)
    }

    /// Whether this is a pass over compacted stores.
    fn is_clustered(&self) -> bool {
        self.tables.sources.iter().flatten().any(|opened| opened.only.is_some())
    }

    /// The table of a pass over a compacted store.
    fn clustered(&self, lowered: &Lowered) -> Option<&Opened> {
        let Table::Source(s) = lowered.table else { return None };
        self.tables.sources.get(s as usize)?.as_ref().filter(|opened| opened.only.is_some())
    }

    /// Whether the reader sifts a branch's rows.
    fn sifts(&self, lowered: &Lowered) -> bool {
        let Table::Source(s) = lowered.table else { return false };
        let opened = self.tables.sources.get(s as usize).and_then(Option::as_ref);
        let (Some(source), Some(opened)) = (self.catalog.sources.get(s as usize), opened) else { return false };
        opened.inputs.as_ref().is_some_and(|inputs| inputs.sifts(&Asked { source, lowered }))
    }

    /// What the reader lets pass, where it sifts.
    fn sieve(&self, lowered: &Lowered, raw: &Expr) -> Result<Option<Expr>> {
        if !self.sifts(lowered) {
            return Ok(None);
        }
        // A pass over a share of the customers reads the rows of all, but they are to be counted once.
        let first = self.share.is_first() || self.clustered(lowered).is_some();
        let branch = Branch { counts: lowered.branch.counts && first, ..lowered.branch.clone() };
        Ok(Some(self.asked.call(vec![literal(&branch)?, raw.clone()])))
    }

    fn slot(&self, branch: &Branch) -> Result<Expr> {
        let mut arguments = vec![literal(branch)?, name(CUSTOMER), name("time"), name("raw")];
        arguments.extend((0..branch.columns.len()).map(|c| name(&format!("c{c}"))));
        Ok(self.slot.call(arguments))
    }

    /// The customer of a row: the id in a column, or what it leads to.
    fn customer(&self, number: usize, lowered: &Lowered, column: &str, label: String) -> Result<Expr> {
        let id = value(&Recipe::Id { number: self.tables.number_ids, label }, name(column))?;
        let drop = self.catalog.identities.as_ref().is_some_and(|i| i.unknown == Unknown::Drop);
        let events = matches!(lowered.table, Table::Source(_));
        let counter = lowered.branch.counts.then_some(lowered.branch.counter);
        if let Some(opened) = self.clustered(lowered) {
            // Nothing of other shares is in these files, or they lie.
            let (sorted, label) = match self.only(number, opened) {
                Some([file]) => (true, file_of(opened, *file)),
                _ => (false, format!("a file of {}", lowered.branch.label)),
            };
            let claim = Claim { lo: self.share.lo, hi: self.share.hi, sorted, label };
            return Ok(declared(&claim, id)?.alias(CUSTOMER));
        }
        Ok(match self.links {
            Some(links) => customer(links, self.counters, counter, drop && events, self.share, id).alias(CUSTOMER),
            None => id.alias(CUSTOMER),
        })
    }

    /// Rows of one table as customer, time, raw name and the branch's columns as they are in the file.
    fn raw(&self, number: usize, lowered: &Lowered) -> Result<LogicalPlan> {
        let of_customer = |column: &str, label: String| self.customer(number, lowered, column, label);
        let no_time = || lit(ScalarValue::Int64(None)).alias("time");
        let no_name = || lit(ScalarValue::Utf8View(None)).alias("raw");
        let table = format!("t{number}");
        match lowered.table {
            Table::Source(s) => self.source(number, s as usize, &table, lowered),
            Table::Profile => {
                let profile = self.catalog.profile.as_ref().ok_or_else(|| odd("a profile"))?;
                let opened = self.tables.profile.as_ref().ok_or_else(|| odd("the profile's table"))?;
                let label = |c: &str| format!("column `{c}` of the profiles");
                let time = |c: &String| instant(c, profile.timezone.as_deref(), None, label(c));
                let created = profile.created.as_ref().map(time).transpose()?.map(|e| e.alias("time"));
                let mut columns = vec![
                    of_customer(&profile.customer, label(&profile.customer))?,
                    created.unwrap_or_else(no_time),
                    no_name(),
                ];
                if let Some(updated) = &profile.updated_at {
                    columns.push(time(updated)?.alias("updated"));
                }
                for (c, at) in lowered.refs.iter().enumerate() {
                    let ColumnRef::Own(column) = at else { continue };
                    columns.push(name(column).alias(format!("c{c}")));
                }
                scan(&table, opened)?.project(columns)?.build()
            }
            Table::List(l) => {
                let opened = self.tables.lists.get(l as usize).and_then(Option::as_ref).ok_or_else(|| odd("a list"))?;
                let column = opened.schema.fields().first().map_or("id", |f| f.name().as_str());
                let list = self.catalog.lists.get(l as usize).map_or("", |l| l.name.name.as_str());
                let customer = of_customer(column, format!("column `{column}` of list `{list}`"))?;
                scan(&table, opened)?.project(vec![customer, no_time(), no_name()])?.build()
            }
        }
    }

    fn source(&self, number: usize, s: usize, table: &str, lowered: &Lowered) -> Result<LogicalPlan> {
        let source = self.catalog.sources.get(s).ok_or_else(|| odd("a source"))?;
        let opened = self.tables.sources.get(s).and_then(Option::as_ref).ok_or_else(|| odd("a source's table"))?;
        let label = |c: &str| format!("column `{c}` of source `{}`", source.name.name);
        let unit = source.time_unit.map(micros);
        let time = instant(&source.time, source.timezone.as_deref(), unit, label(&source.time))?;
        let raw = match &source.event {
            Some(column) if lowered.branch.kinds.iter().any(|k: &Kind| k.exact.is_some()) => name(column),
            _ => lit(ScalarValue::Utf8View(None)),
        };
        let mut columns = vec![
            self.customer(number, lowered, &source.customer, label(&source.customer))?,
            time.alias("time"),
            raw.clone().alias("raw"),
        ];
        // The look-ups that are needed, each with its key in the source.
        let mut joins: Vec<(LookupId, &str)> = Vec::new();
        for (c, at) in lowered.refs.iter().enumerate() {
            match at {
                ColumnRef::Own(column) => columns.push(name(column).alias(format!("c{c}"))),
                ColumnRef::Lookup { lookup, on, .. } => {
                    if !joins.contains(&(*lookup, on)) {
                        joins.push((*lookup, on));
                    }
                }
            }
        }
        let sieve = self.sieve(lowered, &raw)?;
        if joins.is_empty() {
            return self.read(number, opened, source, lowered, sieve)?.project(columns)?.build();
        }
        let mut left: Vec<(LogicalPlan, Column, Column)> = Vec::new();
        for (j, &(id, on)) in joins.iter().enumerate() {
            let lookup = self.catalog.lookups.get(id.index()).ok_or_else(|| odd("a look-up"))?;
            let there = self.tables.lookups.get(id.index()).and_then(Option::as_ref);
            let there = there.ok_or_else(|| odd("a look-up's table"))?;
            let same = match (opened.column(on), there.column(&lookup.key)) {
                (Some(a), Some(b)) => a == b && !matches!(a, DataType::Dictionary(..)),
                _ => false,
            };
            let key = |column: &str| {
                if same { Ok(name(column)) } else { text_id(name(column), &lookup.name.name) }
            };
            columns.push(key(on)?.alias(format!("on{j}")));
            let mut wanted = vec![key(&lookup.key)?.alias(format!("key{j}"))];
            for (c, at) in lowered.refs.iter().enumerate() {
                if let ColumnRef::Lookup { lookup, on: by, column } = at
                    && (*lookup, by.as_str()) == (id, on)
                {
                    wanted.push(name(column).alias(format!("c{c}")));
                }
            }
            let plan = scan(&format!("{table}_l{j}"), there)?.project(wanted)?.build()?;
            left.push((plan, Column::new_unqualified(format!("key{j}")), Column::new_unqualified(format!("on{j}"))));
        }
        let mut rows = self.read(number, opened, source, lowered, sieve)?.project(columns)?.build()?;
        for (plan, key, on) in left {
            // The look-up is the side that is kept in memory.
            rows = LogicalPlanBuilder::from(plan).join(rows, JoinType::Right, (vec![key], vec![on]), None)?.build()?;
        }
        let mut columns = vec![name(CUSTOMER), name("time"), name("raw")];
        columns.extend((0..lowered.refs.len()).map(|c| name(&format!("c{c}"))));
        LogicalPlanBuilder::from(rows).project(columns)?.build()
    }

    /// The rows of a source that a branch asks for.
    fn read(
        &self,
        number: usize,
        opened: &Opened,
        source: &SourceTable,
        lowered: &Lowered,
        sieve: Option<Expr>,
    ) -> Result<LogicalPlanBuilder> {
        let asked = Asked { source, lowered };
        let provider = match (&opened.inputs, self.only(number, opened)) {
            (Some(inputs), Some([file])) if self.streams == Some(number) => {
                inputs.sorted(&asked, *file, sieve, &source.customer)
            }
            (Some(inputs), only) => inputs.asked(&asked, only, sieve).0,
            (None, _) => Arc::clone(&opened.provider),
        };
        LogicalPlanBuilder::scan(format!("t{number}"), provider_as_source(provider), None)
    }

    /// Where the catalog names an `updated_at`, the latest row of each customer (several, if they are equally late).
    fn latest_profiles(&self, rows: LogicalPlan) -> Result<LogicalPlan> {
        let updated = self.catalog.profile.as_ref().and_then(|p| p.updated_at.as_ref());
        if updated.is_none() {
            return Ok(rows);
        }
        let place = rank()
            .partition_by(vec![name(CUSTOMER)])
            .order_by(vec![name("updated").sort(false, false)])
            .build()?
            .alias("place");
        LogicalPlanBuilder::from(rows)
            .window(vec![place])?
            .filter(name("place").eq(lit(1u64)).or(name(CUSTOMER).is_null()))?
            .build()
    }

    /// Of the rows of an event with one id the earliest, at one instant the one with the smallest properties.
    fn collapse(&self, rows: LogicalPlan, lowered: &Lowered, id: u32, properties: &[u32]) -> Result<LogicalPlan> {
        let gate = Branch {
            counts: false,
            keep_all: true,
            kinds: lowered
                .branch
                .kinds
                .iter()
                .map(|k| Kind { patterns: Vec::new(), windows: Vec::new(), ..k.clone() })
                .collect(),
            ..lowered.branch.clone()
        };
        let mut columns: Vec<Expr> = vec![name(CUSTOMER), name("time"), name("raw")];
        columns.extend((0..lowered.branch.columns.len()).map(|c| name(&format!("c{c}"))));
        let mut first = columns.clone();
        first.push(self.slot(&gate)?.alias("gate"));
        let raw_text = |c: u32| -> Result<Expr> {
            let spec = lowered.branch.columns.get(c as usize).ok_or_else(|| odd("an event's id"))?;
            // Ids of any type are compared as text.
            let spec = ColumnSpec { ty: Ty::Text, fold: false, empty_is_value: false, ..spec.clone() };
            value(&Recipe::Raw(spec), name(&format!("c{c}")))
        };
        first.push(raw_text(id)?.alias("event_id"));
        let mut order = vec![name("time").sort(true, true)];
        for (p, &c) in properties.iter().enumerate() {
            let Some(spec) = lowered.branch.columns.get(c as usize) else { continue };
            first.push(value(&Recipe::Sort(spec.clone()), name(&format!("c{c}")))?.alias(format!("sort{p}")));
            order.push(name(&format!("sort{p}")).sort(true, true));
        }
        let place =
            row_number().partition_by(vec![name(CUSTOMER), name("event_id")]).order_by(order).build()?.alias("place");
        LogicalPlanBuilder::from(rows)
            .project(first)?
            .filter(name("gate").is_not_null())?
            .window(vec![place])?
            .filter(name("event_id").is_null().or(name("place").eq(lit(1u64))))?
            .project(columns)?
            .build()
    }
}

/// What a file is called in messages.
fn file_of(opened: &Opened, file: usize) -> String {
    opened.each.get(file).map(|(name, _)| name.clone()).unwrap_or_default()
}

fn scan(table: &str, opened: &Opened) -> Result<LogicalPlanBuilder> {
    LogicalPlanBuilder::scan(table, provider_as_source(Arc::clone(&opened.provider)), None)
}

fn instant(column: &str, zone: Option<&str>, unit: Option<(i64, i64)>, label: String) -> Result<Expr> {
    let spec = ColumnSpec {
        ty: Ty::Instant,
        fold: false,
        empty_is_value: false,
        zone: zone.unwrap_or("UTC").into(),
        project_zone: "UTC".into(),
        unit,
        label,
    };
    value(&Recipe::Value(spec), name(column))
}

fn odd(what: &str) -> DataFusionError {
    DataFusionError::Internal(format!("{what} is missing"))
}
