//! `event_slot`: which patterns of the program a row matches.
//!
//! Owns: the scalar function and its memory of combinations. Promises: each predicate is evaluated once a combination of
//! classes of values, not once a row; rows that are no event of the catalog are null; what is left out is counted.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex};

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, DictionaryArray, UInt32Array};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::{DataType, Int64Type, UInt32Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

use super::convert::{literal_bytes, read};
use super::hash::Map;
use super::{interned, test};
use crate::engine::meter::Meter;
use crate::engine::plan::program::{Branch, Rows};
use crate::engine::report::{Counters, Tally};
use crate::engine::types::{self, Column};
use crate::language::calendar::Zone;

pub mod asked;
mod classes;
mod combine;
mod views;

use classes::{Classes, Held};
use combine::Combine;
use views::{Views, by_keys};

/// The type of a slot: lists of patterns, each as the kind of row and the patterns' numbers. Batches of one thread share their
/// lists as long as no new one turns up.
pub fn slot_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::UInt32), Box::new(DataType::Binary))
}

/// `event_slot(branch, customer, time, raw name, columns…)`. The time of a row that needs none is null.
#[derive(Debug)]
pub struct EventSlot {
    signature: Signature,
    counters: Arc<Counters>,
    memories: Memories,
}

impl EventSlot {
    pub fn new(counters: Arc<Counters>) -> EventSlot {
        // Volatile, so that no optimiser evaluates it twice: it counts.
        EventSlot { signature: Signature::variadic_any(Volatility::Volatile), counters, memories: Memories::default() }
    }
}

impl PartialEq for EventSlot {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.counters, &other.counters)
    }
}

impl Eq for EventSlot {}

impl Hash for EventSlot {
    fn hash<H: Hasher>(&self, state: &mut H) {
        "event_slot".hash(state);
    }
}

impl ScalarUDFImpl for EventSlot {
    fn name(&self) -> &str {
        "event_slot"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(slot_type())
    }

    /// Without the program, which is long.
    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        Ok(format!("event_slot({} columns)", args.len().saturating_sub(4)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some(ColumnarValue::Scalar(program)) = args.args.first() else {
            return Err(DataFusionError::Internal("event_slot wants a literal first".into()));
        };
        let mut memory = self.memories.take(program)?;
        let arrays: Vec<ArrayRef> =
            args.args.iter().skip(1).map(|a| a.to_array(args.number_rows)).collect::<Result<_>>()?;
        let (slots, tally) = memory.slots(&arrays, args.number_rows)?;
        if memory.branch.counts {
            self.counters.add(memory.branch.counter, tally);
        }
        if self.counters.meter.counts() {
            entries(&slots, &self.counters.meter);
        }
        self.memories.give(memory);
        Ok(ColumnarValue::Array(Arc::new(slots)))
    }
}

/// Memories that no batch is using just now.
#[derive(Debug, Default)]
struct Memories(Mutex<Vec<Memory>>);

impl Memories {
    /// One that knows the program, or a new one.
    fn take(&self, program: &ScalarValue) -> Result<Memory> {
        let bytes = literal_bytes(program).unwrap_or_default();
        let idle = self.0.lock().ok().and_then(|mut idle| {
            let at = idle.iter().position(|m| m.program == bytes)?;
            Some(idle.swap_remove(at))
        });
        idle.map_or_else(|| Memory::new(bytes), Ok)
    }

    fn give(&self, memory: Memory) {
        if let Ok(mut idle) = self.0.lock() {
            idle.push(memory);
        }
    }
}

/// Counts how many rows each pattern has.
fn entries(slots: &DictionaryArray<UInt32Type>, meter: &Meter) {
    let Some(lists) = slots.values().as_binary_opt::<i32>() else { return };
    let mut rows = vec![0u64; lists.len()];
    for list in slots.keys().iter().flatten() {
        if let Some(rows) = rows.get_mut(list as usize) {
            *rows += 1;
        }
    }
    for (list, rows) in rows.into_iter().enumerate().filter(|(_, rows)| *rows > 0) {
        // The first byte says what the row is; seven bits a byte, the lowest first.
        let (mut pattern, mut shift) = (0u32, 0);
        for byte in lists.value(list).iter().skip(1) {
            pattern |= u32::from(byte & 127).checked_shl(shift).unwrap_or(0);
            shift += 7;
            if *byte < 128 {
                meter.entries(pattern, rows);
                (pattern, shift) = (0, 0);
            }
        }
    }
}

/// What one thread has learnt about a branch.
#[derive(Debug)]
struct Memory {
    program: Vec<u8>,
    branch: Arc<Branch>,
    zone: Zone,
    /// Raw name → class; the class says which kinds take it.
    raw: Map<String, u32>,
    raw_kinds: Vec<(Option<String>, Vec<usize>)>,
    views: Views,
    classes: Classes,
    combinations: Combine,
    lists: Lists,
}

/// Beyond so many combinations the memory starts afresh.
const MANY: usize = 1 << 18;

/// The row is none of the catalog's, or nobody asks for it.
const NOTHING: u32 = u32::MAX - 1;

/// Lists of patterns.
#[derive(Debug, Default)]
struct Lists {
    lists: Vec<List>,
    numbers: Map<Vec<u8>, u32>,
    /// All of them as an array, made anew when one is added.
    array: Option<Arc<BinaryArray>>,
}

/// What stands in a slot.
#[derive(Debug, Clone)]
struct List {
    bytes: Vec<u8>,
    /// The widest window of its patterns, and what stands in the slots of rows outside of it.
    window: (i64, i64),
    outside: u32,
}

impl Lists {
    fn number(&mut self, bytes: Vec<u8>, window: (i64, i64), outside: u32) -> u32 {
        if let Some(&number) = self.numbers.get(&bytes) {
            return number;
        }
        let number = self.lists.len() as u32;
        self.lists.push(List { bytes: bytes.clone(), window, outside });
        self.numbers.insert(bytes, number);
        self.array = None;
        number
    }

    fn array(&mut self) -> Arc<BinaryArray> {
        let all = || Arc::new(BinaryArray::from_iter_values(self.lists.iter().map(|list| &list.bytes)));
        Arc::clone(self.array.get_or_insert_with(all))
    }
}

impl Memory {
    fn new(program: &[u8]) -> Result<Memory> {
        let branch: Branch = read(Some(program))?;
        let classes = Classes::new(&branch);
        let mut memory = Memory {
            program: program.to_vec(),
            zone: types::zone(&branch.zone),
            branch: Arc::new(branch),
            raw: Map::default(),
            raw_kinds: Vec::new(),
            views: Views::default(),
            classes,
            combinations: Combine::default(),
            lists: Lists::default(),
        };
        // Class 0 is a null name.
        let kinds = memory.kinds_of(None);
        memory.raw_kinds.push((None, kinds));
        Ok(memory)
    }

    /// Starts afresh where too much was learnt.
    fn forget(&mut self) -> Result<()> {
        if self.combinations.learnt().max(self.raw_kinds.len()).max(self.classes.learnt()) > MANY {
            *self = Memory::new(&self.program)?;
        }
        Ok(())
    }

    fn kinds_of(&self, name: Option<&str>) -> Vec<usize> {
        self.branch.kinds.iter().enumerate().filter(|(_, kind)| kind.takes(name)).map(|(k, _)| k).collect()
    }

    fn raw_class(&mut self, name: &str) -> u32 {
        if let Some(&class) = self.raw.get(name) {
            return class;
        }
        let class = self.raw_kinds.len() as u32;
        let kinds = self.kinds_of(Some(name));
        self.raw_kinds.push((Some(name.to_owned()), kinds));
        self.raw.insert(name.to_owned(), class);
        class
    }

    fn raw_classes(&mut self, names: &ArrayRef) -> Result<Vec<u32>> {
        let Column::Text { values, keys } = types::texts(names)? else { return Ok(vec![0; names.len()]) };
        if values.null_count() == values.len() {
            return Ok(vec![0; names.len()]);
        }
        let mut views = std::mem::take(&mut self.views);
        let classes = views.classes(&values, |name| self.raw_class(name));
        self.views = views;
        Ok(by_keys(classes, keys.as_ref()))
    }

    fn slots(&mut self, arrays: &[ArrayRef], rows: usize) -> Result<(DictionaryArray<UInt32Type>, Tally)> {
        let [customers, times, names, columns @ ..] = arrays else {
            return Err(DataFusionError::Internal("event_slot wants a customer, a time and a name".into()));
        };
        self.forget()?;
        let (branch, zone) = (Arc::clone(&self.branch), self.zone.clone());
        let times = times.as_primitive::<Int64Type>();
        let names = self.raw_classes(names)?;
        let mut tally = Tally::default();
        if branch.counts && !branch.sifted {
            tally.rows = rows as u64;
            self.count(&names, &mut tally);
        }
        let held = Held::new(columns, &branch.columns, times, &zone, &self.classes)?;
        let mut codes = self.classes.codes(&held, rows);
        codes.insert(0, names);
        let mut combinations = std::mem::take(&mut self.combinations);
        let mut keys = combinations.answers(&codes, rows, |row| {
            let raw = codes.first().and_then(|names| names.get(row)).copied().unwrap_or(0);
            self.evaluate(raw, &held, row)
        });
        self.combinations = combinations;

        let (events, profile) = (branch.rows.happens(), branch.rows == Rows::Profile);
        let late_profile = if profile { self.lists.number(vec![Rows::Late as u8], ALWAYS, NOTHING) } else { NOTHING };
        let some = |nulls: Option<&NullBuffer>| nulls.filter(|nulls| nulls.null_count() > 0).cloned();
        let (customers, timed) = (some(customers.logical_nulls().as_ref()), some(times.nulls()));
        for (row, (key, &time)) in keys.iter_mut().zip(times.values()).enumerate() {
            let has_time = timed.as_ref().is_none_or(|nulls| nulls.is_valid(row));
            if customers.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                tally.no_customer += 1;
                *key = NOTHING;
            } else if !has_time {
                if events {
                    tally.no_time += 1;
                    *key = NOTHING;
                }
            } else if time >= branch.as_of {
                tally.not_yet += 1;
                if events || profile {
                    *key = late_profile;
                }
            } else if events
                && let Some(list) = self.lists.lists.get(*key as usize)
                && (time < list.window.0 || list.window.1 <= time)
            {
                *key = list.outside;
            }
        }
        let valid = BooleanBuffer::collect_bool(rows, |row| keys.get(row).is_some_and(|key| *key != NOTHING));
        let valid = NullBuffer::new(valid);
        if valid.null_count() > 0 {
            keys.iter_mut().filter(|key| **key == NOTHING).for_each(|key| *key = 0);
        }
        let (keys, lists) =
            if self.lists.lists.len() <= 4_096 { (keys, self.lists.array()) } else { self.only_used(keys, &valid) };
        let keys = UInt32Array::new(keys.into(), Some(valid).filter(|valid| valid.null_count() > 0));
        Ok((DictionaryArray::try_new(keys, lists)?, tally))
    }

    /// The lists of a batch alone, where there are very many.
    fn only_used(&self, mut keys: Vec<u32>, valid: &NullBuffer) -> (Vec<u32>, Arc<BinaryArray>) {
        let mut local: Map<u32, u32> = Map::default();
        let mut used: Vec<u32> = Vec::new();
        for (row, key) in keys.iter_mut().enumerate() {
            if valid.is_valid(row) {
                let list = *key;
                *key = *local.entry(list).or_insert_with(|| {
                    used.push(list);
                    used.len() as u32 - 1
                });
            }
        }
        let lists = used.iter().filter_map(|&list| self.lists.lists.get(list as usize)).map(|list| &list.bytes);
        (keys, Arc::new(BinaryArray::from_iter_values(lists)))
    }

    /// How many rows each event has, and each name that is none.
    fn count(&self, names: &[u32], tally: &mut Tally) {
        let mut seen = vec![0u64; self.raw_kinds.len()];
        for &raw in names {
            if let Some(count) = seen.get_mut(raw as usize) {
                *count += 1;
            }
        }
        for ((name, kinds), count) in self.raw_kinds.iter().zip(seen).filter(|(_, count)| *count > 0) {
            for &kind in kinds {
                if let Some(event) = self.branch.kinds.get(kind).and_then(|k| k.event) {
                    *tally.events.entry(event).or_default() += count;
                }
            }
            if kinds.is_empty() {
                *tally.unknown.entry(name.clone()).or_default() += count;
            }
        }
    }

    /// The list of patterns of a row, or [`NOTHING`].
    fn evaluate(&mut self, raw: u32, held: &Held, row: usize) -> u32 {
        let values = held.row(row);
        let mut patterns: Vec<u32> = Vec::new();
        let mut window = NEVER;
        let mut any = false;
        let Some((_, kinds)) = self.raw_kinds.get(raw as usize) else { return NOTHING };
        for kind in kinds.iter().filter_map(|&k| self.branch.kinds.get(k)).filter(|k| !k.foreign) {
            let passes = |p| test::pred(p, &|t| test::test(t, held.zone, &|o| values.read(o)));
            if kind.filter.as_ref().is_some_and(|f| !passes(f)) {
                continue;
            }
            any = true;
            for (p, (id, pred)) in kind.patterns.iter().enumerate() {
                if passes(pred) {
                    patterns.push(*id);
                    let (lo, hi) = kind.window(p);
                    window = (window.0.min(lo), window.1.max(hi));
                }
            }
        }
        if !any || (patterns.is_empty() && !self.branch.keep_all) {
            return NOTHING;
        }
        let rows = self.branch.rows as u8;
        let bare = if self.branch.keep_all { self.lists.number(vec![rows], ALWAYS, NOTHING) } else { NOTHING };
        if patterns.is_empty() {
            return bare;
        }
        let mut list = vec![rows];
        patterns.sort_unstable();
        for pattern in patterns {
            interned::put_varint(&mut list, u64::from(pattern));
        }
        self.lists.number(list, window, bare)
    }
}

const ALWAYS: (i64, i64) = (i64::MIN, i64::MAX);
const NEVER: (i64, i64) = (i64::MAX, i64::MIN);
