//! Files of a prepared set: whole or not there, synced where they must be.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::error::PrepareError;

/// Names the path in an error.
pub(super) fn in_path<T>(path: &Path, result: io::Result<T>) -> Result<T, PrepareError> {
    result.map_err(|source| PrepareError::Io { path: path.to_owned(), source })
}

/// Writes a file as a whole: `write` gives its content, piece by piece.
pub(super) fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), PrepareError> {
    in_path(path, hemora_base::write_whole(path, |file| write(file)))
}

/// Writes one of thousands of files: renamed when it is complete, but not synced.
pub(super) fn write_image(path: &Path, bytes: &[u8]) -> Result<(), PrepareError> {
    let partial = beside(path);
    in_path(path, fs::write(&partial, bytes).and_then(|()| fs::rename(&partial, path)))
}

/// Writes rows as a CSV table.
pub(super) fn write_table<T: AsRef<[u8]>>(
    path: &Path,
    rows: impl Iterator<Item = Vec<T>>,
) -> Result<(), PrepareError> {
    write_whole(path, |file| {
        let mut table = csv::Writer::from_writer(file);
        for row in rows {
            table.write_record(row)?;
        }
        table.flush()
    })
}

/// Whether an image of an earlier run is there from its first to its last bytes: images are
/// renamed into their place, but not synced one by one.
pub(super) fn is_whole_jpeg(path: &Path) -> bool {
    let ends = || -> io::Result<[[u8; 2]; 2]> {
        let (mut file, mut ends) = (File::open(path)?, [[0; 2]; 2]);
        file.read_exact(&mut ends[0])?;
        file.seek(SeekFrom::End(-2))?;
        file.read_exact(&mut ends[1])?;
        Ok(ends)
    };
    ends().is_ok_and(|ends| ends == [*b"\xff\xd8", *b"\xff\xd9"])
}

fn beside(path: &Path) -> PathBuf {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    PathBuf::from(partial)
}
