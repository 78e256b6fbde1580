//! Small data sets in memory: what storage commitment and queries exchange, in little endian.

use crate::command::padded;
use crate::text::trimmed;
use crate::uids::{EXPLICIT_LITTLE, IMPLICIT_LITTLE};

/// Tags, as group and element in one number.
pub mod tags {
    pub const MEDIA_STORAGE_CLASS: u32 = 0x0002_0002;
    pub const MEDIA_STORAGE_INSTANCE: u32 = 0x0002_0003;
    pub const TRANSFER_SYNTAX: u32 = 0x0002_0010;
    pub const QUERY_LEVEL: u32 = 0x0008_0052;
    pub const REFERENCED_CLASS: u32 = 0x0008_1150;
    pub const REFERENCED_INSTANCE: u32 = 0x0008_1155;
    pub const TRANSACTION_UID: u32 = 0x0008_1195;
    pub const FAILURE_REASON: u32 = 0x0008_1197;
    pub const FAILED_SEQUENCE: u32 = 0x0008_1198;
    pub const REFERENCED_SEQUENCE: u32 = 0x0008_1199;
    pub const STUDY_INSTANCE_UID: u32 = 0x0020_000D;
    pub const STUDY_RELATED_INSTANCES: u32 = 0x0020_1208;
}

const ITEM: u32 = 0xFFFE_E000;
const ITEM_END: u32 = 0xFFFE_E00D;
const SEQUENCE_END: u32 = 0xFFFE_E0DD;
const UNDEFINED: u32 = u32::MAX;

/// Sequences within sequences that are followed.
const DEEPEST: u8 = 16;

/// VRs whose length has 32 bits (PS3.5 §7.1.2).
const LONG: [&[u8; 2]; 13] =
    [b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"];

/// Bytes that are no data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DataSetError {
    /// An element is longer than what holds it.
    #[error("the data set ends within an element")]
    Truncated,
    /// Something else than an item stands where items are.
    #[error("a sequence holds something that is no item")]
    NoItem,
    /// Nested beyond what is followed.
    #[error("sequences are nested deeper than {DEEPEST}")]
    TooDeep,
}

/// Whether data sets in this transfer syntax have VRs; `None` if it cannot be read here.
pub fn is_explicit(transfer_syntax: &str) -> Option<bool> {
    match transfer_syntax {
        IMPLICIT_LITTLE => Some(false),
        EXPLICIT_LITTLE => Some(true),
        _ => None,
    }
}

/// The elements of a data set or of an item; values are parsed when they are asked for.
#[derive(Debug)]
pub struct DataSet<'a> {
    elements: Vec<Element<'a>>,
}

#[derive(Debug)]
struct Element<'a> {
    tag: u32,
    /// Whether what is nested in it has VRs.
    explicit: bool,
    content: &'a [u8],
}

impl<'a> DataSet<'a> {
    /// Parses a data set, explicit or implicit.
    pub fn parse(bytes: &'a [u8], explicit: bool) -> Result<Self, DataSetError> {
        let (data_set, rest) = Self::parse_until_end(bytes, explicit)?;
        if rest.is_empty() { Ok(data_set) } else { Err(DataSetError::Truncated) }
    }

    /// Parses the meta header (group 0002, explicit) with which a file begins after `DICM`, and gives
    /// the data set behind it.
    pub fn parse_meta(mut bytes: &'a [u8]) -> Result<(Self, &'a [u8]), DataSetError> {
        let mut elements = Vec::new();
        while bytes.starts_with(&[2, 0]) {
            let header = Header::read(bytes, true)?;
            let (content, rest) = cut(header.rest, header.length)?;
            elements.push(Element { tag: header.tag, explicit: true, content });
            bytes = rest;
        }
        Ok((Self { elements }, bytes))
    }

    /// Parses until the bytes end, or an item of undefined length does.
    fn parse_until_end(bytes: &'a [u8], explicit: bool) -> Result<(Self, &'a [u8]), DataSetError> {
        let mut elements = Vec::new();
        let rest = walk(bytes, explicit, 0, &mut |element| elements.push(element))?;
        Ok((Self { elements }, rest))
    }

    fn find(&self, tag: u32) -> Option<&Element<'a>> {
        self.elements.iter().find(|element| element.tag == tag)
    }

    /// A text without padding; empty where it is not there.
    pub fn text(&self, tag: u32) -> String {
        self.find(tag).map(|element| trimmed(element.content)).unwrap_or_default()
    }

    /// A number of 16 bits.
    pub fn number(&self, tag: u32) -> Option<u16> {
        Some(u16::from_le_bytes(self.find(tag)?.content.try_into().ok()?))
    }

    /// The items of a sequence; none where it is not there.
    pub fn items(&self, tag: u32) -> Result<Vec<DataSet<'a>>, DataSetError> {
        let Some(&Element { explicit, content, .. }) = self.find(tag) else {
            return Ok(Vec::new());
        };
        let mut items = Vec::new();
        let mut rest = content;
        while !rest.is_empty() {
            let header = Header::read(rest, false)?;
            if header.tag != ITEM {
                return Err(DataSetError::NoItem);
            }
            let (item, after) = if header.length == UNDEFINED {
                Self::parse_until_end(header.rest, explicit)?
            } else {
                let (content, after) = cut(header.rest, header.length)?;
                (Self::parse(content, explicit)?, after)
            };
            items.push(item);
            rest = after;
        }
        Ok(items)
    }
}

struct Header<'a> {
    tag: u32,
    length: u32,
    /// Whether what is nested has VRs: not within UN (PS3.5 §6.2.2).
    explicit: bool,
    rest: &'a [u8],
}

impl<'a> Header<'a> {
    fn read(bytes: &'a [u8], explicit: bool) -> Result<Self, DataSetError> {
        let (header, rest) = bytes.split_first_chunk::<8>().ok_or(DataSetError::Truncated)?;
        let [g0, g1, e0, e1, v0, v1, l0, l1] = *header;
        let tag =
            u32::from(u16::from_le_bytes([g0, g1])) << 16 | u32::from(u16::from_le_bytes([e0, e1]));
        if !explicit || tag >> 16 == 0xFFFE {
            let length = u32::from_le_bytes([v0, v1, l0, l1]);
            return Ok(Self { tag, length, explicit: false, rest });
        }
        if !LONG.contains(&&[v0, v1]) {
            let length = u16::from_le_bytes([l0, l1]).into();
            return Ok(Self { tag, length, explicit, rest });
        }
        let (length, rest) = rest.split_first_chunk::<4>().ok_or(DataSetError::Truncated)?;
        let length = u32::from_le_bytes(*length);
        Ok(Self { tag, length, explicit: [v0, v1] != *b"UN", rest })
    }
}

fn cut(bytes: &[u8], length: u32) -> Result<(&[u8], &[u8]), DataSetError> {
    let length = usize::try_from(length).map_err(|_| DataSetError::Truncated)?;
    bytes.split_at_checked(length).ok_or(DataSetError::Truncated)
}

/// Visits the elements up to the end of the bytes or of the item that they stand in; what comes behind.
fn walk<'a>(
    mut bytes: &'a [u8],
    explicit: bool,
    depth: u8,
    visit: &mut dyn FnMut(Element<'a>),
) -> Result<&'a [u8], DataSetError> {
    while !bytes.is_empty() {
        let header = Header::read(bytes, explicit)?;
        if header.tag == ITEM_END {
            return Ok(header.rest);
        }
        let (content, rest) = if header.length == UNDEFINED {
            sequence(header.rest, header.explicit, depth)?
        } else {
            cut(header.rest, header.length)?
        };
        visit(Element { tag: header.tag, explicit: header.explicit, content });
        bytes = rest;
    }
    Ok(bytes)
}

/// A sequence of undefined length: its items, and what comes behind it.
fn sequence(bytes: &[u8], explicit: bool, depth: u8) -> Result<(&[u8], &[u8]), DataSetError> {
    if depth == DEEPEST {
        return Err(DataSetError::TooDeep);
    }
    let mut left = bytes;
    loop {
        let header = Header::read(left, false)?;
        match header.tag {
            SEQUENCE_END => return Ok((&bytes[..bytes.len() - left.len()], header.rest)),
            ITEM if header.length == UNDEFINED => {
                left = walk(header.rest, explicit, depth + 1, &mut |_| {})?;
            }
            ITEM => left = cut(header.rest, header.length)?.1,
            _ => return Err(DataSetError::NoItem),
        }
    }
}

/// Writes a data set; the caller keeps the order of the tags.
#[derive(Debug)]
pub struct Writer {
    explicit: bool,
    bytes: Vec<u8>,
}

impl Writer {
    pub fn new(explicit: bool) -> Self {
        Self { explicit, bytes: Vec::new() }
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub fn uid(&mut self, tag: u32, uid: &str) {
        self.element(tag, *b"UI", &padded(uid, 0));
    }

    pub fn text(&mut self, tag: u32, vr: [u8; 2], text: &str) {
        self.element(tag, vr, &padded(text, b' '));
    }

    pub fn number(&mut self, tag: u32, number: u16) {
        self.element(tag, *b"US", &number.to_le_bytes());
    }

    /// A sequence with an item for each of `items`, which `write` makes.
    pub fn sequence<T>(
        &mut self,
        tag: u32,
        items: impl IntoIterator<Item = T>,
        write: impl Fn(&mut Writer, T),
    ) {
        let mut content = Vec::new();
        for item in items {
            let mut inner = Writer::new(self.explicit);
            write(&mut inner, item);
            push_tag(&mut content, ITEM);
            content.extend((inner.bytes.len() as u32).to_le_bytes());
            content.extend(inner.bytes);
        }
        self.element(tag, *b"SQ", &content);
    }

    fn element(&mut self, tag: u32, vr: [u8; 2], content: &[u8]) {
        push_tag(&mut self.bytes, tag);
        let length = content.len() as u32;
        if !self.explicit {
            self.bytes.extend(length.to_le_bytes());
        } else if LONG.contains(&&vr) {
            self.bytes.extend(vr);
            self.bytes.extend([0, 0]);
            self.bytes.extend(length.to_le_bytes());
        } else {
            self.bytes.extend(vr);
            self.bytes.extend((length as u16).to_le_bytes());
        }
        self.bytes.extend(content);
    }
}

fn push_tag(out: &mut Vec<u8>, tag: u32) {
    out.extend(((tag >> 16) as u16).to_le_bytes());
    out.extend((tag as u16).to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn references(explicit: bool) -> Vec<u8> {
        let mut writer = Writer::new(explicit);
        writer.uid(tags::TRANSACTION_UID, "1.2.3");
        writer.sequence(tags::REFERENCED_SEQUENCE, ["1.2", "1.25"], |item, uid| {
            item.uid(tags::REFERENCED_CLASS, "1.2.840");
            item.uid(tags::REFERENCED_INSTANCE, uid);
            item.number(tags::FAILURE_REASON, 0x0112);
        });
        writer.into_bytes()
    }

    fn check(bytes: &[u8], explicit: bool) {
        let data_set = DataSet::parse(bytes, explicit).unwrap();
        assert_eq!(data_set.text(tags::TRANSACTION_UID), "1.2.3");
        let items = data_set.items(tags::REFERENCED_SEQUENCE).unwrap();
        let uids: Vec<_> = items.iter().map(|it| it.text(tags::REFERENCED_INSTANCE)).collect();
        assert_eq!(uids, ["1.2", "1.25"]);
        assert_eq!(items[1].number(tags::FAILURE_REASON), Some(0x0112));
        assert!(data_set.items(tags::FAILED_SEQUENCE).unwrap().is_empty());
    }

    #[test]
    fn sequences_are_read_as_they_are_written() {
        check(&references(false), false);
        check(&references(true), true);
    }

    #[test]
    fn undefined_lengths_are_read() {
        let end = |tag: u32| {
            let mut bytes = Vec::new();
            push_tag(&mut bytes, tag);
            bytes.extend([0; 4]);
            bytes
        };
        for explicit in [false, true] {
            let mut bytes = Writer::new(explicit);
            bytes.uid(tags::TRANSACTION_UID, "1.2.3");
            let mut bytes = bytes.into_bytes();
            push_tag(&mut bytes, tags::REFERENCED_SEQUENCE);
            bytes.extend(if explicit { &b"SQ\0\0"[..] } else { b"" });
            bytes.extend([0xFF; 4]);
            for uid in ["1.2", "1.25"] {
                push_tag(&mut bytes, ITEM);
                bytes.extend([0xFF; 4]);
                let mut item = Writer::new(explicit);
                item.uid(tags::REFERENCED_INSTANCE, uid);
                item.number(tags::FAILURE_REASON, 0x0112);
                bytes.extend(item.into_bytes());
                bytes.extend(end(ITEM_END));
            }
            bytes.extend(end(SEQUENCE_END));
            check(&bytes, explicit);
        }
    }

    #[test]
    fn what_is_cut_or_nested_without_end_is_an_error() {
        let bytes = references(false);
        assert!((1..bytes.len()).any(|end| DataSet::parse(&bytes[..end], false).is_err()));
        for explicit in [false, true] {
            let bytes = references(explicit);
            for at in 0..bytes.len() {
                let mut altered = bytes.clone();
                altered[at] = 0xFF;
                if let Ok(data_set) = DataSet::parse(&altered, explicit) {
                    let _ = data_set.items(tags::REFERENCED_SEQUENCE);
                }
            }
        }
        let mut nested = Vec::new();
        for _ in 0..10_000 {
            push_tag(&mut nested, tags::REFERENCED_SEQUENCE);
            nested.extend([0xFF; 4]);
            push_tag(&mut nested, ITEM);
            nested.extend([0xFF; 4]);
        }
        assert_eq!(DataSet::parse(&nested, false).unwrap_err(), DataSetError::TooDeep);
    }
}
