//! Bits by the word: packing conditions, turning columns of bits into rows and back.
//!
//! Owns: nothing but arithmetic. Promises: bit `i` of a word is the `i`th of its 64 customers (or columns), lowest first.

/// Words for so many bits.
pub const fn words(bits: usize) -> usize {
    bits.div_ceil(64)
}

/// Packs one condition a customer.
pub fn pack(conditions: impl Iterator<Item = bool>, out: &mut [u64]) {
    out.fill(0);
    for (i, bit) in conditions.enumerate() {
        if let Some(word) = out.get_mut(i / 64) {
            *word |= u64::from(bit) << (i % 64);
        }
    }
}

/// Appends words of bits behind the first so many bits; those behind them are nought.
pub fn append(out: &mut Vec<u64>, bits: usize, more: &[u64]) {
    let shift = bits % 64;
    if shift == 0 {
        out.extend_from_slice(more);
        return;
    }
    for word in more {
        if let Some(last) = out.last_mut() {
            *last |= word << shift;
        }
        out.push(word >> (64 - shift));
    }
}

/// Packs what is said of each item.
#[inline]
fn pack_each<T>(items: &[T], says: impl Fn(&T) -> bool, out: &mut [u64]) {
    for (items, word) in items.chunks(64).zip(out) {
        let mut bytes = [0u8; 64];
        for (byte, item) in bytes.iter_mut().zip(items) {
            *byte = u8::from(says(item));
        }
        // Eight bytes that are 0 or 1 become the upper byte of the product, lowest first.
        let eighth = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        *word = bytes.as_chunks::<8>().0.iter().rev().fold(0, |word, bytes| word << 8 | eighth(bytes));
    }
}

/// Whether each number lies in `[lo, hi]`.
pub fn pack_range(numbers: &[u32], lo: u32, hi: u32, out: &mut [u64]) {
    let span = hi.wrapping_sub(lo);
    pack_each(numbers, |n| n.wrapping_sub(lo) <= span, out);
}

/// The same of signed numbers; nothing lies in it where `hi` is less.
pub fn pack_between(numbers: &[i64], lo: i64, hi: i64, out: &mut [u64]) {
    if hi < lo {
        return out.fill(0);
    }
    let span = hi.wrapping_sub(lo) as u64;
    pack_each(numbers, |n| n.wrapping_sub(lo) as u64 <= span, out);
}

/// Only the bits of what is known stay.
pub fn keep(known: &[bool], out: &mut [u64]) {
    let mut words = [0];
    for (known, word) in known.chunks(64).zip(out) {
        pack_each(known, |known| *known, &mut words);
        *word &= words[0];
    }
}

/// Turns 64 rows of 64 bits on their side: bit `j` of row `i` becomes bit `i` of row `j`.
pub fn transpose(rows: &mut [u64; 64]) {
    let (mut width, mut mask) = (32, 0x0000_0000_FFFF_FFFFu64);
    while width > 0 {
        for block in rows.chunks_exact_mut(2 * width) {
            let (above, below) = block.split_at_mut(width);
            for (a, b) in above.iter_mut().zip(below) {
                let swap = ((*a >> width) ^ *b) & mask;
                *b ^= swap;
                *a ^= swap << width;
            }
        }
        width /= 2;
        mask ^= mask << width;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appended_bits_follow_each_other() {
        for bits in [0, 1, 63, 64, 65, 130] {
            let bit = |i: usize| i % 3 == 1 || i % 7 == 2;
            let (mut all, mut first, mut more) =
                (vec![0; words(bits + 200)], vec![0; words(bits)], vec![0; words(200)]);
            pack((0..bits + 200).map(bit), &mut all);
            pack((0..bits).map(bit), &mut first);
            pack((bits..bits + 200).map(bit), &mut more);
            append(&mut first, bits, &more);
            first.truncate(words(bits + 200));
            assert_eq!(first, all, "{bits}");
        }
    }

    #[test]
    fn rows_become_columns() {
        let mut state = 7u64;
        let mut rows = [0u64; 64];
        for row in &mut rows {
            state = state.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(17) ^ 0x55;
            *row = state;
        }
        let before = rows;
        transpose(&mut rows);
        for (i, before) in before.iter().enumerate() {
            for (j, row) in rows.iter().enumerate() {
                assert_eq!(before >> j & 1, row >> i & 1, "{i} {j}");
            }
        }
    }

    #[test]
    fn ranges_pack_as_conditions_do() {
        let numbers: Vec<u32> = (0..150).map(|i| i * i % 37).chain([u32::MAX, 0]).collect();
        for (lo, hi) in [(0, 0), (3, 9), (0, u32::MAX), (u32::MAX, u32::MAX), (36, u32::MAX)] {
            let (mut fast, mut slow) = ([0; 3], [0; 3]);
            pack_range(&numbers, lo, hi, &mut fast);
            pack(numbers.iter().map(|n| (lo..=hi).contains(n)), &mut slow);
            let used = [u64::MAX, u64::MAX, (1 << (numbers.len() - 128)) - 1];
            assert!(fast.iter().zip(slow).zip(used).all(|((f, s), used)| f & used == s), "{lo} {hi}");
        }
    }
}
