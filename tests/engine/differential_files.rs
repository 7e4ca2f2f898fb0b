//! Random projects as files on disk, laid out as their catalog says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, ListBuilder, RecordBatch,
    StringArray, StringBuilder, TimestampMicrosecondArray,
};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use segue::engine::compact::{Options, compact};
use segue::engine::{HistoryFiles, Instants, Keep, Limits, Outcome, Request, run, run_each};
use segue::error::Error;
use segue::language::calendar::Clock;
use segue::language::catalog::{Catalog, ColumnRef, RawMatch, Type};
use segue::language::interpret::history::{Datum, EventRow};
use segue::language::ir::Program;

use crate::generate::Batch;

const DAY: i64 = 86_400_000_000;

/// Customer, raw name, and the event (none for a row of an unknown kind).
pub type Row<'a> = (&'a str, String, Option<&'a EventRow>);
/// A column's type and its values, row by row.
type Columns<'a> = BTreeMap<&'a str, (Type, Vec<Option<Datum>>)>;

/// A batch as files in a folder: as it lies, compacted, or compacted with parts that were added.
pub struct Files {
    root: tempfile::TempDir,
    catalog: Catalog,
    /// What earlier runs left behind, if anything.
    history: Option<HistoryFiles>,
}

impl Files {
    pub fn write(batch: &Batch, rng: &mut ChaCha8Rng) -> Files {
        let root = tempfile::tempdir().unwrap();
        write(batch, root.path(), rng, false);
        let catalog = match rng.random_range(0..4) {
            0 => batch.catalog.clone(),
            1 => compacted(batch, root.path(), rng, false),
            _ => compacted(batch, root.path(), rng, true),
        };
        let history = write_history(batch, &root.path().join("history"), rng);
        Files { root, catalog, history }
    }

    /// The same at several instants.
    pub fn run_each(
        &self,
        program: &Program,
        clocks: &[Clock],
        population: bool,
        limits: Limits,
    ) -> Result<Vec<Outcome>, Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (catalog, root) = (&self.catalog, self.root.path());
        let request = Instants { catalog, program, clocks, root, population, limits, progress: None };
        let mut outcomes = Vec::new();
        let told = &mut |_: &Clock, outcome| {
            outcomes.push(outcome);
            Ok(())
        };
        runtime.block_on(run_each(request, told))?;
        Ok(outcomes)
    }

    pub fn run(
        &self,
        batch: &Batch,
        program: &Program,
        population: bool,
        rng: &mut ChaCha8Rng,
    ) -> Result<Outcome, Error> {
        let over = Over { catalog: &self.catalog, root: self.root.path(), history: self.history.clone() };
        run_with(batch, over, program, population, rng)
    }
}

/// Runs a program over the files of the batch.
pub fn run_over(
    batch: &Batch,
    catalog: &Catalog,
    program: &Program,
    root: &Path,
    population: bool,
    rng: &mut ChaCha8Rng,
) -> Result<Outcome, Error> {
    run_with(batch, Over { catalog, root, history: None }, program, population, rng)
}

/// What a program is run over.
struct Over<'a> {
    catalog: &'a Catalog,
    root: &'a Path,
    history: Option<HistoryFiles>,
}

fn run_with(
    batch: &Batch,
    Over { catalog, root, history }: Over<'_>,
    program: &Program,
    population: bool,
    rng: &mut ChaCha8Rng,
) -> Result<Outcome, Error> {
    let limits = Limits {
        threads: Some(rng.random_range(1..4)),
        memory: None,
        batch_rows: Some([2, 64, 8_192][rng.random_range(0..3)]),
        ..Limits::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let clock = &batch.clock;
    runtime.block_on(run(Request {
        catalog,
        program,
        clock,
        root,
        population,
        history,
        limits,
        keep: Keep::Off,
        progress: None,
    }))
}

/// Writes the history of the batch's customers into some files; some rows are of people whom nobody else mentions, and some under a
/// name that only the caller knows to be a former one. `None` where nothing happened.
pub fn write_history(batch: &Batch, folder: &Path, rng: &mut ChaCha8Rng) -> Option<HistoryFiles> {
    let catalog = batch.catalog.with_history();
    let mut rows: Vec<(&str, i64, &str, String)> = Vec::new();
    let mut former: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (id, history) in &batch.histories {
        for row in history.events.iter().filter(|row| batch.catalog.is_recorded(row.event)) {
            let Some(Some(Datum::Text(name))) = row.properties.first() else { continue };
            let name = match rng.random_range(0..3) {
                0 if !name.starts_with("was_") => {
                    let before = format!("before {name}");
                    former.insert(name.clone(), vec!["something else".to_owned(), before.clone()]);
                    before
                }
                _ => name.clone(),
            };
            let event = catalog.event(row.event).unwrap().name.name.as_str();
            rows.push((id, row.time, event, name.clone()));
            if rng.random_bool(0.1) {
                rows.push(("-99998", row.time, event, name));
            }
        }
    }
    if rows.is_empty() {
        return None;
    }
    rows.shuffle(rng);
    let mut files = Vec::new();
    for (f, part) in rows.chunks(rows.len().div_ceil(rng.random_range(1..4))).enumerate() {
        let path = folder.join(format!("{f}.parquet"));
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("customer", ids(part.iter().map(|row| row.0), batch.integer_ids)),
            ("at", instants(part.iter().map(|row| Some(row.1)))),
            ("event", Arc::new(part.iter().map(|row| Some(row.2)).collect::<StringArray>())),
            ("name", Arc::new(part.iter().map(|row| Some(row.3.as_str())).collect::<StringArray>())),
            ("arm", Arc::new(StringArray::new_null(part.len()))),
        ];
        parquet(&path, columns, rng);
        files.push(path.to_str().unwrap().to_owned());
    }
    files.reverse();
    Some(HistoryFiles { files, former })
}

/// Writes the files of a batch, `daily` with a folder for ten days and rows in the order of time.
pub fn write(batch: &Batch, root: &Path, rng: &mut ChaCha8Rng, daily: bool) {
    for source in 0..batch.catalog.sources.len() {
        write_source(batch, source, root, rng, daily);
    }
    write_lookups(batch, root, rng);
    write_people(batch, root, rng);
}

/// Profiles and lists.
pub fn write_people(batch: &Batch, root: &Path, rng: &mut ChaCha8Rng) {
    write_profiles(batch, root, rng);
    for (l, list) in batch.catalog.lists.iter().enumerate() {
        let head = list.column.as_ref().map(|c| format!("name,{c}\n")).unwrap_or_default();
        let before = if list.column.is_some() { "x," } else { "" };
        let inside = batch.histories.iter().filter(|(_, h)| h.lists.iter().any(|id| id.index() == l));
        let lines: Vec<String> = inside.map(|(id, _)| format!("{before}{id}\n")).collect();
        let path = root.join(&list.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, head + &lines.concat()).unwrap();
    }
}

/// The catalog with every source that has events in a compacted store.
fn compacted(batch: &Batch, root: &Path, rng: &mut ChaCha8Rng, in_parts: bool) -> Catalog {
    let mut catalog = batch.catalog.clone();
    for s in 0..catalog.sources.len() {
        if !catalog.events.iter().any(|event| event.source.index() == s) {
            continue;
        }
        let name = catalog.sources[s].name.name.clone();
        let folder = root.join(&catalog.sources[s].path);
        let options = Options {
            source: Some(name.clone()),
            from: None,
            to: root.join("stores"),
            buckets: [1, 2, 8][rng.random_range(0..3)],
            full: false,
            threads: Some(2),
            memory: None,
        };
        // Some files come later, as a part of their own.
        let mut files = super::support::files(&folder, "parquet");
        files.sort();
        let later =
            if in_parts && files.len() > 1 { files.split_off(rng.random_range(1..files.len())) } else { Vec::new() };
        let aside: Vec<_> = later.iter().map(|file| (file.clone(), file.with_extension("later"))).collect();
        let call = || super::compact::block(compact(&batch.catalog, root, &options, None)).unwrap();
        aside.iter().for_each(|(file, aside)| std::fs::rename(file, aside).unwrap());
        call();
        aside.iter().for_each(|(file, aside)| std::fs::rename(aside, file).unwrap());
        let added = call();
        assert_eq!(added[0].part, (!aside.is_empty()).then_some(2));
        catalog.sources[s].path = format!("stores/{name}");
    }
    catalog
}

fn write_source(batch: &Batch, s: usize, root: &Path, rng: &mut ChaCha8Rng, daily: bool) {
    let catalog = &batch.catalog;
    let source = &catalog.sources[s];
    let here = |e: &EventRow| catalog.event(e.event).is_some_and(|event| event.source.index() == s);
    // `None` is a row of a kind that the catalog does not know, of a customer that nobody else mentions.
    let mut rows: Vec<(&str, Option<&EventRow>)> = batch
        .histories
        .iter()
        .flat_map(|(id, h)| h.events.iter().filter(|e| here(e)).map(move |e| (id.as_str(), Some(e))))
        .collect();
    if source.event.is_some() {
        rows.push(("-99999", None));
    }
    if daily {
        rows.sort_by_key(|(_, row)| row.map_or(0, |row| row.time));
    } else {
        rows.shuffle(rng);
    }
    // The raw name as a column of the file, or as a folder for each name.
    let in_folders = source.event.is_some() && rng.random_bool(0.4);
    let mut parts: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    let files = rng.random_range(1..4);
    for (id, row) in rows {
        let raw = row.map_or("p9.unknown".to_owned(), |row| raw_name(batch, row, rng));
        let file = format!("{}.parquet", rng.random_range(0..files));
        let path = if daily {
            let day = row.map_or(0, |row| row.time).div_euclid(10 * DAY);
            let name = source.event.as_deref().filter(|_| in_folders).map(|event| format!("{event}={raw}/"));
            format!("dt={day}/{}0.parquet", name.unwrap_or_default())
        } else if in_folders {
            format!("{}={raw}/{file}", source.event.as_deref().unwrap())
        } else if file.starts_with('1') {
            format!("year=2026/deep/{file}")
        } else {
            file
        };
        parts.entry(path).or_default().push((id, raw, row));
    }
    if parts.is_empty() {
        parts.insert("none.parquet".to_owned(), Vec::new());
    }
    for (path, rows) in parts {
        let columns = columns(batch, s, &rows, in_folders);
        parquet(&root.join(&source.path).join(path), columns, rng);
    }
}

/// The columns of some rows of a source; without the raw names, if folders tell them.
pub fn columns<'a>(batch: &'a Batch, s: usize, rows: &[Row], in_folders: bool) -> Vec<(&'a str, ArrayRef)> {
    let catalog = &batch.catalog;
    let source = &catalog.sources[s];
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        (&source.customer, ids(rows.iter().map(|(id, ..)| *id), batch.integer_ids)),
        (&source.time, instants(rows.iter().map(|(.., row)| Some(row.map_or(0, |r| r.time))))),
    ];
    if let Some(event) = source.event.as_deref().filter(|_| !in_folders) {
        columns.push((event, Arc::new(rows.iter().map(|(_, raw, _)| Some(raw)).collect::<StringArray>())));
    }
    let mut values: Columns = BTreeMap::new();
    for (e, event) in catalog.events.iter().enumerate().filter(|(_, event)| event.source.index() == s) {
        let mut fill = |column: &'static str, ty: Type, at: &dyn Fn(&EventRow) -> Option<Datum>| {
            let (_, cells) = values.entry(column).or_insert_with(|| (ty, vec![None; rows.len()]));
            for (cell, (.., row)) in cells.iter_mut().zip(rows) {
                if let Some(row) = row.filter(|row| row.event.index() == e) {
                    *cell = at(row);
                }
            }
        };
        if let Some(column) = &event.event_id {
            fill(leak(column), Type::Text, &|row| row.event_id.clone().map(Datum::Text));
        }
        for (p, property) in event.properties.iter().enumerate() {
            if let ColumnRef::Own(column) = &property.column {
                fill(leak(column), property.ty, &|row| row.properties[p].clone());
            }
        }
    }
    columns.extend(values.iter().map(|(name, (ty, cells))| (*name, array(*ty, cells))));
    columns
}

fn leak(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

/// One of the raw names that mean the row's event.
pub fn raw_name(batch: &Batch, row: &EventRow, rng: &mut ChaCha8Rng) -> String {
    match &batch.catalog.events[row.event.index()].raw {
        RawMatch::All => String::new(),
        RawMatch::Names { exact, prefixes } => {
            let endings = ["", "x", "web"];
            let from_prefix = |p: &String, rng: &mut ChaCha8Rng| format!("{p}{}", endings[rng.random_range(0..3)]);
            match rng.random_range(0..exact.len() + prefixes.len()) {
                at if at < exact.len() => exact[at].clone(),
                at => from_prefix(&prefixes[at - exact.len()], rng),
            }
        }
    }
}

/// Every key that a row names, with what it gives; some keys that give nothing are left out.
pub fn write_lookups(batch: &Batch, root: &Path, rng: &mut ChaCha8Rng) {
    let catalog = &batch.catalog;
    for (l, lookup) in catalog.lookups.iter().enumerate() {
        let mut columns: BTreeMap<&str, (Type, BTreeMap<String, Datum>)> = BTreeMap::new();
        let mut keys = BTreeSet::from(["nobody asks".to_owned()]);
        for (e, event) in catalog.events.iter().enumerate() {
            for (p, property) in event.properties.iter().enumerate() {
                let ColumnRef::Lookup { lookup: of, on, column } = &property.column else { continue };
                if of.index() != l {
                    continue;
                }
                let (_, given) = columns.entry(column).or_insert_with(|| (property.ty, BTreeMap::new()));
                let own = |q: &segue::language::catalog::Property| matches!(&q.column, ColumnRef::Own(c) if c == on);
                let at = event.properties.iter().position(own).expect("the key is a property of the event");
                for row in batch.histories.iter().flat_map(|(_, h)| &h.events).filter(|r| r.event.index() == e) {
                    if let (Some(Datum::Text(key)), Some(value)) = (&row.properties[at], &row.properties[p]) {
                        keys.insert(key.clone());
                        given.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        let mut keys: Vec<String> = keys.into_iter().collect();
        keys.shuffle(rng);
        let mut written: Vec<(&str, ArrayRef)> =
            vec![(&lookup.key, Arc::new(keys.iter().map(Some).collect::<StringArray>()))];
        for (column, (ty, given)) in &columns {
            let cells: Vec<Option<Datum>> = keys.iter().map(|key| given.get(key).cloned()).collect();
            written.push((column, array(*ty, &cells)));
        }
        parquet(&root.join(&lookup.path), written, rng);
    }
}

fn write_profiles(batch: &Batch, root: &Path, rng: &mut ChaCha8Rng) {
    let Some(profile) = &batch.catalog.profile else { return };
    let mut rows: Vec<_> =
        batch.histories.iter().filter_map(|(id, h)| Some((id.as_str(), h.profile.as_ref()?))).collect();
    rows.shuffle(rng);
    let mut columns: Vec<(&str, ArrayRef)> =
        vec![(&profile.customer, ids(rows.iter().map(|(id, _)| *id), batch.integer_ids))];
    if let Some(created) = &profile.created {
        columns.push((created, instants(rows.iter().map(|(_, p)| p.created))));
    }
    for (a, attribute) in profile.attributes.iter().enumerate() {
        let cells: Vec<Option<Datum>> = rows.iter().map(|(_, p)| p.attributes[a].clone()).collect();
        columns.push((&attribute.column, array(attribute.ty, &cells)));
    }
    parquet(&root.join(&profile.path), columns, rng);
}

pub fn parquet(path: &Path, columns: Vec<(&str, ArrayRef)>, rng: &mut ChaCha8Rng) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).unwrap();
    let rows = [1, 5, 1_000][rng.random_range(0..3)];
    // Pages of one row, of a few, or of all.
    let page = [1, 3, 1_000][rng.random_range(0..3)];
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(rows))
        .set_data_page_row_count_limit(page)
        .set_write_batch_size(page)
        .set_dictionary_enabled(rng.random_bool(0.5))
        .set_statistics_truncate_length([None, Some(1), Some(64)][rng.random_range(0..3)])
        .set_statistics_enabled(
            [EnabledStatistics::None, EnabledStatistics::Chunk, EnabledStatistics::Page][rng.random_range(0..3)],
        )
        .build();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn ids<'a>(ids: impl Iterator<Item = &'a str>, whole: bool) -> ArrayRef {
    if whole {
        return Arc::new(ids.map(|id| Some(id.parse::<i64>().unwrap())).collect::<Int64Array>());
    }
    Arc::new(ids.map(Some).collect::<StringArray>())
}

fn instants(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
}

fn array(ty: Type, cells: &[Option<Datum>]) -> ArrayRef {
    let whole = |cell: &Option<Datum>| match cell {
        Some(Datum::Integer(n) | Datum::Money(n) | Datum::Instant(n)) => Some(*n),
        _ => None,
    };
    macro_rules! all {
        ($kind:ident, $array:ty) => {{
            let of = |cell: &Option<Datum>| match cell {
                Some(Datum::$kind(value)) => Some(value.clone()),
                _ => None,
            };
            Arc::new(cells.iter().map(of).collect::<$array>())
        }};
    }
    match ty {
        Type::Text => all!(Text, StringArray),
        Type::Integer => all!(Integer, Int64Array),
        Type::Number => all!(Number, Float64Array),
        Type::YesNo => all!(YesNo, BooleanArray),
        Type::Date => all!(Date, Date32Array),
        Type::Instant => instants(cells.iter().map(whole)),
        Type::Money { scale } => {
            let units = cells.iter().map(|cell| whole(cell).map(i128::from)).collect::<Decimal128Array>();
            Arc::new(units.with_precision_and_scale(38, scale as i8).unwrap())
        }
        Type::TextList => {
            let mut out = ListBuilder::new(StringBuilder::new());
            for cell in cells {
                if let Some(Datum::TextList(items)) = cell {
                    items.iter().for_each(|item| out.values().append_value(item));
                }
                out.append(cell.is_some());
            }
            Arc::new(out.finish())
        }
    }
}
