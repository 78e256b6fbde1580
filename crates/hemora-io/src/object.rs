//! A file as a whole: its bytes, and the images in them.

use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use flate2::read::DeflateDecoder;
use hemora_ct::Slice;

use crate::archive::Identity;
use crate::file::{Stop, file_start};
use crate::image::{CheckedImage, DataSet, check_images};
use crate::nifti::{Volume, is_nifti};
use crate::picture::Picture;
use crate::pixels::slice_of;
use crate::source::{read_all, with_reader};
use crate::{ReadError, SliceHeader, Source};

/// What a file is if it is no DICOM file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A NIfTI volume.
    Nifti,
    /// Something compressed that may be one.
    Gzip,
    Png,
    Jpeg,
}

impl Kind {
    /// By a file's first bytes; `None` for DICOM and for what is not known here.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        // A DICOM file may have anything in its preamble, such as a picture's header.
        if bytes.get(128..132) == Some(b"DICM") {
            return None;
        }
        match bytes {
            [0x1F, 0x8B, 8, ..] => Some(Self::Gzip),
            [0x89, b'P', b'N', b'G', ..] => Some(Self::Png),
            [0xFF, 0xD8, 0xFF, ..] => Some(Self::Jpeg),
            _ => is_nifti(bytes).then_some(Self::Nifti),
        }
    }
}

/// A file or archive entry that was read and checked.
#[derive(Debug)]
pub(crate) enum Object {
    Dicom { bytes: Vec<u8>, images: Vec<CheckedImage> },
    Volume(Volume),
    Picture(Picture),
}

impl Object {
    /// Reads what holds the image that `source` names.
    pub(crate) fn open(source: &Source) -> Result<Self, ReadError> {
        let source = object_of(source);
        let bytes = with_reader(source, |reader, size| read_all(reader, size))?;
        match Kind::of(&bytes) {
            Some(kind) => Self::other(source, kind, bytes),
            None => Self::dicom(source, bytes),
        }
    }

    /// A file of another kind than DICOM, whose bytes are there.
    pub(crate) fn other(source: &Source, kind: Kind, bytes: Vec<u8>) -> Result<Self, ReadError> {
        match kind {
            Kind::Nifti | Kind::Gzip => Volume::open(source, bytes).map(Self::Volume),
            Kind::Png | Kind::Jpeg => Picture::open(source, kind, &bytes).map(Self::Picture),
        }
    }

    fn dicom(source: &Source, mut bytes: Vec<u8>) -> Result<Self, ReadError> {
        if let Source::Picture { .. } = source {
            return Err(ReadError::Picture("neither a PNG nor a JPEG file".to_owned()));
        }
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
        Ok(Self::Dicom { bytes, images })
    }

    /// Number of images, at least 1.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Dicom { images, .. } => images.len(),
            Self::Volume(volume) => volume.len(),
            Self::Picture(_) => 1,
        }
    }

    /// The header of image `index`, which must be there.
    pub(crate) fn header(&self, index: usize) -> SliceHeader {
        match self {
            Self::Dicom { images, .. } => images[index].header.clone(),
            Self::Volume(volume) => volume.slice_header(index),
            Self::Picture(picture) => picture.header(),
        }
    }

    /// Decodes image `index`, which must be there, to HU.
    pub(crate) fn slice(&self, index: usize) -> Result<Slice, ReadError> {
        match self {
            Self::Dicom { bytes, images } => slice_of(&images[index], bytes),
            Self::Volume(volume) => volume.slice(index),
            Self::Picture(picture) => picture.slice(),
        }
    }
}

fn failed(stop: Stop) -> ReadError {
    match stop {
        Stop::Failed(error) => error,
        Stop::NeedMore => ReadError::Truncated { inside: "the header" },
    }
}

/// What holds the frame that `source` names; else `source` itself.
pub(crate) fn object_of(source: &Source) -> &Source {
    match source {
        Source::Frame { object, .. } => object,
        source => source,
    }
}

/// Which of `count` images `source` names.
pub(crate) fn named_index(source: &Source, count: usize) -> Result<usize, ReadError> {
    match source {
        Source::Frame { number, .. } if (1..=count).contains(number) => Ok(number - 1),
        Source::Frame { number, .. } => Err(ReadError::NoFrame { number: *number, frames: count }),
        _ if count == 1 => Ok(0),
        _ => Err(ReadError::MultiFrame(count)),
    }
}

/// The object that frames were last read of: they are read one after the other, and reading the
/// whole file for each would take as many times as long.
static LAST: Mutex<Option<(Source, Identity, Arc<Object>)>> = Mutex::new(None);

/// As [`Object::open`], for an object of which more frames are likely to be read. The next object
/// takes its place.
pub(crate) fn open_shared(source: &Source) -> Result<Arc<Object>, ReadError> {
    let object = object_of(source);
    // A frame of a frame is no source that this crate makes.
    if let Source::Frame { .. } = object {
        return Err(ReadError::NotAFile);
    }
    let identity = match object {
        Source::Bytes { name, bytes } => Identity::in_memory(name, bytes.0.len()),
        object => Identity::of(object.file())?,
    };
    // Held while the file is read: threads that want the same object then wait for it.
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    match &*last {
        Some((known, version, opened)) if known == object && *version == identity => {
            return Ok(Arc::clone(opened));
        }
        // Let go of before the next is read.
        _ => *last = None,
    }
    let opened = Arc::new(Object::open(object)?);
    *last = Some((object.clone(), identity, Arc::clone(&opened)));
    Ok(opened)
}
