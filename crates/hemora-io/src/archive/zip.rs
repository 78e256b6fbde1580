//! Zip archives.

use std::cell::RefCell;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use zip::ZipArchive;
use zip::result::ZipError;

use super::{Identity, Listed};
use crate::ReadError;
use crate::source::MAX_BYTES;

type Archive = ZipArchive<BufReader<File>>;

thread_local! {
    // The directory of an archive with many studies takes long to read: keep the last one.
    static LAST: RefCell<Option<(Identity, Archive)>> = const { RefCell::new(None) };
}

fn archive_error(error: ZipError) -> ReadError {
    match error {
        ZipError::Io(error) => ReadError::Io(error),
        error => ReadError::Archive(error.to_string()),
    }
}

/// Opens one entry and hands over a reader and the bytes that it claims to have.
pub(super) fn with_entry<T>(
    path: &Path,
    index: usize,
    name: &str,
    read: impl FnOnce(&mut dyn Read, u64) -> Result<T, ReadError>,
) -> Result<T, ReadError> {
    let file = File::open(path)?;
    let identity = Identity::new(path, &file.metadata()?);
    // Taken out while in use, so that `read` may itself open an archive.
    let cached = LAST.take().filter(|(known, _)| *known == identity);
    let mut archive = match cached {
        Some((_, archive)) => archive,
        None => ZipArchive::new(BufReader::new(file)).map_err(archive_error)?,
    };
    let result = read_entry(&mut archive, index, name, read);
    LAST.replace(Some((identity, archive)));
    result
}

fn read_entry<T>(
    archive: &mut Archive,
    index: usize,
    name: &str,
    read: impl FnOnce(&mut dyn Read, u64) -> Result<T, ReadError>,
) -> Result<T, ReadError> {
    let raw = archive.by_index_raw(index).map_err(archive_error)?;
    if raw.encrypted() {
        return Err(ReadError::Encrypted);
    }
    if entry_name(&raw) != name {
        return Err(super::changed());
    }
    let size = raw.size();
    drop(raw);
    if size > MAX_BYTES {
        return Err(ReadError::TooLarge { limit: MAX_BYTES });
    }
    let mut entry = archive.by_index(index).map_err(archive_error)?;
    // The declared size is only a claim: what is read is limited as well.
    let mut limited = (&mut entry).take(MAX_BYTES + 1);
    read(&mut limited, size)
}

fn entry_name<R: Read>(entry: &zip::read::ZipFile<'_, R>) -> String {
    match entry.name() {
        Ok(name) => name.into_owned(),
        Err(_) => String::from_utf8_lossy(entry.name_raw()).into_owned(),
    }
}

/// The files of an archive in their order, each with why it is not to be read, if so.
pub(super) fn entries(path: &Path) -> Result<Vec<Listed>, ReadError> {
    let mut archive = ZipArchive::new(BufReader::new(File::open(path)?)).map_err(archive_error)?;
    let mut entries = Vec::new();
    for index in 0..archive.len() {
        let (name, problem) = match archive.by_index_raw(index) {
            Ok(entry) if entry.is_dir() => continue,
            Ok(entry) => {
                let problem = entry.encrypted().then_some(ReadError::Encrypted);
                (entry_name(&entry), problem)
            }
            Err(error) => (format!("entry {index}"), Some(archive_error(error))),
        };
        entries.push(Listed { index, name, problem });
    }
    Ok(entries)
}
