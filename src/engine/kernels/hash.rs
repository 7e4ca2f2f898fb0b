//! A fast hasher for keys that no stranger chooses to collide for gain: slots, codes, texts of one batch.
//!
//! Owns: the multiply-and-rotate hash. Promises: nothing about order; results never depend on it.

use std::hash::{BuildHasherDefault, Hasher};

/// A map with the fast hasher.
pub type Map<K, V> = std::collections::HashMap<K, V, BuildHasherDefault<Fast>>;

#[derive(Debug, Default, Clone, Copy)]
pub struct Fast(u64);

impl Fast {
    fn mix(&mut self, word: u64) {
        let wide = u128::from(self.0 ^ word) * 0x9E37_79B9_7F4A_7C15_u128;
        self.0 = (wide as u64) ^ ((wide >> 64) as u64).rotate_left(23) ^ 0xD6E8_FEB8_6659_FD93;
    }
}

impl Hasher for Fast {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            let mut all = [0; 8];
            all.copy_from_slice(word);
            self.mix(u64::from_le_bytes(all));
        }
        let rest = words.remainder();
        let mut all = [0; 8];
        for (to, from) in all.iter_mut().zip(rest) {
            *to = *from;
        }
        self.mix(u64::from_le_bytes(all) ^ ((bytes.len() as u64) << 56));
    }

    fn write_u8(&mut self, n: u8) {
        self.mix(u64::from(n));
    }

    fn write_u32(&mut self, n: u32) {
        self.mix(u64::from(n));
    }

    fn write_u64(&mut self, n: u64) {
        self.mix(n);
    }

    fn write_usize(&mut self, n: usize) {
        self.mix(n as u64);
    }

    fn write_i64(&mut self, n: i64) {
        self.mix(n as u64);
    }
}
