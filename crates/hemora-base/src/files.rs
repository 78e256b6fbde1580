//! Files that are either whole or not there.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde::Serialize;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

/// A file that is written whole and waits to get its name. Dropped, it is gone.
#[derive(Debug)]
pub struct WholeFile(NamedTempFile);

impl WholeFile {
    /// Lets `fill` write a temporary file into `folder`, which must be there, and syncs it.
    ///
    /// # Errors
    /// What `fill` or the operating system reports; the temporary file is removed. The path is not in
    /// the message.
    pub fn write<E: From<io::Error>>(
        folder: &Path,
        fill: impl FnOnce(&mut BufWriter<&File>) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".hemora-").suffix(".partial");
        // Readable like any new file; temporary files are private otherwise.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.tempfile_in(folder)?;
        let mut writer = BufWriter::new(file.as_file());
        fill(&mut writer)?;
        writer.flush()?;
        drop(writer);
        file.as_file().sync_all()?;
        Ok(Self(file))
    }

    /// Gives it its name, which may be that of an earlier file.
    ///
    /// # Errors
    /// What the operating system reports; the file is removed then.
    pub fn rename(self, path: &Path) -> io::Result<()> {
        self.0.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}

/// Writes a [`WholeFile`] beside `path` and renames it to `path`: a killed program leaves the earlier
/// file or none. The folder must be there.
///
/// # Errors
/// As [`WholeFile::write`].
pub fn write_whole<E: From<io::Error>>(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&File>) -> Result<(), E>,
) -> Result<(), E> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    WholeFile::write(folder.unwrap_or_else(|| Path::new(".")), fill)?.rename(path)?;
    Ok(())
}

/// Writes `bytes` as [`write_whole`] does.
///
/// # Errors
/// What the operating system reports.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_whole(path, |file| file.write_all(bytes))
}

/// Writes a value as indented JSON as [`write_whole`] does.
///
/// # Errors
/// What the operating system reports, or that the value cannot be JSON.
pub fn write_json(path: &Path, value: &impl Serialize) -> io::Result<()> {
    write_whole(path, |file| {
        serde_json::to_writer_pretty(&mut *file, value)?;
        file.write_all(b"\n")
    })
}

/// SHA-256 of `bytes`, lower-case hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// `bytes` as lower-case hexadecimal, two digits each.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits =
        |byte: &u8| [byte >> 4, byte & 15].map(|digit| char::from(DIGITS[usize::from(digit)]));
    bytes.iter().flat_map(digits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("result.json");
        write_json(&path, &[1, 2]).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "[\n  1,\n  2\n]\n");
        let failed = write_whole(&path, |file| {
            file.write_all(b"half")?;
            Err(io::Error::other("the source ended"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "the source ended");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "[\n  1,\n  2\n]\n");
        // Nothing is left beside it.
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        write_bytes(&path, b"other").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"other");
    }

    #[test]
    fn the_hash_of_nothing_is_the_published_one() {
        assert!(sha256_hex(b"").starts_with("e3b0c44298fc1c14"));
        assert_eq!(hex(&[0x00, 0x9f, 0xa0]), "009fa0");
    }
}
