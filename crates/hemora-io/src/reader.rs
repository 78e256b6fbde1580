//! Files to headers and slices. A reader keeps files of several images that it has read.

use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use hemora_ct::Slice;

use crate::archive::{Kind, entry_of, inflated};
use crate::cache::Cache;
use crate::formats::{
    ImageFile, Input, check_inflated, format_of, inflate, is_gzip, marked_format,
};
use crate::header::Member;
use crate::objects::{Ahead, is_object};
use crate::source::{MAX_BYTES, read_bytes, with_reader};
use crate::{ReadError, SliceHeader, Source};

/// Reads slices, and keeps the files of several images (enhanced CT objects, volumes) that it read
/// last, at most 512 MiB of them, tar archives in gzip among them: their slices are read one after the
/// other, and reading the whole file for each would take as many times as long. Clones share what is
/// kept; other readers do not.
///
/// May be used by any number of threads: only those that wait for the same file wait for each other.
#[derive(Debug, Clone)]
pub struct Reader {
    files: Arc<Cache<Version, Kept>>,
    ahead: Arc<Ahead>,
}

/// What a reader keeps.
#[derive(Debug)]
enum Kept {
    File(Box<dyn ImageFile>),
    /// What a tar archive in gzip inflates to; `None` if its entries are read one by one.
    Archive(Option<Vec<u8>>),
}

/// A file or archive entry, and what tells it from its next version.
#[derive(Debug, Clone, PartialEq)]
struct Version {
    source: Source,
    size: u64,
    modified: Option<SystemTime>,
}

impl Version {
    fn of(source: &Source) -> Result<Self, ReadError> {
        let (size, modified) = match source {
            Source::Bytes { bytes, .. } => (bytes.0.len() as u64, None),
            // Within one run an object is what it was when it was read first: each look would be a
            // request.
            source if is_object(source.file()) => (0, None),
            source => {
                let metadata = std::fs::metadata(source.file())?;
                (metadata.len(), metadata.modified().ok())
            }
        };
        Ok(Self { source: source.clone(), size, modified })
    }
}

impl Default for Reader {
    fn default() -> Self {
        Self { files: Arc::new(Cache::new(MAX_BYTES)), ahead: Arc::default() }
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
            return read_named(&*open(source, self.bytes(source)?)?, source);
        };
        let version = Version::of(object)?;
        // What an entry of an archive will need is not known before.
        let expected = if let Source::File(_) = version.source { version.size } else { 0 };
        let kept = self.files.get(&version, expected, || {
            let file = open(object, self.bytes(object)?)?;
            let size = file.size();
            Ok::<_, ReadError>((Kept::File(file), size))
        })?;
        match &*kept {
            Kept::File(file) => read_named(&**file, source),
            Kept::Archive(_) => Err(ReadError::NotAFile),
        }
    }

    /// Begins to fetch those of some sources that are objects, which will be asked for next.
    pub(crate) fn fetch_ahead<'a>(&self, sources: impl Iterator<Item = &'a Source>) {
        for source in sources {
            match source {
                Source::File(path) if is_object(path) => Ahead::fetch(&self.ahead, path),
                _ => {}
            }
        }
    }

    /// The bytes of a file or archive entry. A tar archive in gzip is kept inflated: else each entry
    /// would be looked for from its beginning, whatever the order in which they are read.
    fn bytes(&self, source: &Source) -> Result<Vec<u8>, ReadError> {
        let holder = match source {
            Source::Picture { file, .. } => file,
            source => source,
        };
        let (archive, index, name) = match holder {
            Source::Entry { archive, index, name } => (archive, index, name),
            Source::File(path) if is_object(path) => return self.ahead.bytes(path),
            _ => return read_bytes(source),
        };
        if Kind::from_file(archive) != Some(Kind::Tar) {
            return read_bytes(source);
        }
        let version = Version::of(&Source::File(archive.clone()))?;
        let kept = self.files.get(&version, version.size, || {
            let inflated = inflated(archive)?;
            let size = inflated.as_ref().map_or(0, Vec::len) as u64;
            Ok::<_, ReadError>((Kept::Archive(inflated), size))
        })?;
        match &*kept {
            Kept::Archive(Some(bytes)) => Ok(entry_of(bytes, *index, name)?.to_vec()),
            Kept::Archive(None) | Kept::File(_) => read_bytes(source),
        }
    }
}

/// As [`Reader::read_slice`], for a single image: of a file of several images it reads all for each.
///
/// # Errors
/// As there.
pub fn read_slice(source: &Source) -> Result<(SliceHeader, Slice), ReadError> {
    read_named(&*open_source(source)?, source)
}

/// Decodes every image of a file, reading it once, and hands each to `each` with its header.
///
/// # Errors
/// [`ReadError`] if no image of the file can be used. One that cannot be decoded alone is handed on
/// as an error.
pub fn read_slices(
    source: &Source,
    each: impl FnMut(SliceHeader, Result<Slice, ReadError>),
) -> Result<(), ReadError> {
    decode_slices(source, read_bytes(object_of(source))?, each)
}

/// As [`read_slices`], of a file or archive entry whose bytes were [read](read_bytes) already.
///
/// # Errors
/// As there.
pub fn decode_slices(
    source: &Source,
    bytes: Vec<u8>,
    mut each: impl FnMut(SliceHeader, Result<Slice, ReadError>),
) -> Result<(), ReadError> {
    let file = open(object_of(source), bytes)?;
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
        if !is_compressed(&input.head) {
            return format_of(&input.head).headers(input);
        }
        check_inflated(&input.head)?;
        let head = inflate(&input.read_all()?)?;
        let size = head.len() as u64;
        let input = Input { source: object, head, rest: &mut io::empty(), size };
        format_of(&input.head).headers(input)
    })
}

/// Reads what holds the image that `source` names.
fn open_source(source: &Source) -> Result<Box<dyn ImageFile>, ReadError> {
    let object = object_of(source);
    open(object, read_bytes(object)?)
}

/// A file of these bytes, inflated if they are in gzip.
fn open(object: &Source, mut bytes: Vec<u8>) -> Result<Box<dyn ImageFile>, ReadError> {
    // A frame of a frame is no source that this crate makes.
    if let Source::Frame { .. } = object {
        return Err(ReadError::NotAFile);
    }
    if is_compressed(&bytes) {
        check_inflated(&bytes)?;
        bytes = inflate(&bytes)?;
    }
    format_of(&bytes).open(object, bytes)
}

/// Whether a file is in gzip: the preamble of a DICOM file may begin with anything.
fn is_compressed(head: &[u8]) -> bool {
    is_gzip(head) && marked_format(head).is_none()
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
