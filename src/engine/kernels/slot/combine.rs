//! The classes of a row's values, taken together.
//!
//! Owns: the memory of combinations. Promises: each combination is asked about once (again where many more values turn up).

use crate::engine::kernels::hash::Map;

/// Up to so many bits together are the index of a table.
const TABLE: u32 = 16;
/// Not asked yet.
const UNKNOWN: u32 = u32::MAX;

/// What was answered for combinations.
#[derive(Debug, Default)]
pub struct Combine {
    /// Bits that the classes of each column take.
    bits: Vec<u32>,
    table: Vec<u32>,
    narrow: Map<u64, u32>,
    wide: Map<Box<[u32]>, u32>,
}

impl Combine {
    /// How many combinations are kept outside of the table.
    pub fn learnt(&self) -> usize {
        self.narrow.len().max(self.wide.len())
    }

    /// For each row the answer for its combination; `ask` says it for a row and never says `u32::MAX`.
    pub fn answers(&mut self, columns: &[Vec<u32>], rows: usize, mut ask: impl FnMut(usize) -> u32) -> Vec<u32> {
        let total = self.widen(columns);
        if total <= TABLE {
            let mut answers = vec![0u32; rows];
            let mut shift = 0;
            for (column, bits) in columns.iter().zip(&self.bits).filter(|(_, bits)| **bits > 0) {
                answers.iter_mut().zip(column).for_each(|(index, class)| *index |= class << shift);
                shift += bits;
            }
            for (row, index) in answers.iter_mut().enumerate() {
                let Some(known) = self.table.get_mut(*index as usize) else { continue };
                if *known == UNKNOWN {
                    *known = ask(row);
                }
                *index = *known;
            }
            return answers;
        }
        if total <= 64 {
            let mut keys = vec![0u64; rows];
            let mut shift = 0;
            for (column, bits) in columns.iter().zip(&self.bits).filter(|(_, bits)| **bits > 0) {
                keys.iter_mut().zip(column).for_each(|(key, class)| *key |= u64::from(*class) << shift);
                shift += bits;
            }
            let answer = |(row, key): (usize, &u64)| *self.narrow.entry(*key).or_insert_with(|| ask(row));
            return keys.iter().enumerate().map(answer).collect();
        }
        let mut key: Vec<u32> = Vec::with_capacity(columns.len());
        let mut answer = |row: usize| {
            key.clear();
            key.extend(columns.iter().map(|column| column.get(row).copied().unwrap_or(0)));
            if let Some(&known) = self.wide.get(key.as_slice()) {
                return known;
            }
            let answer = ask(row);
            self.wide.insert(key.as_slice().into(), answer);
            answer
        };
        (0..rows).map(&mut answer).collect()
    }

    /// Makes room for the classes of a batch; says how many bits they take together.
    fn widen(&mut self, columns: &[Vec<u32>]) -> u32 {
        self.bits.resize(columns.len(), 0);
        let mut grown = self.table.is_empty();
        for (column, bits) in columns.iter().zip(&mut self.bits) {
            let greatest = column.iter().copied().max().unwrap_or(0);
            let needed = u32::BITS - greatest.leading_zeros();
            if needed > *bits {
                *bits = needed;
                grown = true;
            }
        }
        let total = self.bits.iter().sum();
        if grown {
            self.narrow.clear();
            self.table = vec![UNKNOWN; if total <= TABLE { 1usize << total } else { 1 }];
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_combination_has_its_answer() {
        // From few classes to many, so that table and maps take turns.
        for classes in [1u32, 3, 40, 300, 70_000, 1 << 30] {
            for columns in [1, 2, 3, 5] {
                let mut combine = Combine::default();
                for batch in 0..3u32 {
                    let class = |c: u32, row: u32| (row * (c + 7) * (batch + 1)) % 11 * (classes / 11).max(1) % classes;
                    let columns: Vec<Vec<u32>> =
                        (0..columns).map(|c| (0..500).map(|row| class(c, row)).collect()).collect();
                    let of = |row: usize| -> Vec<u32> { columns.iter().filter_map(|c| c.get(row)).copied().collect() };
                    let digest = |row| of(row).iter().fold(7u32, |sum, c| sum.wrapping_mul(31).wrapping_add(*c)) >> 1;
                    let found = combine.answers(&columns, 500, digest);
                    assert_eq!(found, (0..500).map(digest).collect::<Vec<_>>(), "{classes}");
                }
            }
        }
    }
}
