//! Compressed pixels to stored values, a module a codec.

mod jpeg;
mod jpeg_2000;
mod jpeg_dct;
mod jpeg_ls;
#[cfg(feature = "jpeg-xl")]
mod jpeg_xl;
mod run_length;

use std::borrow::Cow;

use crate::pixels::StoredPixels;
use crate::transfer_syntax::PixelCoding;
use crate::{ReadError, SliceHeader};

/// Decodes one frame. Its own header is checked against the image's before its pixels are decoded,
/// so that what a frame claims never decides how much memory is taken.
pub(crate) fn decode(
    coding: PixelCoding,
    frame: &[u8],
    header: &SliceHeader,
) -> Result<StoredPixels<'static>, ReadError> {
    match coding {
        PixelCoding::RunLength => {
            let bytes_per_pixel = usize::from(header.stored.bits_allocated / 8);
            let pixels = header.rows * header.columns;
            let bytes = Cow::Owned(run_length::decode(frame, pixels, bytes_per_pixel)?);
            Ok(StoredPixels { bytes, bytes_per_pixel, big_endian: false })
        }
        PixelCoding::Jpeg => jpeg::decode(frame, header),
        PixelCoding::JpegLs => jpeg_ls::decode(frame, header),
        PixelCoding::Jpeg2000 => jpeg_2000::decode(frame, header),
        #[cfg(feature = "jpeg-xl")]
        PixelCoding::JpegXl => jpeg_xl::decode(frame, header),
        PixelCoding::Native | PixelCoding::Unsupported => {
            Err(broken("none", "the transfer syntax names no codec"))
        }
    }
}

fn broken(codec: &'static str, reason: impl Into<String>) -> ReadError {
    ReadError::Decode { codec, reason: reason.into() }
}

/// Size, components and depth that a frame's own header gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FrameInfo {
    rows: usize,
    columns: usize,
    components: usize,
    bits: usize,
}

/// Checks a frame's own header against the image's. More bits than BitsStored are allowed as long
/// as BitsAllocated holds them, and fewer if they take as many bytes: writers compress all
/// allocated bits, or as few as the pixels need.
fn check(codec: &'static str, frame: FrameInfo, header: &SliceHeader) -> Result<(), ReadError> {
    let FrameInfo { rows, columns, components, bits } = frame;
    if (rows, columns) != (header.rows, header.columns) {
        let expected = format!("{} × {}", header.rows, header.columns);
        let found = format!("the frame has {rows} × {columns} pixels, expected {expected}");
        return Err(broken(codec, found));
    }
    if components != 1 {
        return Err(broken(codec, format!("the frame has {components} components, expected 1")));
    }
    let stored = header.stored;
    let bytes = |bits: usize| bits.div_ceil(8);
    if bytes(bits) < bytes(stored.bits_stored.into()) || bits > stored.bits_allocated.into() {
        return Err(broken(
            codec,
            format!(
                "the frame has {bits}-bit pixels, expected {} bits in {}",
                stored.bits_stored, stored.bits_allocated
            ),
        ));
    }
    Ok(())
}

/// Samples of at most 16 bits as stored pixels.
fn from_words(words: &[u16]) -> StoredPixels<'static> {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    StoredPixels { bytes: Cow::Owned(bytes), bytes_per_pixel: 2, big_endian: false }
}
