//! Files that are either whole or not there.

use std::fs::{self, File};
use std::io::{self, Read as _, Write};
use std::path::Path;

/// Writes `bytes` beside `path`, syncs and renames, so that a killed run leaves no half file.
///
/// # Errors
/// What the operating system says, with the path in front.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    let partial = path.with_file_name(name);
    let mut file = File::create(&partial).map_err(named)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(named)?;
    fs::rename(&partial, path).map_err(named)
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
