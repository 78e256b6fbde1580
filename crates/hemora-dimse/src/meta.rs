//! The meta header of a file that holds a received data set.

use crate::StoreRequest;

/// Meta header (group 0002, PS3.10 §7.1) of a received instance, with its length and in explicit VR
/// little endian: what stands between `DICM` and the data set. `calling_ae` becomes the source.
pub fn file_meta(_request: &StoreRequest, _calling_ae: &str) -> Vec<u8> {
    todo!()
}
