//! A file of the inbox while an instance is written into it.

use std::io::{self, Write};
use std::path::Path;

use crate::StoreError;

/// A file of the inbox that an instance is written into: its meta header (`DICM` and group 2, PS3.10
/// §7.1) and its data set. The 128 bytes of preamble before them are the store's own. A draft that is
/// dropped frees its file.
#[derive(Debug)]
pub struct Draft {}

/// An instance that is written whole and not yet kept. Dropped, it is gone.
#[derive(Debug)]
pub struct Sealed {
    draft: Draft,
    bytes: u64,
    sha256: [u8; 32],
}

impl Draft {
    /// Where the file is for now.
    pub fn path(&self) -> &Path {
        todo!()
    }

    /// Ends the writing.
    ///
    /// # Errors
    /// [`StoreError::Full`], or of the disk; the file is freed then.
    pub fn seal(self) -> Result<Sealed, StoreError> {
        todo!()
    }
}

impl Write for Draft {
    /// Fails with [`io::ErrorKind::StorageFull`] where the disk is full, and with
    /// [`io::ErrorKind::FileTooLarge`] beyond the limit of one instance.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = bytes;
        todo!()
    }

    fn flush(&mut self) -> io::Result<()> {
        todo!()
    }
}

impl Sealed {
    /// Where the file is for now; it can be read.
    pub fn path(&self) -> &Path {
        self.draft.path()
    }

    /// Bytes of the file, preamble included.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// SHA-256 of the data set (all that follows the meta header, which names the sender and so differs
    /// between senders of the same object).
    pub fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }
}
