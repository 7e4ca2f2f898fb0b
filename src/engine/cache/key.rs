//! What a log depends on beside the rows of its file.
//!
//! Owns: keys, and why a branch has none. Promises: two runs with the same key log the same file alike; nothing in a key depends on
//! the as-of instant. Must not know: what is kept.

use crate::engine::bucket::HASH_VERSION;
use crate::engine::kernels::convert::text;
use crate::engine::kernels::interned::Shape;
use crate::engine::kernels::segment::VERSION;
use crate::engine::plan::lower::{Lowered, Parts, Table};
use crate::engine::plan::program::Branch;
use crate::engine::tables::{Opened, Tables};
use crate::engine::types::{called, flat};
use crate::language::catalog::{Catalog, ColumnRef, LookupId, Unknown};

use super::digest::{Digest, Digests, of_texts};
use super::manifest::FORMAT;

/// Why the files of a branch are read in every run.
pub type Why = &'static str;

pub const COLLAPSES: Why = "an event repeated under one id counts once, whichever files the repeats are in";
pub const DATED: Why = "a condition on its rows depends on the date of the run";
pub const CLUSTERED: Why = "its files are clustered by customer, and every run reads them that way";
pub const RECORDED: Why = "every run adds to it, and it is small beside what customers do";
pub const STANDARD: Why = "standard aggregates read the tables themselves";
pub const UNKNOWN: Why = "its files tell no version by which a change would show";

/// What the keys of a run are made of.
pub struct Makings<'a> {
    pub catalog: &'a Catalog,
    pub tables: &'a Tables,
    pub parts: &'a Parts,
    /// The same program at another instant.
    pub other: &'a Parts,
}

/// The branch as it is for every instant: nothing in its rows is too early or too late.
pub fn timeless(branch: &Branch) -> Branch {
    let mut timeless = Branch { as_of: i64::MAX, ..branch.clone() };
    timeless.kinds.iter_mut().for_each(|kind| kind.windows.clear());
    timeless
}

impl Makings<'_> {
    /// The key of a branch's logs.
    pub fn key(&self, number: usize, digests: &mut Digests) -> Result<Digest, Why> {
        let lowered = self.parts.branches.get(number).ok_or(UNKNOWN)?;
        let Table::Source(source) = lowered.table else { return Err(UNKNOWN) };
        if lowered.collapse.is_some() {
            return Err(COLLAPSES);
        }
        let mine = branch_text(self.parts, lowered).ok_or(UNKNOWN)?;
        let other = self.other.branches.get(number).and_then(|other| branch_text(self.other, other));
        if other.as_ref() != Some(&mine) {
            return Err(DATED);
        }
        let opened = self.tables.sources.get(source as usize).and_then(Option::as_ref).ok_or(UNKNOWN)?;
        let described = self.catalog.sources.get(source as usize).ok_or(UNKNOWN)?;
        let mut texts = vec![
            format!("{FORMAT} {VERSION} {HASH_VERSION} {}", env!("CARGO_PKG_VERSION")),
            mine,
            format!("{:?} {:?} {:?} {:?}", described.customer, described.time, described.event, described.timezone),
            format!("{:?} {}", described.time_unit, self.tables.number_ids),
            columns(opened),
        ];
        let mut lookups: Vec<_> = lowered.refs.iter().filter_map(looked_up).collect();
        lookups.sort();
        lookups.dedup();
        for lookup in lookups {
            let there = self.tables.lookups.get(lookup.index()).and_then(Option::as_ref).ok_or(UNKNOWN)?;
            let key = self.catalog.lookups.get(lookup.index()).map(|l| l.key.as_str()).ok_or(UNKNOWN)?;
            texts.push(format!("{key:?} {}", content(there, digests).ok_or(UNKNOWN)?));
        }
        if let Some(identities) = &self.catalog.identities {
            texts.push(format!("{:?} {:?}", identities.unknown, identities.conflicts));
            for (table, opened) in identities.links.iter().zip(&self.tables.links) {
                texts.push(format!("{:?} {:?} {:?} {:?}", table.from, table.to, table.time, table.timezone));
                texts.push(format!("{:?} {}", table.time_unit, content(opened, digests).ok_or(UNKNOWN)?));
            }
            // Whoever has a profile is known.
            if let Some(opened) = self.tables.profile.as_ref().filter(|_| identities.unknown == Unknown::Drop) {
                let customer = self.catalog.profile.as_ref().map(|profile| profile.customer.as_str());
                texts.push(format!("{customer:?} {}", content(opened, digests).ok_or(UNKNOWN)?));
            }
        }
        Ok(of_texts(texts.iter().map(String::as_str)))
    }
}

/// What the columns hold, however that is encoded.
fn columns(opened: &Opened) -> String {
    let columns = opened.schema.fields().iter().map(|field| (field.name(), called(flat(field.data_type()))));
    format!("{:?}", columns.collect::<Vec<_>>())
}

fn looked_up(at: &ColumnRef) -> Option<LookupId> {
    match at {
        ColumnRef::Lookup { lookup, .. } => Some(*lookup),
        ColumnRef::Own(_) => None,
    }
}

/// All that a branch and its patterns ask of a row.
fn branch_text(parts: &Parts, lowered: &Lowered) -> Option<String> {
    let shape = Shape::new(&parts.program);
    let patterns = lowered.branch.kinds.iter().flat_map(|k| &k.patterns);
    let measures: Vec<_> = patterns.map(|(p, _)| (p, shape.measures.get(*p as usize))).collect();
    let Lowered { refs, ints, texts, .. } = lowered;
    let branch = text(&timeless(&lowered.branch)).ok()?;
    Some(format!("{branch} {refs:?} {ints:?} {texts:?} {measures:?} {} {}", shape.ints, shape.texts))
}

/// The content of all files of a table.
fn content(opened: &Opened, digests: &mut Digests) -> Option<Digest> {
    let inputs = opened.inputs.as_ref()?;
    let files: Option<Vec<Digest>> = (0..inputs.files.len()).map(|f| digests.input(inputs, f).map(|k| k.id)).collect();
    Some(of_texts(files?.iter().map(String::as_str)))
}
