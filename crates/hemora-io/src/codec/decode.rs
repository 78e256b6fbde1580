//! One compressed frame to stored values, by the codec that its coding names.

use std::borrow::Cow;

#[cfg(feature = "jpeg-xl")]
use super::jpeg_xl;
use super::{jpeg, jpeg_2000, jpeg_ls, run_length};
use crate::{ReadError, SliceHeader};

/// How pixels are encoded in the Pixel Data element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PixelCoding {
    /// As they are, in fragments or not.
    Native,
    /// PS3.5 annex G.
    RunLength,
    /// JPEG (ITU-T T.81), whatever its process.
    Jpeg,
    /// JPEG-LS (ITU-T T.87).
    JpegLs,
    /// JPEG 2000 and High-Throughput JPEG 2000 (ITU-T T.800 and T.814).
    Jpeg2000,
    /// JPEG XL (ISO/IEC 18181-1).
    #[cfg(feature = "jpeg-xl")]
    JpegXl,
    /// Something that cannot be decoded.
    Unsupported,
}

/// Decoded pixels, not yet interpreted.
pub(crate) struct StoredPixels<'a> {
    pub(crate) bytes: Cow<'a, [u8]>,
    /// 1, 2 or 4.
    pub(crate) bytes_per_pixel: usize,
    pub(crate) big_endian: bool,
}

impl StoredPixels<'_> {
    /// The bytes of one pixel as a number.
    pub(crate) fn raw(&self, index: usize) -> u32 {
        let begin = index * self.bytes_per_pixel;
        let bytes = self.bytes[begin..begin + self.bytes_per_pixel].iter();
        let join = |value: u32, &byte: &u8| value << 8 | u32::from(byte);
        if self.big_endian { bytes.fold(0, join) } else { bytes.rev().fold(0, join) }
    }
}

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

pub(super) fn broken(codec: &'static str, reason: impl Into<String>) -> ReadError {
    ReadError::Decode { codec, reason: reason.into() }
}

/// Size, components and depth that a frame's own header gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameInfo {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) components: usize,
    pub(super) bits: usize,
}

/// Checks a frame's own header against the image's. More bits than BitsStored are allowed as long
/// as BitsAllocated holds them, and fewer if they take as many bytes: writers compress all
/// allocated bits, or as few as the pixels need.
pub(super) fn check(
    codec: &'static str,
    frame: FrameInfo,
    header: &SliceHeader,
) -> Result<(), ReadError> {
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
pub(super) fn from_words(words: &[u16]) -> StoredPixels<'static> {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    StoredPixels { bytes: Cow::Owned(bytes), bytes_per_pixel: 2, big_endian: false }
}
