//! Stored values of a DICOM image to Hounsfield units.

use std::borrow::Cow;

use hemora_ct::Slice;

use super::fragments;
use super::image::CheckedImage;
use super::modality::ModalityTransform;
use super::padding::to_air;
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
    // One loop for each sign and width, without a choice per pixel: this is where reading spends
    // its time. What fits into 16 bits is kept there.
    let repaired = ModalityTransform::Linear { slope: 1.0, intercept: -1000.0 };
    let mut hu = if header.intercept_repaired {
        map_words(stored, &repaired, |raw| (unsigned(raw) as u16 + 1000) % 4096)
    } else if bits > 16 && header.stored.signed {
        map_long(stored, transform, |raw| f64::from(signed(raw)))
    } else if bits > 16 {
        map_long(stored, transform, |raw| f64::from(unsigned(raw)))
    } else if header.stored.signed {
        map_words(stored, transform, |raw| signed(raw) as i16)
    } else {
        map_words(stored, transform, |raw| unsigned(raw) as u16)
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
    let count = hu.iter().filter(|&&hu| hu > BRIGHTEST).count();
    if is_word && is_size && (1..hu.len()).contains(&count) {
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

/// HU of pixels with at most 16 stored bits.
fn map_words<T>(
    stored: &StoredPixels<'_>,
    transform: &ModalityTransform,
    value: impl Fn(u32) -> T,
) -> Vec<f32>
where
    f32: From<T>,
    f64: From<T>,
{
    let bytes = &*stored.bytes;
    let (pairs, fours) = (bytes.as_chunks::<2>().0.iter(), bytes.as_chunks::<4>().0.iter());
    match (stored.bytes_per_pixel, stored.big_endian) {
        (1, _) => transform.map_words(bytes.iter().map(|&raw| value(raw.into()))),
        (2, false) => transform.map_words(pairs.map(|&raw| value(u16::from_le_bytes(raw).into()))),
        (2, true) => transform.map_words(pairs.map(|&raw| value(u16::from_be_bytes(raw).into()))),
        (_, false) => transform.map_words(fours.map(|&raw| value(u32::from_le_bytes(raw)))),
        (_, true) => transform.map_words(fours.map(|&raw| value(u32::from_be_bytes(raw)))),
    }
}

/// HU of pixels with more than 16 stored bits, which have four bytes.
fn map_long(
    stored: &StoredPixels<'_>,
    transform: &ModalityTransform,
    value: impl Fn(u32) -> f64,
) -> Vec<f32> {
    let fours = stored.bytes.as_chunks::<4>().0.iter();
    if stored.big_endian {
        transform.map(fours.map(|&raw| value(u32::from_be_bytes(raw))))
    } else {
        transform.map(fours.map(|&raw| value(u32::from_le_bytes(raw))))
    }
}
