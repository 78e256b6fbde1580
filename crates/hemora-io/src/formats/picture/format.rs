//! Pictures as a format: PNG and JPEG files with a declared window.

use hemora_ct::Slice;

use super::image::Picture;
use crate::formats::{ImageFile, ImageFormat, Input};
use crate::header::Member;
use crate::{ReadError, SliceHeader, Source};

/// The format.
pub(crate) struct Pictures;

/// What PNG files begin with.
pub(super) const PNG: [u8; 4] = *b"\x89PNG";
/// What JPEG files begin with.
const JPEG: [u8; 3] = [0xFF, 0xD8, 0xFF];

impl ImageFormat for Pictures {
    fn sniff(&self, head: &[u8]) -> bool {
        head.starts_with(&PNG) || head.starts_with(&JPEG)
    }

    fn open(&self, source: &Source, bytes: Vec<u8>) -> Result<Box<dyn ImageFile>, ReadError> {
        Ok(Box::new(Picture::open(source, &bytes)?))
    }

    /// Pictures without a window are not read any further.
    fn headers(&self, input: Input<'_>) -> Result<Vec<Member>, ReadError> {
        let source = input.source;
        if !matches!(source, Source::Picture { .. }) {
            return Err(ReadError::UndeclaredWindow { named: true });
        }
        let picture = Picture::open(source, &input.read_all()?)?;
        Ok(vec![Member::new(picture.slice_header())])
    }
}

impl ImageFile for Picture {
    fn count(&self) -> usize {
        1
    }

    fn header(&self, _index: usize) -> SliceHeader {
        self.slice_header()
    }

    fn slice(&self, _index: usize) -> Result<Slice, ReadError> {
        self.hu()
    }

    fn size(&self) -> u64 {
        size_of_val(self.grey()) as u64
    }
}
