//! RLE Lossless (PS3.5 annex G): one segment of packed bytes per byte of a pixel.

use crate::ReadError;

fn broken(reason: impl Into<String>) -> ReadError {
    super::broken("RLE", reason)
}

/// The segment header: a count and 15 offsets of 32 bits.
const HEADER: usize = 64;

/// Decodes one frame to little-endian pixels.
pub(crate) fn decode(
    frame: &[u8],
    pixels: usize,
    bytes_per_pixel: usize,
) -> Result<Vec<u8>, ReadError> {
    let header = frame.get(..HEADER).ok_or_else(|| broken("the segment header is cut off"))?;
    let mut words = header.as_chunks::<4>().0.iter().map(|&word| u32::from_le_bytes(word) as usize);
    let count = words.next().unwrap_or_default();
    if count != bytes_per_pixel {
        return Err(broken(format!("{count} segments, expected {bytes_per_pixel}")));
    }
    // Two packed bytes hold at most 128: no honest frame is smaller.
    if pixels * bytes_per_pixel > frame.len() * 64 {
        return Err(broken(format!("{} bytes cannot hold {pixels} pixels", frame.len())));
    }
    let offsets: Vec<usize> = words.take(count).collect();
    let mut decoded = vec![0; pixels * bytes_per_pixel];
    for (segment, &begin) in offsets.iter().enumerate() {
        let end = offsets.get(segment + 1).copied().unwrap_or(frame.len());
        let packed = frame.get(begin..end).filter(|_| begin >= HEADER);
        let packed = packed.ok_or_else(|| broken(format!("segment {segment} is out of place")))?;
        // The first segment holds the most significant bytes.
        let byte = bytes_per_pixel - 1 - segment;
        let places = decoded.iter_mut().skip(byte).step_by(bytes_per_pixel);
        let written = unpack(packed, places);
        if written != pixels {
            return Err(broken(format!("segment {segment} ends after {written} pixels")));
        }
    }
    Ok(decoded)
}

/// Unpacks until the places or the bytes end; the number of places written.
fn unpack<'a>(packed: &[u8], mut places: impl Iterator<Item = &'a mut u8>) -> usize {
    let mut written = 0;
    let mut rest = packed.iter();
    while let Some(&head) = rest.next() {
        match head {
            0..=127 => {
                for &value in rest.by_ref().take(usize::from(head) + 1) {
                    let Some(place) = places.next() else { return written };
                    *place = value;
                    written += 1;
                }
            }
            128 => {}
            129..=255 => {
                let Some(&value) = rest.next() else { return written };
                for _ in 0..257 - usize::from(head) {
                    let Some(place) = places.next() else { return written };
                    *place = value;
                    written += 1;
                }
            }
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(segments: &[&[u8]]) -> Vec<u8> {
        let mut offsets = vec![segments.len() as u32];
        let mut offset = HEADER;
        for segment in segments {
            offsets.push(offset as u32);
            offset += segment.len();
        }
        offsets.resize(16, 0);
        let mut bytes: Vec<u8> = offsets.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.extend(segments.concat());
        bytes
    }

    #[test]
    fn literal_and_repeated_runs() {
        // Most significant: three times 1; least significant: 7, 8, 9, with a no-op between.
        let bytes = frame(&[&[254, 1], &[0, 7, 128, 1, 8, 9]]);
        assert_eq!(decode(&bytes, 3, 2).unwrap(), [7, 1, 8, 1, 9, 1]);
    }

    #[test]
    fn damaged_frames_are_errors() {
        let good = frame(&[&[254, 1], &[2, 7, 8, 9]]);
        for cut in 0..good.len() {
            assert!(decode(&good[..cut], 3, 2).is_err(), "cut at {cut}");
        }
        assert!(decode(&good, 4, 2).is_err());
        assert!(decode(&good, 3, 1).is_err());
        assert!(decode(&good, 60_000_000, 2).is_err());
        let mut far = good.clone();
        far[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(decode(&far, 3, 2).is_err());
    }
}
