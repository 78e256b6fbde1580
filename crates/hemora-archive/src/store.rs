//! Where the files of shares lie: a folder, or a prefix in object storage.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use hemora_base::{WholeFile, hex};
use hemora_objects::{Place, PlaceError};
use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, TempPath};

use crate::ArchiveError;

/// A place with what shares need of it.
#[derive(Debug)]
pub(crate) struct Store(Place);

/// A file on this machine: that of a folder, or a copy that is removed with this value.
#[derive(Debug)]
pub(crate) enum LocalFile {
    Own(PathBuf),
    Copy(TempPath),
}

impl LocalFile {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Own(path) => path,
            Self::Copy(path) => path,
        }
    }
}

impl Store {
    pub(crate) fn new(place: &Place) -> Self {
        Self(place.clone())
    }

    /// The folder, unless it is in object storage.
    pub(crate) fn local(&self) -> Option<&Path> {
        self.0.local()
    }

    /// What a file is called in messages.
    pub(crate) fn name_of(&self, name: &str) -> String {
        self.0.full_name(name)
    }

    fn failed(&self, name: &str) -> impl FnOnce(io::Error) -> ArchiveError + use<> {
        let file = self.name_of(name);
        |source| ArchiveError::Io { file, source }
    }

    /// Lets `fill` write a file, whole or not at all, and says what SHA-256 it has. For object storage it is
    /// written to the folder of temporary files first.
    pub(crate) fn build<T>(
        &self,
        name: &str,
        fill: impl FnOnce(&mut (dyn Write + Send)) -> Result<T, ArchiveError>,
    ) -> Result<(T, String), ArchiveError> {
        let Some(root) = self.local() else {
            let mut file = NamedTempFile::new().map_err(self.failed(name))?;
            let filled = hashed(&mut io::BufWriter::new(&mut file), fill, self.failed(name))?;
            self.0.write_file(name, file.path())?;
            return Ok(filled);
        };
        let path = root.join(name);
        let folder = path.parent().unwrap_or(root);
        fs::create_dir_all(folder).map_err(self.failed(name))?;
        let mut filled = None;
        let file = WholeFile::write(folder, |file| {
            filled = Some(hashed(file, fill, self.failed(name))?);
            Ok::<_, Unfilled>(())
        });
        let file = file.map_err(|unfilled| match unfilled {
            Unfilled::Io(source) => self.failed(name)(source),
            Unfilled::Content(error) => error,
        })?;
        file.rename(&path).map_err(self.failed(name))?;
        Ok(filled.expect("it was filled"))
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), ArchiveError> {
        Ok(self.0.write(name, bytes)?)
    }

    /// The bytes of a file, at most `limit`; `None` if it is not there.
    pub(crate) fn read(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, ArchiveError> {
        Ok(self.0.read(name, limit)?)
    }

    /// A file on this machine, checked against its SHA-256.
    pub(crate) fn fetch(&self, name: &str, sha256: &str) -> Result<LocalFile, ArchiveError> {
        let tampered = |found| ArchiveError::Tampered { file: self.name_of(name), found };
        let local = match self.local() {
            Some(folder) => LocalFile::Own(folder.join(name)),
            None => {
                let copy = NamedTempFile::new().map_err(self.failed(name))?.into_temp_path();
                if !self.0.fetch(name, &copy)? {
                    return Err(tampered("it is not there".to_owned()));
                }
                LocalFile::Copy(copy)
            }
        };
        let file = match File::open(local.path()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(tampered("it is not there".to_owned()));
            }
            file => file.map_err(self.failed(name))?,
        };
        let found = sha256_of(file).map_err(self.failed(name))?;
        if found != sha256 {
            return Err(tampered(format!("its SHA-256 is {found}, the manifest says {sha256}")));
        }
        Ok(local)
    }

    /// The names of all files below the folder `below`, or of all, in alphabetical order.
    pub(crate) fn list(&self, below: &str) -> Result<Vec<String>, ArchiveError> {
        Ok(self.0.list(below)?.into_iter().map(|listed| listed.name).collect())
    }

    /// Removes a file, if it is there.
    pub(crate) fn remove(&self, name: &str) -> Result<(), ArchiveError> {
        Ok(self.0.remove(name)?)
    }
}

impl fmt::Display for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The SHA-256 of a file, lower-case hexadecimal.
pub(crate) fn sha256_of(mut file: File) -> io::Result<String> {
    let mut hashing = Hashing { inner: &mut io::sink(), hash: Sha256::new() };
    io::copy(&mut file, &mut hashing)?;
    Ok(hex(&hashing.hash.finalize()))
}

/// Lets `fill` write to `out`, and says what SHA-256 that had.
fn hashed<T, W: Write + Send>(
    out: &mut W,
    fill: impl FnOnce(&mut (dyn Write + Send)) -> Result<T, ArchiveError>,
    failed: impl FnOnce(io::Error) -> ArchiveError,
) -> Result<(T, String), ArchiveError> {
    let mut hashing = Hashing { inner: out, hash: Sha256::new() };
    let value = fill(&mut hashing)?;
    hashing.flush().map_err(failed)?;
    Ok((value, hex(&hashing.hash.finalize())))
}

/// Why a file was not filled.
enum Unfilled {
    Io(io::Error),
    Content(ArchiveError),
}

impl From<io::Error> for Unfilled {
    fn from(source: io::Error) -> Self {
        Self::Io(source)
    }
}

impl From<ArchiveError> for Unfilled {
    fn from(error: ArchiveError) -> Self {
        Self::Content(error)
    }
}

impl From<PlaceError> for ArchiveError {
    fn from(error: PlaceError) -> Self {
        Self::Place(error)
    }
}

/// Hashes what it passes on.
struct Hashing<'a, W> {
    inner: &'a mut W,
    hash: Sha256,
}

impl<W: Write> Write for Hashing<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_whole_hashed_and_checked() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(&Place::folder(folder.path()));
        let fill = |text: &'static str| {
            move |out: &mut (dyn Write + Send)| {
                out.write_all(text.as_bytes()).map_err(|error| ArchiveError::io("a", error))?;
                Ok(text.len())
            }
        };
        let (count, sha256) = store.build("below/a", fill("content")).unwrap();
        assert_eq!((count, &sha256), (7, &hemora_base::sha256_hex(b"content")));
        let failed = |_: &mut (dyn Write + Send)| -> Result<(), ArchiveError> {
            Err(ArchiveError::document("a", "no rows"))
        };
        assert!(store.build("below/b", failed).is_err());
        assert_eq!(store.list("").unwrap(), ["below/a"]);
        let path = folder.path().join("below/a");
        assert_eq!(store.fetch("below/a", &sha256).unwrap().path(), path);
        std::fs::write(&path, "contents").unwrap();
        let error = store.fetch("below/a", &sha256).unwrap_err().to_string();
        assert!(error.contains("below/a is not what its share wrote"), "{error}");
        store.remove("below/a").unwrap();
        let error = store.fetch("below/a", &sha256).unwrap_err().to_string();
        assert!(error.contains("it is not there"), "{error}");
    }
}
