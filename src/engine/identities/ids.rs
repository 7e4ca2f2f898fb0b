//! Ids by number.
//!
//! Owns: a set of ids, held compactly. Promises: an id's number is its place in the order of ids: whole numbers by value, texts by code
//! point. Must not know: links, files.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// An id as a file has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Id<'a> {
    Number(i64),
    Text(&'a str),
}

impl std::fmt::Display for Id<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Id::Number(n) => write!(f, "{n}"),
            Id::Text(text) => f.write_str(text),
        }
    }
}

/// Ids on their way into a set, numbered as they come.
#[derive(Debug, Default)]
pub struct Gathered {
    numbers: HashMap<i64, u32>,
    texts: HashMap<Box<str>, u32>,
    /// Bytes of the texts.
    letters: usize,
}

impl Gathered {
    /// The number of an id; `None` where there are too many.
    pub fn add(&mut self, id: Id<'_>) -> Option<u32> {
        let next = u32::try_from(self.len()).ok().filter(|&next| next < NOWHERE)?;
        match id {
            Id::Number(n) => Some(*self.numbers.entry(n).or_insert(next)),
            Id::Text(text) => {
                if let Some(&at) = self.texts.get(text) {
                    return Some(at);
                }
                self.letters += text.len();
                self.texts.insert(text.into(), next);
                Some(next)
            }
        }
    }

    pub fn len(&self) -> usize {
        self.numbers.len() + self.texts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// About how much memory they take, the finished set beside them included.
    pub fn bytes(&self) -> usize {
        self.len() * 64 + self.letters * 2
    }

    /// The set, and each id's new number by its old one. All ids are of one kind; where they are not, numbers come first.
    pub fn finish(self) -> (Ids, Vec<u32>) {
        let mut numbers: Vec<(i64, u32)> = self.numbers.into_iter().collect();
        let mut texts: Vec<(Box<str>, u32)> = self.texts.into_iter().collect();
        numbers.sort_unstable();
        texts.sort_unstable();
        let mut places = vec![0; numbers.len() + texts.len()];
        let old = numbers.iter().map(|(_, old)| *old).chain(texts.iter().map(|(_, old)| *old));
        for (new, old) in (0u32..).zip(old) {
            if let Some(place) = places.get_mut(old as usize) {
                *place = new;
            }
        }
        let numbers = numbers.into_iter().map(|(n, _)| n).collect();
        let mut letters = String::with_capacity(self.letters);
        let mut ends = Vec::with_capacity(texts.len());
        for (text, _) in texts {
            letters.push_str(&text);
            ends.push(letters.len());
        }
        (Ids::new(numbers, letters, ends), places)
    }
}

/// No id.
const NOWHERE: u32 = u32::MAX;

/// A set of ids.
#[derive(Debug, Default)]
pub struct Ids {
    numbers: Vec<i64>,
    /// The texts one behind the other, and where each ends.
    letters: String,
    ends: Vec<usize>,
    /// Numbers of ids by hash; [`NOWHERE`] where a place is free. At most half of the places are taken.
    slots: Vec<u32>,
    // Ids such as cookies are chosen by strangers, who must not be able to make them collide.
    state: RandomState,
}

impl Ids {
    fn new(numbers: Vec<i64>, letters: String, ends: Vec<usize>) -> Ids {
        let places = (2 * (numbers.len() + ends.len())).next_power_of_two().max(2);
        let mut ids = Ids { numbers, letters, ends, slots: vec![NOWHERE; places], state: RandomState::new() };
        for at in (0u32..).take(ids.len()) {
            let slot = ids.get(at).map(|id| ids.slot(id).0);
            if let Some(place) = slot.and_then(|slot| ids.slots.get_mut(slot)) {
                *place = at;
            }
        }
        ids
    }

    /// The place of an id in the table of hashes, and its number if it is there.
    fn slot(&self, id: Id<'_>) -> (usize, Option<u32>) {
        let mask = self.slots.len().saturating_sub(1);
        let mut slot = self.state.hash_one(id) as usize & mask;
        loop {
            match self.slots.get(slot) {
                None | Some(&NOWHERE) => return (slot, None),
                Some(&at) if self.get(at) == Some(id) => return (slot, Some(at)),
                Some(_) => slot = (slot + 1) & mask,
            }
        }
    }

    /// The number of an id.
    pub fn find(&self, id: Id<'_>) -> Option<u32> {
        self.slot(id).1
    }

    /// The id of a number.
    pub fn get(&self, at: u32) -> Option<Id<'_>> {
        let at = at as usize;
        if let Some(&n) = self.numbers.get(at) {
            return Some(Id::Number(n));
        }
        let at = at - self.numbers.len();
        let start = match at {
            0 => 0,
            _ => *self.ends.get(at - 1)?,
        };
        self.letters.get(start..*self.ends.get(at)?).map(Id::Text)
    }

    pub fn len(&self) -> usize {
        self.numbers.len() + self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// As it is shown; nothing where there is none.
    pub fn shown(&self, at: u32) -> String {
        self.get(at).map(|id| id.to_string()).unwrap_or_default()
    }

    /// How much memory they take.
    pub fn bytes(&self) -> usize {
        self.numbers.len() * 8 + self.letters.len() + self.ends.len() * 8 + self.slots.len() * 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_places_in_the_order() {
        let mut gathered = Gathered::default();
        let old: Vec<u32> = ["b", "", "é", "b", "a"].iter().filter_map(|t| gathered.add(Id::Text(t))).collect();
        assert_eq!(old, [0, 1, 2, 0, 3]);
        let (ids, places) = gathered.finish();
        assert_eq!(places, [2, 0, 3, 1]);
        assert_eq!((0..5).map(|at| ids.shown(at)).collect::<Vec<_>>(), ["", "a", "b", "é", ""]);
        assert_eq!((ids.find(Id::Text("é")), ids.find(Id::Text("c")), ids.len()), (Some(3), None, 4));

        let mut gathered = Gathered::default();
        assert!(gathered.is_empty() && Ids::default().find(Id::Number(1)).is_none());
        [10, 9, -1].iter().for_each(|&n| assert!(gathered.add(Id::Number(n)).is_some()));
        let (ids, _) = gathered.finish();
        assert_eq!(
            (ids.find(Id::Number(-1)), ids.find(Id::Number(9)), ids.find(Id::Text("9"))),
            (Some(0), Some(1), None)
        );
        assert!(!ids.is_empty() && ids.bytes() > 0 && ids.get(3).is_none());
    }
}
