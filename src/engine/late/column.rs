//! Values of all customers, one column an exported value.
//!
//! Owns: how they are held. Promises: what is read is what was pushed; a column of one kind takes a word a customer.
//! Must not know: what they are for.

use std::collections::HashMap;

use arrow::array::BooleanBufferBuilder;

use crate::engine::plan::program::Scalar;
use crate::language::num::Num;

/// One value a customer; missing is possible everywhere.
#[derive(Debug)]
pub struct Column {
    kind: Option<Kind>,
    known: BooleanBufferBuilder,
    /// Units, bits, days, microseconds, or where the customer's text ends.
    words: Vec<i64>,
    texts: String,
    /// Numbers that are no word of the column's kind.
    others: HashMap<usize, Num>,
}

/// The kind of the first value that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Exact(u8),
    Float,
    Text,
    YesNo,
    Date,
    Instant,
}

impl Default for Column {
    fn default() -> Self {
        Column {
            kind: None,
            known: BooleanBufferBuilder::new(0),
            words: Vec::new(),
            texts: String::new(),
            others: HashMap::new(),
        }
    }
}

impl Column {
    /// The value of the next customer.
    pub fn push(&mut self, value: Option<Scalar<'_>>) {
        // Ends of texts ascend, so whatever has no word of its own repeats the last one.
        let last = self.words.last().copied().unwrap_or(0);
        let found = match value {
            None | Some(Scalar::List(_)) => None,
            Some(Scalar::Num(Num::Exact { units, scale })) => Some((Kind::Exact(scale), i64::try_from(units).ok())),
            Some(Scalar::Num(Num::Float(x))) => Some((Kind::Float, Some(x.to_bits() as i64))),
            Some(Scalar::Text(text)) => {
                self.texts.push_str(text);
                Some((Kind::Text, i64::try_from(self.texts.len()).ok()))
            }
            Some(Scalar::YesNo(yes)) => Some((Kind::YesNo, Some(i64::from(yes)))),
            Some(Scalar::Date(days)) => Some((Kind::Date, Some(i64::from(days)))),
            Some(Scalar::Instant(at)) => Some((Kind::Instant, Some(at))),
        };
        let own = found.and_then(|(kind, word)| word.filter(|_| *self.kind.get_or_insert(kind) == kind));
        let known = match (own, value) {
            (Some(_), _) => true,
            (None, Some(Scalar::Num(num))) => {
                self.others.insert(self.words.len(), num);
                true
            }
            (None, _) => false,
        };
        self.words.push(own.unwrap_or(last));
        self.known.append(known);
    }

    /// The value of a customer.
    pub fn get(&self, row: usize) -> Option<Scalar<'_>> {
        let word = *self.words.get(row)?;
        if !self.known.get_bit(row) {
            return None;
        }
        if !self.others.is_empty()
            && let Some(num) = self.others.get(&row)
        {
            return Some(Scalar::Num(*num));
        }
        Some(match self.kind? {
            Kind::Exact(scale) => Scalar::Num(Num::Exact { units: i128::from(word), scale }),
            Kind::Float => Scalar::Num(Num::float(f64::from_bits(word as u64))?),
            Kind::Text => {
                let start = row.checked_sub(1).and_then(|before| self.words.get(before)).copied().unwrap_or(0);
                Scalar::Text(self.texts.get(usize::try_from(start).ok()?..usize::try_from(word).ok()?)?)
            }
            Kind::YesNo => Scalar::YesNo(word == 1),
            Kind::Date => Scalar::Date(i32::try_from(word).ok()?),
            Kind::Instant => Scalar::Instant(word),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(values: &[Option<Scalar<'_>>]) {
        let mut column = Column::default();
        values.iter().for_each(|v| column.push(*v));
        for (row, value) in values.iter().enumerate() {
            assert_eq!(format!("{:?}", column.get(row)), format!("{value:?}"), "{row}");
        }
        assert!(column.get(values.len()).is_none());
    }

    #[test]
    fn what_is_pushed_is_read() {
        let exact = |units, scale| Some(Scalar::Num(Num::Exact { units, scale }));
        let float = |x| Some(Scalar::Num(Num::Float(x)));
        through(&[None, None]);
        through(&[None, exact(5, 2), exact(-7, 2), None, exact(1 << 100, 2), exact(5, 3), float(0.5)]);
        through(&[exact(1 << 100, 0), exact(3, 0), None]);
        through(&[float(-0.0), None, exact(1, 0), float(f64::INFINITY)]);
        through(&[None, Some(Scalar::Text("a")), None, Some(Scalar::Text("")), Some(Scalar::Text("é"))]);
        through(&[Some(Scalar::YesNo(true)), None, Some(Scalar::YesNo(false))]);
        through(&[Some(Scalar::Date(-1)), Some(Scalar::Date(7))]);
        through(&[Some(Scalar::Instant(i64::MIN)), None, Some(Scalar::Instant(7))]);
    }
}
