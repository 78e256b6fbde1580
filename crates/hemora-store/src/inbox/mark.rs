//! What the preamble of a file says (PS3.10 §7.1 leaves its 128 bytes to the application): that the
//! instance is whole, and how it arrived.
//!
//! It is zero while the instance arrives. A file whose mark is right was written whole; whether it was
//! acknowledged too does not matter, since its sender then sends it again and it is there already.

use std::fs::File;
use std::io::{self, Read};

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use crate::time::{at, millis};

/// Bytes of the preamble.
pub(crate) const PREAMBLE: usize = 128;

/// The first bytes of a mark, with the number of its layout.
const MAGIC: [u8; 8] = *b"HEMORA\x01\n";

/// Bytes before the check of the mark.
const CHECKED: usize = 112;

/// Bytes that a meta header may have.
pub(crate) const LONGEST_META: usize = 1 << 20;

/// What the preamble says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Bytes of the meta header, `DICM` included.
    pub(crate) meta_bytes: u32,
    /// Bytes of the data set.
    pub(crate) data_bytes: u64,
    /// SHA-256 of the data set.
    pub(crate) sha256: [u8; 32],
    /// When it was received.
    pub(crate) received_at: DateTime<Utc>,
    /// Association that brought it.
    pub(crate) association: u64,
    /// Its AE title: 16 characters at most (PS3.8 §9.3.2).
    pub(crate) calling_ae: String,
}

/// What a file of the inbox is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// An instance that had not arrived whole.
    Unmarked,
    /// It says that it is whole, and is not.
    Damaged,
    /// A whole instance.
    Whole(Mark),
}

impl Mark {
    /// The preamble, for a file with this meta header.
    pub(crate) fn to_bytes(&self, meta: &[u8]) -> [u8; PREAMBLE] {
        let mut bytes = [0; PREAMBLE];
        let mut place = 0;
        let mut put = |field: &[u8]| {
            bytes[place..place + field.len()].copy_from_slice(field);
            place += field.len();
        };
        put(&MAGIC);
        put(&self.data_bytes.to_le_bytes());
        put(&self.meta_bytes.to_le_bytes());
        put(&self.sha256);
        put(&millis(self.received_at).to_le_bytes());
        put(&self.association.to_le_bytes());
        let title: Vec<u8> =
            self.calling_ae.bytes().chain(std::iter::repeat(b' ')).take(16).collect();
        put(&title);
        let check = check(&bytes[..CHECKED], meta);
        bytes[CHECKED..].copy_from_slice(&check);
        bytes
    }

    fn parse(bytes: &[u8; PREAMBLE]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(&MAGIC)?;
        Some(Self {
            data_bytes: u64::from_le_bytes(take(&mut rest)?),
            meta_bytes: u32::from_le_bytes(take(&mut rest)?),
            sha256: take(&mut rest)?,
            received_at: at(i64::from_le_bytes(take(&mut rest)?)),
            association: u64::from_le_bytes(take(&mut rest)?),
            calling_ae: String::from_utf8_lossy(&take::<16>(&mut rest)?).trim_end().to_owned(),
        })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (field, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*field)
}

fn check(fields: &[u8], meta: &[u8]) -> [u8; PREAMBLE - CHECKED] {
    let mut hash = Sha256::new();
    hash.update(fields);
    hash.update(meta);
    let mut check = [0; PREAMBLE - CHECKED];
    check.copy_from_slice(&hash.finalize()[..PREAMBLE - CHECKED]);
    check
}

/// Reads the whole of a file and says what it is.
pub(crate) fn examine(file: &mut File) -> io::Result<Found> {
    let length = file.metadata()?.len();
    let mut preamble = [0; PREAMBLE];
    if length < PREAMBLE as u64 {
        return Ok(Found::Unmarked);
    }
    file.read_exact(&mut preamble)?;
    let Some(mark) = Mark::parse(&preamble) else { return Ok(Found::Unmarked) };
    let expected = (PREAMBLE as u64).checked_add(u64::from(mark.meta_bytes));
    let expected = expected.and_then(|bytes| bytes.checked_add(mark.data_bytes));
    if expected != Some(length) || mark.meta_bytes as usize > LONGEST_META {
        return Ok(Found::Damaged);
    }
    let mut meta = vec![0; mark.meta_bytes as usize];
    file.read_exact(&mut meta)?;
    if check(&preamble[..CHECKED], &meta) != preamble[CHECKED..] {
        return Ok(Found::Damaged);
    }
    let mut hash = Sha256::new();
    let mut block = vec![0; 256 << 10];
    loop {
        let read = file.read(&mut block)?;
        if read == 0 {
            break;
        }
        hash.update(&block[..read]);
    }
    let whole = <[u8; 32]>::from(hash.finalize()) == mark.sha256;
    Ok(if whole { Found::Whole(mark) } else { Found::Damaged })
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};

    use super::*;

    fn examine_bytes(bytes: &[u8]) -> Found {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        examine(&mut file).unwrap()
    }

    #[test]
    fn every_change_of_a_byte_is_seen() {
        let (meta, data) = (b"DICM and more".as_slice(), b"the data set".as_slice());
        let mark = Mark {
            meta_bytes: meta.len() as u32,
            data_bytes: data.len() as u64,
            sha256: Sha256::digest(data).into(),
            received_at: at(1_764_000_000_123),
            association: 7,
            calling_ae: "CT1".to_owned(),
        };
        let whole = [&mark.to_bytes(meta), meta, data].concat();
        assert_eq!(examine_bytes(&whole), Found::Whole(mark));
        for place in 0..whole.len() {
            let mut changed = whole.clone();
            changed[place] ^= 1;
            let expected = if place < MAGIC.len() { Found::Unmarked } else { Found::Damaged };
            assert_eq!(examine_bytes(&changed), expected, "byte {place}");
        }
        for length in 0..whole.len() {
            let expected = if length < PREAMBLE { Found::Unmarked } else { Found::Damaged };
            assert_eq!(examine_bytes(&whole[..length]), expected, "{length} bytes");
        }
        let unmarked = [&[0; PREAMBLE], meta, data].concat();
        assert_eq!(examine_bytes(&unmarked), Found::Unmarked);
    }

    #[test]
    fn a_mark_that_asks_for_more_than_there_is_takes_no_memory() {
        let mark = Mark {
            meta_bytes: u32::MAX,
            data_bytes: u64::MAX,
            sha256: [0; 32],
            received_at: at(0),
            association: 0,
            calling_ae: "longer than sixteen characters".to_owned(),
        };
        assert_eq!(examine_bytes(&mark.to_bytes(b"")), Found::Damaged);
    }
}
