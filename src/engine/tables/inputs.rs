//! The Parquet files of a table, which can be read apart.
//!
//! Owns: which files, row groups and pages of a table are read. Promises: pure; footers and folders tell, nothing is opened.
//! Must not know: how files are found and opened.

use std::collections::BTreeSet;
use std::sync::Arc;

use ::parquet::arrow::arrow_reader::RowSelection;
use ::parquet::file::metadata::RowGroupMetaData;
use datafusion::catalog::TableProvider;
use datafusion::common::ScalarValue;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetAccessPlan;
use datafusion::logical_expr::Expr;

use super::files::Found;
use super::parquet::{Footer, ParquetTable};
use super::prune::{Asked, Extent, Facts, Part, Reading};
use super::readers::Known;

/// The files of a table, which can be read apart.
#[derive(Debug, Clone)]
pub struct Inputs {
    pub files: Vec<Found>,
    footers: Arc<[Footer]>,
    table: Arc<ParquetTable>,
}

impl Inputs {
    /// The files, their footers in the same order, and the table made of all of them.
    pub(super) fn new(files: Vec<Found>, footers: Vec<Footer>, table: Arc<ParquetTable>) -> Inputs {
        Inputs { files, footers: footers.into(), table }
    }

    /// The table made of some of the files.
    pub fn only(&self, files: &[usize]) -> Arc<dyn TableProvider> {
        let files = files.iter().filter_map(|&f| self.table.files.get(f).cloned()).collect();
        Arc::new(self.table.of(files, 0))
    }

    /// The table made of the rows that are asked for, as far as footers and folders tell, of all files or of some; and how much
    /// that is.
    ///
    /// A sieve is a condition on the table's columns that the reader evaluates before it decodes what else a row has.
    pub fn asked(
        &self,
        asked: &Asked<'_>,
        only: Option<&[usize]>,
        sieve: Option<Expr>,
    ) -> (Arc<dyn TableProvider>, Reading) {
        let (table, reading) = self.of(asked, only, sieve);
        (Arc::new(table), reading)
    }

    /// The same of one file, whose rows come in the order of a column.
    pub fn sorted(&self, asked: &Asked<'_>, file: usize, sieve: Option<Expr>, by: &str) -> Arc<dyn TableProvider> {
        Arc::new(self.of(asked, Some(&[file]), sieve).0.sorted(by))
    }

    fn of(&self, asked: &Asked<'_>, only: Option<&[usize]>, sieve: Option<Expr>) -> (ParquetTable, Reading) {
        let columns = asked.columns();
        let branch = &asked.lowered.branch;
        let mut reading = Reading {
            table: branch.label.clone(),
            counter: branch.counter,
            events: asked.events(),
            columns: columns.iter().map(|&c| c.to_owned()).collect(),
            ..Reading::default()
        };
        let all: Vec<usize> = (0..self.files.len()).collect();
        let mut files = Vec::new();
        for &f in only.unwrap_or(&all) {
            let (Some(file), Some(facts)) = (self.table.files.get(f), self.facts(f)) else { continue };
            let extents = asked.extents(&facts);
            let read = extents.iter().filter(|extent| **extent != Extent::Nothing).count();
            let groups = facts.metadata.row_groups();
            let of_file = groups.iter().zip(&extents).map(|(group, extent)| extent.rows(rows(group))).sum();
            reading.files.add(u64::from(read > 0), 1);
            reading.row_groups.add(read as u64, extents.len() as u64);
            reading.rows.add(of_file, groups.iter().map(rows).sum());
            facts.add(&columns, &extents, &mut reading.bytes, &mut reading.pages);
            if read > 0 {
                files.push(self.part(f, file, &extents));
            }
        }
        (self.table.of(files, reading.rows.read).sifted(sieve), reading)
    }

    /// How many rows a file has.
    pub fn rows(&self, file: usize) -> u64 {
        self.footers.get(file).map_or(0, |footer| footer.metadata.row_groups().iter().map(rows).sum())
    }

    /// Whether the reader can sift rows by their raw names, which are in the files themselves, and should.
    pub fn sifts(&self, asked: &Asked<'_>) -> bool {
        let own = |column: &String| self.table.schema.file_schema().column_with_name(column).is_some();
        asked.source.event.as_ref().is_some_and(own) && asked.few_names()
    }

    /// A file of which so much is read.
    fn part(&self, f: usize, file: &PartitionedFile, extents: &[Extent]) -> PartitionedFile {
        if extents.iter().all(|extent| *extent == Extent::All) {
            return file.clone();
        }
        let Some(footer) = self.footers.get(f) else { return file.clone() };
        let mut plan = ParquetAccessPlan::new_all(extents.len());
        for (g, (extent, group)) in extents.iter().zip(footer.metadata.row_groups()).enumerate() {
            match extent {
                Extent::All => {}
                Extent::Nothing => plan.skip(g),
                Extent::Rows(wanted) => {
                    let all = usize::try_from(group.num_rows()).unwrap_or(0);
                    plan.scan_selection(g, RowSelection::from_consecutive_ranges(wanted.iter().cloned(), all));
                }
            }
        }
        let file = file.clone().with_extension(plan);
        // Whoever reads some pages must know where they are; nobody else relies on the index.
        let some = extents.iter().any(|extent| matches!(extent, Extent::Rows(_)));
        match &footer.indexed {
            Some(indexed) if some => file.with_extension(Known(Arc::clone(indexed))),
            _ => file,
        }
    }

    /// What is read of each row group of a file.
    pub fn extents(&self, asked: &Asked<'_>, file: usize) -> Vec<Extent> {
        self.facts(file).map_or_else(Vec::new, |facts| asked.extents(&facts))
    }

    /// For each row group of all files its rows, and how many of them can be asked for.
    pub fn row_groups(&self, asked: &Asked<'_>) -> Vec<Part> {
        let facts = (0..self.files.len()).filter_map(|f| self.facts(f));
        let of_file = |facts: Facts<'_>| {
            let part = |(group, extent): (&RowGroupMetaData, Extent)| {
                let all = rows(group);
                Part { read: extent.rows(all), all }
            };
            facts.metadata.row_groups().iter().zip(asked.extents(&facts)).map(part).collect::<Vec<_>>()
        };
        facts.flat_map(of_file).collect()
    }

    /// What is read where every row of these columns is: row groups, pages and bytes.
    pub fn whole(&self, columns: &[&str]) -> (Part, Part, Part) {
        let (mut row_groups, mut pages, mut bytes) = <(Part, Part, Part)>::default();
        for facts in (0..self.files.len()).filter_map(|f| self.facts(f)) {
            let groups = facts.metadata.num_row_groups();
            row_groups.add(groups as u64, groups as u64);
            facts.add(columns, &vec![Extent::All; groups], &mut bytes, &mut pages);
        }
        (row_groups, pages, bytes)
    }

    /// The names of all columns of the files, folders included.
    pub fn columns(&self) -> BTreeSet<&str> {
        let own = self.footers.iter().flat_map(|footer| footer.schema.fields()).map(|field| field.name().as_str());
        let folders = self.files.iter().flat_map(|file| &file.hive).map(|(name, _)| name.as_str());
        own.chain(folders).collect()
    }

    /// Whether any of the files says that it is of a compacted store.
    pub fn any_declared(&self) -> bool {
        self.footers.iter().any(|footer| footer.declared.is_some())
    }

    /// The names and values of the folders that are columns of the file.
    pub fn folders(&self, file: usize) -> impl Iterator<Item = (&str, &ScalarValue)> {
        let names = self.table.schema.table_partition_cols().iter().map(|f| f.name().as_str());
        names.zip(self.table.files.get(file).map_or(&[][..], |f| f.partition_values.as_slice()))
    }

    fn facts(&self, file: usize) -> Option<Facts<'_>> {
        let footer = self.footers.get(file)?;
        let folders = self.folders(file).map(|(name, value)| (name, value.try_as_str().flatten()));
        let metadata = footer.indexed.as_ref().unwrap_or(&footer.metadata);
        Some(Facts { schema: &footer.schema, metadata, folders: folders.collect() })
    }
}

fn rows(group: &RowGroupMetaData) -> u64 {
    u64::try_from(group.num_rows()).unwrap_or(0)
}
