//! Chance that can be asked again.
//!
//! Owns: a small counter-based generator. Promises: the same key gives the same throws on every machine, in any order of asking,
//! so a day can be made without the days before it; nothing here needs more than IEEE addition, multiplication and square roots,
//! which round alike everywhere. That is why no distribution crate stands here: its results may change with its version.
//! Must not know: shops.

/// Scrambles 64 bits (the finaliser of SplitMix64).
pub(super) fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// One key of several.
pub(super) fn key(seed: u64, a: u64, b: u64) -> u64 {
    mix(mix(seed ^ a.wrapping_mul(0x9E37_79B9_7F4A_7C15)).wrapping_add(b.wrapping_mul(0xD1B5_4A32_D192_ED03)))
}

/// A stream of throws that its key determines.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(key: u64) -> Dice {
        Dice(key)
    }

    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// From 0 up to, but not, 1.
    pub(super) fn unit(&mut self) -> f64 {
        unit(self.bits())
    }

    pub(super) fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// From 0 to `n` − 1; 0 where `n` is 0.
    pub(super) fn below(&mut self, n: u32) -> u32 {
        (((self.bits() >> 32) * u64::from(n)) >> 32) as u32
    }

    /// From `low` to `high`, both included.
    pub(super) fn between(&mut self, low: i32, high: i32) -> i32 {
        let span = u32::try_from(high.saturating_sub(low)).unwrap_or(0).saturating_add(1);
        low.saturating_add(i32::try_from(self.below(span)).unwrap_or(0))
    }

    /// An index, as often as its weight says.
    pub(super) fn weighted(&mut self, weights: &[u32]) -> usize {
        let total: u32 = weights.iter().sum();
        let mut left = self.below(total);
        for (index, &weight) in weights.iter().enumerate() {
            if left < weight {
                return index;
            }
            left -= weight;
        }
        0
    }
}

/// The upper 53 bits as a number from 0 up to, but not, 1.
pub(super) fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throws_are_even_and_repeatable() {
        let mut dice = Dice::new(key(7, 1, 2));
        let mut counts = [0u32; 6];
        for _ in 0..60_000 {
            counts[dice.below(6) as usize] += 1;
        }
        assert!(counts.iter().all(|&n| (9_500..10_500).contains(&n)), "{counts:?}");
        let mut again = Dice::new(key(7, 1, 2));
        assert_eq!(again.bits(), Dice::new(key(7, 1, 2)).bits());
        assert_ne!(key(7, 1, 2), key(7, 2, 1));
        assert_eq!(Dice::new(1).below(0), 0);
        assert_eq!(Dice::new(1).between(5, 5), 5);
    }

    #[test]
    fn weights_are_kept() {
        let mut dice = Dice::new(3);
        let mut counts = [0u32; 3];
        for _ in 0..40_000 {
            counts[dice.weighted(&[1, 0, 3])] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!((9_400..10_600).contains(&counts[0]), "{counts:?}");
    }
}
