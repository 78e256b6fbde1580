//! Files that are either whole or not there, in folders that are made for them.

use std::fs;
use std::path::Path;

use serde::Serialize;

use super::{EngineError, in_path};

/// Writes beside `path`, syncs and renames; makes the folder.
pub(crate) fn write_text(path: &Path, bytes: &[u8]) -> Result<(), EngineError> {
    make_parent(path).and_then(|()| hemora_base::write_bytes(path, bytes)).map_err(in_path(path))
}

/// The same for a value as indented JSON.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), EngineError> {
    make_parent(path).and_then(|()| hemora_base::write_json(path, value)).map_err(in_path(path))
}

fn make_parent(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

/// Gives a file the content `text`, or checks that it has it: what else lies in its folder then
/// belongs to the same settings. `false` if it has another content.
pub(crate) fn claim(path: &Path, text: &str) -> Result<bool, EngineError> {
    match fs::read_to_string(path) {
        Ok(earlier) => Ok(earlier == text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            write_text(path, text.as_bytes()).map(|()| true)
        }
        Err(error) => Err(in_path(path)(error)),
    }
}
