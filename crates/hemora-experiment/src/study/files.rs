//! Files that are either whole or not there.

use std::fs;
use std::path::Path;

use hemora_data::replace_file;
use serde::Serialize;

use crate::study::StudyError;
use crate::study::error::in_path;

/// Writes beside `path`, syncs and renames; makes the folder.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), StudyError> {
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    folder.and_then(|()| replace_file(path, |file| file.write_all(bytes))).map_err(in_path(path))
}

/// The same for a value as indented JSON.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), StudyError> {
    let text = serde_json::to_vec_pretty(value).map_err(std::io::Error::other);
    write_whole(path, &text.map_err(in_path(path))?)
}

/// Makes a file say `text`, or checks that it does: what else lies in its folder then belongs to
/// the same settings.
pub(crate) fn claim(path: &Path, text: &str) -> Result<(), StudyError> {
    match fs::read_to_string(path) {
        Ok(earlier) if earlier == text => Ok(()),
        Ok(_) => Err(StudyError::OtherSettings(path.to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            write_whole(path, text.as_bytes())
        }
        Err(error) => Err(in_path(path)(error)),
    }
}
