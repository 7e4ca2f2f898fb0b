//! `event_slot`: which patterns of the program a row matches.
//!
//! Owns: the scalar function and its memory of combinations. Promises: each predicate is evaluated once a combination of
//! classes of values, not once a row; rows that are no event of the catalog are null; what is left out is counted.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex};

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, DictionaryArray, UInt32Array};
use arrow::datatypes::{DataType, Int64Type, UInt32Type};
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

use super::convert::{literal_bytes, read};
use super::hash::Map;
use super::{log, test};
use crate::engine::plan::program::{Branch, Kind, Rows};
use crate::engine::report::{Counters, Tally};
use crate::engine::types::{self, Column};

mod classes;

use classes::{Classes, Held};

/// The type of a slot: the distinct lists of patterns of a batch, each as the kind of row and the patterns' numbers.
pub fn slot_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::UInt32), Box::new(DataType::Binary))
}

/// `event_slot(branch, customer, time, raw name, columns…)`. The time of a row that needs none is null.
#[derive(Debug)]
pub struct EventSlot {
    signature: Signature,
    counters: Arc<Counters>,
    /// Memories that no batch is using just now.
    idle: Mutex<Vec<Memory>>,
}

impl EventSlot {
    pub fn new(counters: Arc<Counters>) -> EventSlot {
        // Volatile, so that no optimiser evaluates it twice: it counts.
        EventSlot { signature: Signature::variadic_any(Volatility::Volatile), counters, idle: Mutex::new(Vec::new()) }
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
        let bytes = literal_bytes(program).unwrap_or_default();
        let idle = self.idle.lock().ok().and_then(|mut idle| {
            let at = idle.iter().position(|m| m.program == bytes)?;
            Some(idle.swap_remove(at))
        });
        let mut memory = match idle {
            Some(memory) => memory,
            None => Memory::new(bytes)?,
        };
        let arrays: Vec<ArrayRef> =
            args.args.iter().skip(1).map(|a| a.to_array(args.number_rows)).collect::<Result<_>>()?;
        let (slots, tally) = memory.slots(&arrays, args.number_rows)?;
        if memory.branch.counts {
            self.counters.add(memory.branch.counter, tally);
        }
        if let Ok(mut idle) = self.idle.lock() {
            idle.push(memory);
        }
        Ok(ColumnarValue::Array(Arc::new(slots)))
    }
}

/// What one thread has learnt about a branch.
#[derive(Debug)]
struct Memory {
    program: Vec<u8>,
    branch: Arc<Branch>,
    /// Raw name → class; the class says which kinds take it.
    raw: Map<String, u32>,
    raw_kinds: Vec<(Option<String>, Vec<usize>)>,
    classes: Classes,
    combinations: Map<Box<[u32]>, Option<u32>>,
    /// Lists of patterns.
    lists: Vec<Vec<u8>>,
    list_numbers: Map<Vec<u8>, u32>,
}

/// Beyond so many combinations the memory starts afresh.
const MANY: usize = 1 << 18;

impl Memory {
    fn new(program: &[u8]) -> Result<Memory> {
        let branch: Branch = read(Some(program))?;
        let classes = Classes::new(&branch);
        let mut memory = Memory {
            program: program.to_vec(),
            branch: Arc::new(branch),
            raw: Map::default(),
            raw_kinds: Vec::new(),
            classes,
            combinations: Map::default(),
            lists: Vec::new(),
            list_numbers: Map::default(),
        };
        // Class 0 is a null name.
        let kinds = memory.kinds_of(None);
        memory.raw_kinds.push((None, kinds));
        Ok(memory)
    }

    fn kinds_of(&self, name: Option<&str>) -> Vec<usize> {
        let takes = |kind: &Kind| match (&kind.exact, name) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(exact), Some(name)) => {
                exact.iter().any(|e| e == name) || kind.prefixes.iter().any(|p| name.starts_with(p.as_str()))
            }
        };
        self.branch.kinds.iter().enumerate().filter(|(_, kind)| takes(kind)).map(|(k, _)| k).collect()
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
        let classes: Vec<u32> = values.iter().map(|name| name.map_or(0, |name| self.raw_class(name))).collect();
        Ok(match keys {
            None => classes,
            Some(keys) => keys.iter().map(|k| k.and_then(|k| classes.get(k as usize)).copied().unwrap_or(0)).collect(),
        })
    }

    fn slots(&mut self, arrays: &[ArrayRef], rows: usize) -> Result<(DictionaryArray<UInt32Type>, Tally)> {
        let [customers, times, names, columns @ ..] = arrays else {
            return Err(DataFusionError::Internal("event_slot wants a customer, a time and a name".into()));
        };
        if self.combinations.len().max(self.raw_kinds.len()).max(self.classes.learnt()) > MANY {
            *self = Memory::new(&self.program)?;
        }
        let branch = Arc::clone(&self.branch);
        let times = times.as_primitive::<Int64Type>();
        let names = self.raw_classes(names)?;
        let zone = types::zone(&branch.zone);
        let held = Held::new(columns, &branch.columns, times, &zone, &self.classes)?;
        let codes = self.classes.codes(&held, rows);

        let mut tally = Tally { rows: rows as u64, ..Tally::default() };
        let mut seen: Vec<u64> = Vec::new();
        let mut key: Vec<u32> = Vec::with_capacity(codes.len() + 2);
        let mut keys: Vec<Option<u32>> = Vec::with_capacity(rows);
        let mut local: Map<u32, u32> = Map::default();
        let mut values: Vec<u32> = Vec::new();
        let (events, profile) = (branch.rows == Rows::Event, branch.rows == Rows::Profile);
        for row in 0..rows {
            let raw = names.get(row).copied().unwrap_or(0);
            if seen.len() <= raw as usize {
                seen.resize(raw as usize + 1, 0);
            }
            if let Some(count) = seen.get_mut(raw as usize) {
                *count += 1;
            }
            let time = times.is_valid(row).then(|| times.value(row));
            let late = time.is_some_and(|t| t >= branch.as_of);
            if customers.is_null(row) {
                tally.no_customer += 1;
                keys.push(None);
                continue;
            }
            if events && time.is_none() {
                tally.no_time += 1;
                keys.push(None);
                continue;
            }
            if late {
                tally.not_yet += 1;
                if events {
                    keys.push(None);
                    continue;
                }
            }
            key.clear();
            key.push(raw);
            key.push(u32::from(late && profile));
            key.extend(codes.iter().map(|c| c.get(row).copied().unwrap_or(0)));
            let list = match self.combinations.get(key.as_slice()) {
                Some(&list) => list,
                None => {
                    let list = self.evaluate(raw, late && profile, &held, row);
                    self.combinations.insert(key.clone().into_boxed_slice(), list);
                    list
                }
            };
            keys.push(list.map(|list| {
                *local.entry(list).or_insert_with(|| {
                    values.push(list);
                    values.len() as u32 - 1
                })
            }));
        }
        for (class, &count) in seen.iter().enumerate().filter(|(_, count)| **count > 0) {
            let Some((name, kinds)) = self.raw_kinds.get(class) else { continue };
            for &kind in kinds {
                if let Some(event) = self.branch.kinds.get(kind).and_then(|k| k.event) {
                    *tally.events.entry(event).or_default() += count;
                }
            }
            if kinds.is_empty() {
                *tally.unknown.entry(name.clone()).or_default() += count;
            }
        }
        let lists = BinaryArray::from_iter_values(values.iter().filter_map(|&l| self.lists.get(l as usize)));
        Ok((DictionaryArray::try_new(UInt32Array::from(keys), Arc::new(lists))?, tally))
    }

    /// The list of patterns of a row, or `None` where the row is none of the catalog's.
    fn evaluate(&mut self, raw: u32, late: bool, held: &Held, row: usize) -> Option<u32> {
        let values = held.row(row);
        let mut list = vec![if late { Rows::Late as u8 } else { self.branch.rows as u8 }];
        let mut patterns: Vec<u32> = Vec::new();
        let mut any = late;
        if !late {
            let (_, kinds) = self.raw_kinds.get(raw as usize)?;
            for kind in kinds.iter().filter_map(|&k| self.branch.kinds.get(k)).filter(|k| !k.foreign) {
                let passes = |p| test::pred(p, &|t| test::test(t, held.zone, &|o| values.read(o)));
                if kind.filter.as_ref().is_some_and(|f| !passes(f)) {
                    continue;
                }
                any = true;
                patterns.extend(kind.patterns.iter().filter(|(_, p)| passes(p)).map(|(id, _)| *id));
            }
        }
        if !any || (patterns.is_empty() && !self.branch.keep_all && !late) {
            return None;
        }
        patterns.sort_unstable();
        for pattern in patterns {
            log::put_varint(&mut list, u64::from(pattern));
        }
        if let Some(&number) = self.list_numbers.get(&list) {
            return Some(number);
        }
        let number = self.lists.len() as u32;
        self.lists.push(list.clone());
        self.list_numbers.insert(list, number);
        Some(number)
    }
}
