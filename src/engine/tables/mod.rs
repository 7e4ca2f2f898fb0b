//! The tables of a project: found, opened and compared with the catalog before anything runs.
//!
//! Owns: which files a path means, what columns they have, and their rows as DataFusion tables.
//! Promises: every file's footer has been read, so that a broken, empty or foreign file is an error that names it; files are in
//! the order of their names. Must not know: rules.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use datafusion::catalog::TableProvider;

use crate::engine::bucket::Share;
use crate::engine::plan::lower::ty;
use crate::engine::types;
use crate::error::Error;
use crate::language::catalog::{Catalog, ColumnRef};

mod dictionaries;

pub mod erased;

pub(crate) mod files;

mod ids;

mod inputs;

mod memory;

pub(crate) mod parquet;

mod readers;

pub mod stamp;

pub mod layout;

pub mod prune;

pub(crate) mod remote;

pub use files::Found;
pub use inputs::Inputs;
pub use memory::{Layout, in_memory};

/// A table that was opened.
#[derive(Debug, Clone)]
pub struct Opened {
    pub provider: Arc<dyn TableProvider>,
    pub schema: SchemaRef,
    /// Each file alone, by what it is called in messages.
    pub each: Vec<(String, Arc<dyn TableProvider>)>,
    /// Its files, where it is made of Parquet files.
    pub inputs: Option<Inputs>,
    /// The layout of a compacted store, if that is what the files are.
    pub clustered: Option<layout::Clustered>,
    /// These files only, where a pass needs no others.
    pub only: Option<Vec<usize>>,
    pub files: usize,
    pub rows: u64,
    pub bytes: u64,
}

impl Opened {
    /// The type of a column.
    pub fn column(&self, name: &str) -> Option<&DataType> {
        self.schema.field_with_name(name).ok().map(|f| f.data_type())
    }
}

/// The tables of a project; sources without an event are not opened.
#[derive(Debug, Clone, Default)]
pub struct Tables {
    pub sources: Vec<Option<Opened>>,
    pub lookups: Vec<Option<Opened>>,
    pub profile: Option<Opened>,
    pub lists: Vec<Option<Opened>>,
    /// One a link table of the catalog.
    pub links: Vec<Opened>,
    /// Who is no customer of any run.
    pub erased: Arc<erased::Erased>,
    /// All ids are whole numbers.
    pub number_ids: bool,
    /// Object stores other than the local disk.
    pub(crate) stores: files::Stores,
}

impl Tables {
    /// Every table that was opened.
    pub fn iter(&self) -> impl Iterator<Item = &Opened> {
        let one_each = self.sources.iter().chain(&self.lookups).chain(&self.lists).flatten();
        one_each.chain(&self.profile).chain(&self.links)
    }

    /// The tables of a pass over a share of the customers: of a compacted store only the files that hold them.
    pub fn of_share(&self, share: Share) -> Tables {
        let mut tables = self.clone();
        for source in tables.sources.iter_mut().flatten() {
            let (Some(clustered), Some(inputs)) = (&source.clustered, &source.inputs) else { continue };
            let holds = |(_, of): &(usize, &Share)| of.lo < share.hi && share.lo < of.hi;
            let files: Vec<usize> = clustered.shares.iter().enumerate().filter(holds).map(|(file, _)| file).collect();
            source.provider = inputs.only(&files);
            source.only = Some(files);
        }
        tables
    }
}

/// What a column must be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Want {
    Id,
    Key,
    Time { unit: bool },
    Name,
    Value(crate::engine::plan::program::Ty),
}

impl Want {
    fn fits(self, found: &DataType) -> bool {
        match self {
            Want::Id | Want::Key => types::fits_id(found),
            Want::Time { unit } => types::fits_time(found, unit),
            Want::Name => types::fits(found, crate::engine::plan::program::Ty::Text),
            Want::Value(ty) => types::fits(found, ty),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Want::Id => "an id (text, a whole number or a UUID)",
            Want::Key => "a key (text, a whole number or a UUID)",
            Want::Time { unit: true } => "a timestamp, a date or a whole number",
            Want::Time { unit: false } => "a timestamp or a date",
            Want::Name => "text",
            Want::Value(ty) => types::wanted(ty),
        }
    }
}

/// The wanted columns of a table, by name. One column may be wanted as several things.
pub(crate) type Wanted = BTreeMap<String, Vec<Want>>;

fn want(columns: &mut Wanted, name: &str, want: Want) {
    columns.entry(name.into()).or_default().push(want);
}

/// Opens every table that the catalog names, with the columns that it names.
pub async fn open(catalog: &Catalog, root: &Path) -> Result<Tables, Error> {
    open_with(catalog, root, &[]).await
}

/// The same, and the files of the history where the catalog has one.
pub async fn open_with(catalog: &Catalog, root: &Path, history: &[String]) -> Result<Tables, Error> {
    let mut tables = Tables::default();
    let (mut sources, mut lookups) = wanted(catalog);
    for (s, source) in catalog.sources.iter().enumerate() {
        let columns = sources.remove(&s);
        tables.sources.push(match columns {
            None => None,
            Some(columns) if catalog.history.is_some_and(|history| history.index() == s) => Some(match history {
                [] => memory::nothing(&columns)?,
                files => parquet::open_these(&mut tables.stores, root, files, "the history of runs", &columns).await?,
            }),
            Some(columns) => {
                let what = format!("source `{}`", source.name.name);
                Some(parquet::open(&mut tables.stores, root, &source.path, &what, &columns).await?)
            }
        });
    }
    for (l, lookup) in catalog.lookups.iter().enumerate() {
        let columns = lookups.remove(&l);
        tables.lookups.push(match columns {
            None => None,
            Some(columns) => {
                let what = format!("look-up `{}`", lookup.name.name);
                Some(parquet::open(&mut tables.stores, root, &lookup.path, &what, &columns).await?)
            }
        });
    }
    if let Some(profile) = &catalog.profile {
        let mut columns = Wanted::new();
        want(&mut columns, &profile.customer, Want::Id);
        for time in profile.created.iter().chain(&profile.updated_at) {
            want(&mut columns, time, Want::Time { unit: false });
        }
        for attribute in &profile.attributes {
            want(&mut columns, &attribute.column, Want::Value(ty(attribute.ty)));
        }
        tables.profile = Some(parquet::open(&mut tables.stores, root, &profile.path, "the profiles", &columns).await?);
    }
    for table in catalog.identities.iter().flat_map(|i| &i.links) {
        let mut columns = Wanted::new();
        want(&mut columns, &table.from, Want::Id);
        want(&mut columns, &table.to, Want::Id);
        if let Some(time) = &table.time {
            want(&mut columns, time, Want::Time { unit: table.time_unit.is_some() });
        }
        let what = format!("link table `{}`", table.name.name);
        tables.links.push(parquet::open(&mut tables.stores, root, &table.path, &what, &columns).await?);
    }
    if let Some(path) = &catalog.erased {
        tables.erased = Arc::new(erased::Erased::read(root, path)?);
    }
    // Lines of text say of themselves what they are only where nobody else says what an id is.
    let numbers = number_ids(catalog, &tables);
    for list in &catalog.lists {
        tables.lists.push(Some(ids::open(&mut tables.stores, root, list, numbers == Some(true)).await?));
    }
    let whole = |t: &Opened| t.schema.fields().first().is_none_or(|f| types::flat(f.data_type()).is_integer());
    tables.number_ids = numbers.unwrap_or(true) && tables.lists.iter().flatten().all(whole);
    Ok(tables)
}

/// The columns of sources and look-ups.
fn wanted(catalog: &Catalog) -> (BTreeMap<usize, Wanted>, BTreeMap<usize, Wanted>) {
    let mut sources: BTreeMap<usize, Wanted> = BTreeMap::new();
    let mut lookups: BTreeMap<usize, Wanted> = BTreeMap::new();
    for event in &catalog.events {
        let Some(source) = catalog.sources.get(event.source.index()) else { continue };
        let columns = sources.entry(event.source.index()).or_default();
        want(columns, &source.customer, Want::Id);
        want(columns, &source.time, Want::Time { unit: source.time_unit.is_some() });
        if let Some(name) = &source.event {
            want(columns, name, Want::Name);
        }
        if let Some(id) = &event.event_id {
            want(columns, id, Want::Name);
        }
        for property in &event.properties {
            match &property.column {
                ColumnRef::Own(column) => want(columns, column, Want::Value(ty(property.ty))),
                ColumnRef::Lookup { lookup, on, column } => {
                    want(columns, on, Want::Key);
                    if let Some(table) = catalog.lookups.get(lookup.index()) {
                        let there = lookups.entry(lookup.index()).or_default();
                        want(there, &table.key, Want::Key);
                        want(there, column, Want::Value(ty(property.ty)));
                    }
                }
            }
        }
    }
    (sources, lookups)
}

/// Whether every id column of the project, beside lists, is of an integer type; `None` where there is no other. Links count too: what they
/// lead from or to may be anybody's id.
fn number_ids(catalog: &Catalog, tables: &Tables) -> Option<bool> {
    let whole = |table: Option<&Opened>, column: &str| {
        table.and_then(|t| t.column(column)).map(|ty| types::flat(ty).is_integer())
    };
    let sources = catalog.sources.iter().zip(&tables.sources);
    let sources = sources.filter_map(|(source, table)| whole(table.as_ref(), &source.customer));
    let profile = catalog.profile.as_ref().and_then(|profile| whole(tables.profile.as_ref(), &profile.customer));
    let links = catalog.identities.iter().flat_map(|i| &i.links).zip(&tables.links);
    let links = links.flat_map(|(table, opened)| [&table.from, &table.to].map(|column| whole(Some(opened), column)));
    sources.chain(profile).chain(links.flatten()).reduce(|all, one| all && one)
}
