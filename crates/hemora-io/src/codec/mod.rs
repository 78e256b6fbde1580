//! Compressed pixels to stored values, a module a codec.

mod decode;
mod jpeg;
mod jpeg_2000;
mod jpeg_dct;
mod jpeg_ls;
#[cfg(feature = "jpeg-xl")]
mod jpeg_xl;
mod markers;
mod run_length;

use decode::{FrameInfo, broken, check, from_words};
pub(crate) use decode::{PixelCoding, StoredPixels, decode};
