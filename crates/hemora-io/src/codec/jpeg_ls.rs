//! JPEG-LS (ITU-T T.87), lossless and near-lossless.

use super::markers::{Stuffing, normalised};
use super::{FrameInfo, StoredPixels, broken, check, from_words};
use crate::{ReadError, SliceHeader};

const CODEC: &str = "JPEG-LS";
/// The frame header of JPEG-LS.
const FRAME_HEADER: u8 = 0xF7;

pub(super) fn decode(
    frame: &[u8],
    header: &SliceHeader,
) -> Result<StoredPixels<'static>, ReadError> {
    let (frame, _) = normalised(frame, Stuffing::Bit);
    let info = frame_info(&frame).ok_or_else(|| broken(CODEC, "no frame header"))?;
    check(CODEC, info, header)?;
    let (rows, columns) = (header.rows as u32, header.columns as u32);
    // The decoder's arithmetic trusts a few fields of a scan; overflow there must stay here.
    let decoded = std::panic::catch_unwind(|| jpegls::decode(&frame, columns, rows));
    match decoded {
        Ok(Ok((pixels, ..))) => Ok(from_words(&pixels)),
        Ok(Err(error)) => Err(broken(CODEC, error.to_string())),
        Err(_) => Err(broken(CODEC, "values out of range")),
    }
}

/// Walks the segments to the frame header.
fn frame_info(frame: &[u8]) -> Option<FrameInfo> {
    let mut rest = frame.strip_prefix(&[0xFF, 0xD8])?;
    loop {
        let &[0xFF, marker, high, low, ref content @ ..] = rest else { return None };
        if marker == FRAME_HEADER {
            let &[bits, a, b, c, d, components, ..] = content else { return None };
            let [rows, columns] = [[a, b], [c, d]].map(|pair| u16::from_be_bytes(pair).into());
            return Some(FrameInfo {
                rows,
                columns,
                components: components.into(),
                bits: bits.into(),
            });
        }
        rest = content.get(usize::from(u16::from_be_bytes([high, low])).checked_sub(2)?..)?;
    }
}
