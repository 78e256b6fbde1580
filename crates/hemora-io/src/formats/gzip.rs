//! Files in gzip: they are of the format that they inflate to.

use std::io::Read;

use flate2::read::MultiGzDecoder;

use super::format::{FIRST_READ, known_format};
use crate::ReadError;
use crate::source::read_all;

/// Whether a file begins as gzip.
pub(crate) fn is_gzip(head: &[u8]) -> bool {
    head.starts_with(&[0x1F, 0x8B, 8])
}

/// Up to `length` bytes of what a file inflates to, as far as its first bytes go.
pub(crate) fn inflated_head(head: &[u8], length: usize) -> Vec<u8> {
    let mut inflated = Vec::new();
    // What was inflated before the end of `head` is enough to tell.
    let _ = MultiGzDecoder::new(head).take(length as u64).read_to_end(&mut inflated);
    inflated
}

/// Refuses a file in gzip that is of no format, by its first bytes: a folder may hold others, which are
/// not inflated further than to tell.
///
/// # Errors
/// [`ReadError::NotDicom`].
pub(crate) fn check_inflated(head: &[u8]) -> Result<(), ReadError> {
    let head = &head[..head.len().min(FIRST_READ)];
    known_format(&inflated_head(head, FIRST_READ)).map(|_| ()).ok_or(ReadError::NotDicom)
}

/// What a file inflates to, within the limit for one.
pub(crate) fn inflate(bytes: &[u8]) -> Result<Vec<u8>, ReadError> {
    match read_all(&mut MultiGzDecoder::new(bytes), bytes.len() as u64) {
        Err(ReadError::Io(error)) => Err(ReadError::Gzip(error)),
        inflated => inflated,
    }
}
