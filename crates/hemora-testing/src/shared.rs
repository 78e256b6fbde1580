//! Real scans and weights, which are not part of the project.

use std::env;
use std::path::{Path, PathBuf};

use crate::required::skip;

/// A file or folder of the shared data: below the folder that `HEMORA_SHARED` names, else below
/// `shared` beside the checkout; `None`, with a word about it, if it is missing.
pub fn shared(name: &str) -> Option<PathBuf> {
    let root =
        env::var_os("HEMORA_SHARED").map_or_else(|| workspace().join("../shared"), PathBuf::from);
    let path = root.join(name);
    if !path.exists() {
        skip(&path.display().to_string(), "name the folder with it in HEMORA_SHARED");
        return None;
    }
    Some(path)
}

/// The workspace's root.
pub(crate) fn workspace() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().unwrap_or(root)
}
