//! Files to headers and slices. A reader keeps files of several images that it has read.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use hemora_ct::Slice;

use crate::cache::Cache;
use crate::formats::{ImageFile, Input, format_of};
use crate::header::Member;
use crate::source::{MAX_BYTES, read_bytes, with_reader};
use crate::{ReadError, SliceHeader, Source};

/// Reads slices, and keeps the files of several images (enhanced CT objects, volumes) that it read
/// last, at most 512 MiB of them: their slices are read one after the other, and reading the whole
/// file for each would take as many times as long. Clones share what is kept; other readers do not.
///
/// May be used by any number of threads: only those that wait for the same file wait for each other.
#[derive(Debug, Clone)]
pub struct Reader {
    files: Arc<Cache<Version, Box<dyn ImageFile>>>,
}

/// A file or archive entry, and what tells it from its next version.
#[derive(Debug, Clone, PartialEq)]
struct Version {
    source: Source,
    path: PathBuf,
    size: u64,
    modified: Option<SystemTime>,
}

impl Default for Reader {
    fn default() -> Self {
        Self { files: Arc::new(Cache::new(MAX_BYTES)) }
    }
}

impl Reader {
    /// Decodes one image to HU: a DICOM image, a frame, a slice of a NIfTI volume, a picture.
    ///
    /// A wrong intercept is repaired ([`SliceHeader::intercept_repaired`]). Declared pixel padding
    /// that reaches the image's edge becomes air, −1000 HU, if it is not darker than that already.
    ///
    /// # Errors
    /// [`ReadError`] if the header or the pixels cannot be used, or if `source` is an object of
    /// several frames.
    pub fn read_slice(&self, source: &Source) -> Result<(SliceHeader, Slice), ReadError> {
        let Source::Frame { object, .. } = source else {
            return read_named(&*open(source)?, source);
        };
        // A frame of a frame is no source that this crate makes.
        if let Source::Frame { .. } = **object {
            return Err(ReadError::NotAFile);
        }
        let path = object.file().to_owned();
        let (size, modified) = match &**object {
            Source::Bytes { bytes, .. } => (bytes.0.len() as u64, None),
            _ => {
                let metadata = std::fs::metadata(&path)?;
                (metadata.len(), metadata.modified().ok())
            }
        };
        let version = Version { source: (**object).clone(), path, size, modified };
        // What an entry of an archive will need is not known before.
        let expected = if let Source::File(_) = version.source { size } else { 0 };
        let file = self.files.get(&version, expected, || {
            let file = open(object)?;
            let size = file.size();
            Ok::<_, ReadError>((file, size))
        })?;
        read_named(&**file, source)
    }
}

/// As [`Reader::read_slice`], for a single image: of a file of several images it reads all for each.
///
/// # Errors
/// As there.
pub fn read_slice(source: &Source) -> Result<(SliceHeader, Slice), ReadError> {
    Reader::default().read_slice(source)
}

/// Decodes every image of a file, reading it once, and hands each to `each` with its header.
///
/// # Errors
/// [`ReadError`] if no image of the file can be used. One that cannot be decoded alone is handed on
/// as an error.
pub fn read_slices(
    source: &Source,
    mut each: impl FnMut(SliceHeader, Result<Slice, ReadError>),
) -> Result<(), ReadError> {
    let file = open(source)?;
    for index in 0..file.count() {
        each(file.header(index), file.slice(index));
    }
    Ok(())
}

/// Reads and checks the header of one CT image without decoding its pixels.
///
/// # Errors
/// [`ReadError`] with the reason why this is not a readable CT image; [`ReadError::MultiFrame`] for
/// an object of several frames, unless `source` names one of them.
pub fn read_header(source: &Source) -> Result<SliceHeader, ReadError> {
    let mut members = read_members(source)?;
    let index = named_index(source, members.len())?;
    Ok(members.swap_remove(index).header)
}

/// Reads the headers of all frames of an enhanced CT object or of all slices of a NIfTI volume, or
/// the one header of a CT image.
///
/// # Errors
/// [`ReadError`] with the reason why this is not a readable CT image.
pub fn read_headers(source: &Source) -> Result<Vec<SliceHeader>, ReadError> {
    Ok(read_members(source)?.into_iter().map(|member| member.header).collect())
}

/// The headers in a file, and what is wrong with their geometry.
pub(crate) fn read_members(source: &Source) -> Result<Vec<Member>, ReadError> {
    let object = object_of(source);
    with_reader(object, |reader, size| {
        let input = Input::open(object, reader, size)?;
        format_of(&input.head).headers(input)
    })
}

/// Reads what holds the image that `source` names.
fn open(source: &Source) -> Result<Box<dyn ImageFile>, ReadError> {
    let object = object_of(source);
    let bytes = read_bytes(object)?;
    format_of(&bytes).open(object, bytes)
}

fn read_named(file: &dyn ImageFile, source: &Source) -> Result<(SliceHeader, Slice), ReadError> {
    let index = named_index(source, file.count())?;
    Ok((file.header(index), file.slice(index)?))
}

/// What holds the frame that `source` names; else `source` itself.
fn object_of(source: &Source) -> &Source {
    match source {
        Source::Frame { object, .. } => object,
        source => source,
    }
}

/// Which of `count` images `source` names.
fn named_index(source: &Source, count: usize) -> Result<usize, ReadError> {
    match source {
        Source::Frame { number, .. } if (1..=count).contains(number) => Ok(number - 1),
        Source::Frame { number, .. } => Err(ReadError::NoFrame { number: *number, frames: count }),
        _ if count == 1 => Ok(0),
        _ => Err(ReadError::MultiFrame(count)),
    }
}
