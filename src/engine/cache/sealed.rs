//! Small files that are whole or not there.
//!
//! Owns: a text behind its check sum, swapped in atomically. Promises: a file that was cut off, changed or written by another
//! version reads as none; whoever reads while it is written sees the old one.

use std::io::Write;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Writes the value beside its place, then moves it there.
pub fn write(at: &Path, value: &impl Serialize) -> std::io::Result<()> {
    let text = serde_json::to_string(value)?;
    let folder = at.parent().unwrap_or(Path::new("."));
    let mut aside = tempfile::Builder::new().prefix(ASIDE).tempfile_in(folder)?;
    let mut out = std::io::BufWriter::new(aside.as_file_mut());
    writeln!(out, "{:016x}", checksum(text.as_bytes()))?;
    out.write_all(text.as_bytes())?;
    out.flush()?;
    drop(out);
    aside.persist(at).map_err(|e| e.error)?;
    Ok(())
}

/// How names of files begin that are still being written.
pub const ASIDE: &str = ".new-";

/// What a file holds.
#[derive(Debug)]
pub enum Sealed<T> {
    /// There is none.
    Absent,
    /// It is not what was written.
    Broken,
    Whole(T),
}

/// Reads what [`write`] wrote.
pub fn read<T: DeserializeOwned>(at: &Path) -> Sealed<T> {
    let bytes = match std::fs::read(at) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Sealed::Absent,
        Err(_) => return Sealed::Broken,
    };
    let value = || {
        let (sum, text) = bytes.split_at_checked(17)?;
        let sum = u64::from_str_radix(std::str::from_utf8(sum.get(..16)?).ok()?, 16).ok()?;
        (checksum(text) == sum).then(|| serde_json::from_slice(text).ok())?
    };
    value().map_or(Sealed::Broken, Sealed::Whole)
}

/// A sum that tells accidents: four lanes, so that it is as fast as memory.
pub fn checksum(bytes: &[u8]) -> u64 {
    const PRIMES: [u64; 4] =
        [0x9E37_79B9_7F4A_7C15, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9, 0x27D4_EB2F_1656_67C5];
    let mut lanes = PRIMES;
    let mut blocks = bytes.chunks_exact(32);
    for block in &mut blocks {
        for ((lane, word), prime) in lanes.iter_mut().zip(block.chunks_exact(8)).zip(PRIMES) {
            let mut eight = [0; 8];
            eight.copy_from_slice(word);
            // Every step can be undone, so that one changed word never cancels.
            *lane = (*lane ^ u64::from_le_bytes(eight)).wrapping_mul(prime).rotate_left(29);
        }
    }
    let mut sum = bytes.len() as u64;
    for lane in lanes {
        sum = (sum ^ lane).wrapping_mul(PRIMES[0]).rotate_left(31);
    }
    for &byte in blocks.remainder() {
        sum = (sum ^ u64::from(byte)).wrapping_mul(PRIMES[1]).rotate_left(27);
    }
    sum ^ (sum >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_byte_shows() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().join("x");
        assert!(matches!(read::<Vec<u32>>(&at), Sealed::Absent));
        write(&at, &(0..100).collect::<Vec<u32>>()).unwrap();
        assert!(matches!(read::<Vec<u32>>(&at), Sealed::Whole(v) if v.len() == 100));
        let bytes = std::fs::read(&at).unwrap();
        for i in 0..bytes.len() {
            let mut other = bytes.clone();
            other[i] ^= 4;
            std::fs::write(&at, &other).unwrap();
            // The sum itself may be written in capitals.
            assert!(!matches!(read::<Vec<u32>>(&at), Sealed::Whole(v) if v.len() != 100), "byte {i}");
            std::fs::write(&at, &bytes[..i]).unwrap();
            assert!(!matches!(read::<Vec<u32>>(&at), Sealed::Whole(_)), "cut at {i}");
        }
    }

    #[test]
    fn sums_tell_changes_apart() {
        let bytes: Vec<u8> = (0..200u8).collect();
        let whole = checksum(&bytes);
        for i in 0..bytes.len() {
            for bit in 0..8 {
                let mut other = bytes.clone();
                other[i] ^= 1 << bit;
                assert_ne!(checksum(&other), whole);
            }
        }
        assert_ne!(checksum(&[0; 32]), checksum(&[0; 64]));
    }
}
