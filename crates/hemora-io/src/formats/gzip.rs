//! Files in gzip: they are of the format that they inflate to.

use std::io::Read;

use flate2::read::MultiGzDecoder;

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

/// What a file inflates to, within the limit for one.
pub(crate) fn inflate(bytes: &[u8]) -> Result<Vec<u8>, ReadError> {
    read_all(&mut MultiGzDecoder::new(bytes), bytes.len() as u64)
}
