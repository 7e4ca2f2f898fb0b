//! Buckets of customers: which part of a population an id belongs to.
//!
//! Owns: the published hash and its version, buckets and shares of them. Promises: fixed for ever under its version (files and caches
//! rely on it); a function of the id alone. Must not know: plans, rows, files.
//!
//! The hash of a text takes its UTF-8 bytes in words of eight, lowest byte first, the last word filled up with noughts:
//! `h = SEED ^ (length × ODD)`, then `h = fold(h ^ word, ODD)` for each word, then `fold(h ^ TURN, SEED)`, where `fold(a, b)` is the
//! upper half of the 128-bit product of both, xor its lower half. The hash of a whole number takes that number as its one word, and
//! eight as its length. Its top 12 bits are the bucket.

/// Changes whenever an id may get another hash.
pub const HASH_VERSION: u32 = 1;

/// How many buckets there are.
pub const BUCKETS: u32 = 4_096;

/// Groups of customers that are evaluated one after the other.
pub const GROUPS: u32 = 64;

/// The same where a pass has few customers, and one thread.
pub const FEW_GROUPS: u32 = 8;

const SEED: u64 = 0x9E37_79B9_7F4A_7C15;
const ODD: u64 = 0xD6E8_FEB8_6659_FD93;
const TURN: u64 = 0xA076_1D64_78BD_642F;

/// The hash of an id that is text.
#[inline]
pub fn of_text(id: &[u8]) -> u64 {
    let mut hash = SEED ^ (id.len() as u64).wrapping_mul(ODD);
    let (words, rest) = id.as_chunks::<8>();
    for word in words {
        hash = fold(hash ^ u64::from_le_bytes(*word), ODD);
    }
    if !rest.is_empty() {
        let mut word = [0; 8];
        word.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        hash = fold(hash ^ u64::from_le_bytes(word), ODD);
    }
    fold(hash ^ TURN, SEED)
}

/// The hash of a text from its view, which holds all of it if it is short: the length, and the bytes filled up with noughts.
#[inline]
pub fn of_view(view: u128) -> Option<u64> {
    let (length, low, high) = (view as u32, (view >> 32) as u64, (view >> 96) as u64);
    let mut hash = SEED ^ u64::from(length).wrapping_mul(ODD);
    match length {
        0 => {}
        1..=8 => hash = fold(hash ^ low, ODD),
        9..=12 => hash = fold(fold(hash ^ low, ODD) ^ high, ODD),
        _ => return None,
    }
    Some(fold(hash ^ TURN, SEED))
}

/// The hash of an id that is a whole number.
#[inline]
pub fn of_number(id: i64) -> u64 {
    let hash = SEED ^ 8u64.wrapping_mul(ODD);
    fold(fold(hash ^ id as u64, ODD) ^ TURN, SEED)
}

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

/// The bucket of a hash.
#[inline]
pub fn bucket(hash: u64) -> u32 {
    (hash >> 52) as u32
}

/// The buckets `[lo, hi)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Share {
    pub lo: u32,
    pub hi: u32,
}

impl Share {
    /// All customers.
    pub const ALL: Share = Share { lo: 0, hi: BUCKETS };

    /// Whether the id with this hash belongs to it.
    #[inline]
    pub fn holds(self, hash: u64) -> bool {
        (self.lo..self.hi).contains(&bucket(hash))
    }

    /// Whether rows without customer are counted with it.
    pub fn is_first(self) -> bool {
        self.lo == 0
    }

    /// Whether it is an eighth of all buckets at most.
    pub fn is_small(self) -> bool {
        self.hi.saturating_sub(self.lo) <= BUCKETS / 8
    }

    /// `n` shares of nearly one size, in order; at least one, at most one a bucket.
    pub fn split(self, n: u32) -> Vec<Share> {
        let (size, n) = (self.hi.saturating_sub(self.lo), n.clamp(1, self.hi.saturating_sub(self.lo).max(1)));
        let cut = |i: u32| self.lo + (u64::from(size) * u64::from(i) / u64::from(n)) as u32;
        (0..n).map(|i| Share { lo: cut(i), hi: cut(i + 1) }).collect()
    }

    /// By how many bits a hash is shifted down for the number of its group: so many groups, a power of two, or up to half of them
    /// less; a bucket is in one group unless the share has fewer buckets than that.
    pub fn shift(self, groups: u32) -> u32 {
        let size = self.hi.saturating_sub(self.lo).max(1).next_power_of_two();
        52 + size.ilog2() - groups.clamp(2, 1 << 12).ilog2()
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::StringViewArray;

    use super::*;

    #[test]
    fn hashes_stay_what_they_were() {
        let texts = ["", "a", "ab", "customer", "c00000017", "anti-âge", "0123456789abcdef", "0123456789abcdefg"];
        let found: Vec<String> = texts.iter().map(|id| format!("{:016x}", of_text(id.as_bytes()))).collect();
        assert_eq!(found, GOLDEN_TEXTS);
        let numbers = [0, 1, -1, 42, i64::MAX, i64::MIN];
        let found: Vec<String> = numbers.iter().map(|id| format!("{:016x}", of_number(*id))).collect();
        assert_eq!(found, GOLDEN_NUMBERS);
    }

    #[test]
    fn views_hash_as_their_texts() {
        let texts = StringViewArray::from_iter_values((0..20).map(|n| "é0123456789abcdefghi".get(..n).unwrap_or("x")));
        for (text, &view) in texts.iter().flatten().zip(texts.views().iter()) {
            let hash = of_text(text.as_bytes());
            assert_eq!(of_view(view), (text.len() <= 12).then_some(hash), "{text}");
        }
    }

    const GOLDEN_TEXTS: [&str; 8] = [
        "05f3fdbe068f3564",
        "8d290bde02036c08",
        "9229028e6ef646f3",
        "5465547eb2284e46",
        "3b3a90e2d2a3dc27",
        "6af3b31fc5160d27",
        "4dd746b7fd09116c",
        "c503a0582eef241f",
    ];
    const GOLDEN_NUMBERS: [&str; 6] = [
        "01f51f1bcd73119c",
        "3fc6f7dc4299d711",
        "7648f5ccdff97eb2",
        "4d8ee773631534a7",
        "7dbfb4e66956365d",
        "78e034f9cd84c006",
    ];

    #[test]
    fn a_number_hashes_as_its_eight_bytes() {
        for n in [0, 7, -7, i64::MIN] {
            assert_eq!(of_number(n), of_text(&n.to_le_bytes()));
        }
    }

    #[test]
    fn ids_spread_over_the_buckets() {
        let mut numbers = vec![0u32; 64];
        let mut texts = vec![0u32; 64];
        for n in 0..64_000 {
            numbers[bucket(of_number(n)) as usize / 64] += 1;
            texts[bucket(of_text(format!("c{n:07}").as_bytes())) as usize / 64] += 1;
        }
        assert!(numbers.iter().chain(&texts).all(|n| (850..1_150).contains(n)), "{numbers:?} {texts:?}");
    }

    #[test]
    fn shares_are_a_partition() {
        for n in [1, 2, 3, 7, 64, 1_000, BUCKETS, BUCKETS + 1] {
            let shares = Share::ALL.split(n);
            assert_eq!(shares.len() as u32, n.min(BUCKETS));
            assert_eq!(shares.first().map(|s| s.lo), Some(0));
            assert_eq!(shares.last().map(|s| s.hi), Some(BUCKETS));
            assert!(shares.windows(2).all(|two| two[0].hi == two[1].lo) && shares.iter().all(|s| s.lo < s.hi));
        }
        assert!(!Share::ALL.is_small() && Share { lo: 64, hi: 128 }.is_small());
        assert_eq!(Share::ALL.shift(GROUPS), 58);
        assert_eq!(Share { lo: 7, hi: 8 }.shift(GROUPS), 46);
        assert_eq!(Share { lo: 7, hi: 8 }.shift(FEW_GROUPS), 49);
    }
}
