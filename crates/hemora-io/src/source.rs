//! Where an image's bytes come from.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::archive::with_entry;
use crate::objects::{is_object, read_object, with_object};
use crate::{PictureWindow, ReadError};

/// A file on disk or in memory, one entry of an archive, a frame of either, or a picture with its
/// window.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// A file on disk, or an object whose URL (`s3://bucket/key`) is the path.
    File(PathBuf),
    /// An entry of a zip or tar archive.
    Entry {
        /// The archive.
        archive: PathBuf,
        /// Index of the entry; in a tar archive the number of the block with its header.
        index: usize,
        /// Name of the entry, for messages only: it is never used as a path.
        name: String,
    },
    /// A file in memory, such as one that was uploaded.
    Bytes {
        /// Its name, for messages and for the kind of file: it is never used as a path.
        name: String,
        /// Its bytes.
        bytes: FileBytes,
    },
    /// One frame of a multi-frame object, or one slice of a NIfTI volume.
    Frame {
        /// The file or entry that holds the object.
        object: Box<Source>,
        /// Number of the frame, from 1.
        number: usize,
    },
    /// A PNG or JPEG picture of a slice.
    Picture {
        /// The file or entry that holds the picture.
        file: Box<Source>,
        /// The window that it was made with.
        window: PictureWindow,
    },
}

/// The bytes of a file in memory; a clone shares them.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileBytes(pub Arc<[u8]>);

impl fmt::Debug for FileBytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bytes", self.0.len())
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::File(path) => write!(formatter, "{}", path.display()),
            Source::Entry { archive, name, .. } => {
                write!(formatter, "{}!{name}", archive.display())
            }
            Source::Bytes { name, .. } => formatter.write_str(name),
            Source::Frame { object, number } => write!(formatter, "{object}, frame {number}"),
            Source::Picture { file, .. } => file.fmt(formatter),
        }
    }
}

impl Source {
    /// The file on disk, or the URL of an object: the image's own, its archive's, or that of the object that it is a frame of; of
    /// a file in memory its name.
    pub fn file(&self) -> &Path {
        match self {
            Source::File(path) | Source::Entry { archive: path, .. } => path,
            Source::Bytes { name, .. } => Path::new(name),
            Source::Frame { object: inner, .. } | Source::Picture { file: inner, .. } => {
                inner.file()
            }
        }
    }
}

/// The name of the file or entry, without its folders and its extension and without what would
/// break a table.
pub(crate) fn file_stem(source: &Source) -> String {
    let stem = path_of(source).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let clean = stem.chars().filter(|letter| !letter.is_control());
    clean.take(MAX_STEM).collect()
}

/// The folder that a file or entry lies in, with the archive's name in front of an entry's.
pub(crate) fn folder_of(source: &Source) -> String {
    let parent = |path: &Path| path.parent().unwrap_or(Path::new("")).to_path_buf();
    let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    match source {
        Source::File(path) => parent(&real(path)).to_string_lossy().into_owned(),
        Source::Entry { archive, name, .. } => {
            format!("{}!{}", real(archive).display(), parent(Path::new(name)).display())
        }
        Source::Bytes { name, .. } => parent(Path::new(name)).to_string_lossy().into_owned(),
        Source::Frame { object: inner, .. } | Source::Picture { file: inner, .. } => {
            folder_of(inner)
        }
    }
}

/// What the file or entry is called, with its folders.
fn path_of(source: &Source) -> &Path {
    match source {
        Source::File(path) => path,
        Source::Entry { name, .. } | Source::Bytes { name, .. } => Path::new(name),
        Source::Frame { object: inner, .. } | Source::Picture { file: inner, .. } => path_of(inner),
    }
}

/// Names of images are shorter.
const MAX_STEM: usize = 128;

/// The number of the frame, if the source is one.
pub(crate) fn frame_number(source: &Source) -> Option<usize> {
    match source {
        Source::Frame { number, .. } => Some(*number),
        _ => None,
    }
}

/// Most bytes read of one file or archive entry, or of one data set once inflated.
pub(crate) const MAX_BYTES: u64 = 512 << 20;

/// Opens the source and hands over a reader and the bytes that it claims to have.
pub(crate) fn with_reader<T>(
    source: &Source,
    read: impl FnOnce(&mut dyn Read, u64) -> Result<T, ReadError>,
) -> Result<T, ReadError> {
    match source {
        Source::File(path) if is_object(path) => with_object(path, read),
        Source::File(path) => {
            let mut file = File::open(path)?;
            let metadata = file.metadata()?;
            if !metadata.is_file() {
                return Err(ReadError::NotAFile);
            }
            if metadata.len() > MAX_BYTES {
                return Err(ReadError::TooLarge { limit: MAX_BYTES });
            }
            read(&mut file, metadata.len())
        }
        Source::Entry { archive, index, name } => with_entry(archive, *index, name, read),
        Source::Bytes { bytes, .. } if bytes.0.len() as u64 > MAX_BYTES => {
            Err(ReadError::TooLarge { limit: MAX_BYTES })
        }
        Source::Bytes { bytes, .. } => read(&mut &bytes.0[..], bytes.0.len() as u64),
        Source::Frame { object: inner, .. } | Source::Picture { file: inner, .. } => {
            match **inner {
                // A frame of a frame is no source that this crate makes.
                Source::Frame { .. } | Source::Picture { .. } => Err(ReadError::NotAFile),
                _ => with_reader(inner, read),
            }
        }
    }
}

/// The bytes of a file or archive entry.
///
/// # Errors
/// [`ReadError`] if they cannot be read or are more than 512 MiB.
pub fn read_bytes(source: &Source) -> Result<Vec<u8>, ReadError> {
    match source {
        // In one piece.
        Source::File(path) if is_object(path) => read_object(path),
        source => with_reader(source, |reader, size| read_all(reader, size)),
    }
}

/// Reads all, up to [`MAX_BYTES`]; `size` is what the source claims and only a hint.
pub(crate) fn read_all(reader: &mut dyn Read, size: u64) -> Result<Vec<u8>, ReadError> {
    read_limited(reader, size, MAX_BYTES)
}

fn read_limited(reader: &mut dyn Read, size: u64, limit: u64) -> Result<Vec<u8>, ReadError> {
    // A claim is not worth more memory than a large CT image.
    let mut bytes = Vec::with_capacity(size.min(4 << 20) as usize + 1);
    reader.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(ReadError::TooLarge { limit });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endless_sources_end_at_the_limit() {
        let read = read_limited(&mut std::io::repeat(0), u64::MAX, 5000);
        assert!(matches!(read, Err(ReadError::TooLarge { limit: 5000 })));
        let read = read_limited(&mut std::io::repeat(0).take(5000), 0, 5000);
        assert_eq!(read.unwrap().len(), 5000);
    }
}
