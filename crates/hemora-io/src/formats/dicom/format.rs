//! DICOM as a format: single images, and the frames of enhanced CT objects.

use std::io::{Cursor, Read};

use flate2::read::DeflateDecoder;
use hemora_ct::Slice;

use super::file::{Stop, file_start};
use super::image::{CheckedImage, DataSet, check_images};
use super::pixels::slice_from;
use crate::formats::{FIRST_READ, ImageFile, ImageFormat, Input};
use crate::header::Member;
use crate::source::read_all;
use crate::{ReadError, SliceHeader, Source};

/// No CT image has more before its pixels, bytes.
const MAX_HEADER: usize = 64 << 20;

/// The format.
pub(crate) struct Dicom;

/// A file with its images.
#[derive(Debug)]
struct DicomFile {
    /// The file, or its data set once inflated.
    bytes: Vec<u8>,
    images: Vec<CheckedImage>,
}

impl ImageFormat for Dicom {
    /// By the mark behind the preamble, which may hold anything, such as a picture's header.
    fn sniff(&self, head: &[u8]) -> bool {
        head.get(128..132) == Some(b"DICM")
    }

    fn claimed_by(&self, name: &str) -> Option<ReadError> {
        let claims =
            [".dcm", ".dicom", ".ima", ".dcm.gz"].iter().any(|extension| name.ends_with(extension));
        claims.then_some(ReadError::NotDicom)
    }

    fn open(&self, source: &Source, mut bytes: Vec<u8>) -> Result<Box<dyn ImageFile>, ReadError> {
        refuse_pictures(source)?;
        let mut start = file_start(&bytes, true).map_err(failed)?;
        if start.transfer_syntax.deflated {
            let mut inflated = DeflateDecoder::new(&bytes[start.offset..]);
            bytes = read_all(&mut inflated as &mut dyn Read, bytes.len() as u64)?;
            start.offset = 0;
        }
        let data_set = DataSet {
            bytes: &bytes,
            begin: start.offset,
            size: Some(bytes.len() as u64),
            complete: true,
        };
        let images = check_images(source, &start, data_set).map_err(failed)?;
        Ok(Box::new(DicomFile { bytes, images }))
    }

    /// Reads no further than the pixels.
    fn headers(&self, input: Input<'_>) -> Result<Vec<Member>, ReadError> {
        let Input { source, head: mut bytes, rest, size } = input;
        refuse_pictures(source)?;
        let start = read_until(rest, &mut bytes, file_start)?;
        let images = if start.transfer_syntax.deflated {
            let compressed = bytes.split_off(start.offset);
            let mut inflated = DeflateDecoder::new(Cursor::new(compressed).chain(rest));
            let mut data_set = Vec::new();
            read_until(&mut inflated, &mut data_set, |bytes, complete| {
                check_images(source, &start, DataSet { bytes, begin: 0, size: None, complete })
            })?
        } else {
            read_until(rest, &mut bytes, |bytes, complete| {
                let begin = start.offset;
                check_images(source, &start, DataSet { bytes, begin, size: Some(size), complete })
            })?
        };
        let member = |image: CheckedImage| {
            let CheckedImage { header, geometry_error, assumed, .. } = image;
            Member { header, geometry_error, assumed }
        };
        Ok(images.into_iter().map(member).collect())
    }
}

/// Whether a file begins as DICOM, with the mark, a meta header or a data set.
pub(crate) fn may_be_dicom(head: &[u8]) -> bool {
    !matches!(file_start(head, true), Err(Stop::Failed(ReadError::NotDicom)))
}

impl ImageFile for DicomFile {
    fn count(&self) -> usize {
        self.images.len()
    }

    fn header(&self, index: usize) -> SliceHeader {
        self.images[index].header.clone()
    }

    fn slice(&self, index: usize) -> Result<Slice, ReadError> {
        slice_from(&self.images[index], &self.bytes)
    }

    fn size(&self) -> u64 {
        (self.bytes.len() + self.images.len() * size_of::<CheckedImage>()) as u64
    }
}

/// What the user declared to be a picture and is none.
fn refuse_pictures(source: &Source) -> Result<(), ReadError> {
    match source {
        Source::Picture { .. } => {
            Err(ReadError::Picture("neither a PNG nor a JPEG file".to_owned()))
        }
        _ => Ok(()),
    }
}

fn failed(stop: Stop) -> ReadError {
    match stop {
        Stop::Failed(error) => error,
        Stop::NeedMore => ReadError::Truncated { inside: "the header" },
    }
}

/// Reads until `parse` has enough bytes.
pub(super) fn read_until<T>(
    reader: &mut dyn Read,
    bytes: &mut Vec<u8>,
    parse: impl Fn(&[u8], bool) -> Result<T, Stop>,
) -> Result<T, ReadError> {
    let mut want = FIRST_READ.max(bytes.len());
    loop {
        let missing = want.saturating_sub(bytes.len());
        reader.take(missing as u64).read_to_end(bytes)?;
        let complete = bytes.len() < want;
        match parse(bytes, complete) {
            Ok(value) => return Ok(value),
            Err(Stop::Failed(error)) => return Err(error),
            Err(Stop::NeedMore) if !complete && want < MAX_HEADER => want *= 4,
            Err(Stop::NeedMore) => {
                let what = "no pixel data within the first 64 MiB";
                return Err(ReadError::Malformed { offset: bytes.len() as u64, what });
            }
        }
    }
}
