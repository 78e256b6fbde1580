//! What a format must give, and how the format of a file is found.

use std::fmt::Debug;
use std::io::Read;

use hemora_ct::Slice;

use super::FORMATS;
use super::dicom::{Dicom, may_be_dicom};
use crate::header::Member;
use crate::source::MAX_BYTES;
use crate::{ReadError, SliceHeader, Source};

/// Most pixels of an image: far above any CT, and 256 MiB once in HU.
pub(crate) const MAX_PIXELS: usize = 8192 * 8192;
/// Most images in a file: scans of minutes have fewer.
pub(crate) const MAX_FRAMES: usize = 16_384;

/// First read of a file: the header of nearly every CT image.
pub(crate) const FIRST_READ: usize = 16 << 10;

/// A kind of file that holds CT images.
pub(crate) trait ImageFormat: Sync {
    /// Whether a file begins as one of this format. `head` are its first 16 KiB, or all of it.
    fn sniff(&self, head: &[u8]) -> bool;

    /// Why a file that begins as none of the formats is broken, if its name claims this format;
    /// `name` is in lower case.
    fn claimed_by(&self, _name: &str) -> Option<ReadError> {
        None
    }

    /// Checks a whole file, whose images can then be decoded. `source` goes into their headers.
    ///
    /// # Errors
    /// [`ReadError`] with the reason why no image of it can be used.
    fn open(&self, source: &Source, bytes: Vec<u8>) -> Result<Box<dyn ImageFile>, ReadError>;

    /// The headers of all images, with what is wrong with their geometry. Formats that need not read
    /// the whole file for them do it here.
    ///
    /// # Errors
    /// As [`ImageFormat::open`].
    fn headers(&self, input: Input<'_>) -> Result<Vec<Member>, ReadError> {
        let source = input.source;
        let file = self.open(source, input.read_all()?)?;
        Ok((0..file.count()).map(|index| Member::new(file.header(index))).collect())
    }
}

/// A file or archive entry that was read and checked.
pub(crate) trait ImageFile: Debug + Send + Sync {
    /// Number of images, at least 1.
    fn count(&self) -> usize;

    /// The header of image `index`, which must be below [`ImageFile::count`].
    fn header(&self, index: usize) -> SliceHeader;

    /// Decodes image `index`, which must be below [`ImageFile::count`], to HU.
    ///
    /// # Errors
    /// [`ReadError`] if the pixels cannot be decoded.
    fn slice(&self, index: usize) -> Result<Slice, ReadError>;

    /// Bytes of memory that it holds.
    fn size(&self) -> u64;
}

/// A file that is being read: its first bytes, and a reader of those that follow.
pub(crate) struct Input<'a> {
    /// The file or archive entry, or a picture with its window.
    pub(crate) source: &'a Source,
    /// The first 16 KiB, or all of a smaller file.
    pub(crate) head: Vec<u8>,
    /// What follows.
    pub(crate) rest: &'a mut dyn Read,
    /// Bytes that the source claims to have.
    pub(crate) size: u64,
}

impl<'a> Input<'a> {
    /// Reads the head.
    pub(crate) fn open(
        source: &'a Source,
        rest: &'a mut dyn Read,
        size: u64,
    ) -> Result<Self, ReadError> {
        let mut head = Vec::new();
        (&mut *rest).take(FIRST_READ as u64).read_to_end(&mut head)?;
        Ok(Self { source, head, rest, size })
    }

    /// The whole file, within the limit for one.
    pub(crate) fn read_all(self) -> Result<Vec<u8>, ReadError> {
        let Self { head: mut bytes, rest, .. } = self;
        // As far as the head goes it is in memory already.
        let limit = MAX_BYTES.saturating_sub(bytes.len() as u64);
        rest.take(limit + 1).read_to_end(&mut bytes)?;
        match bytes.len() as u64 > MAX_BYTES {
            true => Err(ReadError::TooLarge { limit: MAX_BYTES }),
            false => Ok(bytes),
        }
    }
}

/// The format of a file that begins with `head`. DICOM for what none of them knows: a bare data set
/// has no mark.
pub(crate) fn format_of(head: &[u8]) -> &'static dyn ImageFormat {
    marked_format(head).unwrap_or(&Dicom)
}

/// The format whose mark a file has.
pub(crate) fn marked_format(head: &[u8]) -> Option<&'static dyn ImageFormat> {
    FORMATS.iter().copied().find(|format| format.sniff(head))
}

/// The format of a file, if it begins as one of it, with a mark or as a bare data set.
pub(super) fn known_format(head: &[u8]) -> Option<&'static dyn ImageFormat> {
    marked_format(head).or_else(|| may_be_dicom(head).then_some(&Dicom as &dyn ImageFormat))
}

/// Why a file called `name` that begins as none of the formats is broken; `None` if its name claims
/// none of them either.
pub(crate) fn mismatch(name: &str) -> Option<ReadError> {
    let name = name.to_ascii_lowercase();
    FORMATS.iter().find_map(|format| format.claimed_by(&name))
}
