//! JPEG 2000 and High-Throughput JPEG 2000 (ITU-T T.800 and T.814).
//!
//! openjp2 is OpenJPEG in Rust, so that lossy images decode to the same values as in most DICOM
//! tools. Its code is a translation and holds `unsafe` blocks of its own.

use jpeg2k::{DecodeParameters, Image};

use super::{FrameInfo, StoredPixels, broken, check, from_words};
use crate::{ReadError, SliceHeader};

const CODEC: &str = "JPEG 2000";
/// Start of codestream, and the size segment that must follow (T.800 A.4.1, A.5.1).
const START: &[u8] = &[0xFF, 0x4F, 0xFF, 0x51];
/// The start of a JP2 file, which DICOM does not allow but some writers store.
const JP2_BOX: &[u8] = &[0, 0, 0, 12, b'j', b'P', b' ', b' '];

pub(super) fn decode(
    frame: &[u8],
    header: &SliceHeader,
) -> Result<StoredPixels<'static>, ReadError> {
    let codestream = codestream(frame).ok_or_else(|| broken(CODEC, "no codestream"))?;
    let info = size(codestream).ok_or_else(|| broken(CODEC, "a broken size segment"))?;
    check(CODEC, info, header)?;
    let parameters = DecodeParameters::new().strict(true);
    let decoded = std::panic::catch_unwind(|| Image::from_bytes_with(codestream, parameters));
    let image = match decoded {
        Ok(Ok(image)) => image,
        Ok(Err(error)) => return Err(broken(CODEC, error.to_string())),
        Err(_) => return Err(broken(CODEC, "values out of range")),
    };
    let Some(component) = image.components().first() else {
        return Err(broken(CODEC, "no component"));
    };
    let size = (component.height() as usize, component.width() as usize);
    let values = component.data();
    if size != (header.rows, header.columns) || values.len() != header.rows * header.columns {
        return Err(broken(CODEC, "the component is sampled more coarsely than the image"));
    }
    // Of a negative value the lowest 16 bits are its two's complement.
    Ok(from_words(&values.iter().map(|&value| value as u16).collect::<Vec<_>>()))
}

/// The codestream, out of the JP2 file around it if there is one.
fn codestream(frame: &[u8]) -> Option<&[u8]> {
    if frame.starts_with(START) {
        return Some(frame);
    }
    let rest = frame.starts_with(JP2_BOX).then_some(frame)?;
    let begin = rest.windows(START.len()).position(|window| window == START)?;
    Some(&rest[begin..])
}

fn size(codestream: &[u8]) -> Option<FrameInfo> {
    let content = codestream.get(START.len()..)?;
    let long = |at: usize| {
        let bytes = content.get(at..)?.first_chunk::<4>()?;
        Some(u32::from_be_bytes(*bytes) as usize)
    };
    // Length and capabilities stand first; then the reference grid and the image's offset on it.
    let (columns, rows) = (long(4)?.checked_sub(long(12)?)?, long(8)?.checked_sub(long(16)?)?);
    let &[high, low, depth, across, down] = content.get(36..)?.first_chunk::<5>()?;
    if (across, down) != (1, 1) {
        return None;
    }
    let components = u16::from_be_bytes([high, low]).into();
    Some(FrameInfo { rows, columns, components, bits: usize::from(depth & 0x7F) + 1 })
}
