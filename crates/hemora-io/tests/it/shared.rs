//! Real files and the Python peers, where there are some.

use std::path::{Path, PathBuf};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A folder of real files that are not part of the project, or `None` with a word about it.
pub fn folder(name: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("HEMORA_SHARED").map(PathBuf::from);
    let path = shared.unwrap_or_else(|| workspace().join("../shared")).join(name);
    if !path.is_dir() {
        eprintln!("skipped: no {} (set HEMORA_SHARED)", path.display());
        return None;
    }
    Some(path)
}

/// The Python interpreter with pydicom, or `None` with a word about it.
pub fn python() -> Option<PathBuf> {
    let named = std::env::var_os("HEMORA_PEERS_PYTHON").map(PathBuf::from);
    let path = named.unwrap_or_else(|| workspace().join(".env/peers/bin/python"));
    if !path.is_file() {
        eprintln!("skipped: no {} (set HEMORA_PEERS_PYTHON)", path.display());
        return None;
    }
    Some(path)
}

/// DICOM files of a folder and those below, in order.
pub fn dicom_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "dcm") {
            files.push(path);
        }
    }
    files.sort();
    files
}
