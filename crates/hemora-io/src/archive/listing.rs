//! What is common to archives of all kinds.

use std::fs::Metadata;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{Kind, tar, tar_listing, zip};
use crate::{ReadError, Source};

/// What tells one file from another, or from its next version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    path: PathBuf,
    size: u64,
    modified: Option<SystemTime>,
}

impl Identity {
    pub(super) fn new(path: &Path, metadata: &Metadata) -> Self {
        let modified = metadata.modified().ok();
        Self { path: path.to_owned(), size: metadata.len(), modified }
    }
}

/// A file in an archive.
#[derive(Debug)]
pub(super) struct Listed {
    /// Where the archive has it.
    pub(super) index: usize,
    pub(super) name: String,
    /// Why it is not to be read, if so.
    pub(super) problem: Option<ReadError>,
}

/// The error of an entry that is not where it was.
pub(super) fn changed() -> ReadError {
    ReadError::Archive("it was changed since its entries were listed".to_owned())
}

/// Opens one entry and hands over a reader and the bytes that it claims to have.
pub(crate) fn with_entry<T>(
    path: &Path,
    index: usize,
    name: &str,
    read: impl FnOnce(&mut dyn Read, u64) -> Result<T, ReadError>,
) -> Result<T, ReadError> {
    match Kind::from_file(path) {
        Some(Kind::Tar) => tar::with_entry(path, index, name, read),
        _ => zip::with_entry(path, index, name, read),
    }
}

/// The files of an archive in their order, each with why it is not to be read, if so. Folders and
/// hidden files are left out.
pub(crate) fn entries(path: &Path) -> Result<Vec<(Source, Option<ReadError>)>, ReadError> {
    let listed = match Kind::from_file(path) {
        Some(Kind::Tar) => tar_listing::entries(path)?,
        _ => zip::entries(path)?,
    };
    let source = |Listed { index, name, problem }| {
        let problem = match (is_unsafe(&name), is_hidden(&name), problem) {
            (true, ..) => Some(ReadError::UnsafeName),
            (_, true, _) => return None,
            (.., problem) => problem,
        };
        Some((Source::Entry { archive: path.to_owned(), index, name }, problem))
    };
    Ok(listed.into_iter().filter_map(source).collect())
}

fn is_unsafe(name: &str) -> bool {
    let drive = name.as_bytes().get(1) == Some(&b':');
    drive || name.starts_with(['/', '\\']) || name.split(['/', '\\']).any(|part| part == "..")
}

/// Hidden files and what macOS adds to archives.
fn is_hidden(name: &str) -> bool {
    name.split(['/', '\\']).any(|part| part == "__MACOSX" || crate::collect::is_clutter(part))
}
