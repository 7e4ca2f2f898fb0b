//! The ids of the customers that are decided about.
//!
//! Owns: an id as text, and where an id stands. Promises: an id is found if and only if it is one of the customers, whether a file
//! holds it as a number or as text. Must not know: campaigns.

use std::borrow::Cow;
use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray};
use arrow::datatypes::Int64Type;

use crate::error::Error;

/// The customers in order, numbers as numbers and text by code point.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ids<'a> {
    Numbers(&'a Int64Array),
    Texts(&'a StringArray),
}

impl<'a> Ids<'a> {
    /// `Int64` or `Utf8`, sorted, each once, none missing.
    pub fn new(customers: &'a ArrayRef) -> Result<Ids<'a>, Error> {
        if let Some(numbers) = customers.as_primitive_opt::<Int64Type>() {
            return Ok(Ids::Numbers(numbers));
        }
        customers.as_string_opt::<i32>().map(Ids::Texts).ok_or_else(|| Error::Engine {
            message: format!("customers are whole numbers or text, not {}", customers.data_type()),
            help: None,
        })
    }

    pub fn len(self) -> usize {
        match self {
            Ids::Numbers(ids) => ids.len(),
            Ids::Texts(ids) => ids.len(),
        }
    }

    /// The id as it is hashed: a number in decimal digits.
    pub fn text(self, row: usize) -> Cow<'a, str> {
        match self {
            Ids::Numbers(ids) if row < ids.len() => Cow::Owned(ids.value(row).to_string()),
            Ids::Texts(ids) if row < ids.len() => Cow::Borrowed(ids.value(row)),
            _ => Cow::Borrowed(""),
        }
    }
}

/// Finds ids. Looking for them in ascending order takes a few steps each, however many customers there are.
#[derive(Debug)]
pub(super) struct Finder<'a> {
    ids: Ids<'a>,
    last: usize,
}

impl<'a> Finder<'a> {
    pub fn new(ids: Ids<'a>) -> Finder<'a> {
        Finder { ids, last: 0 }
    }

    pub fn number(&mut self, id: i64) -> Option<u32> {
        match self.ids {
            Ids::Numbers(ids) => self.seek(|row| ids.value(row).cmp(&id)),
            Ids::Texts(_) => self.text(&id.to_string()),
        }
    }

    pub fn text(&mut self, id: &str) -> Option<u32> {
        match self.ids {
            Ids::Texts(ids) => self.seek(|row| ids.value(row).cmp(id)),
            // Only what a number is written as stands for it: not `+7`, not `007`.
            Ids::Numbers(_) => self.number(id.parse::<i64>().ok().filter(|number| number.to_string() == id)?),
        }
    }

    /// The row that is equal, by how a row compares with what is wanted: from the last row found on in growing steps, then by halves.
    fn seek(&mut self, compare: impl Fn(usize) -> Ordering) -> Option<u32> {
        let rows = self.ids.len();
        let (mut low, mut high) = (0, rows);
        if self.last < rows && compare(self.last) != Ordering::Greater {
            low = self.last;
            let mut step = 1;
            while low + step < rows && compare(low + step) == Ordering::Less {
                low += step;
                step *= 2;
            }
            high = rows.min(low + step + 1);
        }
        while low < high {
            let middle = low + (high - low) / 2;
            match compare(middle) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => {
                    self.last = middle;
                    return u32::try_from(middle).ok();
                }
            }
        }
        self.last = low;
        None
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn every_id_is_found_and_nobody_else() {
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values((0..500).map(|n| n * 3 - 700)));
        let mut texts: Vec<String> = (0..500).map(|n| format!("c{}", n * 3)).collect();
        texts.sort();
        let texts: ArrayRef = Arc::new(StringArray::from_iter_values(texts));
        for customers in [&numbers, &texts] {
            let ids = Ids::new(customers).expect("ids");
            // Forwards, backwards, and in leaps.
            let orders: [Vec<usize>; 3] =
                [(0..500).collect(), (0..500).rev().collect(), (0..500).map(|n| n * 7 % 500).collect()];
            for order in orders {
                let mut finder = Finder::new(ids);
                for row in order {
                    assert_eq!(finder.text(&ids.text(row)), Some(row as u32), "{row}");
                    assert_eq!(finder.text(&format!("{}1", ids.text(row)).replace('c', "d")), None, "{row}");
                }
            }
        }
        let mut finder = Finder::new(Ids::new(&numbers).expect("ids"));
        assert_eq!(finder.number(-700), Some(0));
        assert_eq!(finder.text("-700"), Some(0));
        assert_eq!((finder.number(-699), finder.text("-0700"), finder.text("x")), (None, None, None));
        let nobody: ArrayRef = Arc::new(Int64Array::from_iter_values([]));
        assert_eq!(Finder::new(Ids::new(&nobody).expect("ids")).number(1), None);
    }
}
