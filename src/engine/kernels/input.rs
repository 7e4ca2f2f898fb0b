//! The rows of a batch, as `history` gets them.
//!
//! Owns: reading the arguments' columns and dealing rows to the buckets' logs. Promises: a row without slot is left out.
//! Must not know: what becomes of rows.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, StringViewArray, UInt32Array};
use arrow::datatypes::{Int64Type, UInt32Type};
use datafusion::common::Result;
use datafusion::error::DataFusionError;

use super::ids::{Key, number_key, tail_of, text_key, view_key};
use super::interned::{Slot, Slots, Texts};
use super::log::{self, Log, NEVER};
use crate::engine::bucket::{of_number, of_text, of_view};

/// The columns of a batch.
pub struct Input<'a> {
    customers: Customers<'a>,
    times: &'a Int64Array,
    keys: &'a UInt32Array,
    lists: &'a ArrayRef,
    ints: Vec<&'a Int64Array>,
    texts: Vec<&'a StringViewArray>,
    ints_of: u32,
}

#[derive(Clone, Copy)]
enum Customers<'a> {
    Numbers(&'a Int64Array),
    Texts(&'a StringViewArray),
}

/// An id that was just made a key; rows of one customer often stand together.
pub struct Id<'a> {
    view: u128,
    pub key: Key,
    /// The lower half of the hash.
    pub hash: u32,
    pub tail: &'a [u8],
}

/// A row that counts.
pub struct Row<'a, 'b> {
    /// Its place in the batch.
    pub at: usize,
    /// The number of its list of patterns.
    pub slot: u32,
    pub time: i64,
    pub id: &'b Id<'a>,
}

impl<'a> Input<'a> {
    /// From the arguments customer, time, slot and measures.
    pub fn new(
        [customers, times, slots]: [&'a ArrayRef; 3],
        measures: &'a [ArrayRef],
        slots_of: &Slots,
    ) -> Result<Input<'a>> {
        let ids = match customers.as_primitive_opt::<Int64Type>() {
            Some(ids) => Customers::Numbers(ids),
            None => Customers::Texts(customers.as_string_view_opt().ok_or_else(odd)?),
        };
        let slots = slots.as_dictionary_opt::<UInt32Type>().ok_or_else(odd)?;
        let (ints, texts) = measures.split_at_checked(slots_of.shape.ints as usize).ok_or_else(odd)?;
        Ok(Input {
            customers: ids,
            times: times.as_primitive_opt::<Int64Type>().ok_or_else(odd)?,
            keys: slots.keys(),
            lists: slots.values(),
            ints: ints.iter().map(|a| a.as_primitive_opt::<Int64Type>().ok_or_else(odd)).collect::<Result<_>>()?,
            texts: texts.iter().map(|a| a.as_string_view_opt().ok_or_else(odd)).collect::<Result<_>>()?,
            ints_of: slots_of.shape.ints,
        })
    }

    /// The arrays of lists that the rows' slots refer to.
    pub fn lists(&self) -> &'a ArrayRef {
        self.lists
    }

    /// Whether rows have measures.
    pub fn is_measured(&self) -> bool {
        !self.ints.is_empty() || !self.texts.is_empty()
    }

    /// Deals the rows to the logs of their groups.
    pub fn deal(
        &self,
        groups: &[usize],
        filter: Option<&BooleanArray>,
        logs: &mut [Log],
        slots: &mut Slots,
        texts: &mut Texts,
    ) -> Result<()> {
        let numbers = slots.numbers(self.lists)?;
        let measured = self.is_measured();
        self.each(&numbers, filter, |Row { at, slot, time, id }| {
            let Some(log) = groups.get(at).and_then(|&group| logs.get_mut(group)) else { return Ok(()) };
            log.push(log::Row { key: id.key, time, slot, hash: id.hash }, id.tail);
            if measured && let Some(slot) = slots.get(slot) {
                log.measure(self, at, slot, texts);
            }
            if log.is_full() { log.flush(slots) } else { Ok(()) }
        })
    }

    /// Calls for each row that counts; `numbers` are those of the lists.
    #[inline]
    pub fn each(
        &self,
        numbers: &[u32],
        filter: Option<&BooleanArray>,
        mut take: impl FnMut(Row<'a, '_>) -> Result<()>,
    ) -> Result<()> {
        // A row without customer or slot is no row: behind the numbers there is none.
        let none = numbers.len() as u32;
        let left_out = |row: usize| {
            self.keys.is_null(row)
                || self.customer_is_null(row)
                || filter.is_some_and(|f| f.is_null(row) || !f.value(row))
        };
        let masked: Option<Vec<u32>> =
            (self.keys.null_count() > 0 || self.customers_null_count() > 0 || filter.is_some()).then(|| {
                let keys = self.keys.values().iter().enumerate();
                keys.map(|(row, &key)| if left_out(row) { none } else { key }).collect()
            });
        let keys: &[u32] = masked.as_deref().unwrap_or(self.keys.values());
        let timeless = self.times.null_count() > 0;
        let mut known: Option<Id<'_>> = None;
        for (at, (&key, &time)) in keys.iter().zip(self.times.values()).enumerate() {
            let Some(&slot) = numbers.get(key as usize) else { continue };
            let time = if timeless && self.times.is_null(at) { NEVER } else { time };
            take(Row { at, slot, time, id: self.id(at, &mut known) })?;
        }
        Ok(())
    }

    fn customer_is_null(&self, row: usize) -> bool {
        match self.customers {
            Customers::Numbers(ids) => ids.is_null(row),
            Customers::Texts(ids) => ids.is_null(row),
        }
    }

    fn customers_null_count(&self) -> usize {
        match self.customers {
            Customers::Numbers(ids) => ids.null_count(),
            Customers::Texts(ids) => ids.null_count(),
        }
    }

    /// The row's id; the one before is remembered.
    #[inline]
    fn id<'b>(&self, row: usize, known: &'b mut Option<Id<'a>>) -> &'b Id<'a> {
        let view = match self.customers {
            Customers::Numbers(ids) => ids.values().get(row).map_or(0, |&id| id as u64 as u128),
            Customers::Texts(ids) => ids.views().get(row).copied().unwrap_or(0),
        };
        let fresh = match known {
            Some(known) if known.view == view => None,
            _ => Some(self.read(row, view)),
        };
        match fresh {
            Some(fresh) => known.insert(fresh),
            None => known.get_or_insert_with(|| self.read(row, view)),
        }
    }

    #[inline]
    fn read(&self, row: usize, view: u128) -> Id<'a> {
        match self.customers {
            Customers::Numbers(_) => {
                let id = view as u64 as i64;
                Id { view, key: number_key(id), hash: of_number(id) as u32, tail: &[] }
            }
            Customers::Texts(ids) => {
                if let Some(hash) = of_view(view) {
                    return Id { view, key: view_key(view), hash: hash as u32, tail: &[] };
                }
                let text = ids.value(row).as_bytes();
                Id { view, key: text_key(text), hash: of_text(text) as u32, tail: tail_of(text) }
            }
        }
    }

    /// Appends a row's measures, if its slot has any.
    pub fn measures(&self, row: usize, slot: &Slot, texts: &mut Texts, words: &mut Vec<i64>) {
        if slot.measures.is_empty() {
            return;
        }
        let (start, masks) = (words.len(), slot.masks());
        words.resize(start + slot.width(), 0);
        let Some(words) = words.get_mut(start..) else { return };
        for (at, &measure) in slot.measures.iter().enumerate() {
            let value = match self.ints.get(measure as usize) {
                Some(ints) => ints.is_valid(row).then(|| ints.value(row)),
                None => {
                    let column = measure.checked_sub(self.ints_of).and_then(|t| self.texts.get(t as usize));
                    column.filter(|t| t.is_valid(row)).map(|t| texts.number(t.value(row)))
                }
            };
            let Some(value) = value else { continue };
            if let Some(mask) = words.get_mut(at / 64) {
                *mask |= 1 << (at % 64);
            }
            if let Some(word) = words.get_mut(masks + at) {
                *word = value;
            }
        }
    }
}

fn odd() -> DataFusionError {
    DataFusionError::Internal("history got other columns than it was planned with".into())
}
