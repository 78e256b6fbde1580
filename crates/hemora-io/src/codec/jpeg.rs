//! JPEG (ITU-T T.81): DCT-based with 8 or 12 bits, and lossless.

use std::borrow::Cow;

use jpeg_decoder::{Decoder, ImageInfo, PixelFormat};

use super::markers::{Stuffing, normalised};
use super::{FrameInfo, StoredPixels, broken, check, from_words, jpeg_dct};
use crate::{ReadError, SliceHeader};

const CODEC: &str = "JPEG";

pub(super) fn decode(
    frame: &[u8],
    header: &SliceHeader,
) -> Result<StoredPixels<'static>, ReadError> {
    // The process is in the frame; transfer syntaxes that contradict it are not rare.
    if jpeg_dct::is_twelve_bit_dct(frame) {
        let info =
            FrameInfo { rows: header.rows, columns: header.columns, components: 1, bits: 12 };
        check(CODEC, info, header)?;
        let pixels = jpeg_dct::decode(frame, header.rows, header.columns);
        return Ok(from_words(&pixels.map_err(|reason| broken(CODEC, reason))?));
    }
    let (mut frame, has_end) = normalised(frame, Stuffing::Byte);
    if has_end {
        return decode_whole(&frame, header);
    }
    // Some writers leave the end marker out. The decoder takes bits that are missing for 0: a frame
    // is whole if whatever follows it makes no difference.
    let without_end = frame.len();
    frame.extend([0xFF, 0xD9]);
    let pixels = decode_whole(&frame, header)?;
    frame.truncate(without_end);
    frame.extend([0xAA; 64]);
    frame.extend([0xFF, 0xD9]);
    match decode_whole(&frame, header) {
        Ok(other) if other.bytes == pixels.bytes => Ok(pixels),
        _ => Err(broken(CODEC, "the frame is cut off")),
    }
}

/// Decodes a frame that has an end marker.
fn decode_whole(frame: &[u8], header: &SliceHeader) -> Result<StoredPixels<'static>, ReadError> {
    let pixels = header.rows * header.columns;
    let mut decoder = Decoder::new(frame);
    decoder.set_max_decoding_buffer_size(pixels * 2);
    decoder.read_info().map_err(|error| broken(CODEC, error.to_string()))?;
    let info = decoder.info().ok_or_else(|| broken(CODEC, "no frame header"))?;
    let bytes_per_pixel = check_info(info, header)?;
    let decoded = decoder.decode().map_err(|error| broken(CODEC, error.to_string()))?;
    if decoded.len() != pixels * bytes_per_pixel {
        let (expected, found) = ((pixels * bytes_per_pixel) as u64, decoded.len() as u64);
        return Err(ReadError::PixelsCutOff { expected, found });
    }
    // The decoder gives 16-bit pixels in the byte order of the machine.
    let big_endian = cfg!(target_endian = "big");
    Ok(StoredPixels { bytes: Cow::Owned(decoded), bytes_per_pixel, big_endian })
}

/// Checks the frame's header; the bytes of a pixel.
fn check_info(info: ImageInfo, header: &SliceHeader) -> Result<usize, ReadError> {
    let (components, bytes_per_pixel) = match info.pixel_format {
        PixelFormat::L8 => (1, 1),
        PixelFormat::L16 => (1, 2),
        PixelFormat::RGB24 => (3, 1),
        PixelFormat::CMYK32 => (4, 1),
    };
    let (rows, columns) = (usize::from(info.height), usize::from(info.width));
    check(CODEC, FrameInfo { rows, columns, components, bits: bytes_per_pixel * 8 }, header)?;
    Ok(bytes_per_pixel)
}
