//! Texts as small numbers, found again by the sixteen bytes that a view of a text is.
//!
//! Owns: the memory of views. Promises: two rows with one text have one number, whatever their views; a text is looked at once a
//! batch at least and seldom more often.

use arrow::array::{Array, StringViewArray, UInt32Array};

/// A text of so many bytes stands in its view, so that the view means the same in every batch.
const INLINE: u32 = 12;
/// Places of the memory, as powers of two: at first, and at most.
const SMALL: u32 = 8;
const LARGE: u32 = 14;

#[derive(Debug, Clone, Copy)]
struct Place {
    view: u128,
    /// The batch in which the view means this text; 0 is any.
    batch: u32,
    class: u32,
}

const EMPTY: Place = Place { view: 0, batch: u32::MAX, class: 0 };

/// One number a view, where it was seen before; each place remembers the last of the views that share it.
#[derive(Debug)]
pub struct Views {
    places: Vec<Place>,
    bits: u32,
    batch: u32,
}

impl Default for Views {
    fn default() -> Views {
        Views { places: vec![EMPTY; 1 << SMALL], bits: SMALL, batch: 0 }
    }
}

impl Views {
    /// The number of each text; 0 where there is none.
    pub fn classes(&mut self, values: &StringViewArray, mut learn: impl FnMut(&str) -> u32) -> Vec<u32> {
        self.batch += 1;
        if self.batch == u32::MAX {
            *self = Views::default();
            self.batch = 1;
        }
        let (shift, this_batch) = (64 - self.bits, self.batch);
        let places = &mut self.places;
        let mut misses = 0;
        let mut class = |row: usize, view: u128| {
            let batch = if view as u32 <= INLINE { 0 } else { this_batch };
            let (low, high) = (view as u64, (view >> 64) as u64);
            let mixed = (low.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ high).wrapping_mul(0xD6E8_FEB8_6659_FD93);
            match places.get_mut((mixed >> shift) as usize) {
                Some(place) if place.view == view && place.batch == batch => place.class,
                place => {
                    misses += 1;
                    let class = learn(values.value(row));
                    if let Some(place) = place {
                        *place = Place { view, batch, class };
                    }
                    class
                }
            }
        };
        let views = values.views().iter().enumerate();
        let classes = match values.nulls().filter(|nulls| nulls.null_count() > 0) {
            None => views.map(|(row, &view)| class(row, view)).collect(),
            Some(nulls) => views.map(|(row, &view)| if nulls.is_valid(row) { class(row, view) } else { 0 }).collect(),
        };
        if misses > values.len() / 8 && self.bits < LARGE {
            self.bits += 2;
            self.places = vec![EMPTY; 1 << self.bits];
        }
        classes
    }
}

/// The numbers of rows that share texts.
pub fn by_keys(classes: Vec<u32>, keys: Option<&UInt32Array>) -> Vec<u32> {
    let class = |key: u32| classes.get(key as usize).copied().unwrap_or(0);
    match keys {
        None => classes,
        Some(keys) if keys.null_count() == 0 => keys.values().iter().map(|&key| class(key)).collect(),
        Some(keys) => keys.iter().map(|key| key.map_or(0, class)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::kernels::hash::Map;

    #[test]
    fn one_number_a_text() {
        let mut known: Map<String, u32> = Map::default();
        let mut views = Views::default();
        // Short and long texts, more of them than places, in batches whose buffers differ.
        for batch in 0..4 {
            let text = |i: usize| {
                (!i.is_multiple_of(7))
                    .then(|| format!("{}{}", if i.is_multiple_of(2) { "x" } else { "a long beginning of " }, i % 1_000))
            };
            let texts: Vec<Option<String>> = (0..5_000).map(|i| text(i * (batch + 1))).collect();
            let found = views.classes(&texts.iter().map(Option::as_deref).collect(), |text| {
                let next = known.len() as u32 + 1;
                *known.entry(text.to_owned()).or_insert(next)
            });
            for (text, class) in texts.iter().zip(found) {
                assert_eq!(class, text.as_ref().map_or(0, |text| known.get(text).copied().unwrap_or(0)));
            }
        }
    }
}
