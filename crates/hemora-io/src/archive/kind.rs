//! Which files are archives.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::tar::is_header;
use crate::formats::{inflated_head, is_gzip};

/// A kind of archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Zip,
    /// Plain or in gzip.
    Tar,
}

impl Kind {
    /// By the name of a file; `None` if it is not that of an archive.
    pub(crate) fn from_name(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        let ends = |extensions: &[&str]| extensions.iter().any(|end| name.ends_with(end));
        match () {
            () if ends(&[".zip"]) => Some(Self::Zip),
            () if ends(&[".tar", ".tar.gz", ".tgz"]) => Some(Self::Tar),
            () => None,
        }
    }

    /// By the name of a file or, where that says nothing, by how the file begins.
    pub(crate) fn from_file(path: &Path) -> Option<Self> {
        Self::from_name(path).or_else(|| {
            let mut head = Vec::new();
            // Enough of a file in gzip for its first block.
            File::open(path).and_then(|file| file.take(4096).read_to_end(&mut head)).ok()?;
            let is_zip = head.starts_with(b"PK\x03\x04");
            if is_gzip(&head) {
                head = inflated_head(&head, 512);
            }
            let is_tar = || head.first_chunk().is_some_and(is_header);
            if is_zip { Some(Self::Zip) } else { is_tar().then_some(Self::Tar) }
        })
    }
}

/// Whether a file is called as archives are.
pub(crate) fn has_archive_name(name: &str) -> bool {
    Kind::from_name(Path::new(name)).is_some()
}
