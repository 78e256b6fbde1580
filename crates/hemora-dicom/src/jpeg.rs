//! JPEG: baseline, extended with 8 bits, and lossless.

use std::borrow::Cow;

use jpeg_decoder::{Decoder, ImageInfo, PixelFormat};

use crate::pixels::StoredPixels;
use crate::{ReadError, SliceHeader};

fn broken(reason: impl Into<String>) -> ReadError {
    ReadError::Decode { codec: "JPEG", reason: reason.into() }
}

/// Decodes one frame after its own header was checked against the image's.
pub(crate) fn decode(
    frame: &[u8],
    header: &SliceHeader,
) -> Result<StoredPixels<'static>, ReadError> {
    let pixels = header.rows * header.columns;
    let mut decoder = Decoder::new(frame);
    decoder.set_max_decoding_buffer_size(pixels * 2);
    decoder.read_info().map_err(|error| broken(error.to_string()))?;
    let info = decoder.info().ok_or_else(|| broken("no frame header"))?;
    let bytes_per_pixel = check(info, header)?;
    let decoded = decoder.decode().map_err(|error| broken(error.to_string()))?;
    if decoded.len() != pixels * bytes_per_pixel {
        let (expected, found) = ((pixels * bytes_per_pixel) as u64, decoded.len() as u64);
        return Err(ReadError::PixelsCutOff { expected, found });
    }
    // The decoder gives 16-bit pixels in the byte order of the machine.
    let big_endian = cfg!(target_endian = "big");
    Ok(StoredPixels { bytes: Cow::Owned(decoded), bytes_per_pixel, big_endian })
}

/// Size and depth of the frame against those of the image; the bytes of a pixel.
fn check(info: ImageInfo, header: &SliceHeader) -> Result<usize, ReadError> {
    let size = (usize::from(info.height), usize::from(info.width));
    if size != (header.rows, header.columns) {
        let (rows, columns) = size;
        return Err(broken(format!(
            "the frame has {rows} × {columns} pixels, expected {} × {}",
            header.rows, header.columns
        )));
    }
    let bytes_per_pixel = match info.pixel_format {
        PixelFormat::L8 => 1,
        PixelFormat::L16 => 2,
        PixelFormat::RGB24 | PixelFormat::CMYK32 => return Err(broken("the frame is in colour")),
    };
    if bytes_per_pixel * 8 < usize::from(header.stored.bits_stored)
        || bytes_per_pixel * 8 > usize::from(header.stored.bits_allocated)
    {
        return Err(broken(format!(
            "the frame has {}-bit pixels, expected {} bits in {}",
            bytes_per_pixel * 8,
            header.stored.bits_stored,
            header.stored.bits_allocated
        )));
    }
    Ok(bytes_per_pixel)
}
