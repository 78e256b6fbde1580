//! A place on a disk.

use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use hemora_base::{write_bytes, write_whole};

use crate::{Listed, Object, PlaceError};

/// A folder, which need not be there. Names are checked before they come here.
#[derive(Debug, Clone)]
pub(crate) struct Folder(pub(crate) PathBuf);

impl fmt::Display for Folder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(formatter)
    }
}

/// An error with the path that it is of.
fn at(path: &Path) -> impl FnOnce(io::Error) -> PlaceError {
    |error| PlaceError::File { path: path.to_owned(), error }
}

/// `None` where there is no file.
fn if_there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Whether a name is that of a file that [`write_whole`] has not finished.
fn is_partial(name: &str) -> bool {
    name.starts_with(".hemora-") && name.ends_with(".partial")
}

impl Folder {
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        name.split('/').fold(self.0.clone(), |path, part| path.join(part))
    }

    /// The path of a file that is about to be written; its folder is made.
    fn path_to_write(&self, name: &str) -> Result<PathBuf, PlaceError> {
        let path = self.path(name);
        let folder = path.parent().unwrap_or(&self.0);
        fs::create_dir_all(folder).map_err(at(folder))?;
        Ok(path)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), PlaceError> {
        let path = self.path_to_write(name)?;
        write_bytes(&path, bytes).map_err(at(&path))
    }

    pub(crate) fn write_file(&self, name: &str, from: &Path) -> Result<(), PlaceError> {
        let path = self.path_to_write(name)?;
        let mut source = File::open(from).map_err(at(from))?;
        copy(&mut source, &path)
    }

    pub(crate) fn read(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, PlaceError> {
        let path = self.path(name);
        let Some(file) = if_there(File::open(&path)).map_err(at(&path))? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(at(&path))?;
        if bytes.len() as u64 > limit {
            let size = fs::metadata(&path).map_or(bytes.len() as u64, |metadata| metadata.len());
            return Err(PlaceError::TooLarge { name: path.display().to_string(), size, limit });
        }
        Ok(Some(bytes))
    }

    pub(crate) fn fetch(&self, name: &str, to: &Path) -> Result<bool, PlaceError> {
        let path = self.path(name);
        match if_there(File::open(&path)).map_err(at(&path))? {
            Some(mut source) => copy(&mut source, to).map(|()| true),
            None => Ok(false),
        }
    }

    pub(crate) fn list(&self, prefix: &str) -> Result<Vec<Listed>, PlaceError> {
        let mut listed = Vec::new();
        let mut open = vec![prefix.to_owned()];
        while let Some(folder) = open.pop() {
            let path = if folder.is_empty() { self.0.clone() } else { self.path(&folder) };
            let Some(entries) = if_there(fs::read_dir(&path)).map_err(at(&path))? else { continue };
            for entry in entries {
                let entry = entry.map_err(at(&path))?;
                // A name that is no text is none of this program's.
                let Ok(last) = entry.file_name().into_string() else { continue };
                if is_partial(&last) {
                    continue;
                }
                let name = if folder.is_empty() { last } else { format!("{folder}/{last}") };
                // One that is gone since is not there.
                match if_there(fs::metadata(entry.path())).map_err(at(&entry.path()))? {
                    // Links to folders could lead back: they are not followed.
                    Some(metadata) if metadata.is_dir() => {
                        let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
                        open.extend((!is_link).then_some(name));
                    }
                    Some(metadata) if metadata.is_file() => listed.push(entry_of(name, &metadata)),
                    _ => {}
                }
            }
        }
        Ok(listed)
    }

    pub(crate) fn look_up(&self, name: &str) -> Result<Option<Listed>, PlaceError> {
        let path = self.path(name);
        let metadata = if_there(fs::metadata(&path)).map_err(at(&path))?;
        let file = metadata.filter(Metadata::is_file);
        Ok(file.map(|metadata| entry_of(name.to_owned(), &metadata)))
    }

    pub(crate) fn open(&self, name: &str) -> Result<Option<Object>, PlaceError> {
        let path = self.path(name);
        let Some(file) = if_there(File::open(&path)).map_err(at(&path))? else { return Ok(None) };
        let size = file.metadata().map_err(at(&path))?.len();
        Ok(Some(Object::file(file, size)))
    }

    pub(crate) fn remove(&self, name: &str) -> Result<(), PlaceError> {
        let path = self.path(name);
        if_there(fs::remove_file(&path)).map_err(at(&path))?;
        Ok(())
    }
}

fn entry_of(name: String, metadata: &Metadata) -> Listed {
    Listed { name, size: metadata.len(), modified: metadata.modified().ok(), version: None }
}

/// Copies what `source` holds to `to`, whole or not at all.
fn copy(source: &mut File, to: &Path) -> Result<(), PlaceError> {
    let copied = write_whole(to, |file| io::copy(source, file).map(|_| ()));
    copied.map_err(at(to))
}

#[cfg(test)]
mod tests {
    use crate::Place;

    #[test]
    fn a_folder_is_a_place() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("not/there/yet");
        let place = Place::parse(root.to_str().unwrap()).unwrap();
        assert_eq!(place.local(), Some(root.as_path()));
        assert_eq!(place.to_string(), root.display().to_string());
        assert!(place.list("").unwrap().is_empty());
        assert_eq!(place.read("a/b", 10).unwrap(), None);
        place.write("b/c.txt", b"twelve bytes").unwrap();
        place.write("a", b"").unwrap();
        std::fs::write(root.join("b/.hemora-x1.partial"), b"half").unwrap();
        let names = |prefix| -> Vec<(String, u64)> {
            let listed = place.list(prefix).unwrap().into_iter();
            listed.map(|it| (it.name, it.size)).collect()
        };
        assert_eq!(names(""), [("a".to_owned(), 0), ("b/c.txt".to_owned(), 12)]);
        assert_eq!(names("b"), [("b/c.txt".to_owned(), 12)]);
        assert_eq!(place.read("b/c.txt", 12).unwrap().unwrap(), b"twelve bytes");
        let error = place.read("b/c.txt", 11).unwrap_err().to_string();
        assert!(error.ends_with("c.txt has 12 bytes, and at most 11 are read"), "{error}");
        let to = folder.path().join("copy");
        assert!(place.fetch("b/c.txt", &to).unwrap() && !place.fetch("b/d", &to).unwrap());
        place.below("d").unwrap().write_file("e", &to).unwrap();
        assert_eq!(place.read("d/e", 99).unwrap().unwrap(), b"twelve bytes");
        assert_eq!(place.look_up("d/e").unwrap().unwrap().size, 12);
        assert_eq!(place.look_up("d").unwrap(), None);
        place.remove("d/e").unwrap();
        place.remove("d/e").unwrap();
        assert_eq!(place.look_up("d/e").unwrap(), None);
        assert!(place.write("../e", b"").is_err() && place.list("/").is_err());
    }
}
