//! Files of a folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Every file of a folder and those below, in the order of their paths.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path)
                .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
            open.extend(entries.map(|entry| entry.expect("an entry can be read").path()));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The DICOM files (`*.dcm`) of a folder and those below, in the order of their paths.
///
/// # Panics
/// If a folder cannot be read.
pub fn dicom_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = files_below(folder);
    files.retain(|path| path.extension().is_some_and(|extension| extension == "dcm"));
    files
}

/// The bytes of every file of a folder and those below, by its path in the folder.
///
/// # Panics
/// If a folder or file cannot be read.
pub fn content(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let read = |path: PathBuf| {
        let bytes = std::fs::read(&path)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
        (path.strip_prefix(folder).expect("it is below").to_owned(), bytes)
    };
    files_below(folder).into_iter().map(read).collect()
}
