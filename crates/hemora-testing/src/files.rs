//! Files of a folder.

use std::path::{Path, PathBuf};

/// The DICOM files (`*.dcm`) of a folder and those below, in the order of their paths.
///
/// # Panics
/// If a folder cannot be read.
pub fn dicom_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path)
                .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
            open.extend(entries.map(|entry| entry.expect("an entry can be read").path()));
        } else if path.extension().is_some_and(|extension| extension == "dcm") {
            files.push(path);
        }
    }
    files.sort();
    files
}
