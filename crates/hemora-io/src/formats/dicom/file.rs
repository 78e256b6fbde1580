//! The start of a DICOM file (PS3.10 §7): preamble, meta header, or a bare data set.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::attributes::Attributes;
use super::dataset::{Encoding, WalkError, Walker};
use super::transfer_syntax::TransferSyntax;
use crate::ReadError;

/// Why a parser does not answer.
#[derive(Debug)]
pub(crate) enum Stop {
    /// It needs more of the file than it was given.
    NeedMore,
    /// The file cannot be used.
    Failed(ReadError),
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        Self::Failed(error)
    }
}

/// A walk that met the end needs more bytes, unless there are no more.
pub(crate) fn stop(error: WalkError, complete: bool, inside: &'static str) -> Stop {
    match error {
        WalkError::End if complete => ReadError::Truncated { inside }.into(),
        WalkError::End => Stop::NeedMore,
        WalkError::Malformed { offset, what } => {
            ReadError::Malformed { offset: offset as u64, what }.into()
        }
    }
}

/// Where the data set begins and how it is encoded.
#[derive(Debug, Clone)]
pub(crate) struct FileStart {
    pub(crate) transfer_syntax: TransferSyntax,
    /// MediaStorageSOPClassUID.
    pub(crate) sop_class: Option<String>,
    pub(crate) offset: usize,
}

/// Enough bytes to tell what kind of file it is.
const PROBE: usize = 144;

/// Reads the preamble and the meta header. `complete` says that `bytes` are the whole file.
pub(crate) fn file_start(bytes: &[u8], complete: bool) -> Result<FileStart, Stop> {
    if bytes.len() < PROBE && !complete {
        return Err(Stop::NeedMore);
    }
    let marked = |at: usize| bytes.get(at..at + 4) == Some(b"DICM");
    if marked(128) {
        meta_header(bytes, 132, complete)
    } else if marked(0) {
        meta_header(bytes, 4, complete)
    } else if is_meta_header(bytes) {
        meta_header(bytes, 0, complete)
    } else {
        let encoding = guess_encoding(bytes).ok_or(ReadError::NotDicom)?;
        let transfer_syntax = TransferSyntax::bare(encoding);
        Ok(FileStart { transfer_syntax, sop_class: None, offset: 0 })
    }
}

/// Whether a file without preamble begins with an element of a meta header: its length, its
/// version, the class or UID of the object, or the transfer syntax.
fn is_meta_header(bytes: &[u8]) -> bool {
    let Some(&[2, 0, element, 0, a, b, c, d]) = bytes.first_chunk() else { return false };
    let length = u32::from_le_bytes([a, b, c, d]);
    match (element, guess_encoding_of(2, bytes)) {
        (0..=3 | 0x10 | 0x12, Some(Encoding::ExplicitLittle)) => true,
        // Other files begin with these numbers too, so the length must be that of the element.
        (0, Some(Encoding::ImplicitLittle)) => length == 4,
        (1, Some(Encoding::ImplicitLittle)) => length == 2,
        (2 | 3 | 0x10 | 0x12, Some(Encoding::ImplicitLittle)) => (2..=64).contains(&length),
        _ => false,
    }
}

/// Walks the elements of group 2; its declared length is often wrong and is not needed.
fn meta_header(bytes: &[u8], begin: usize, complete: bool) -> Result<FileStart, Stop> {
    // It must be explicit, and is not always.
    let encoding = guess_encoding_of(2, bytes.get(begin..).unwrap_or_default());
    let encoding = encoding.unwrap_or(Encoding::ExplicitLittle);
    let mut attributes = Attributes::new(encoding);
    let mut offset = begin;
    let truncated = |error| stop(error, complete, "the meta header");
    while !bytes[offset..].is_empty() || !complete {
        if bytes.len() < offset + 2 {
            return Err(truncated(WalkError::End));
        }
        if bytes[offset..offset + 2] != [2, 0] {
            break;
        }
        let mut walker = Walker::new(bytes, offset, encoding);
        let start = walker.start().map_err(truncated)?;
        attributes.insert(start.tag, walker.value(&start).map_err(truncated)?);
        offset = walker.position();
    }
    let guess = guess_encoding(&bytes[offset..]);
    let transfer_syntax = match attributes.text(tags::TRANSFER_SYNTAX_UID) {
        Some(uid) => {
            let mut syntax = TransferSyntax::from_uid(&uid);
            // Where the name and the first element contradict each other, the element is right.
            if let Some(guess) = guess
                && !syntax.deflated
            {
                syntax.encoding = guess;
            }
            syntax
        }
        None => {
            TransferSyntax::bare(guess.ok_or(ReadError::MissingAttribute("TransferSyntaxUID"))?)
        }
    };
    let sop_class = attributes.text(tags::MEDIA_STORAGE_SOP_CLASS_UID);
    Ok(FileStart { transfer_syntax, sop_class, offset })
}

/// The encoding of a bare data set, from its first element, which is of group 8 in every image.
fn guess_encoding(bytes: &[u8]) -> Option<Encoding> {
    guess_encoding_of(8, bytes)
}

/// The encoding of elements of which the first is of this group.
fn guess_encoding_of(group: u8, bytes: &[u8]) -> Option<Encoding> {
    let head = bytes.first_chunk::<8>()?;
    let known_vr = [b"AE", b"CS", b"DA", b"OB", b"SH", b"LO", b"SQ", b"TM", b"UI", b"UL", b"UN"]
        .contains(&&[head[4], head[5]]);
    match head[..2] {
        [low, 0] if low == group && known_vr => Some(Encoding::ExplicitLittle),
        [0, low] if low == group && known_vr => Some(Encoding::ExplicitBig),
        [low, 0] if low == group => {
            let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
            // Text that begins with a backspace is improbable, and then its “length” is huge; two
            // letters are a representation that is not among the known ones.
            let is_length = length < 0x10000 && !head[4..6].iter().all(u8::is_ascii_uppercase);
            is_length.then_some(Encoding::ImplicitLittle)
        }
        _ => None,
    }
}

/// The Pixel Data element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PixelElement {
    /// Where its value begins.
    pub(crate) offset: usize,
    /// Its length; `None` if the pixels are in fragments.
    pub(crate) length: Option<u32>,
}

/// Walks a data set to its Pixel Data. `None` if there are none.
pub(crate) fn walk<'a>(
    bytes: &'a [u8],
    begin: usize,
    encoding: Encoding,
    complete: bool,
) -> Result<(Attributes<'a>, Option<PixelElement>), Stop> {
    let mut attributes = Attributes::new(encoding);
    let mut walker = Walker::new(bytes, begin, encoding);
    loop {
        if walker.at_end() {
            return if complete { Ok((attributes, None)) } else { Err(Stop::NeedMore) };
        }
        let inside = |error| stop(error, complete, "the header");
        let start = walker.start().map_err(inside)?;
        match start.tag {
            tags::PIXEL_DATA => {
                let pixels = PixelElement { offset: walker.position(), length: start.length };
                return Ok((attributes, Some(pixels)));
            }
            Tag(0xFFFE, _) => {
                return Err(inside(WalkError::Malformed {
                    offset: walker.position(),
                    what: "an item outside of a sequence",
                }));
            }
            tag if tag > tags::PIXEL_DATA => return Ok((attributes, None)),
            tag => attributes.insert(tag, walker.value(&start).map_err(inside)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_data_sets_are_recognised_and_text_is_not() {
        let encoding =
            |bytes: &[u8]| file_start(bytes, true).ok().map(|start| start.transfer_syntax.encoding);
        assert_eq!(encoding(b"\x08\0\x05\0\x0A\0\0\0ISO_IR 100"), Some(Encoding::ImplicitLittle));
        assert_eq!(encoding(b"\x08\0\x05\0CS\x0A\0ISO_IR 100"), Some(Encoding::ExplicitLittle));
        assert_eq!(encoding(b"\0\x08\0\x05CS\0\x0AISO_IR 100"), Some(Encoding::ExplicitBig));
        for other in [&b""[..], b"D", b"patient,study\n1,2\n", &[0; 400], b"\x89PNG\r\n\x1a\n...."]
        {
            assert_eq!(encoding(other), None);
        }
        assert!(matches!(file_start(b"\x08\0", false), Err(Stop::NeedMore)));
        // What Windows keeps of a deleted file begins with the number 2 in eight bytes; others go on.
        for length in [0, 2, 6, 300, 65_535_u32] {
            let head = [&[2, 0, 0, 0][..], &length.to_le_bytes(), b"\0\0\x30\0C\0:\0\\\0a\0"];
            let result = file_start(&head.concat(), true);
            assert!(matches!(result, Err(Stop::Failed(ReadError::NotDicom))), "{length}");
        }
        let meta = b"\x02\0\x10\0\x12\0\0\x001.2.840.10008.1.2\0\x08\0\x05\0\x0A\0\0\0ISO_IR 100";
        assert_eq!(encoding(meta), Some(Encoding::ImplicitLittle));
    }
}
