//! A file or an object that is read piece by piece.

use std::fs::File;
use std::io::{self, Read};

use crate::s3::Pieces;

/// An open file of a place. Of an object only what is read is fetched, in pieces that grow.
#[derive(Debug)]
pub struct Object(Kind);

#[derive(Debug)]
enum Kind {
    File(File, u64),
    Remote(Pieces),
}

impl Object {
    pub(crate) fn file(file: File, size: u64) -> Self {
        Self(Kind::File(file, size))
    }

    pub(crate) fn remote(pieces: Pieces) -> Self {
        Self(Kind::Remote(pieces))
    }

    /// Bytes of all of it.
    pub fn size(&self) -> u64 {
        match &self.0 {
            Kind::File(_, size) => *size,
            Kind::Remote(pieces) => pieces.size(),
        }
    }
}

impl Read for Object {
    /// An error of object storage is an [`io::Error`] that holds the [`PlaceError`](crate::PlaceError).
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Kind::File(file, _) => file.read(buffer),
            Kind::Remote(pieces) => pieces.read(buffer),
        }
    }
}
