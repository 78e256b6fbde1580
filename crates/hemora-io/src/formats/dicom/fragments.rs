//! Encapsulated pixels (PS3.5 §A.4): the fragments of a frame.

use std::borrow::Cow;

use super::dataset::{Encoding, ITEM, SEQUENCE_END, WalkError, Walker};
use super::file::PixelElement;
use crate::ReadError;

/// What frames begin with: JPEG and JPEG-LS, JPEG 2000, JPEG XL bare and in its container.
const STARTS: [&[u8]; 4] =
    [&[0xFF, 0xD8, 0xFF], &[0xFF, 0x4F, 0xFF, 0x51], &[0xFF, 0x0A], &[0, 0, 0, 12, b'J', b'X']];

/// The fragments of frame `index` of `frames` as one stream.
pub(crate) fn frame(
    bytes: &[u8],
    pixels: PixelElement,
    index: usize,
    frames: usize,
) -> Result<Cow<'_, [u8]>, ReadError> {
    let (table, fragments) = fragments(bytes, pixels)?;
    let own: Vec<&[u8]> = if frames == 1 {
        fragments
    } else {
        let begins = begins(table, &fragments, frames)?;
        let end = begins.get(index + 1).copied().unwrap_or(fragments.len());
        begins.get(index).and_then(|&begin| fragments.get(begin..end)).unwrap_or(&[]).to_vec()
    };
    match own.as_slice() {
        [] => Err(ReadError::Truncated { inside: "the pixel data, before any fragment" }),
        [single] => Ok(Cow::Borrowed(single)),
        several => Ok(Cow::Owned(several.concat())),
    }
}

/// The offset table and the fragments.
fn fragments(bytes: &[u8], pixels: PixelElement) -> Result<(&[u8], Vec<&[u8]>), ReadError> {
    let mut walker = Walker::new(bytes, pixels.offset, Encoding::ExplicitLittle);
    let mut items: Vec<&[u8]> = Vec::new();
    // Some writers leave the closing delimiter out at the end of the file.
    while !walker.at_end() {
        let offset = walker.position() as u64;
        let broken = |error| match error {
            WalkError::End => ReadError::Truncated { inside: "a fragment of the pixel data" },
            WalkError::Malformed { what, .. } => ReadError::Malformed { offset, what },
        };
        let item = walker.start().map_err(broken)?;
        match (item.tag, item.length) {
            (SEQUENCE_END, _) => break,
            (ITEM, Some(length)) => items.push(walker.take(length).map_err(broken)?),
            _ => {
                let what = "something else than a fragment in the pixel data";
                return Err(ReadError::Malformed { offset, what });
            }
        }
    }
    let mut items = items.into_iter();
    let table = items.next().unwrap_or_default();
    Ok((table, items.collect()))
}

/// Which fragment each frame begins with: by their number, by the offset table, or by what frames
/// begin with.
fn begins(table: &[u8], fragments: &[&[u8]], frames: usize) -> Result<Vec<usize>, ReadError> {
    if fragments.len() == frames {
        return Ok((0..frames).collect());
    }
    let mut offset = 0;
    let offsets: Vec<u64> = fragments
        .iter()
        .map(|fragment| {
            let begin = offset;
            // Tag and length stand before each fragment.
            offset += fragment.len() as u64 + 8;
            begin
        })
        .collect();
    let entries = table.as_chunks::<4>().0.iter().map(|&entry| u32::from_le_bytes(entry).into());
    let by_table: Option<Vec<usize>> =
        entries.map(|entry: u64| offsets.binary_search(&entry).ok()).collect();
    let starts = |fragment: &[u8]| STARTS.iter().any(|start| fragment.starts_with(start));
    let by_start = (0..fragments.len()).filter(|&index| starts(fragments[index])).collect();
    [by_table.unwrap_or_default(), by_start]
        .into_iter()
        .find(|begins: &Vec<usize>| begins.len() == frames && begins.is_sorted())
        .ok_or_else(|| ReadError::Decode {
            codec: "fragments",
            reason: format!(
                "{} fragments cannot be told apart as {frames} frames",
                fragments.len()
            ),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_told_apart() {
        let jpeg: &[u8] = &[0xFF, 0xD8, 0xFF, 0xE0];
        let begin =
            |table: &[u8], fragments: &[&[u8]], frames| begins(table, fragments, frames).ok();
        assert_eq!(begin(&[], &[b"ab", b"cd"], 2), Some(vec![0, 1]));
        // The second frame begins with the third fragment, 2 × (4 + 8) bytes on.
        let four: [&[u8]; 4] = [b"abcd", b"efgh", b"ijkl", b"mnop"];
        assert_eq!(begin(&[0, 0, 0, 0, 24, 0, 0, 0], &four, 2), Some(vec![0, 2]));
        assert_eq!(begin(&[], &[jpeg, b"x", b"y", jpeg, b"z"], 2), Some(vec![0, 3]));
        for table in [&[][..], &[0, 0, 0, 0, 25, 0, 0, 0], &[0; 8], &[0, 0, 0, 0]] {
            assert_eq!(begin(table, &four, 3), None);
        }
        assert_eq!(begin(&[24, 0, 0, 0, 0, 0, 0, 0], &four, 2), None);
    }
}
