//! The blocks of a run, turned into columns.
//!
//! Owns: merging the sorted blocks of all passes, and the outcome that comes of them. Promises: the outcome is in the order of
//! customers, whatever the order of the blocks. Must not know: how blocks are made.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Builder, StringBuilder};
use arrow::buffer::{BooleanBuffer, Buffer};
use datafusion::error::DataFusionError;

use super::cache::Told;
use super::kernels::bits::{append, transpose, words};
use super::kernels::block::Block;
use super::kernels::ids::{self, Key, key_number, put_text};
use super::kernels::{export, moments, replay};
use super::late::{Column, Known, Work};
use super::plan::late::{Late, Val};
use super::plan::lower::{Parts, Table};
use super::plan::program::{Program, Rows, Scalar};
use super::plan::reading;
use super::report::{Counters, ListReport, Report, SourceReport};
use super::run::Outcome;
use super::tables::{self, Tables};
use crate::error::Error;
use crate::language::catalog::Catalog;
use crate::language::interpret::scalar;

/// Fewer customers are merged by one thread.
const MANY: usize = 1 << 12;

/// The answers so far, of so many instants: blocks, where it is one.
pub struct Gathered {
    answers: Vec<Buffer>,
    instants: usize,
}

/// The customers of all blocks in order, column by column.
struct Columns {
    ids: Ids,
    /// One a wanted node.
    answers: Vec<Vec<u64>>,
    /// One an exported value.
    exports: Vec<Column>,
    population: usize,
    orphans: Vec<u64>,
    twice: Option<String>,
}

enum Ids {
    Numbers(Int64Builder),
    /// With room for the bytes of one.
    Texts(StringBuilder, Vec<u8>),
}

/// The block whose first customer comes next.
struct Next<'a> {
    id: (Key, &'a [u8]),
    block: usize,
}

impl PartialEq for Next<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Next<'_> {}

impl PartialOrd for Next<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Next<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        ids::order(self.id, other.id).then(self.block.cmp(&other.block))
    }
}

fn odd() -> DataFusionError {
    DataFusionError::Internal("the answer is not what was planned".into())
}

impl Default for Gathered {
    fn default() -> Self {
        Gathered::new(1)
    }
}

impl Gathered {
    /// Nothing yet, of so many instants.
    pub fn new(instants: usize) -> Gathered {
        Gathered { answers: Vec::new(), instants }
    }

    /// All blocks at once, of one instant.
    pub fn of(answers: Vec<Buffer>) -> Gathered {
        Gathered { answers, instants: 1 }
    }

    /// Keeps the answers of a batch; how many customers they are about.
    pub fn take(&mut self, answers: &ArrayRef) -> Result<u64, DataFusionError> {
        let answers = answers.as_binary_opt::<i64>().ok_or_else(odd)?;
        let mut customers = 0;
        for ends in answers.value_offsets().windows(2) {
            let [from, to] = ends else { continue };
            let (from, to) = (usize::try_from(*from).unwrap_or(0), usize::try_from(*to).unwrap_or(0));
            let answer = answers.values().slice_with_length(from, to.saturating_sub(from));
            customers += moments::customers(&answer, self.instants).ok_or_else(odd)? as u64;
            self.answers.push(answer);
        }
        Ok(customers)
    }

    /// Keeps the answers of another pass.
    pub fn absorb(&mut self, other: Gathered) {
        self.answers.extend(other.answers);
    }

    /// The outcome, when all answers are there.
    pub fn finish(self, run: &Ran<'_>) -> Result<Outcome, Error> {
        let Parts { program, late, population, .. } = run.parts;
        run.outcome(self.answers, program, late, *population)
    }

    /// The outcomes of all instants, one after the other.
    pub fn each<'a>(self, run: &'a Ran<'a>) -> impl Iterator<Item = Result<Outcome, Error>> + 'a {
        let Parts { program, late, population, .. } = run.parts;
        let earlier = run.parts.earlier.iter().map(|moment| (&moment.program, &moment.late, moment.population));
        earlier.chain([(program, late, *population)]).enumerate().map(move |(at, (program, late, counted))| {
            let blocks = self.answers.iter().map(|all| moments::block(all, self.instants, at).ok_or_else(odd));
            let blocks = blocks.collect::<Result<_, _>>().map_err(|e| super::run::translate(&e))?;
            run.outcome(blocks, program, late, counted)
        })
    }
}

/// What an outcome is made with, beside the blocks.
pub struct Ran<'a> {
    pub catalog: &'a Catalog,
    pub tables: &'a Tables,
    pub parts: &'a Parts,
    pub counters: &'a Counters,
    pub threads: usize,
}

impl Ran<'_> {
    fn outcome(&self, blocks: Vec<Buffer>, program: &Program, late: &Late, counted: bool) -> Result<Outcome, Error> {
        let Ran { catalog, tables, parts, counters, threads } = *self;
        let mut columns = merged(&blocks, program, tables, threads).map_err(|e| super::run::translate(&e))?;
        if let Some(id) = columns.twice {
            return Err(twice(catalog, &id));
        }
        let population = counted.then_some(columns.population as u64);
        let mut report = Report { population, ..Report::default() };
        let readings = reading::readings(catalog, tables, parts);
        let mut read = vec![false; catalog.sources.len()];
        let mut list_orphans = columns.orphans.into_iter();
        for branch in parts.branches.iter().filter(|b| b.branch.counts) {
            let files = |t: Option<&tables::Opened>| t.map_or(0, |t| t.files);
            let (name, counter) = (&branch.branch.label, branch.branch.counter);
            match (branch.branch.rows, branch.table) {
                (Rows::Event, Table::Source(s)) => {
                    let s = s as usize;
                    let reading = readings.iter().find(|r| r.counter == counter);
                    let skipped = reading.map_or(0, |r| r.rows.skipped());
                    // Of an event that no row was that was read nothing is known where others were not read.
                    if let Some(read) = read.get_mut(s) {
                        *read = skipped == 0;
                    }
                    let opened = tables.sources.get(s).and_then(Option::as_ref);
                    let counted = counters.source(counter, name, files(opened));
                    report.sources.push(SourceReport { skipped, ..counted });
                }
                // A history without rows is no finding: it begins like that.
                (Rows::Recorded, Table::Source(s)) => {
                    let opened = tables.sources.get(s as usize).and_then(Option::as_ref);
                    let counted = counters.source(counter, name, files(opened));
                    report.sources.extend(Some(counted).filter(|of| of.rows > 0));
                }
                (Rows::Profile, _) => {
                    report.profiles = Some(counters.source(counter, name, files(tables.profile.as_ref())));
                }
                _ => {
                    let rows = counters.source(counter, name, 1);
                    report.lists.push(ListReport {
                        name: name.clone(),
                        rows: rows.rows,
                        no_customer: rows.no_customer,
                        linked: rows.linked,
                        orphans: list_orphans.next().unwrap_or(0),
                    });
                }
            }
        }
        report.missing_events = counters.missing(catalog, |s| read.get(s).copied().unwrap_or(false));
        let customers: ArrayRef = match &mut columns.ids {
            Ids::Numbers(numbers) => Arc::new(numbers.finish()),
            Ids::Texts(texts, _) => Arc::new(texts.finish()),
        };
        let bits = |words: Vec<u64>| BooleanBuffer::new(Buffer::from_vec(words), 0, columns.population);
        let answers = columns.answers.into_iter().map(bits).collect();
        let known = Known { customers: &customers, answers, columns: columns.exports };
        let (members, traits) = behind(late, known);
        Ok(Outcome { customers, members, traits, report, passes: 1, kept: Told::default() })
    }
}

/// Merges blocks, with so many threads.
fn merged(blocks: &[Buffer], program: &Program, tables: &Tables, threads: usize) -> Result<Columns, DataFusionError> {
    let blocks = blocks.iter().map(|bytes| Block::read(bytes).ok_or_else(odd)).collect::<Result<Vec<_>, _>>()?;
    Columns::merge(blocks, program, tables, threads)
}

impl Columns {
    /// Merges blocks: the lower half of the ids and the upper one at once, where that is quick to tell and there are many.
    fn merge(
        blocks: Vec<Block<'_>>,
        program: &Program,
        tables: &Tables,
        threads: usize,
    ) -> Result<Columns, DataFusionError> {
        let customers: usize = blocks.iter().map(Block::customers).sum();
        if threads < 2 || customers < MANY || !blocks.iter().all(Block::is_even) {
            return Columns::merge_alone(blocks, program, tables);
        }
        let mut sample: Vec<Key> = blocks.iter().flat_map(|block| block.sample(MANY / 64)).collect();
        sample.sort_unstable();
        let middle = sample.get(sample.len() / 2).copied().unwrap_or_default();
        let (low, high): (Vec<_>, Vec<_>) = blocks.into_iter().map(|block| block.split(middle)).unzip();
        std::thread::scope(|scope| {
            let high = scope.spawn(|| Columns::merge(high, program, tables, threads / 2));
            let mut low = Columns::merge(low, program, tables, threads - threads / 2)?;
            low.append(high.join().map_err(|_| odd())??);
            Ok(low)
        })
    }

    /// Appends the customers behind these.
    fn append(&mut self, others: Columns) {
        match (&mut self.ids, others.ids) {
            (Ids::Numbers(mine), Ids::Numbers(mut others)) => mine.append_slice(others.finish().values()),
            (Ids::Texts(mine, _), Ids::Texts(mut others, _)) => {
                others.finish().iter().flatten().for_each(|text| mine.append_value(text));
            }
            _ => {}
        }
        for (mine, others) in self.answers.iter_mut().zip(&others.answers) {
            append(mine, self.population, others);
        }
        self.population += others.population;
        self.answers.iter_mut().for_each(|mine| mine.truncate(words(self.population)));
        self.orphans.iter_mut().zip(others.orphans).for_each(|(mine, others)| *mine += others);
        self.twice = self.twice.take().or(others.twice);
    }

    fn merge_alone(mut blocks: Vec<Block<'_>>, program: &Program, tables: &Tables) -> Result<Columns, DataFusionError> {
        let (wanted, lists, width) = (program.wanted.len(), program.lists.len(), replay::width(program));
        let most = blocks.iter().map(Block::customers).sum::<usize>();
        let mut columns = Columns {
            ids: if tables.number_ids {
                Ids::Numbers(Int64Builder::with_capacity(most))
            } else {
                Ids::Texts(StringBuilder::with_capacity(most, 12 * most), Vec::new())
            },
            answers: vec![Vec::with_capacity(words(most)); wanted],
            exports: program.exports.iter().map(|_| Column::default()).collect(),
            population: 0,
            orphans: vec![0; lists],
            twice: None,
        };
        let mut heap: BinaryHeap<Reverse<Next<'_>>> =
            blocks.iter().enumerate().filter_map(|(block, b)| Some(Reverse(Next { id: b.first()?, block }))).collect();
        let marks = wanted + lists;
        let mut square: Vec<u64> = Vec::with_capacity(64 * width);
        let mut row: Vec<u64> = Vec::with_capacity(width);
        while let Some(mut top) = heap.peek_mut() {
            let Next { id, block } = top.0;
            let block = blocks.get_mut(block).ok_or_else(odd)?;
            row.clear();
            row.extend(block.row());
            block.advance();
            let bit = |bit: usize| row.get(bit / 64).is_some_and(|word| word >> (bit % 64) & 1 == 1);
            if columns.twice.is_none() && bit(marks + 1) {
                columns.twice = Some(columns.ids.text(id));
            }
            // Where only members are told, somebody may be here for a list alone.
            let counts = bit(marks)
                && (!program.members_only || (0..wanted).any(bit))
                && (tables.erased.is_empty() || !tables.erased.has(&columns.ids.text(id)));
            if !bit(marks) {
                for (list, orphans) in columns.orphans.iter_mut().enumerate() {
                    *orphans += u64::from(bit(wanted + list));
                }
            }
            for column in &mut columns.exports {
                let value = export::take(&mut block.exports);
                if counts {
                    column.push(value);
                }
            }
            if counts {
                columns.ids.push(id);
                columns.population += 1;
                square.extend_from_slice(&row);
                if square.len() == 64 * width {
                    columns.turn(&mut square, width);
                }
            }
            match block.first() {
                Some(id) => top.0.id = id,
                None => {
                    std::collections::binary_heap::PeekMut::pop(top);
                }
            }
        }
        if !square.is_empty() {
            square.resize(64 * width, 0);
            columns.turn(&mut square, width);
        }
        Ok(columns)
    }

    /// Turns 64 rows into a word a column.
    fn turn(&mut self, rows: &mut Vec<u64>, width: usize) {
        for (group, columns) in self.answers.chunks_mut(64).enumerate() {
            let mut square = [0; 64];
            for (to, row) in square.iter_mut().zip(rows.chunks_exact(width)) {
                *to = row.get(group).copied().unwrap_or(0);
            }
            transpose(&mut square);
            columns.iter_mut().zip(square).for_each(|(column, word)| column.push(word));
        }
        rows.clear();
    }
}

impl Ids {
    fn push(&mut self, (key, tail): (Key, &[u8])) {
        match self {
            Ids::Numbers(numbers) => numbers.append_value(key_number(key)),
            Ids::Texts(texts, bytes) => {
                bytes.clear();
                put_text(key, tail, bytes);
                texts.append_value(std::str::from_utf8(bytes).unwrap_or_default());
            }
        }
    }

    fn text(&self, (key, tail): (Key, &[u8])) -> String {
        match self {
            Ids::Numbers(_) => key_number(key).to_string(),
            Ids::Texts(..) => {
                let mut bytes = Vec::new();
                put_text(key, tail, &mut bytes);
                String::from_utf8(bytes).unwrap_or_default()
            }
        }
    }
}

/// Nobody can tell which of a customer's profiles counts.
pub(super) fn twice(catalog: &Catalog, id: &str) -> Error {
    let (message, help) = match catalog.profile.as_ref().and_then(|p| p.updated_at.as_ref()) {
        None => (
            format!("the profiles have several rows of customer `{id}`"),
            match catalog.identities {
                None => "name the column that tells the latest: `updated_at: …`",
                Some(_) => {
                    "name the column that tells the latest: `updated_at: …`; `segue identities ID` tells which ids are this customer"
                }
            },
        ),
        Some(column) => (
            format!("the profiles have several rows of customer `{id}` with the same `{column}`"),
            "one row a customer must be the latest",
        ),
    };
    Error::data(message).with_help(help)
}

/// What is left to do when all customers are known.
fn behind(late: &Late, known: Known<'_>) -> (Vec<BooleanBuffer>, Vec<Vec<Option<scalar::Scalar>>>) {
    let rows = known.customers.len();
    let work = Work::new(late, known);
    let members = late.rules.iter().map(|&at| work.bits(at)).collect();
    let own = |value: Scalar<'_>| match value {
        Scalar::Num(num) => Some(scalar::Scalar::Num(num)),
        Scalar::Text(text) => Some(scalar::Scalar::Text(text.to_owned())),
        Scalar::YesNo(yes) => Some(scalar::Scalar::YesNo(yes)),
        Scalar::Date(days) => Some(scalar::Scalar::Date(days)),
        Scalar::Instant(at) => Some(scalar::Scalar::Instant(at)),
        Scalar::List(_) => None,
    };
    let told = |value: &Val| (0..rows).map(|row| work.value(value, row).and_then(own)).collect();
    let traits = late.traits.iter().map(|value| value.as_ref().map_or_else(Vec::new, told));
    (members, traits.collect())
}
