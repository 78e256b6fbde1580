//! Stored values to Hounsfield units: the only place where this happens.

use hemora_ct::Slice;

use crate::{ReadError, SliceHeader, Source};

/// Decodes one image to HU.
///
/// # Errors
/// [`ReadError`] if the header or the pixels cannot be used.
pub fn read_slice(_source: &Source) -> Result<(SliceHeader, Slice), ReadError> {
    unimplemented!()
}
