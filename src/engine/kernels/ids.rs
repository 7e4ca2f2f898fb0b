//! Ids at work: one form for texts and numbers, and the table that numbers the customers of a bucket.
//!
//! Owns: the sortable key of an id, and who has which number. Promises: keys and tails order as the ids do; numbers are given in the
//! order of first appearance; nothing that leaves the kernel depends on them. Must not know: rows, logs.
//!
//! A key is the first twelve bytes of a text, filled up with noughts, and then its length; what a longer text has left is its tail.
//! A whole number is the text of its eight bytes, highest first, with the sign turned: it sorts as the number does.

use std::cmp::Ordering;

use crate::engine::bucket::{of_number, of_text};

/// See the head of this file.
pub type Key = u128;

/// Bytes of a text that are in its key.
const HEAD: usize = 12;

/// The key of a whole number.
#[inline]
pub fn number_key(id: i64) -> Key {
    (u128::from(id as u64 ^ 1 << 63) << 64) | 8
}

/// The number that a key stands for.
#[inline]
pub fn key_number(key: Key) -> i64 {
    ((key >> 64) as u64 ^ 1 << 63) as i64
}

/// The key of a text that fits in a view, from the view.
#[inline]
pub fn view_key(view: u128) -> Key {
    (view.swap_bytes() << 32) | u128::from(view as u32)
}

/// The key of any text.
pub fn text_key(text: &[u8]) -> Key {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(text.iter().take(HEAD)).for_each(|(to, from)| *to = *from);
    u128::from_be_bytes(bytes) | text.len() as u128
}

/// Bytes of the text behind the key's.
#[inline]
pub fn tail_len(key: Key) -> usize {
    (key as u32 as usize).saturating_sub(HEAD)
}

/// What of a text is not in its key.
pub fn tail_of(text: &[u8]) -> &[u8] {
    text.get(HEAD..).unwrap_or_default()
}

/// Appends the text that a key and a tail stand for.
pub fn put_text(key: Key, tail: &[u8], out: &mut Vec<u8>) {
    let head = key.to_be_bytes();
    out.extend_from_slice(head.get(..HEAD.min(key as u32 as usize)).unwrap_or_default());
    out.extend_from_slice(tail);
}

/// The order of ids.
#[inline]
pub fn order(a: (Key, &[u8]), b: (Key, &[u8])) -> Ordering {
    if tail_len(a.0) > 0 && tail_len(b.0) > 0 && a.0 >> 32 == b.0 >> 32 {
        return a.1.cmp(b.1);
    }
    a.0.cmp(&b.0)
}

/// The published hash, from a key and a tail.
pub fn hash_of(key: Key, tail: &[u8], numbers: bool, scratch: &mut Vec<u8>) -> u64 {
    if numbers {
        return of_number(key_number(key));
    }
    scratch.clear();
    put_text(key, tail, scratch);
    of_text(scratch)
}

/// Someone to be found.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    pub key: Key,
    pub tail: &'a [u8],
    /// The lower half of the hash.
    pub hash: u32,
}

/// The customers of a bucket by number.
#[derive(Debug, Default)]
pub struct Ids {
    /// A power of two of places: hash and number + 1; 0 is free.
    table: Vec<u64>,
    keys: Vec<Key>,
    /// Where each one's tail ends; empty as long as nobody has one.
    ends: Vec<u32>,
    tails: Vec<u8>,
}

impl Ids {
    pub fn with_capacity(customers: usize) -> Ids {
        let mut ids = Ids::default();
        ids.keys.reserve(customers);
        ids.resize((customers * 2).next_power_of_two());
        ids
    }

    pub fn len(&self) -> usize {
        self.keys.len()
    }

    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    pub fn tails(&self) -> &[u8] {
        &self.tails
    }

    pub fn tail(&self, number: u32) -> &[u8] {
        let end = |n: u32| self.ends.get(n as usize).copied().unwrap_or(0) as usize;
        let start = number.checked_sub(1).map_or(0, end);
        if self.ends.is_empty() { &[] } else { self.tails.get(start..end(number)).unwrap_or_default() }
    }

    pub fn size(&self) -> usize {
        8 * self.table.capacity() + 16 * self.keys.capacity() + 4 * self.ends.capacity() + self.tails.capacity()
    }

    /// Whose number might be this one's, + 1: 0 where that takes a search. Apart from [`Ids::number`], so that the processor waits for
    /// many at once.
    #[inline]
    pub fn guess(&self, hash: u32) -> u32 {
        let at = hash as usize & self.table.len().wrapping_sub(1);
        match self.table.get(at) {
            Some(&place) if (place >> 32) as u32 == hash => place as u32,
            _ => 0,
        }
    }

    /// Whether the key is that of a guess.
    #[inline]
    pub fn is_key(&self, guess: u32, key: Key) -> bool {
        self.keys.get((guess as usize).wrapping_sub(1)) == Some(&key)
    }

    /// The number of a customer, who is entered if new.
    #[inline]
    pub fn number(&mut self, guess: u32, wanted: Wanted<'_>) -> u32 {
        if let Some(number) = guess.checked_sub(1)
            && self.is(number, &wanted)
        {
            return number;
        }
        self.search(wanted)
    }

    #[inline]
    fn is(&self, number: u32, wanted: &Wanted<'_>) -> bool {
        self.keys.get(number as usize) == Some(&wanted.key)
            && (wanted.tail.is_empty() || self.tail(number) == wanted.tail)
    }

    /// The number of a customer who was entered.
    pub fn find(&self, wanted: Wanted<'_>) -> Option<u32> {
        let mask = self.table.len().wrapping_sub(1);
        let mut at = wanted.hash as usize & mask;
        loop {
            let place = self.table.get(at).copied().unwrap_or(0);
            let number = (place as u32).checked_sub(1)?;
            if (place >> 32) as u32 == wanted.hash && self.is(number, &wanted) {
                return Some(number);
            }
            at = (at + 1) & mask;
        }
    }

    fn search(&mut self, wanted: Wanted<'_>) -> u32 {
        if (self.keys.len() + 1) * 3 > self.table.len() * 2 {
            self.resize((self.table.len() * 2).max(64));
        }
        let mask = self.table.len().wrapping_sub(1);
        let mut at = wanted.hash as usize & mask;
        loop {
            let place = self.table.get(at).copied().unwrap_or(0);
            match (place as u32).checked_sub(1) {
                None => break,
                Some(number) if (place >> 32) as u32 == wanted.hash && self.is(number, &wanted) => return number,
                Some(_) => at = (at + 1) & mask,
            }
        }
        let number = self.keys.len() as u32;
        if let Some(place) = self.table.get_mut(at) {
            *place = u64::from(wanted.hash) << 32 | u64::from(number + 1);
        }
        self.keys.push(wanted.key);
        if !wanted.tail.is_empty() || !self.ends.is_empty() {
            self.ends.resize(number as usize, self.tails.len() as u32);
            self.tails.extend_from_slice(wanted.tail);
            self.ends.push(self.tails.len() as u32);
        }
        number
    }

    fn resize(&mut self, places: usize) {
        let mask = places.wrapping_sub(1);
        let mut table = vec![0u64; places];
        for &place in self.table.iter().filter(|place| **place != 0) {
            let mut at = (place >> 32) as usize & mask;
            while table.get(at).is_some_and(|taken| *taken != 0) {
                at = (at + 1) & mask;
            }
            if let Some(free) = table.get_mut(at) {
                *free = place;
            }
        }
        self.table = table;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_ids_do() {
        let texts =
            ["", "\0", "a", "a\0", "ab", "b", "customer-001", "customer-001\0", "customer-0010", "customer-002", "é"];
        let long = ["customer-001-a", "customer-001-aa", "customer-001-b"];
        let all: Vec<&[u8]> = texts.iter().chain(&long).map(|t| t.as_bytes()).collect();
        for a in &all {
            for b in &all {
                assert_eq!(order((text_key(a), tail_of(a)), (text_key(b), tail_of(b))), a.cmp(b), "{a:?} {b:?}");
            }
            let mut back = Vec::new();
            put_text(text_key(a), tail_of(a), &mut back);
            assert_eq!(&back, a);
        }
        let numbers = [i64::MIN, -5, 0, 5, i64::MAX];
        assert!(numbers.windows(2).all(|two| number_key(two[0]) < number_key(two[1])));
        assert!(numbers.iter().all(|&n| key_number(number_key(n)) == n));
    }

    #[test]
    fn numbers_are_given_once() {
        let mut ids = Ids::default();
        let mut scratch = Vec::new();
        let texts: Vec<String> = (0..3_000).map(|i| format!("{}{i}", "x".repeat(i % 20))).collect();
        for round in 0..2 {
            for (i, text) in texts.iter().enumerate() {
                let (key, tail) = (text_key(text.as_bytes()), tail_of(text.as_bytes()));
                // Few different hashes, so that many meet.
                let hash = hash_of(key, tail, false, &mut scratch) as u32 % 7;
                let wanted = Wanted { key, tail, hash };
                assert_eq!(ids.find(wanted), (round == 1).then_some(i as u32));
                assert_eq!(ids.number(ids.guess(hash), wanted), i as u32, "{round}");
                assert_eq!(ids.tail(i as u32), tail);
            }
        }
        assert_eq!(ids.len(), 3_000);
    }
}
