//! Parquet files as one table.
//!
//! Owns: footers, the schema that the files share, the scan. Promises: what is checked is what is read, file by file.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use ::parquet::arrow::parquet_to_arrow_schema;
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use bytes::Bytes;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{DFSchema, Result as Done, ScalarValue, Statistics};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{
    FileGroup, FileScanConfigBuilder, ParquetFileReaderFactory, ParquetSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::Expr;
use datafusion::physical_expr::expressions::col as physical_column;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use object_store::ObjectStore;

use super::files::{self, Found, Listing, Stores};
use super::inputs::Inputs;
use super::layout::{self, Declared};
use super::readers::{self, Known, OnDisk, Readers};
use super::{Opened, Want, Wanted, dictionaries, remote};
use crate::engine::kernels::declared::ORDER;
use crate::engine::plan::program::Ty;
use crate::engine::types::{called, flat};
use crate::error::Error;

/// Opens the files of a path and compares them with what is wanted.
pub async fn open(stores: &mut Stores, root: &Path, path: &str, what: &str, wanted: &Wanted) -> Result<Opened, Error> {
    let listing = files::list(stores, root, path, what).await?;
    open_listing(listing, what, wanted).await
}

/// The same for some files, each with a path of its own.
pub async fn open_these(
    stores: &mut Stores,
    root: &Path,
    paths: &[String],
    what: &str,
    wanted: &Wanted,
) -> Result<Opened, Error> {
    let listing = files::these(stores, root, paths, what).await?;
    open_listing(listing, what, wanted).await
}

async fn open_listing(listing: Listing, what: &str, wanted: &Wanted) -> Result<Opened, Error> {
    let mut footers = footers(&listing, what).await?;
    let schemas: Vec<(&Found, &Schema)> = listing.files.iter().zip(footers.iter().map(|f| &f.schema)).collect();
    let (mut own, mut hive, mut small) = (Vec::new(), Vec::new(), Vec::new());
    for (column, wants) in wanted {
        let found = column_type(what, column, &schemas)?;
        for want in wants {
            if !want.fits(found.data_type()) {
                let file = schemas.first().map_or("", |(f, _)| f.shown.as_str());
                return Err(Error::data(format!(
                    "{what}: column `{column}` of `{file}` holds {}, but {} is wanted",
                    called(flat(found.data_type())),
                    want.words()
                ))
                .with_help("write the files with that type, or correct what the catalog says of the column"));
            }
        }
        match found {
            Source::File(ty) => {
                // What is a value and no key is as well read by its dictionary.
                let by_dictionary = ty == DataType::Utf8View
                    && wants.iter().all(|want| matches!(want, Want::Name | Want::Value(Ty::Text)))
                    && dictionaries::is_small(column, &footers);
                if by_dictionary {
                    small.push(column.as_str());
                }
                own.push(Field::new(column, if by_dictionary { dictionaries::keyed() } else { ty }, true));
            }
            Source::Folder => hive.push(Arc::new(Field::new(column, DataType::Utf8, true))),
        }
    }
    if !small.is_empty() {
        footers.iter_mut().for_each(|footer| footer.tell(&small));
    }
    let files = listing.files.iter().zip(&footers).map(|(file, footer)| part(file, footer, &hive)).collect();
    let schema = TableSchema::builder(Arc::new(Schema::new(own))).with_table_partition_cols(hive).build();
    let rows = footers.iter().map(|f| f.rows).sum();
    let bytes = listing.files.iter().map(|f| f.meta.size).sum();
    let readers = Arc::new(Readers::new(Arc::clone(&listing.store)));
    let table =
        ParquetTable { url: listing.url, files, schema: schema.clone(), rows, readers, sieve: None, order: None };
    let alone = |(file, found): (&PartitionedFile, &Found)| {
        let table = table.of(vec![file.clone()], 0);
        (format!("{what}: `{}`", found.shown), Arc::new(table) as Arc<dyn TableProvider>)
    };
    let declared: Vec<(&str, Option<&Declared>)> =
        listing.files.iter().zip(&footers).map(|(file, f)| (file.shown.as_str(), f.declared.as_ref())).collect();
    let clustered = layout::together(what, &declared)?;
    let each = table.files.iter().zip(&listing.files).map(alone).collect();
    let table = Arc::new(table);
    let inputs = Inputs::new(listing.files, footers, Arc::clone(&table));
    Ok(Opened {
        each,
        provider: table,
        schema: Arc::clone(schema.table_schema()),
        files: inputs.files.len(),
        inputs: Some(inputs),
        clustered,
        only: None,
        rows,
        bytes,
    })
}

/// Each file with all columns that it has, by what it is called in messages.
pub async fn whole(
    stores: &mut Stores,
    root: &Path,
    path: &str,
    what: &str,
) -> Result<Vec<(String, Arc<dyn TableProvider>)>, Error> {
    let listing = files::list(stores, root, path, what).await?;
    let footers = footers(&listing, what).await?;
    let readers = Arc::new(Readers::new(Arc::clone(&listing.store)));
    let one = |(file, footer): (&Found, &Footer)| {
        let own = footer.schema.fields().iter().map(|f| Field::new(f.name(), read_as(f.data_type()), true));
        let keys = file.hive.iter().filter(|(key, _)| footer.schema.field_with_name(key).is_err());
        let hive: Vec<Arc<Field>> = keys.map(|(key, _)| Arc::new(Field::new(key, DataType::Utf8, true))).collect();
        let files = vec![part(file, footer, &hive)];
        let own = Arc::new(Schema::new(own.collect::<Vec<Field>>()));
        let schema = TableSchema::builder(own).with_table_partition_cols(hive).build();
        let (url, readers, rows) = (listing.url.clone(), Arc::clone(&readers), footer.rows);
        let table = ParquetTable { url, files, schema, rows, readers, sieve: None, order: None };
        (format!("{what}: `{}`", file.shown), Arc::new(table) as Arc<dyn TableProvider>)
    };
    Ok(listing.files.iter().zip(&footers).map(one).collect())
}

/// A file with what is known of it, and the values of its folders.
fn part(file: &Found, footer: &Footer, hive: &[Arc<Field>]) -> PartitionedFile {
    let metadata = Known(Arc::clone(&footer.metadata));
    let mut part = PartitionedFile::new_from_meta(file.meta.clone()).with_extension(metadata);
    if let Some(disk) = &file.disk {
        part = part.with_extension(OnDisk(disk.clone()));
    }
    let value = |f: &Arc<Field>| {
        let pair = file.hive.iter().find(|(key, _)| key == f.name());
        ScalarValue::Utf8(pair.and_then(|(_, value)| value.clone()))
    };
    part.partition_values = hive.iter().map(value).collect();
    part
}

/// What is known of a file before it is read.
#[derive(Debug)]
pub(super) struct Footer {
    pub schema: Schema,
    pub metadata: Arc<ParquetMetaData>,
    /// The same with the index of pages, where the file has one that is not too long.
    pub indexed: Option<Arc<ParquetMetaData>>,
    pub rows: u64,
    pub declared: Option<Declared>,
}

async fn footers(listing: &Listing, what: &str) -> Result<Vec<Footer>, Error> {
    use futures::{StreamExt, TryStreamExt};
    let tasks: Vec<_> = listing
        .files
        .iter()
        .map(|file| {
            let (store, file, what) = (Arc::clone(&listing.store), file.clone(), what.to_owned());
            async move {
                let shown = file.shown.clone();
                let what_is_it = what.clone();
                // In a task of its own: whatever a broken file does to the reader stays there.
                match tokio::spawn(async move { footer(store, &file, &what).await }).await {
                    Ok(done) => done,
                    Err(_) => {
                        Err(Error::data(format!("{what_is_it}: `{shown}` cannot be read: its footer is damaged")))
                    }
                }
            }
        })
        .collect();
    futures::stream::iter(tasks).buffered(16).try_collect().await
}

async fn footer(store: Arc<dyn ObjectStore>, file: &Found, what: &str) -> Result<Footer, Error> {
    let bad = |why: String| Error::data(format!("{what}: `{}` {why}", file.shown));
    let again = "write the file again, or take it out of the folder";
    let size = file.meta.size;
    if size == 0 {
        return Err(bad("is empty".into()).with_help(again));
    }
    // A second read is cheap where the file is near.
    let mut tail = if file.disk.is_some() { 16_384 } else { 65_536 }.min(size);
    let fetch = |tail: u64| {
        let (store, of) = (Arc::clone(&store), file.meta.location.clone());
        let disk = file.disk.clone();
        async move { readers::range(disk.as_deref(), &store, &of, size - tail..size).await }
    };
    let (metadata, bytes): (ParquetMetaData, Bytes) = loop {
        let read = fetch(tail).await;
        let bytes = read.map_err(|e| remote::trouble(&format!("{what}: cannot read `{}`", file.shown), &e))?;
        if tail == size && size >= 4 && !bytes.starts_with(b"PAR1") {
            return Err(bad("is no Parquet file".into()).with_help(again));
        }
        let mut reader = ParquetMetaDataReader::new();
        match reader.try_parse_sized(&bytes, size) {
            Ok(()) => break (reader.finish().map_err(|e| bad(format!("cannot be read: {e}")))?, bytes),
            Err(ParquetError::NeedMoreData(more)) if (more as u64) > tail && (more as u64) <= size => {
                tail = more as u64
            }
            Err(e) => {
                if !bytes.ends_with(b"PAR1") {
                    let why = "is cut off or no Parquet file: it does not end in the mark of one";
                    return Err(bad(why.into()).with_help(again));
                }
                return Err(bad(format!("cannot be read: {e}")).with_help(again));
            }
        }
    };
    let of_file = metadata.file_metadata();
    let schema = parquet_to_arrow_schema(of_file.schema_descr(), of_file.key_value_metadata())
        .map_err(|e| bad(format!("cannot be read: {e}")))?;
    let declared = Declared::of(of_file.key_value_metadata()).map_err(bad)?;
    let rows = u64::try_from(of_file.num_rows()).unwrap_or(0);
    let indexed = match index(&metadata, &bytes, size) {
        Index::Read(indexed) => Some(indexed),
        Index::Longer(tail) => fetch(tail).await.ok().and_then(|bytes| match index(&metadata, &bytes, size) {
            Index::Read(indexed) => Some(indexed),
            _ => None,
        }),
        Index::Missing => None,
    };
    Ok(Footer { schema, rows, declared, metadata: Arc::new(metadata), indexed: indexed.map(Arc::new) })
}

/// An index of pages that begins so far before the end of the file is not read.
const MOST_INDEX: u64 = 4 << 20;

enum Index {
    Missing,
    /// So many bytes before the end of the file.
    Longer(u64),
    Read(ParquetMetaData),
}

/// The index of pages, which nothing depends on: one that cannot be read is as good as none.
fn index(metadata: &ParquetMetaData, tail: &Bytes, size: u64) -> Index {
    if metadata.row_groups().iter().all(|group| group.columns().iter().all(|c| c.offset_index_offset().is_none())) {
        return Index::Missing;
    }
    let reader = ParquetMetaDataReader::new_with_metadata(metadata.clone());
    let mut reader = reader.with_page_index_policy(PageIndexPolicy::Optional);
    match reader.read_page_indexes_sized(tail, size) {
        Ok(()) => reader.finish().map_or(Index::Missing, Index::Read),
        Err(ParquetError::NeedMoreData(more)) if (more as u64) > tail.len() as u64 && (more as u64) <= MOST_INDEX => {
            Index::Longer((more as u64).min(size))
        }
        Err(_) => Index::Missing,
    }
}

enum Source {
    File(DataType),
    Folder,
}

impl Source {
    fn data_type(&self) -> &DataType {
        match self {
            Source::File(ty) => ty,
            Source::Folder => &DataType::Utf8,
        }
    }
}

/// The type that a column has in all files.
fn column_type(what: &str, column: &str, files: &[(&Found, &Schema)]) -> Result<Source, Error> {
    let mut by_type: BTreeMap<String, (DataType, &str)> = BTreeMap::new();
    let mut lacking = Vec::new();
    for (file, schema) in files {
        match schema.field_with_name(column) {
            Ok(field) => {
                let ty = read_as(field.data_type());
                by_type.entry(ty.to_string()).or_insert((ty, &file.shown));
            }
            Err(_) => lacking.push((file, schema)),
        }
    }
    let Some((lack, schema)) = lacking.first() else {
        let mut types = by_type.into_values();
        let Some((first, first_file)) = types.next() else {
            return Err(Error::data(format!("{what}: no file")));
        };
        let mut one = first;
        for (ty, file) in types {
            one = common(&one, &ty).ok_or_else(|| {
                Error::data(format!(
                    "{what}: column `{column}` holds {} in `{first_file}` and {} in `{file}`",
                    called(flat(&one)),
                    called(flat(&ty))
                ))
            })?;
        }
        return Ok(Source::File(one));
    };
    if by_type.is_empty() && files.iter().all(|(file, _)| file.hive.iter().any(|(key, _)| key == column)) {
        return Ok(Source::Folder);
    }
    let message = match by_type.values().next() {
        Some((_, other)) => {
            format!("{what}: `{}` has no column `{column}`, which `{other}` has", lack.shown)
        }
        None => format!("{what}: `{}` has no column `{column}`", lack.shown),
    };
    let names: Vec<&str> = schema
        .fields()
        .iter()
        .map(|f| f.name().as_str())
        .chain(lack.hive.iter().map(|(key, _)| key.as_str()))
        .collect();
    let near = names.iter().max_by(|a, b| {
        let near = |name: &str| strsim::jaro_winkler(&name.to_lowercase(), &column.to_lowercase());
        near(a).total_cmp(&near(b))
    });
    let near = near.filter(|name| strsim::jaro_winkler(&name.to_lowercase(), &column.to_lowercase()) > 0.85);
    let all = if names.len() > 12 {
        format!("{}, …", names.get(..12).unwrap_or_default().join(", "))
    } else {
        names.join(", ")
    };
    Err(Error::data(message).with_help(match near {
        Some(near) => format!("`{near}` is near; it has: {all}"),
        None => format!("it has: {all}"),
    }))
}

/// How a column is read: texts as views.
fn read_as(found: &DataType) -> DataType {
    match found {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        other => other.clone(),
    }
}

/// One type for two files, where nothing is lost.
pub(crate) fn common(a: &DataType, b: &DataType) -> Option<DataType> {
    let text = |ty: &DataType| matches!(flat(ty), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    if a == b {
        return Some(a.clone());
    }
    if text(a) && text(b) {
        return Some(DataType::Utf8View);
    }
    let (a, b) = (flat(a), flat(b));
    if a == b {
        return Some(a.clone());
    }
    if a.is_integer() && b.is_integer() && *a != DataType::UInt64 && *b != DataType::UInt64 {
        return Some(DataType::Int64);
    }
    if *a == DataType::Null {
        return Some(b.clone());
    }
    if *b == DataType::Null {
        return Some(a.clone());
    }
    match (a, b) {
        (DataType::Float32, DataType::Float64) | (DataType::Float64, DataType::Float32) => Some(DataType::Float64),
        (DataType::Timestamp(_, za), DataType::Timestamp(_, zb)) if za.is_some() == zb.is_some() => {
            Some(DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, za.clone()))
        }
        _ => None,
    }
}

/// A fixed list of files, read in any order by any number of readers.
#[derive(Debug)]
pub(super) struct ParquetTable {
    url: ObjectStoreUrl,
    pub files: Vec<PartitionedFile>,
    pub schema: TableSchema,
    rows: u64,
    readers: Arc<Readers>,
    sieve: Option<Expr>,
    /// The column by which its one file is sorted, ascending, rows without first.
    order: Option<String>,
}

impl ParquetTable {
    /// The same table of other files.
    pub fn of(&self, files: Vec<PartitionedFile>, rows: u64) -> ParquetTable {
        let (url, schema, readers) = (self.url.clone(), self.schema.clone(), Arc::clone(&self.readers));
        ParquetTable { url, files, schema, rows, readers, sieve: None, order: None }
    }

    /// The same table of which only rows are read that meet a condition.
    pub fn sifted(self, sieve: Option<Expr>) -> ParquetTable {
        ParquetTable { sieve, ..self }
    }

    /// The same table, whose one file is sorted by a column.
    pub fn sorted(self, by: &str) -> ParquetTable {
        ParquetTable { order: Some(by.to_owned()), ..self }
    }
}

#[async_trait]
impl TableProvider for ParquetTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.schema.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        limit: Option<usize>,
    ) -> Done<Arc<dyn ExecutionPlan>> {
        if self.files.is_empty() {
            let schema = self.schema.table_schema();
            let schema = match projection {
                Some(columns) => Arc::new(schema.project(columns)?),
                None => Arc::clone(schema),
            };
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let options = state.config_options().execution.parquet.clone();
        let parquet = datafusion::common::config::TableParquetOptions { global: options, ..Default::default() };
        let mut source = ParquetSource::new(self.schema.clone())
            .with_table_parquet_options(parquet)
            .with_parquet_file_reader_factory(Arc::clone(&self.readers) as Arc<dyn ParquetFileReaderFactory>);
        if let Some(sieve) = &self.sieve {
            let columns = DFSchema::try_from(Arc::clone(self.schema.table_schema()))?;
            let sieve = state.create_physical_expr(sieve.clone(), &columns)?;
            source = source.with_predicate(sieve).with_pushdown_filters(true);
        }
        let mut statistics = Statistics::new_unknown(self.schema.table_schema());
        statistics.num_rows = usize::try_from(self.rows).map_or(Precision::Absent, Precision::Inexact);
        let groups = groups(&self.files, state.config().target_partitions());
        let order = match &self.order {
            Some(by) => vec![(physical_column(by, self.schema.table_schema())?, ORDER)],
            None => Vec::new(),
        };
        let order = order.into_iter().map(|(column, options)| PhysicalSortExpr::new(column, options));
        let config = FileScanConfigBuilder::new(self.url.clone(), Arc::new(source))
            .with_output_ordering(LexOrdering::new(order).into_iter().collect())
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

/// Deals the files out; large ones are split by DataFusion itself.
fn groups(files: &[PartitionedFile], partitions: usize) -> Vec<FileGroup> {
    let partitions = partitions.clamp(1, files.len().max(1));
    let mut groups: Vec<Vec<PartitionedFile>> = vec![Vec::new(); partitions];
    for (f, file) in files.iter().enumerate() {
        if let Some(group) = groups.get_mut(f % partitions) {
            group.push(file.clone());
        }
    }
    groups.into_iter().map(FileGroup::new).collect()
}
