//! A segment on disk: pieces one behind the other, each told apart by place and sum.
//!
//! Owns: writing and reading pieces. Promises: a segment appears whole or not at all; a piece that was changed, cut off or is gone
//! is told and never handed out. Must not know: what is in a piece.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::manifest::{Group, Piece, Run, Segment};
use super::sealed::{ASIDE, checksum};

/// A segment in the making.
#[derive(Debug)]
pub struct Writer {
    out: std::io::BufWriter<NamedTempFile>,
    at: u64,
    sum: u64,
    groups: Vec<Group>,
}

impl Writer {
    pub fn new(shelf: &Path) -> std::io::Result<Writer> {
        std::fs::create_dir_all(shelf)?;
        let file = tempfile::Builder::new().prefix(ASIDE).tempfile_in(shelf)?;
        let out = std::io::BufWriter::with_capacity(1 << 20, file);
        Ok(Writer { out, at: 0, sum: 0, groups: Vec::new() })
    }

    /// The next group: its state and its runs.
    pub fn group(&mut self, state: &[u8], runs: &[u8]) -> std::io::Result<Group> {
        let group = Group { state: self.piece(state)?, runs: self.piece(runs)? };
        self.groups.push(group);
        Ok(group)
    }

    fn piece(&mut self, bytes: &[u8]) -> std::io::Result<Piece> {
        self.out.write_all(bytes)?;
        let piece = Piece { at: self.at, bytes: bytes.len() as u64, sum: checksum(bytes) };
        self.at += piece.bytes;
        self.sum = self.sum.rotate_left(7) ^ piece.sum;
        Ok(piece)
    }

    /// Puts the segment into its place.
    pub fn finish(self, shelf: &Path, runs: Vec<Run>) -> std::io::Result<Segment> {
        let file = self.out.into_inner().map_err(|e| e.into_error())?;
        // Files of other content have other names, so that no reader ever meets another segment under a name that it knows.
        let content = runs.iter().fold(self.sum, |sum, run| sum.rotate_left(9) ^ checksum(run.file.as_bytes()));
        let name = format!("{content:016x}-{:x}.log", self.at);
        file.persist(shelf.join(&name)).map_err(|e| e.error)?;
        Ok(Segment { name, bytes: self.at, runs, groups: self.groups })
    }
}

/// An open segment.
#[derive(Debug)]
pub struct Reader(File);

impl Reader {
    pub fn open(shelf: &Path, segment: &Segment) -> std::io::Result<Reader> {
        let file = File::open(shelf.join(&segment.name))?;
        if file.metadata()?.len() != segment.bytes {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
        Ok(Reader(file))
    }

    /// The bytes of a piece, if they are what was written.
    pub fn read(&mut self, piece: &Piece) -> std::io::Result<Vec<u8>> {
        let length = usize::try_from(piece.bytes).map_err(|_| std::io::ErrorKind::InvalidData)?;
        let mut bytes = vec![0; length];
        self.0.seek(SeekFrom::Start(piece.at))?;
        self.0.read_exact(&mut bytes)?;
        if checksum(&bytes) != piece.sum {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_back_or_are_told() {
        let shelf = tempfile::tempdir().unwrap();
        let mut writer = Writer::new(shelf.path()).unwrap();
        writer.group(b"states of one", b"runs").unwrap();
        writer.group(b"", b"").unwrap();
        writer.group(&[7; 100], b"more").unwrap();
        let segment = writer.finish(shelf.path(), Vec::new()).unwrap();
        let at = shelf.path().join(&segment.name);
        let whole = std::fs::read(&at).unwrap();
        let read = || -> std::io::Result<Vec<Vec<u8>>> {
            let mut reader = Reader::open(shelf.path(), &segment)?;
            segment.groups.iter().flat_map(|g| [g.state, g.runs]).map(|piece| reader.read(&piece)).collect()
        };
        assert_eq!(read().unwrap().concat(), whole);
        for i in 0..whole.len() {
            let mut other = whole.clone();
            other[i] ^= 0x10;
            std::fs::write(&at, other).unwrap();
            assert!(read().is_err());
            std::fs::write(&at, &whole[..i]).unwrap();
            assert!(read().is_err());
        }
        std::fs::write(&at, &whole).unwrap();
        assert!(read().is_ok());
        std::fs::remove_file(&at).unwrap();
        assert!(read().is_err());
    }
}
