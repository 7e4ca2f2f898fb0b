//! Drawing customers: the published hash behind `sample`.
//!
//! Owns: the hash and the share that it is compared with. Promises: the same answer on every machine and in every version; the
//! golden vectors of its test are for ever. Must not know: who is drawn for what.
//!
//! The point of a customer is the first eight bytes, read as a big-endian whole number, of SHA-256 over the UTF-8 bytes of the
//! salt, one byte 0, and the UTF-8 bytes of the customer's id (a number in decimal digits). `sample p` holds where
//! point < ⌊p × 2^64⌋, so a larger share of the same salt always includes a smaller one.

use sha2::{Digest, Sha256};

use super::num::Num;

/// Where a customer lies on the line from 0 to 2^64.
pub fn point(salt: &str, customer: &str) -> u64 {
    let mut hash = Sha256::new();
    hash.update(salt.as_bytes());
    hash.update([0]);
    hash.update(customer.as_bytes());
    hash.finalize().first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// Whether a customer is in the sample of this share (0 to 1).
pub fn holds(salt: &str, share: Num, customer: &str) -> bool {
    u128::from(point(salt, customer)) < limit(share)
}

/// ⌊share × 2^64⌋, between 0 and 2^64: whoever's point is smaller is drawn.
pub fn limit(share: Num) -> u128 {
    const WHOLE: u128 = 1 << 64;
    match share {
        Num::Exact { units, scale } => {
            let one = 10u128.pow(u32::from(scale.min(18)));
            let units = u128::try_from(units).unwrap_or(0).min(one);
            // `units` < 10^18 < 2^60, so the product fits.
            units * WHOLE / one
        }
        Num::Float(share) => (share.clamp(0.0, 1.0) * WHOLE as f64) as u128,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_become_limits() {
        assert_eq!(limit(Num::int(1)), 1 << 64);
        assert_eq!(limit(Num::int(0)), 0);
        assert_eq!(limit(Num::Exact { units: 5, scale: 1 }), 1 << 63);
        assert_eq!(limit(Num::Exact { units: 1, scale: 18 }), 18);
    }
}
