//! An object that is read piece by piece.

use std::io::{self, Read};
use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path as Key;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt};

use super::bucket::Bucket;
use super::failure::Failure;
use crate::PlaceError;

/// Most bytes of a piece.
const LARGEST: u64 = 4 << 20;

/// What was fetched of an object and how to fetch the rest. The pieces are those of one version.
#[derive(Debug)]
pub(crate) struct Pieces {
    bucket: Arc<Bucket>,
    key: Key,
    url: String,
    size: u64,
    version: Option<String>,
    piece: Bytes,
    /// Where the next piece begins.
    next: u64,
    /// Bytes of the next piece: each is twice as long as the one before.
    length: u64,
}

impl Pieces {
    /// Fetches the first piece; `None` if the object is not there.
    pub(super) fn open(
        bucket: Arc<Bucket>,
        key: Key,
        url: String,
        first: usize,
    ) -> Result<Option<Self>, PlaceError> {
        let first = (first as u64).clamp(1, LARGEST);
        let opened = bucket.wait(&url, async {
            match first_piece(&bucket, &key, first).await {
                Err(failure) if failure.is_absence() => Ok(None),
                opened => opened.map(Some),
            }
        })?;
        Ok(opened.map(|First { size, version, piece }| {
            let next = piece.len() as u64;
            Self { bucket, key, url, size, version, piece, next, length: 2 * first }
        }))
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    fn fetch_next(&self) -> Result<Bytes, PlaceError> {
        let end = self.size.min(self.next + self.length);
        let options = GetOptions {
            range: Some(GetRange::Bounded(self.next..end)),
            if_match: self.version.clone(),
            ..GetOptions::default()
        };
        let store = &self.bucket.store;
        let piece = self.bucket.wait(&self.url, async {
            Ok(store.get_opts(&self.key, options).await?.bytes().await?)
        })?;
        if piece.len() as u64 == end - self.next {
            Ok(piece)
        } else {
            Err(PlaceError::Changed { object: self.url.clone() })
        }
    }
}

/// The beginning of an object.
struct First {
    size: u64,
    version: Option<String>,
    piece: Bytes,
}

async fn first_piece(bucket: &Bucket, key: &Key, length: u64) -> Result<First, Failure> {
    let range = Some(GetRange::Bounded(0..length));
    let options = GetOptions { range, ..GetOptions::default() };
    let answer = bucket.store.get_opts(key, options).await.map_err(Failure::from);
    match answer {
        Ok(answer) => {
            let (size, version) = (answer.meta.size, answer.meta.e_tag.clone());
            let piece = answer.bytes().await?;
            let whole = piece.len() as u64 == size.min(length);
            if whole { Ok(First { size, version, piece }) } else { Err(Failure::Changed) }
        }
        // An empty object has no first byte.
        Err(failure) if failure.is_beyond_the_end() => {
            let meta = bucket.store.head(key).await?;
            let empty = meta.size == 0;
            let first = First { size: 0, version: meta.e_tag, piece: Bytes::new() };
            if empty { Ok(first) } else { Err(failure) }
        }
        Err(failure) => Err(failure),
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.piece.is_empty() && self.next < self.size {
            self.piece = self.fetch_next().map_err(io::Error::other)?;
            self.next += self.piece.len() as u64;
            self.length = LARGEST.min(2 * self.length);
        }
        let length = buffer.len().min(self.piece.len());
        buffer[..length].copy_from_slice(&self.piece.split_to(length));
        Ok(length)
    }
}
