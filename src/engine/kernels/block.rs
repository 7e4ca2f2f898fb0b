//! A block: the answer for the customers of a bucket, as bytes.
//!
//! Owns: the form of what `history` answers with. Promises: customers stand in the order of their ids; what is read is what was put.
//! Must not know: what the bits and values mean.
//!
//! A head of three words (customers, words of a row, bytes of tails), then keys, rows of bits, tails, and the exported values.

use super::ids::{Ids, Key, Wanted, hash_of, order, tail_len};

const HEAD: usize = 24;

/// A block in the making.
#[derive(Debug, Default)]
pub struct Builder {
    /// Words of a row.
    width: usize,
    keys: Vec<u8>,
    rows: Vec<u8>,
    tails: Vec<u8>,
    /// The exported values, customer by customer.
    pub exports: Vec<u8>,
}

impl Builder {
    pub fn new(width: usize) -> Builder {
        Builder { width, ..Builder::default() }
    }

    /// Appends a customer; his exports follow.
    pub fn push(&mut self, key: Key, tail: &[u8], row: &[u64]) {
        self.keys.extend_from_slice(&key.to_le_bytes());
        self.tails.extend_from_slice(tail);
        row.iter().for_each(|word| self.rows.extend_from_slice(&word.to_le_bytes()));
    }

    /// Bytes in use.
    pub fn size(&self) -> usize {
        self.keys.capacity() + self.rows.capacity() + self.tails.capacity() + self.exports.capacity()
    }

    /// Appends the next customer of a block without exports.
    fn copy(&mut self, block: &Block<'_>) {
        let Some((_, tail)) = block.first() else { return };
        self.keys.extend(block.keys.first().into_iter().flatten());
        self.tails.extend_from_slice(tail);
        self.rows.extend_from_slice(block.rows.get(..self.width).unwrap_or_default().as_flattened());
    }

    /// The bytes; nothing is left behind.
    pub fn finish(&mut self) -> Vec<u8> {
        let mut out =
            Vec::with_capacity(HEAD + self.keys.len() + self.rows.len() + self.tails.len() + self.exports.len());
        for word in [self.keys.len() / 16, self.width, self.tails.len()] {
            out.extend_from_slice(&(word as u64).to_le_bytes());
        }
        for part in [&mut self.keys, &mut self.rows, &mut self.tails, &mut self.exports] {
            out.append(part);
        }
        out
    }
}

/// Reads a block from its first customer to its last.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a> {
    keys: &'a [[u8; 16]],
    rows: &'a [[u8; 8]],
    tails: &'a [u8],
    pub exports: &'a [u8],
    width: usize,
}

impl<'a> Block<'a> {
    pub fn read(bytes: &'a [u8]) -> Option<Block<'a>> {
        let (head, rest) = bytes.split_at_checked(HEAD)?;
        let mut words =
            head.as_chunks::<8>().0.iter().filter_map(|word| usize::try_from(u64::from_le_bytes(*word)).ok());
        let (customers, width, tails) = (words.next()?, words.next()?, words.next()?);
        let (keys, rest) = rest.split_at_checked(customers.checked_mul(16)?)?;
        let (rows, rest) = rest.split_at_checked(customers.checked_mul(width)?.checked_mul(8)?)?;
        let (tails, exports) = rest.split_at_checked(tails)?;
        Some(Block { keys: keys.as_chunks().0, rows: rows.as_chunks().0, tails, exports, width })
    }

    /// How many customers are left.
    pub fn customers(&self) -> usize {
        self.keys.len()
    }

    /// Words of a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Whether customers are all of one length, so that the block can be read from any of them on.
    pub fn is_even(&self) -> bool {
        self.tails.is_empty() && self.exports.is_empty()
    }

    /// Keys from all over an even block, with about one in so many customers.
    pub fn sample(&self, step: usize) -> impl Iterator<Item = Key> + 'a {
        self.keys.iter().skip(step / 2).step_by(step.max(1)).map(|key| Key::from_le_bytes(*key))
    }

    /// The customers before a key and the others, of an even block.
    pub fn split(self, key: Key) -> (Block<'a>, Block<'a>) {
        let at = self.keys.partition_point(|k| Key::from_le_bytes(*k) < key);
        let (before, behind) = self.keys.split_at(at);
        let (answers, others) = self.rows.split_at_checked(at * self.width).unwrap_or_default();
        (Block { keys: before, rows: answers, ..self }, Block { keys: behind, rows: others, ..self })
    }

    /// The next customer.
    pub fn first(&self) -> Option<(Key, &'a [u8])> {
        let key = Key::from_le_bytes(*self.keys.first()?);
        Some((key, self.tails.get(..tail_len(key))?))
    }

    /// The words of the next customer's row.
    pub fn row(&self) -> impl Iterator<Item = u64> + 'a {
        self.rows.iter().take(self.width).map(|word| u64::from_le_bytes(*word))
    }

    /// Goes on to the one behind; the exports are the reader's to take.
    pub fn advance(&mut self) {
        if let Some((key, tail)) = self.first() {
            debug_assert_eq!(tail.len(), tail_len(key));
            self.tails = self.tails.get(tail.len()..).unwrap_or_default();
        }
        self.keys = self.keys.get(1..).unwrap_or_default();
        self.rows = self.rows.get(self.width..).unwrap_or_default();
    }
}

/// A block of those customers of an earlier one who are not named, and of all that were answered for anew; `None` if they don't belong
/// together, or if there are exports.
pub fn renewed(earlier: &[u8], anew: &[u8], named: &Ids, numbers: bool) -> Option<Vec<u8>> {
    let (mut earlier, mut anew) = (Block::read(earlier)?, Block::read(anew)?);
    if earlier.width != anew.width || !earlier.exports.is_empty() || !anew.exports.is_empty() {
        return None;
    }
    let mut out = Builder::new(anew.width);
    let mut scratch = Vec::new();
    while let Some((key, tail)) = earlier.first() {
        let hash = hash_of(key, tail, numbers, &mut scratch) as u32;
        if named.find(Wanted { key, tail, hash }).is_none() {
            while anew.first().is_some_and(|first| order(first, (key, tail)).is_lt()) {
                out.copy(&anew);
                anew.advance();
            }
            out.copy(&earlier);
        }
        earlier.advance();
    }
    while anew.first().is_some() {
        out.copy(&anew);
        anew.advance();
    }
    Some(out.finish())
}

#[cfg(test)]
mod tests {
    use super::super::ids::{tail_of, text_key};
    use super::*;

    #[test]
    fn customers_come_out_as_they_went_in() {
        let texts = ["a", "long enough for a tail", "z"];
        let mut builder = Builder::new(2);
        for (text, n) in texts.iter().zip(0u64..) {
            builder.push(text_key(text.as_bytes()), tail_of(text.as_bytes()), &[n, u64::MAX - n]);
            builder.exports.push(n as u8);
        }
        let bytes = builder.finish();
        let mut block = Block::read(&bytes).unwrap();
        assert_eq!((block.customers(), block.exports), (3, [0, 1, 2].as_slice()));
        for (text, n) in texts.iter().zip(0u64..) {
            assert_eq!(block.first(), Some((text_key(text.as_bytes()), tail_of(text.as_bytes()))));
            assert_eq!(block.row().collect::<Vec<_>>(), [n, u64::MAX - n]);
            block.advance();
        }
        assert!(block.first().is_none());
        assert!((0..bytes.len() - 3).all(|n| Block::read(&bytes[..n]).is_none()));
        assert_eq!(Block::read(&builder.finish()).map(|b| b.customers()), Some(0));
    }

    #[test]
    fn earlier_answers_give_way_to_new_ones() {
        let id = |n: u64| format!("a customer with number {n:03}");
        let block = |all: &[(u64, u64)]| {
            let mut builder = Builder::new(1);
            all.iter().for_each(|&(n, row)| {
                builder.push(text_key(id(n).as_bytes()), tail_of(id(n).as_bytes()), &[row]);
            });
            builder.finish()
        };
        let mut named = Ids::default();
        for n in [0, 2, 3, 9] {
            let (key, tail) = (text_key(id(n).as_bytes()), tail_of(id(n).as_bytes()).to_vec());
            let hash = hash_of(key, &tail, false, &mut Vec::new()) as u32;
            named.number(0, Wanted { key, tail: &tail, hash });
        }
        let earlier = block(&[(1, 1), (2, 1), (3, 1), (4, 1), (7, 1)]);
        // Of those who are named one is new, one has gone, and one was never told of.
        let anew = block(&[(0, 2), (2, 2), (9, 2)]);
        let expected = block(&[(0, 2), (1, 1), (2, 2), (4, 1), (7, 1), (9, 2)]);
        assert_eq!(renewed(&earlier, &anew, &named, false), Some(expected));
        assert_eq!(renewed(&earlier, &Builder::new(2).finish(), &named, false), None);
        assert_eq!(renewed(&earlier, &block(&[]), &Ids::default(), false), Some(earlier));
    }

    #[test]
    fn even_blocks_split() {
        let mut builder = Builder::new(1);
        let key = |n: u64| text_key(format!("c{n:02}").as_bytes());
        (0..9).for_each(|n| builder.push(key(n), &[], &[n]));
        let bytes = builder.finish();
        let block = Block::read(&bytes).unwrap();
        assert!(block.is_even());
        assert_eq!(block.sample(4).collect::<Vec<_>>(), [key(2), key(6)]);
        for at in 0..10 {
            let (mut low, high) = block.split(key(at));
            assert_eq!((low.customers() as u64, high.customers() as u64), (at, 9 - at));
            assert_eq!(high.row().next(), (at < 9).then_some(at));
            (0..at).for_each(|_| low.advance());
            assert!(low.first().is_none());
        }
    }
}
