//! What the index of pages tells of a row group.
//!
//! Owns: where the pages of a column begin, and what lies between their least and greatest values. Promises: an index that
//! contradicts itself is as good as none. Must not know: what is asked for.

use std::collections::BTreeSet;
use std::ops::Range;

use ::parquet::file::metadata::RowGroupMetaData;
use ::parquet::file::page_index::column_index::ColumnIndexMetaData;
use ::parquet::file::page_index::offset_index::PageLocation;

use super::{Extent, Facts, Part};

/// The pages of one column in one row group.
#[derive(Clone, Copy)]
pub struct Pages<'a> {
    locations: &'a [PageLocation],
    values: Option<&'a ColumnIndexMetaData>,
}

/// What is read of them.
#[derive(Default)]
pub struct OfPages {
    pub pages: Part,
    pub bytes: Part,
}

impl<'a> Facts<'a> {
    /// The pages of a column, where the file tells.
    pub(super) fn pages(&self, group: usize, leaf: usize) -> Option<Pages<'a>> {
        let rows = usize::try_from(self.metadata.row_groups().get(group)?.num_rows()).ok()?;
        let locations = self.metadata.offset_index()?.get(group)?.get(leaf)?.page_locations().as_slice();
        let starts = || locations.iter().map(|at| usize::try_from(at.first_row_index).unwrap_or(usize::MAX));
        let ascending = starts().zip(starts().skip(1)).all(|(a, b)| a < b);
        if starts().next() != Some(0) || !ascending || starts().next_back().is_none_or(|last| last >= rows) {
            return None;
        }
        let values = self.metadata.column_index().and_then(|index| index.get(group)?.get(leaf));
        let values = values.filter(|v| !matches!(v, ColumnIndexMetaData::NONE));
        Some(Pages { locations, values: values.filter(|v| v.num_pages() == locations.len() as u64) })
    }
}

impl<'a> Pages<'a> {
    fn starts(&self) -> impl Iterator<Item = usize> + 'a {
        self.locations.iter().map(|at| usize::try_from(at.first_row_index).unwrap_or(usize::MAX))
    }

    /// The page of a row.
    fn of_row(&self, row: usize) -> usize {
        self.locations.partition_point(|at| usize::try_from(at.first_row_index).is_ok_and(|first| first <= row)).max(1)
            - 1
    }

    /// The least and the greatest number of a page; nothing where all are missing.
    pub fn numbers(&self, page: usize) -> Option<(i64, i64)> {
        match self.values? {
            ColumnIndexMetaData::INT64(of) => Some((*of.min_value(page)?, *of.max_value(page)?)),
            ColumnIndexMetaData::INT32(of) => Some((i64::from(*of.min_value(page)?), i64::from(*of.max_value(page)?))),
            _ => None,
        }
    }

    /// The same of texts; what is cut off is before the least or behind the greatest.
    pub fn texts(&self, page: usize) -> Option<(&'a [u8], &'a [u8])> {
        let ColumnIndexMetaData::BYTE_ARRAY(of) = self.values? else { return None };
        Some((of.min_value(page)?, of.max_value(page)?)).filter(|(min, max)| min <= max)
    }

    /// What is read where so much of the row group is.
    pub fn read(&self, group: &RowGroupMetaData, extent: &Extent) -> OfPages {
        let rows = usize::try_from(group.num_rows()).unwrap_or(0);
        let ends = self.starts().skip(1).chain([rows]);
        let mut of = OfPages::default();
        for ((start, end), at) in self.starts().zip(ends).zip(self.locations) {
            let read = match extent {
                Extent::Nothing => false,
                Extent::All => true,
                Extent::Rows(rows) => rows.iter().any(|rows| rows.start < end && start < rows.end),
            };
            let bytes = u64::try_from(at.compressed_page_size).unwrap_or(0);
            of.pages.add(u64::from(read), 1);
            of.bytes.add(if read { bytes } else { 0 }, bytes);
        }
        of
    }
}

/// Which rows of a row group are wanted, page by page of the columns; those of two columns begin at different rows.
pub fn extent<const N: usize>(
    group: &RowGroupMetaData,
    columns: [Option<&Pages<'_>>; N],
    wants: impl Fn([Option<usize>; N]) -> bool,
) -> Extent {
    let all = usize::try_from(group.num_rows()).unwrap_or(0);
    let starts: BTreeSet<usize> = columns.iter().flatten().flat_map(|pages| pages.starts()).collect();
    if starts.len() < 2 {
        return Extent::All;
    }
    let mut wanted: Vec<Range<usize>> = Vec::new();
    let ends = starts.iter().copied().skip(1).chain([all]);
    for (start, end) in starts.iter().copied().zip(ends) {
        if !wants(columns.map(|pages| pages.map(|pages| pages.of_row(start)))) {
            continue;
        }
        match wanted.last_mut() {
            Some(last) if last.end == start => last.end = end,
            _ => wanted.push(start..end),
        }
    }
    match wanted.as_slice() {
        [] => Extent::Nothing,
        [one] if *one == (0..all) => Extent::All,
        _ => Extent::Rows(wanted),
    }
}
