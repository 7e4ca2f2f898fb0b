//! The plans of a pass over a compacted store that reads a file customer by customer.
//!
//! Owns: which file that is, and the two plans: what all else has of the same customers, and the file's rows. Promises: as the plans
//! beside it. Must not know: how they are run.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{AggregateUDF, LogicalPlan};

use super::{ANSWER, Builder, Instead, file_of, name, odd};
use crate::engine::bucket::Share;
use crate::engine::kernels::history::History;
use crate::engine::kernels::stream::{Beside, HistoryStream};
use crate::engine::plan::lower::{Parts, Table};
use crate::engine::report::Counters;
use crate::engine::tables::{Opened, Tables};
use crate::engine::types::flat;
use crate::language::catalog::Catalog;

/// The file whose rows are read customer by customer, and the branch that reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Main {
    pub branch: usize,
    pub file: usize,
}

/// A pass over compacted stores.
#[derive(Clone, Copy)]
pub struct Pass<'a> {
    pub catalog: &'a Catalog,
    /// With the files of the pass alone.
    pub tables: &'a Tables,
    pub parts: &'a Parts,
    pub counters: &'a Arc<Counters>,
    pub share: Share,
}

impl Pass<'_> {
    /// The file that has most of the pass's rows; `None` where none has half of them.
    pub fn main(&self) -> Option<Main> {
        let files = |opened: &Opened| {
            let rows = |file: usize| opened.inputs.as_ref().map_or(0, |inputs| inputs.rows(file));
            opened.only.iter().flatten().map(|&file| (file, rows(file))).collect::<Vec<_>>()
        };
        let all: u64 = self.tables.sources.iter().flatten().flat_map(files).map(|(_, rows)| rows).sum();
        let mut main = None;
        let mut most = 0;
        for (branch, lowered) in self.parts.branches.iter().enumerate() {
            let Table::Source(s) = lowered.table else { continue };
            let Some(Some(opened)) = self.tables.sources.get(s as usize) else { continue };
            // Repeats that collapse come in an order of their own, and so do ids that are not what the column holds.
            if lowered.collapse.is_some() || !self.is_in_order(s as usize, opened) {
                continue;
            }
            for (file, rows) in files(opened) {
                if rows > most {
                    (main, most) = (Some(Main { branch, file }), rows);
                }
            }
        }
        main.filter(|_| 2 * most >= all)
    }

    /// Whether the order of the column is that of the ids in it.
    fn is_in_order(&self, source: usize, opened: &Opened) -> bool {
        let column = self.catalog.sources.get(source).and_then(|source| opened.column(&source.customer));
        column.is_some_and(|found| match flat(found) {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => !self.tables.number_ids,
            other => self.tables.number_ids && other.is_integer(),
        })
    }

    /// What other files and tables have of the customers, as `(group, state)`; `None` where there are no others.
    pub fn beside(&self, main: Main) -> Result<Option<LogicalPlan>> {
        let of_branch = |branch: usize| {
            let opened = self.opened(branch).filter(|_| branch == main.branch)?;
            let others = opened.only.iter().flatten().copied().filter(|file| *file != main.file);
            Some(Instead { states: None, rest: others.collect() })
        };
        let instead: Vec<_> = (0..self.parts.branches.len()).map(of_branch).collect();
        self.builder(&instead).together(self.parts, History::log())
    }

    /// The answer as one block.
    pub fn streamed(&self, main: Main, beside: Beside) -> Result<LogicalPlan> {
        let (Some(lowered), Some(opened)) = (self.parts.branches.get(main.branch), self.opened(main.branch)) else {
            return Err(odd("a source"));
        };
        let of_branch =
            |branch: usize| (branch == main.branch).then(|| Instead { states: None, rest: vec![main.file] });
        let instead: Vec<_> = (0..self.parts.branches.len()).map(of_branch).collect();
        let builder = Builder { streams: Some(main.branch), ..self.builder(&instead) };
        let stream = HistoryStream::new(beside, file_of(opened, main.file), Arc::clone(self.counters));
        let mut arguments = vec![builder.literal()?, name(super::CUSTOMER), name("time"), name("slot")];
        arguments.extend(builder.measures());
        let answer = AggregateUDF::from(stream).call(arguments).alias(ANSWER);
        builder
            .matching(main.branch, lowered)?
            .aggregate(Vec::<datafusion::logical_expr::Expr>::new(), vec![answer])?
            .build()
    }

    fn opened(&self, branch: usize) -> Option<&Opened> {
        let Table::Source(s) = self.parts.branches.get(branch)?.table else { return None };
        self.tables.sources.get(s as usize)?.as_ref()
    }

    fn builder<'b>(&'b self, instead: &'b [Option<Instead>]) -> Builder<'b> {
        let Pass { catalog, tables, parts, counters, share } = *self;
        // A pass over compacted stores knows no links.
        Builder::new(catalog, tables, &parts.program, counters, None, share, instead)
    }
}
