//! Tables made of histories, for specs and for tests that compare the plan with the interpreter.
//!
//! Owns: laying histories out as rows. Promises: the answer is that of files with the same rows, however they are dealt out.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, ListBuilder, RecordBatch,
    StringArray, StringBuilder, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::datasource::MemTable;

use super::{Opened, Tables, Want, Wanted, ids};
use crate::error::Error;
use crate::language::catalog::{Catalog, ColumnRef, RawMatch, Type};
use crate::language::interpret::history::{Datum, EventRow, History};

/// How rows are dealt out; no choice may show in the answer.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    pub partitions: usize,
    pub batch_rows: usize,
    /// Rows are shuffled by this, unless it is 0.
    pub shuffle: u64,
    /// Texts as dictionaries.
    pub dictionaries: bool,
    /// Ids are whole numbers (all of them must be).
    pub number_ids: bool,
}

impl Default for Layout {
    fn default() -> Self {
        Layout { partitions: 1, batch_rows: 8_192, shuffle: 0, dictionaries: false, number_ids: false }
    }
}

/// The tables of the histories, and the catalog that names their columns (all ids are those of `catalog`). Every property has a
/// column of its own, look-up or not.
pub fn in_memory(
    catalog: &Catalog,
    customers: &[(String, History)],
    layout: Layout,
) -> Result<(Catalog, Tables), Error> {
    let mut named = catalog.clone();
    for source in &mut named.sources {
        (source.customer, source.time, source.event) = ("customer".into(), "time".into(), Some("event".into()));
        (source.time_unit, source.timezone) = (None, None);
    }
    for (e, event) in named.events.iter_mut().enumerate() {
        event.raw = RawMatch::Names { exact: vec![format!("e{e}")], prefixes: Vec::new() };
        event.event_id = event.event_id.is_some().then(|| format!("e{e}_id"));
        for (p, property) in event.properties.iter_mut().enumerate() {
            property.column = ColumnRef::Own(format!("e{e}_{p}"));
        }
    }
    named.lookups.clear();
    // Histories are of customers: nothing is left to link.
    named.identities = None;
    let mut tables = Tables::default();
    for s in 0..named.sources.len() {
        tables.sources.push(Some(source(&named, s, customers, layout)?));
    }
    if let Some(profile) = &mut named.profile {
        profile.customer = "customer".into();
        profile.created = Some("created".into());
        (profile.updated_at, profile.timezone) = (None, None);
        for (a, attribute) in profile.attributes.iter_mut().enumerate() {
            attribute.column = format!("a{a}");
        }
    }
    if let Some(profile) = &named.profile {
        let rows: Vec<_> = customers.iter().filter_map(|(id, h)| Some((id, h.profile.as_ref()?))).collect();
        let mut columns: Vec<(String, ArrayRef)> = vec![
            ("customer".into(), customers_column(rows.iter().map(|(id, _)| id.as_str()), layout)),
            ("created".into(), instants(rows.iter().map(|(_, p)| p.created))),
        ];
        for (a, attribute) in profile.attributes.iter().enumerate() {
            let values = rows.iter().map(|(_, p)| p.attributes.get(a).and_then(Option::as_ref));
            columns.push((attribute.column.clone(), column(attribute.ty, values)?));
        }
        tables.profile = Some(table(columns, layout)?);
    }
    for l in 0..named.lists.len() {
        let inside = |h: &History| h.lists.iter().any(|id| id.index() == l);
        let mut list =
            ids::table(customers.iter().filter(|(_, h)| inside(h)).map(|(id, _)| id.clone()).collect(), false)?;
        list.files = 0;
        tables.lists.push(Some(list));
    }
    tables.number_ids = layout.number_ids;
    Ok((named, tables))
}

fn source(catalog: &Catalog, s: usize, customers: &[(String, History)], layout: Layout) -> Result<Opened, Error> {
    let here = |e: &EventRow| catalog.event(e.event).is_some_and(|event| event.source.index() == s);
    let mut rows: Vec<(&str, &EventRow)> = customers
        .iter()
        .flat_map(|(id, h)| h.events.iter().filter(|e| here(e)).map(move |e| (id.as_str(), e)))
        .collect();
    shuffle(&mut rows, layout.shuffle);
    let mut columns: Vec<(String, ArrayRef)> = vec![
        ("customer".into(), customers_column(rows.iter().map(|(id, _)| *id), layout)),
        ("time".into(), instants(rows.iter().map(|(_, e)| Some(e.time)))),
        ("event".into(), Arc::new(rows.iter().map(|(_, e)| Some(format!("e{}", e.event.0))).collect::<StringArray>())),
    ];
    for (e, event) in catalog.events.iter().enumerate().filter(|(_, event)| event.source.index() == s) {
        let mine = |row: &EventRow| row.event.index() == e;
        if let Some(id) = &event.event_id {
            let ids = rows.iter().map(|(_, row)| if mine(row) { row.event_id.as_deref() } else { None });
            columns.push((id.clone(), Arc::new(ids.collect::<StringArray>())));
        }
        for (p, property) in event.properties.iter().enumerate() {
            let ColumnRef::Own(name) = &property.column else { continue };
            let values = rows.iter().map(
                |(_, row)| {
                    if mine(row) { row.properties.get(p).and_then(Option::as_ref) } else { None }
                },
            );
            columns.push((name.clone(), column(property.ty, values)?));
        }
    }
    table(columns, layout)
}

fn customers_column<'a>(ids: impl Iterator<Item = &'a str>, layout: Layout) -> ArrayRef {
    if layout.number_ids {
        return Arc::new(ids.map(|id| id.parse().ok()).collect::<Int64Array>());
    }
    Arc::new(ids.map(Some).collect::<StringArray>())
}

/// A fixed pseudo-random order.
fn shuffle<T>(rows: &mut [T], seed: u64) {
    if seed == 0 {
        return;
    }
    let mut state = seed;
    for i in (1..rows.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let j = ((state >> 33) as usize) % (i + 1);
        rows.swap(i, j);
    }
}

fn instants(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
}

fn column<'a>(ty: Type, values: impl Iterator<Item = Option<&'a Datum>>) -> Result<ArrayRef, Error> {
    let odd = |e: &dyn std::fmt::Display| Error::Engine { message: e.to_string(), help: None };
    let whole = |v: Option<&Datum>| match v {
        Some(Datum::Integer(n) | Datum::Money(n) | Datum::Instant(n)) => Some(*n),
        _ => None,
    };
    Ok(match ty {
        Type::Text => {
            let text = |v: Option<&'a Datum>| match v {
                Some(Datum::Text(text)) => Some(text.as_str()),
                _ => None,
            };
            Arc::new(values.map(text).collect::<StringArray>())
        }
        Type::Integer => Arc::new(values.map(whole).collect::<Int64Array>()),
        Type::Money { scale } => Arc::new(
            values
                .map(|v| whole(v).map(i128::from))
                .collect::<Decimal128Array>()
                .with_precision_and_scale(38, scale as i8)
                .map_err(|e| odd(&e))?,
        ),
        Type::Number => {
            let number = |v: Option<&Datum>| match v {
                Some(Datum::Number(x)) => Some(*x),
                _ => None,
            };
            Arc::new(values.map(number).collect::<Float64Array>())
        }
        Type::YesNo => {
            let yes = |v: Option<&Datum>| match v {
                Some(Datum::YesNo(yes)) => Some(*yes),
                _ => None,
            };
            Arc::new(values.map(yes).collect::<BooleanArray>())
        }
        Type::Date => {
            let date = |v: Option<&Datum>| match v {
                Some(Datum::Date(days)) => Some(*days),
                _ => None,
            };
            Arc::new(values.map(date).collect::<Date32Array>())
        }
        Type::Instant => instants(values.map(whole)),
        Type::TextList => {
            let mut out = ListBuilder::new(StringBuilder::new());
            for value in values {
                match value {
                    Some(Datum::TextList(items)) => {
                        items.iter().for_each(|item| out.values().append_value(item));
                        out.append(true);
                    }
                    _ => out.append(false),
                }
            }
            Arc::new(out.finish())
        }
    })
}

/// A table without rows. Its ids are whole numbers, so that it leaves those of others what they are.
pub(super) fn nothing(wanted: &Wanted) -> Result<Opened, Error> {
    let column = |wants: &Vec<Want>| -> ArrayRef {
        match wants.first() {
            Some(Want::Id | Want::Key) => Arc::new(Int64Array::new_null(0)),
            Some(Want::Time { .. }) => instants(std::iter::empty()),
            _ => Arc::new(StringArray::new_null(0)),
        }
    };
    let columns = wanted.iter().map(|(name, wants)| (name.clone(), column(wants))).collect();
    table(columns, Layout::default())
}

fn table(columns: Vec<(String, ArrayRef)>, layout: Layout) -> Result<Opened, Error> {
    let odd = |e: &dyn std::fmt::Display| Error::Engine { message: e.to_string(), help: None };
    let mut arrays = Vec::with_capacity(columns.len());
    let mut fields = Vec::with_capacity(columns.len());
    for (name, mut array) in columns {
        if layout.dictionaries && *array.data_type() == DataType::Utf8 {
            let wanted = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
            array = arrow::compute::cast(&array, &wanted).map_err(|e| odd(&e))?;
        }
        fields.push(Field::new(name, array.data_type().clone(), true));
        arrays.push(array);
    }
    let schema = Arc::new(Schema::new(fields));
    let whole = RecordBatch::try_new(Arc::clone(&schema), arrays).map_err(|e| odd(&e))?;
    let mut partitions = vec![Vec::new(); layout.partitions.max(1)];
    let step = layout.batch_rows.max(1);
    for (b, start) in (0..whole.num_rows()).step_by(step).enumerate() {
        let batch = whole.slice(start, step.min(whole.num_rows() - start));
        let at = b % partitions.len();
        if let Some(partition) = partitions.get_mut(at) {
            partition.push(batch);
        }
    }
    let rows = whole.num_rows() as u64;
    let provider = MemTable::try_new(Arc::clone(&schema), partitions).map_err(|e| odd(&e))?;
    Ok(Opened {
        provider: Arc::new(provider),
        schema,
        each: Vec::new(),
        inputs: None,
        clustered: None,
        only: None,
        files: 0,
        rows,
        bytes: 0,
    })
}
