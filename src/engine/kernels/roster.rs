//! A roster: the customers of a bucket in the order of their ids, with their entries.
//!
//! Owns: making one of the segments of a bucket. Promises: customers stand in order, entries in chunks of customers; texts of all
//! segments have one numbering. Must not know: what entries mean.

use datafusion::common::Result;

use super::ids::{Ids, Key, Wanted, hash_of, order};
use super::interned::{Slot, Slots, Texts, broken};
use super::log::{TIMELESS, Traces};
use super::segment::{Numbers, Segment, with_numbers};

/// One entry of a chunk.
#[derive(Debug, Clone, Copy, Default)]
pub struct Entry {
    pub time: i64,
    pub slot: u32,
    /// Number of the customer within the chunk.
    pub local: u32,
}

/// The customers of a bucket, made anew for each; what it has allocated stays.
#[derive(Debug, Default)]
pub struct Roster {
    ids: Ids,
    /// Customers in the order of their ids, by number.
    order: Vec<(Key, u32)>,
    pub traces: Traces,
    entries: Vec<Entry>,
    /// Where each entry's measures begin, if there are measures.
    pools: Vec<u32>,
    pool: Vec<i64>,
    /// Where each chunk's entries end.
    ends: Vec<usize>,
    /// For each chunk by instant where the entries from before it end, once they are put in order.
    until: Vec<usize>,
    pub texts: Texts,
    bits: u32,
}

/// The entries of some customers that stand together.
#[derive(Debug, Clone, Copy)]
pub struct Chunk<'a> {
    pub entries: &'a [Entry],
    pub pools: &'a [u32],
    pub pool: &'a [i64],
}

/// The number of whoever is left out.
const NOBODY: u32 = u32::MAX;

/// How a segment's numbers translate.
struct Translation {
    /// By number of a customer his place in the roster.
    places: Vec<u32>,
    slots: Vec<u32>,
    /// By number of a slot the words of its entries' measures.
    widths: Vec<u32>,
    texts: Vec<i64>,
}

/// Where the next entry of a chunk goes, and its measures.
#[derive(Debug, Clone, Copy, Default)]
struct Start {
    entry: usize,
    word: usize,
}

impl Roster {
    /// Takes in the customers of a bucket, or only those that are named, whose chunks are two to the power of `bits`.
    pub fn fill(
        &mut self,
        segments: &[Segment],
        only: Option<&Ids>,
        slots: &mut Slots,
        numbers: bool,
        bits: u32,
    ) -> Result<()> {
        self.bits = bits;
        self.texts = Texts::default();
        let mut translations = self.number(segments, only, numbers);
        self.sort();
        // Behind all chunks.
        let nobody = (self.chunks() << bits) as u32;
        let mut places = vec![0; self.ids.len()];
        for (&(_, number), place) in self.order.iter().zip(0u32..) {
            if let Some(to) = places.get_mut(number as usize) {
                *to = place;
            }
        }
        self.traces = Traces::default();
        self.traces.resize(self.ids.len());
        for (segment, translation) in segments.iter().zip(&mut translations) {
            for number in &mut translation.places {
                *number = places.get(*number as usize).copied().unwrap_or(nobody);
            }
            for (number, first, flags) in segment.traces() {
                // Nothing is known of whoever is left out.
                let place = translation.places.get(number as usize).copied().ok_or_else(broken)?;
                self.traces.add(place, first, flags);
            }
            translation.slots = segment.lists().map(|list| slots.number(list)).collect::<Result<_>>()?;
            let width = |&slot: &u32| slots.get(slot).map_or(0, |slot| slot.width() as u32);
            translation.widths = translation.slots.iter().map(width).collect();
            let texts = segment.texts().map(|text| text.map(|text| self.texts.number(text)).ok_or_else(broken));
            translation.texts = texts.collect::<Result<_>>()?;
        }
        self.deal(segments, &translations, slots)
    }

    /// Numbers the customers of all segments, or those of them that are named.
    fn number(&mut self, segments: &[Segment], only: Option<&Ids>, numbers: bool) -> Vec<Translation> {
        let most = segments.iter().map(Segment::customers).max().unwrap_or(0).min(only.map_or(usize::MAX, Ids::len));
        self.ids = Ids::with_capacity(most);
        let mut scratch = Vec::new();
        let mut translations = Vec::with_capacity(segments.len());
        for segment in segments {
            let mut places = Vec::with_capacity(segment.customers());
            for (key, tail) in segment.ids() {
                let hash = hash_of(key, tail, numbers, &mut scratch) as u32;
                let wanted = Wanted { key, tail, hash };
                let here = only.is_none_or(|only| only.find(wanted).is_some());
                places.push(if here { self.ids.number(self.ids.guess(hash), wanted) } else { NOBODY });
            }
            translations.push(Translation { places, slots: Vec::new(), widths: Vec::new(), texts: Vec::new() });
        }
        translations
    }

    fn sort(&mut self) {
        self.order.clear();
        self.order.extend(self.ids.keys().iter().copied().zip(0u32..));
        if self.ids.tails().is_empty() {
            self.order.sort_unstable();
        } else {
            let ids = &self.ids;
            self.order.sort_unstable_by(|a, b| order((a.0, ids.tail(a.1)), (b.0, ids.tail(b.1))));
        }
    }

    fn chunks(&self) -> usize {
        self.ids.len().div_ceil(1 << self.bits).max(1)
    }

    /// Puts the entries into chunks. Those of customers who are left out all go to one place behind the last chunk: to pass them over
    /// would cost the processor more, since it can't foresee whose entry comes next.
    fn deal(&mut self, segments: &[Segment], translations: &[Translation], slots: &Slots) -> Result<()> {
        let chunks = self.chunks();
        let measured = segments.iter().any(|segment| !segment.pool().is_empty());
        let mut starts = vec![Start::default(); chunks + 2];
        for (segment, Translation { places, widths, .. }) in segments.iter().zip(translations) {
            let mut count = |who: u32, words: usize| {
                let chunk = places.get(who as usize).map_or(0, |place| place >> self.bits) as usize;
                if let Some(start) = starts.get_mut(chunk + 1) {
                    start.entry += 1;
                    start.word += words;
                }
            };
            with_numbers!(segment.who(), |who| if measured {
                let width = |what: u32| widths.get(what as usize).copied().unwrap_or(0) as usize;
                with_numbers!(segment.what(), |what| who.zip(what).for_each(|(who, what)| count(who, width(what))));
            } else {
                who.for_each(|who| count(who, 0));
            });
        }
        starts.truncate(chunks + 1);
        let mut sum = Start::default();
        for start in &mut starts {
            sum = Start { entry: sum.entry + start.entry, word: sum.word + start.word };
            *start = sum;
        }
        self.ends.clear();
        self.ends.extend(starts.iter().skip(1).map(|start| start.entry));
        self.entries.clear();
        self.entries.resize(sum.entry + 1, Entry::default());
        self.pools.clear();
        self.pool.clear();
        if measured {
            let widest = translations.iter().flat_map(|t| &t.widths).max().copied().unwrap_or(0);
            self.pools.resize(sum.entry + 1, 0);
            self.pool.resize(sum.word + widest as usize, 0);
        }
        for (segment, translation) in segments.iter().zip(translations) {
            with_numbers!(segment.who(), |who| with_numbers!(segment.what(), |what| {
                let all = who.zip(what).zip(segment.when()).map(|((who, what), time)| (who, what, time));
                if measured {
                    self.take_measured(all, segment.pool(), translation, slots, &mut starts)?;
                } else {
                    self.take(all, translation, &mut starts);
                }
            }));
        }
        Ok(())
    }

    #[inline]
    fn take(&mut self, all: impl Iterator<Item = (u32, u32, i64)>, translation: &Translation, starts: &mut [Start]) {
        let (mask, chunks) = ((1 << self.bits) - 1, self.chunks());
        for (who, what, time) in all {
            let place = translation.places.get(who as usize).copied().unwrap_or(0);
            let slot = translation.slots.get(what as usize).copied().unwrap_or(u32::MAX);
            let chunk = (place >> self.bits) as usize;
            let Some(start) = starts.get_mut(chunk) else { continue };
            if let Some(to) = self.entries.get_mut(start.entry) {
                *to = Entry { time, slot, local: place & mask };
            }
            start.entry += usize::from(chunk < chunks);
        }
    }

    fn take_measured(
        &mut self,
        all: impl Iterator<Item = (u32, u32, i64)>,
        mut pool: &[[u8; 8]],
        translation: &Translation,
        slots: &Slots,
        starts: &mut [Start],
    ) -> Result<()> {
        let (mask, chunks) = ((1 << self.bits) - 1, self.chunks());
        for (who, what, time) in all {
            let place = translation.places.get(who as usize).copied().unwrap_or(0);
            let slot = translation.slots.get(what as usize).copied().ok_or_else(broken)?;
            let width = translation.widths.get(what as usize).copied().unwrap_or(0) as usize;
            let (from, rest) = pool.split_at_checked(width).ok_or_else(broken)?;
            pool = rest;
            let chunk = (place >> self.bits) as usize;
            let Some(start) = starts.get_mut(chunk) else { continue };
            if let (Some(to), Some(at)) = (self.entries.get_mut(start.entry), self.pools.get_mut(start.entry)) {
                *to = Entry { time, slot, local: place & mask };
                *at = start.word as u32;
            }
            if width > 0
                && let Some(words) = self.pool.get_mut(start.word..start.word + width)
            {
                words.iter_mut().zip(from).for_each(|(to, from)| *to = i64::from_le_bytes(*from));
                if !translation.texts.is_empty()
                    && let Some(slot) = slots.get(slot)
                {
                    translate(words, slot, slots.shape.ints, &translation.texts);
                }
            }
            let here = usize::from(chunk < chunks);
            *start = Start { entry: start.entry + here, word: start.word + here * width };
        }
        Ok(())
    }

    /// Puts the entries of each chunk into the order of some ascending instants: those from before the first, those from before the
    /// second, and so on. What has no time stands first.
    pub fn order(&mut self, instants: &[i64]) {
        let key = |entry: &Entry| match entry.time {
            TIMELESS => 0,
            time => instants.partition_point(|instant| *instant <= time),
        };
        self.until.clear();
        let (mut entries, mut pools) = (self.entries.clone(), self.pools.clone());
        let mut from = 0;
        for &end in &self.ends {
            let here = self.entries.get(from..end).unwrap_or_default();
            // Behind the last instant there is one place more.
            let mut next = vec![0; instants.len() + 2];
            for entry in here {
                if let Some(count) = next.get_mut(key(entry) + 1) {
                    *count += 1;
                }
            }
            let mut sum = from;
            for start in &mut next {
                sum += *start;
                *start = sum;
            }
            self.until.extend(next.iter().skip(1).take(instants.len()));
            for (entry, at) in here.iter().zip(from..) {
                let Some(place) = next.get_mut(key(entry)) else { continue };
                if let Some(to) = entries.get_mut(*place) {
                    *to = *entry;
                }
                if let (Some(to), Some(from)) = (pools.get_mut(*place), self.pools.get(at)) {
                    *to = *from;
                }
                *place += 1;
            }
            from = end;
        }
        (self.entries, self.pools) = (entries, pools);
    }

    /// How many customers there are.
    pub fn customers(&self) -> usize {
        self.order.len()
    }

    /// The customers `[from, to)`: key and tail.
    pub fn ids(&self, from: usize, to: usize) -> impl Iterator<Item = (Key, &[u8])> + '_ {
        let some = self.order.get(from..to).unwrap_or_default();
        some.iter().map(|&(key, number)| (key, self.ids.tail(number)))
    }

    /// The entries of a chunk.
    pub fn chunk(&self, number: usize) -> Chunk<'_> {
        let end = |n: usize| self.ends.get(n).copied().unwrap_or(0);
        self.entries_of(number.checked_sub(1).map_or(0, end)..end(number))
    }

    /// The entries of a chunk from before an instant, of so many by which [`Roster::order`] has put them in order.
    pub fn chunk_before(&self, number: usize, instant: usize, instants: usize) -> Chunk<'_> {
        let from = number.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.entries_of(from..self.until.get(number * instants + instant).copied().unwrap_or(from))
    }

    fn entries_of(&self, range: std::ops::Range<usize>) -> Chunk<'_> {
        Chunk {
            entries: self.entries.get(range.clone()).unwrap_or_default(),
            pools: self.pools.get(range).unwrap_or_default(),
            pool: &self.pool,
        }
    }
}

impl Chunk<'_> {
    /// The words of an entry's measures.
    #[inline]
    pub fn words(&self, at: usize, width: usize) -> &[i64] {
        let from = self.pools.get(at).copied().unwrap_or(0) as usize;
        self.pool.get(from..from + width).unwrap_or_default()
    }

    /// The entries that are wanted, by customer.
    pub fn by_customer(&self, customers: usize, wanted: impl Fn(u32) -> bool) -> (Vec<u32>, Vec<u32>) {
        let mut starts = vec![0u32; customers + 1];
        let mut some = Vec::new();
        for (entry, at) in self.entries.iter().zip(0u32..).filter(|(entry, _)| wanted(entry.slot)) {
            some.push((entry.local, at));
            if let Some(start) = starts.get_mut(entry.local as usize + 1) {
                *start += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let ends = starts.get(1..).unwrap_or_default().to_vec();
        let mut order = vec![0u32; some.len()];
        for (local, at) in some {
            if let Some(start) = starts.get_mut(local as usize) {
                if let Some(to) = order.get_mut(*start as usize) {
                    *to = at;
                }
                *start += 1;
            }
        }
        (order, ends)
    }
}

fn translate(words: &mut [i64], slot: &Slot, ints: u32, texts: &[i64]) {
    slot.renumber(ints, words, |word| usize::try_from(word).ok().and_then(|w| texts.get(w)).copied().unwrap_or(-1));
}
