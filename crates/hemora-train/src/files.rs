//! Files that are either whole or not there.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use hemora_data::replace_file;

/// Writes `bytes` beside `path`, syncs and renames, so that a killed run leaves no half file.
///
/// # Errors
/// What the operating system says, with the path in front.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_file(path, |file| file.write_all(bytes))
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

/// The text of a small file that a person wrote.
///
/// # Errors
/// A report if it cannot be read or has more than `most` bytes.
pub fn read_small(path: &Path, most: u64) -> miette::Result<String> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(most + 1).read_to_string(&mut text));
    read.map_err(|error| miette::miette!("{}: {error}", path.display()))?;
    if text.len() as u64 > most {
        miette::bail!("{}: more than {most} bytes", path.display());
    }
    Ok(text)
}
