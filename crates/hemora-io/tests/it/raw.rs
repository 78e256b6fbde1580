//! DICOM files made byte by byte, so that they can be wrong.

use std::fs;
use std::path::{Path, PathBuf};

use hemora_io::{ReadError, Source, read_header, read_slice};

/// How the data set is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    ImplicitLittle,
    ExplicitLittle,
    ExplicitBig,
}

/// What stands before the data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Front {
    Preamble,
    MetaOnly,
    Nothing,
}

#[derive(Debug, Clone)]
enum Value {
    Bytes(Vec<u8>),
    Words(Vec<u16>),
    Fragments(Vec<Vec<u8>>),
    Items(Vec<Raw>),
}

/// A data set that can be changed and written in any encoding.
#[derive(Debug, Clone, Default)]
pub struct Raw {
    elements: Vec<(u32, [u8; 2], Value)>,
    transfer_syntax: Option<String>,
}

pub const ROWS: u32 = 0x0028_0010;
pub const COLUMNS: u32 = 0x0028_0011;
pub const PIXEL_DATA: u32 = 0x7FE0_0010;

impl Raw {
    /// A good CT image of 3 × 4 signed pixels 0 to 11, intercept −1024.
    pub fn image() -> Self {
        Self::default()
            .text(0x0008_0016, b"UI", "1.2.840.10008.5.1.4.1.1.2")
            .text(0x0008_0018, b"UI", "ID_000012eaf")
            .text(0x0008_0060, b"CS", "CT")
            .text(0x0008_103E, b"LO", "HEAD 5mm")
            .text(0x0010_0020, b"LO", "ID_f15c0eee")
            .text(0x0020_000D, b"UI", "ID_30ea2b02d4")
            .text(0x0020_000E, b"UI", "ID_0ab5820b2a")
            .text(0x0020_0032, b"DS", "-125.000000\\-115.897980\\77.970825")
            .text(0x0020_0037, b"DS", "1.000000\\0.000000\\0.000000\\0.000000\\0.927184\\-0.374607")
            .words(0x0028_0002, &[1])
            .text(0x0028_0004, b"CS", "MONOCHROME2")
            .words(ROWS, &[3])
            .words(COLUMNS, &[4])
            .text(0x0028_0030, b"DS", "0.488281\\0.488281")
            .words(0x0028_0100, &[16])
            .words(0x0028_0101, &[16])
            .words(0x0028_0102, &[15])
            .words(0x0028_0103, &[1])
            .text(0x0028_1050, b"DS", "00036\\00036")
            .text(0x0028_1051, b"DS", "00080\\00100")
            .text(0x0028_1052, b"DS", "-1024")
            .text(0x0028_1053, b"DS", "1")
            .pixels(&(0..12).collect::<Vec<u16>>())
    }

    fn insert(mut self, tag: u32, vr: &[u8; 2], value: Value) -> Self {
        self = self.without(tag);
        self.elements.push((tag, *vr, value));
        self.elements.sort_by_key(|(tag, ..)| *tag);
        self
    }

    pub fn without(mut self, tag: u32) -> Self {
        self.elements.retain(|(other, ..)| *other != tag);
        self
    }

    pub fn text(self, tag: u32, vr: &[u8; 2], text: &str) -> Self {
        let mut bytes = text.as_bytes().to_vec();
        if bytes.len() % 2 == 1 {
            bytes.push(if vr == b"UI" { 0 } else { b' ' });
        }
        self.insert(tag, vr, Value::Bytes(bytes))
    }

    pub fn bytes(self, tag: u32, vr: &[u8; 2], bytes: &[u8]) -> Self {
        self.insert(tag, vr, Value::Bytes(bytes.to_vec()))
    }

    pub fn words(self, tag: u32, words: &[u16]) -> Self {
        self.insert(tag, b"US", Value::Words(words.to_vec()))
    }

    pub fn pixels(self, pixels: &[u16]) -> Self {
        self.insert(PIXEL_DATA, b"OW", Value::Words(pixels.to_vec()))
    }

    pub fn items(self, tag: u32, items: &[Raw]) -> Self {
        self.insert(tag, b"SQ", Value::Items(items.to_vec()))
    }

    pub fn fragments(self, fragments: &[&[u8]]) -> Self {
        let fragments = fragments.iter().map(|fragment| fragment.to_vec()).collect();
        self.insert(PIXEL_DATA, b"OB", Value::Fragments(fragments))
    }

    /// Names another transfer syntax than that of the encoding.
    pub fn syntax(mut self, uid: &str) -> Self {
        self.transfer_syntax = Some(uid.to_owned());
        self
    }

    /// An uncompressed file in explicit little endian.
    pub fn file(&self) -> Vec<u8> {
        self.file_in(Encoding::ExplicitLittle, Front::Preamble)
    }

    pub fn file_in(&self, encoding: Encoding, front: Front) -> Vec<u8> {
        let mut file = self.front(encoding, front);
        file.extend(self.data_set(encoding));
        file
    }

    /// Preamble and meta header.
    pub fn front(&self, encoding: Encoding, front: Front) -> Vec<u8> {
        let syntax = self.transfer_syntax.as_deref().unwrap_or(match encoding {
            Encoding::ImplicitLittle => "1.2.840.10008.1.2",
            Encoding::ExplicitLittle => "1.2.840.10008.1.2.1",
            Encoding::ExplicitBig => "1.2.840.10008.1.2.2",
        });
        let meta = Raw::default()
            .bytes(0x0002_0001, b"OB", &[0, 1])
            .text(0x0002_0002, b"UI", "1.2.840.10008.5.1.4.1.1.2")
            .text(0x0002_0010, b"UI", syntax)
            .data_set(Encoding::ExplicitLittle);
        let length = (meta.len() as u32).to_le_bytes();
        let meta = [
            Raw::default().bytes(0x0002_0000, b"UL", &length).data_set(Encoding::ExplicitLittle),
            meta,
        ]
        .concat();
        match front {
            Front::Preamble => [&[0; 128][..], b"DICM", &meta].concat(),
            Front::MetaOnly => meta,
            Front::Nothing => Vec::new(),
        }
    }

    pub fn data_set(&self, encoding: Encoding) -> Vec<u8> {
        let big = encoding == Encoding::ExplicitBig;
        let word = |value: u16| if big { value.to_be_bytes() } else { value.to_le_bytes() };
        let long = |value: u32| if big { value.to_be_bytes() } else { value.to_le_bytes() };
        let tag = |tag: u32| [word((tag >> 16) as u16), word(tag as u16)].concat();
        let mut bytes = Vec::new();
        for (number, vr, value) in &self.elements {
            let (content, length) = match value {
                Value::Bytes(content) => (content.clone(), content.len() as u32),
                Value::Words(words) => {
                    let content: Vec<u8> = words.iter().flat_map(|&value| word(value)).collect();
                    let length = content.len() as u32;
                    (content, length)
                }
                Value::Fragments(fragments) => {
                    let mut content = [tag(0xFFFE_E000), long(0).to_vec()].concat();
                    for fragment in fragments {
                        content.extend(tag(0xFFFE_E000));
                        content.extend(long(fragment.len() as u32));
                        content.extend(fragment);
                    }
                    content.extend(tag(0xFFFE_E0DD));
                    content.extend(long(0));
                    (content, u32::MAX)
                }
                Value::Items(items) => {
                    let mut content = Vec::new();
                    for item in items {
                        content.extend(tag(0xFFFE_E000));
                        content.extend(long(u32::MAX));
                        content.extend(item.data_set(encoding));
                        content.extend(tag(0xFFFE_E00D));
                        content.extend(long(0));
                    }
                    content.extend(tag(0xFFFE_E0DD));
                    content.extend(long(0));
                    (content, u32::MAX)
                }
            };
            bytes.extend(tag(*number));
            if encoding == Encoding::ImplicitLittle {
                bytes.extend(long(length));
            } else {
                bytes.extend(vr);
                if [b"OB", b"OW", b"SQ", b"UN"].contains(&vr) {
                    bytes.extend([0, 0]);
                    bytes.extend(long(length));
                } else {
                    bytes.extend(word(length as u16));
                }
            }
            bytes.extend(content);
        }
        bytes
    }
}

/// Writes a file for a test.
pub fn write_file(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    path
}

/// HU of a file of these bytes.
pub fn hu(bytes: &[u8]) -> Result<Vec<f32>, ReadError> {
    let folder = tempfile::tempdir().unwrap();
    let source = Source::File(write_file(folder.path(), "image.dcm", bytes));
    Ok(read_slice(&source)?.1.hu().to_vec())
}

/// The error that both the header reader and the pixel reader give for these bytes.
pub fn refusal(bytes: &[u8]) -> ReadError {
    let folder = tempfile::tempdir().unwrap();
    let source = Source::File(write_file(folder.path(), "image.dcm", bytes));
    let of_header = read_header(&source).expect_err("the header should be refused");
    let of_pixels = read_slice(&source).expect_err("the image should be refused");
    assert_eq!(of_header.to_string(), of_pixels.to_string());
    of_header
}
