//! The elements of a data set, walked within the bytes at hand.
//!
//! dicom-object reserves what a length field asks for and recurses as deep as sequences nest, so a
//! small hostile file takes all memory or the stack. Here a length is believed only if that many
//! bytes are there, and nesting costs no recursion.

use dicom_core::Tag;

/// How elements are encoded (PS3.5 §7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    ImplicitLittle,
    ExplicitLittle,
    ExplicitBig,
}

impl Encoding {
    pub(crate) fn big_endian(self) -> bool {
        self == Self::ExplicitBig
    }

    pub(crate) fn u16(self, bytes: [u8; 2]) -> u16 {
        if self.big_endian() { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }

    fn u32(self, bytes: [u8; 4]) -> u32 {
        if self.big_endian() { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }
}

/// Why a walk ends before its goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WalkError {
    /// The bytes end inside an element.
    End,
    /// The bytes are no elements.
    Malformed { offset: usize, what: &'static str },
}

/// The start of an element; `length` is `None` if a delimiter ends it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ElementStart {
    pub(crate) tag: Tag,
    /// The two letters, absent in implicit encoding and for items.
    vr: Option<[u8; 2]>,
    pub(crate) length: Option<u32>,
}

pub(crate) const ITEM: Tag = Tag(0xFFFE, 0xE000);
const ITEM_END: Tag = Tag(0xFFFE, 0xE00D);
pub(crate) const SEQUENCE_END: Tag = Tag(0xFFFE, 0xE0DD);

/// Real objects nest a handful of sequences.
const MAX_NESTING: usize = 64;

/// VRs whose explicit length has 32 bits (PS3.5 §7.1.2).
const LONG_VRS: [&[u8; 2]; 13] =
    [b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"];

/// Reads element after element.
pub(crate) struct Walker<'a> {
    bytes: &'a [u8],
    position: usize,
    encoding: Encoding,
}

impl<'a> Walker<'a> {
    pub(crate) fn new(bytes: &'a [u8], position: usize, encoding: Encoding) -> Self {
        Self { bytes, position, encoding }
    }

    pub(crate) fn position(&self) -> usize {
        self.position
    }

    pub(crate) fn at_end(&self) -> bool {
        self.position >= self.bytes.len()
    }

    fn malformed(&self, what: &'static str) -> WalkError {
        WalkError::Malformed { offset: self.position, what }
    }

    pub(crate) fn take(&mut self, length: u32) -> Result<&'a [u8], WalkError> {
        let end = self.position.checked_add(length as usize).ok_or(WalkError::End)?;
        let value = self.bytes.get(self.position..end).ok_or(WalkError::End)?;
        self.position = end;
        Ok(value)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], WalkError> {
        let bytes = self.bytes.get(self.position..).and_then(|rest| rest.first_chunk::<N>());
        self.position += N;
        bytes.copied().ok_or(WalkError::End)
    }

    /// The tag, VR and length that come next.
    pub(crate) fn start(&mut self) -> Result<ElementStart, WalkError> {
        self.start_in(self.encoding)
    }

    fn start_in(&mut self, encoding: Encoding) -> Result<ElementStart, WalkError> {
        let tag = Tag(encoding.u16(self.array()?), encoding.u16(self.array()?));
        let implicit = encoding == Encoding::ImplicitLittle || tag.group() == 0xFFFE;
        let (vr, length) = if implicit {
            (None, encoding.u32(self.array()?))
        } else {
            let vr: [u8; 2] = self.array()?;
            if !vr.iter().all(u8::is_ascii_uppercase) {
                self.position -= 2;
                return Err(self.malformed("no value representation after a tag"));
            }
            let length = if LONG_VRS.contains(&&vr) {
                let _reserved: [u8; 2] = self.array()?;
                encoding.u32(self.array()?)
            } else {
                u32::from(encoding.u16(self.array()?))
            };
            (Some(vr), length)
        };
        Ok(ElementStart { tag, vr, length: (length != u32::MAX).then_some(length) })
    }

    /// The value that follows `start`; of a sequence, its items as bytes.
    pub(crate) fn value(&mut self, start: &ElementStart) -> Result<&'a [u8], WalkError> {
        match start.length {
            Some(length) => self.take(length),
            None => {
                let begin = self.position;
                self.skip_undefined(start)?;
                Ok(&self.bytes[begin..self.position])
            }
        }
    }

    /// Moves behind the delimiter of a sequence of undefined length.
    fn skip_undefined(&mut self, start: &ElementStart) -> Result<(), WalkError> {
        // Whatever its VR, such an element has items up to a delimiter, as sequences have: there
        // are private OB of this kind. Each open sequence or item: whether it is an item, and its
        // encoding.
        let mut open = vec![(false, self.inner_encoding(start, self.encoding))];
        while let Some(&(in_item, encoding)) = open.last() {
            let next = self.start_in(encoding)?;
            match (in_item, next.tag, next.length) {
                (true, ITEM_END, _) | (false, SEQUENCE_END, _) => {
                    open.pop();
                }
                (false, ITEM, None) => open.push((true, encoding)),
                (false, ITEM, Some(length)) => {
                    self.take(length)?;
                }
                (false, ..) => {
                    return Err(self.malformed("a sequence holds something else than items"));
                }
                (true, Tag(0xFFFE, _), _) => {
                    return Err(self.malformed("a delimiter at the wrong place"));
                }
                (true, _, Some(length)) => {
                    self.take(length)?;
                }
                (true, _, None) => open.push((false, self.inner_encoding(&next, encoding))),
            }
            if open.len() > MAX_NESTING {
                return Err(self.malformed("sequences nest deeper than 32"));
            }
        }
        Ok(())
    }

    /// A sequence of unknown VR is in implicit encoding (PS3.5 §6.2.2).
    fn inner_encoding(&self, start: &ElementStart, outer: Encoding) -> Encoding {
        match start.vr {
            Some([b'U', b'N']) => Encoding::ImplicitLittle,
            _ => outer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn implicit(tag: Tag, length: u32, value: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(tag.group().to_le_bytes());
        bytes.extend(tag.element().to_le_bytes());
        bytes.extend(length.to_le_bytes());
        bytes.extend(value);
        bytes
    }

    #[test]
    fn undefined_sequences_are_skipped_whatever_they_hold() {
        let inner = [
            implicit(Tag(8, 0x1150), u32::MAX, &[]),
            implicit(ITEM, 4, &[1, 2, 3, 4]),
            implicit(ITEM, u32::MAX, &[]),
            implicit(Tag(8, 0x1150), 2, b"1\0"),
            implicit(ITEM_END, 0, &[]),
            implicit(SEQUENCE_END, 0, &[]),
        ]
        .concat();
        let bytes = [
            implicit(Tag(8, 0x1140), u32::MAX, &[]),
            implicit(ITEM, u32::MAX, &[]),
            inner,
            implicit(ITEM_END, 0, &[]),
            implicit(SEQUENCE_END, 0, &[]),
            implicit(Tag(0x10, 0x20), 2, b"P "),
        ]
        .concat();
        let mut walker = Walker::new(&bytes, 0, Encoding::ImplicitLittle);
        let start = walker.start().unwrap();
        walker.value(&start).unwrap();
        let next = walker.start().unwrap();
        assert_eq!(next.tag, Tag(0x10, 0x20));
        assert_eq!(walker.value(&next), Ok(&b"P "[..]));
        assert!(walker.at_end());
        for cut in 0..bytes.len() - 10 {
            let mut walker = Walker::new(&bytes[..cut], 0, Encoding::ImplicitLittle);
            let read = walker.start().and_then(|start| walker.value(&start).map(<[u8]>::len));
            assert_eq!(read, Err(WalkError::End), "cut at {cut}");
        }
    }

    #[test]
    fn undefined_lengths_of_any_representation_are_skipped() {
        // As scanners of GE write private groups: (0049,1001) OB with one item of a length.
        let private = [
            &[0x49, 0, 0x01, 0x10, b'O', b'B', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF][..],
            &implicit(ITEM, 4, &[1, 2, 3, 4]),
            &implicit(SEQUENCE_END, 0, &[]),
            &[0x10, 0, 0x20, 0, b'L', b'O', 2, 0, b'P', b' '],
        ]
        .concat();
        let mut walker = Walker::new(&private, 0, Encoding::ExplicitLittle);
        let start = walker.start().unwrap();
        walker.value(&start).unwrap();
        let next = walker.start().unwrap();
        assert_eq!((next.tag, walker.value(&next)), (Tag(0x10, 0x20), Ok(&b"P "[..])));
    }

    #[test]
    fn deep_nesting_and_lengths_beyond_the_end_are_refused() {
        let level = [implicit(Tag(8, 0x1140), u32::MAX, &[]), implicit(ITEM, u32::MAX, &[])];
        let deep = level.concat().repeat(100_000);
        let mut walker = Walker::new(&deep, 0, Encoding::ImplicitLittle);
        let start = walker.start().unwrap();
        assert!(matches!(walker.value(&start), Err(WalkError::Malformed { .. })));

        let long = implicit(Tag(0x10, 0x20), 0xFFFF_FFF0, b"x");
        let mut walker = Walker::new(&long, 0, Encoding::ImplicitLittle);
        let start = walker.start().unwrap();
        assert_eq!(walker.value(&start), Err(WalkError::End));
    }
}
