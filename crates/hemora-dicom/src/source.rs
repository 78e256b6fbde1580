//! Where an image's bytes come from.

use std::fmt;
use std::path::PathBuf;

/// A file, or one entry of a zip archive.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// A file on disk.
    File(PathBuf),
    /// An entry of a zip archive, by its index in the archive.
    ZipEntry {
        /// The archive.
        archive: PathBuf,
        /// Index of the entry.
        index: usize,
        /// Name of the entry, for messages only: it is never used as a path.
        name: String,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::File(path) => write!(formatter, "{}", path.display()),
            Source::ZipEntry { archive, name, .. } => {
                write!(formatter, "{}!{name}", archive.display())
            }
        }
    }
}
