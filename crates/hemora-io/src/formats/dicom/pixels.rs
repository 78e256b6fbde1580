//! Stored values of a DICOM image to Hounsfield units.

use std::borrow::Cow;

use hemora_ct::Slice;

use super::fragments;
use super::image::CheckedImage;
use super::modality::ModalityTransform;
use super::padding::to_air;
use super::words::{Meaning, Words, words_to_hu};
use crate::codec::{self, PixelCoding, StoredPixels};
use crate::{ReadError, SliceHeader, Source};

/// The HU of an image of a DICOM object's bytes.
pub(crate) fn slice_from(image: &CheckedImage, bytes: &[u8]) -> Result<Slice, ReadError> {
    let stored = decode(image, bytes)?;
    let hu = to_hu(&stored, image);
    let SliceHeader { rows, columns, plane, .. } = image.header;
    Slice::new(rows, columns, hu, plane).map_err(|_| {
        let (expected, found) = (rows * columns * stored.bytes_per_pixel, stored.bytes.len());
        ReadError::PixelsCutOff { expected: expected as u64, found: found as u64 }
    })
}

fn decode<'a>(image: &CheckedImage, bytes: &'a [u8]) -> Result<StoredPixels<'a>, ReadError> {
    let header = &image.header;
    let bytes_per_pixel = usize::from(header.stored.bits_allocated / 8);
    let size = header.rows * header.columns * bytes_per_pixel;
    let index = match header.source {
        Source::Frame { number, .. } => number - 1,
        _ => 0,
    };
    let coded = match image.pixels.length {
        Some(length) if image.transfer_syntax.coding == PixelCoding::Native => {
            let available = &bytes[image.pixels.offset.min(bytes.len())..];
            let all = &available[..available.len().min(length as usize)];
            // That all frames are there was checked with the header.
            let own = &all[(index * size).min(all.len())..];
            let bytes = exactly(Cow::Borrowed(own), size)?;
            let big_endian = image.transfer_syntax.encoding.big_endian();
            return Ok(StoredPixels { bytes, bytes_per_pixel, big_endian });
        }
        Some(_) => {
            return Err(ReadError::Decode {
                codec: "fragments",
                reason: "the pixel data have a length, but compressed pixels come in fragments"
                    .to_owned(),
            });
        }
        None => fragments::frame(bytes, image.pixels, index, image.frames)?,
    };
    match image.transfer_syntax.coding {
        PixelCoding::Native => {
            let bytes = exactly(coded, size)?;
            Ok(StoredPixels { bytes, bytes_per_pixel, big_endian: false })
        }
        coding => codec::decode(coding, &coded, header),
    }
}

fn exactly(bytes: Cow<'_, [u8]>, expected: usize) -> Result<Cow<'_, [u8]>, ReadError> {
    if bytes.len() < expected {
        let (expected, found) = (expected as u64, bytes.len() as u64);
        return Err(ReadError::PixelsCutOff { expected, found });
    }
    Ok(match bytes {
        Cow::Borrowed(bytes) => Cow::Borrowed(&bytes[..expected]),
        Cow::Owned(mut bytes) => {
            bytes.truncate(expected);
            Cow::Owned(bytes)
        }
    })
}

/// HU of every pixel: the stored bits, sign-extended, then the modality LUT in 64 bits as pydicom
/// computes it, with the two repairs that this crate makes of pixels.
fn to_hu(stored: &StoredPixels<'_>, image: &CheckedImage) -> Vec<f32> {
    let CheckedImage { header, transform, padding, .. } = image;
    let bits = u32::from(header.stored.bits_stored);
    // Bits above the stored ones once held overlays.
    let (left, right) = (32 - bits - shift(stored, image), 32 - bits);
    let signed = |raw: u32| ((raw << left) as i32) >> right;
    let unsigned = |raw: u32| (raw << left) >> right;
    let words = |meaning| Words { left, right, meaning };
    let mut hu = if header.intercept_repaired {
        let repaired = ModalityTransform::Linear { slope: 1.0, intercept: -1000.0 };
        words_to_hu(stored, words(Meaning::Wrapped), &repaired)
    } else if bits > 16 {
        let pixels = 0..stored.bytes.len() / stored.bytes_per_pixel;
        let value = |raw: u32| match header.stored.signed {
            true => f64::from(signed(raw)),
            false => f64::from(unsigned(raw)),
        };
        pixels.map(|pixel| transform.hu(value(stored.raw(pixel)))).collect()
    } else if header.stored.signed {
        words_to_hu(stored, words(Meaning::Signed), transform)
    } else {
        words_to_hu(stored, words(Meaning::Unsigned), transform)
    };
    if let Some(padding) = padding
        && hu.len() == header.rows * header.columns
    {
        to_air(&mut hu, header.rows, header.columns, |index| {
            let raw = stored.raw(index);
            padding.contains(match header.stored.signed {
                true => [i32::from(raw as u16 as i16), signed(raw)],
                false => [raw, unsigned(raw)].map(|value| i32::try_from(value).unwrap_or(-1)),
            })
        });
    }
    // A negative padding value that was written as an unsigned word, and is declared nowhere.
    // An image that is nothing else is no padding, but wrong as a whole.
    let is_word = !header.stored.signed && bits == 16;
    let is_size = hu.len() == header.rows * header.columns;
    let count = || hu.iter().filter(|&&hu| hu > BRIGHTEST).count();
    if is_word && is_size && (1..hu.len()).contains(&count()) {
        let too_bright: Vec<bool> = hu.iter().map(|&hu| hu > BRIGHTEST).collect();
        to_air(&mut hu, header.rows, header.columns, |index| too_bright[index]);
    }
    hu
}

/// No value of CT exceeds this, HU: scales of 16 bits with a sign end here.
const BRIGHTEST: f32 = 32_767.0;

/// By how many bits the pixels are shifted up: none, whatever HighBit claims, unless their lowest
/// bits are all empty and some need the bits above BitsStored. Other readers ignore HighBit as
/// well.
fn shift(stored: &StoredPixels<'_>, image: &CheckedImage) -> u32 {
    let claimed = u32::from(image.claimed_shift);
    if claimed == 0 {
        return 0;
    }
    let bits = u32::from(image.header.stored.bits_stored);
    let unused = 32 - 8 * stored.bytes_per_pixel as u32;
    let fits = |raw: u32| {
        let sign_extended = ((raw << unused) as i32) >> unused;
        raw.checked_shr(bits).unwrap_or(0) == 0
            || image.header.stored.signed && sign_extended >> (bits - 1) == -1
    };
    let raw = || (0..stored.bytes.len() / stored.bytes_per_pixel).map(|index| stored.raw(index));
    let is_shifted = raw().all(|raw| raw.trailing_zeros() >= claimed) && !raw().all(fits);
    if is_shifted { claimed } else { 0 }
}
