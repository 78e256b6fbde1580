//! A file of the inbox while an instance is written into it.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::mark::{LONGEST_META, Mark, PREAMBLE};
use super::pool::{Pool, Slot};
use crate::error::is_full;
use crate::folder::Folder;
use crate::{Arrival, StoreError};

/// Bytes by which the length of the meta header is known: `DICM` and the element of its group length
/// (PS3.10 §7.1).
const HEAD: usize = 16;

/// Those of them that are always the same: `DICM`, (0002,0000) UL, 4 bytes.
const FIXED: &[u8; 12] = b"DICM\x02\x00\x00\x00UL\x04\x00";

/// A file of the inbox that an instance is written into: its meta header (`DICM` and group 2 with its
/// group length, PS3.10 §7.1) and its data set. The 128 bytes of preamble before them are the store's
/// own. A draft that is dropped frees its file. Every write is one call of the operating system: whoever
/// has little at a time collects it.
#[derive(Debug)]
pub struct Draft {
    folder: Folder,
    pool: Arc<Pool>,
    slot: Option<Slot>,
    file: File,
    limit: u64,
    written: u64,
    meta: Vec<u8>,
    meta_bytes: Option<usize>,
    data: Sha256,
}

/// An instance that is written whole and not yet kept. Dropped, it is gone.
#[derive(Debug)]
pub struct Sealed {
    draft: Draft,
    sha256: [u8; 32],
}

impl Draft {
    /// An empty file.
    pub(super) fn new(folder: &Folder, pool: &Arc<Pool>, limit: u64) -> Result<Self, StoreError> {
        let slot = pool.take()?;
        let file = slot.open()?;
        let mut draft = Self {
            folder: folder.clone(),
            pool: Arc::clone(pool),
            slot: Some(slot),
            file,
            limit,
            written: 0,
            meta: Vec::new(),
            meta_bytes: None,
            data: Sha256::new(),
        };
        let begun = draft.file.write_all(&[0; PREAMBLE]);
        begun.map_err(|error| StoreError::io(draft.path(), error))?;
        draft.written = PREAMBLE as u64;
        Ok(draft)
    }

    /// Where the file is for now.
    pub fn path(&self) -> &Path {
        self.slot.as_ref().map_or(Path::new(""), |slot| &slot.path)
    }

    /// Ends the writing.
    ///
    /// # Errors
    /// [`StoreError::BadValue`] if what was written ends within its meta header,
    /// [`StoreError::Full`], or of the disk; the file is freed then.
    pub fn seal(self) -> Result<Sealed, StoreError> {
        if self.meta_bytes != Some(self.meta.len()) {
            let why = format!("it ends within its meta header, after {} bytes", self.meta.len());
            return Err(StoreError::BadValue { what: "the instance", why });
        }
        let sha256 = self.data.clone().finalize().into();
        Ok(Sealed { draft: self, sha256 })
    }

    /// Takes the bytes that belong to the meta header; those that are left are of the data set.
    fn take_meta<'a>(&mut self, mut bytes: &'a [u8]) -> io::Result<&'a [u8]> {
        while !bytes.is_empty() && self.meta_bytes.is_none_or(|length| self.meta.len() < length) {
            let wanted = self.meta_bytes.unwrap_or(HEAD) - self.meta.len();
            let (taken, rest) = bytes.split_at(wanted.min(bytes.len()));
            self.meta.extend_from_slice(taken);
            bytes = rest;
            if self.meta_bytes.is_none() && self.meta.len() == HEAD {
                self.meta_bytes = Some(meta_bytes(&self.meta)?);
            }
        }
        Ok(bytes)
    }
}

/// Length of a meta header, from its first bytes.
fn meta_bytes(head: &[u8]) -> io::Result<usize> {
    let length = head.strip_prefix(FIXED).and_then(|length| length.first_chunk());
    let length = length.map(|length| u32::from_le_bytes(*length) as usize);
    match length {
        Some(length) if length <= LONGEST_META - HEAD => Ok(HEAD + length),
        Some(length) => {
            let what = format!("the meta header has {length} bytes, {LONGEST_META} are the limit");
            Err(io::Error::new(io::ErrorKind::InvalidData, what))
        }
        None => {
            let what = "an instance begins with DICM and the group length of its meta header";
            Err(io::Error::new(io::ErrorKind::InvalidData, what))
        }
    }
}

impl Write for Draft {
    /// Fails with [`io::ErrorKind::StorageFull`] where the disk is full, with
    /// [`io::ErrorKind::FileTooLarge`] beyond the limit of one instance, and with
    /// [`io::ErrorKind::InvalidData`] if the bytes do not begin with a meta header.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let after = self.written.saturating_add(bytes.len() as u64);
        if after > self.limit {
            let what = StoreError::TooLarge { limit: self.limit };
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
        }
        let data = self.take_meta(bytes)?;
        self.data.update(data);
        self.file.write_all(bytes).map_err(|error| match is_full(&error) {
            true => io::ErrorKind::StorageFull.into(),
            false => error,
        })?;
        self.written = after;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let Some(slot) = self.slot.take() else { return };
        match self.file.set_len(0) {
            Ok(()) => self.pool.give_back(slot),
            // What cannot be removed either is left to the next recovery.
            Err(_) => drop(std::fs::remove_file(&slot.path)),
        }
    }
}

impl Sealed {
    /// Where the file is for now; it can be read.
    pub fn path(&self) -> &Path {
        self.draft.path()
    }

    /// Bytes of the file, preamble included.
    pub fn bytes(&self) -> u64 {
        self.draft.written
    }

    /// SHA-256 of the data set: all that follows the meta header, which names the sender and so differs
    /// between senders of the same object.
    pub fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }

    /// Marks the file as whole and makes it last. This is the moment from which on it is found again.
    pub(super) fn mark(&mut self, arrival: &Arrival) -> Result<(), StoreError> {
        let mark = Mark {
            meta_bytes: self.draft.meta.len() as u32,
            data_bytes: self.bytes() - (PREAMBLE + self.draft.meta.len()) as u64,
            sha256: self.sha256,
            received_at: arrival.received_at,
            association: arrival.association,
            calling_ae: arrival.calling_ae.clone(),
        };
        let file = &mut self.draft.file;
        let written = file.rewind().and_then(|()| file.write_all(&mark.to_bytes(&self.draft.meta)));
        written.map_err(|error| StoreError::io(self.path(), error))?;
        self.draft.folder.sync_file(&self.draft.file, self.path())?;
        if let Some(slot) = &mut self.draft.slot
            && !slot.lasts
        {
            self.draft.folder.sync_folder(&self.draft.folder.inbox())?;
            slot.lasts = true;
        }
        Ok(())
    }

    /// Leaves the file where it is, for what files it.
    pub(super) fn leave(mut self) -> std::path::PathBuf {
        self.draft.slot.take().map(|slot| slot.path).unwrap_or_default()
    }
}
