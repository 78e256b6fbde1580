//! Files at a path of this machine, or copies of the objects at a URL.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

use tempfile::TempDir;

use crate::{Place, PlaceError, is_object_url, split_object_url};

/// A path of this machine or, of the URL of an object or prefix (`s3://…`), a path in a folder of temporary
/// files that stands for it, so that whoever reads and writes files need not know which. The folder
/// is removed with this value; a program that is killed leaves it.
///
/// Files are named by their paths here. Those of a path of this machine are where they belong: nothing is
/// copied, asked or removed by [`fetch`](Self::fetch), [`publish`](Self::publish) and
/// [`release`](Self::release).
#[derive(Debug)]
pub struct Mirror {
    path: PathBuf,
    remote: Option<Remote>,
}

/// The bucket, and the folder that stands for it.
#[derive(Debug)]
struct Remote {
    bucket: Place,
    copies: TempDir,
}

impl Mirror {
    /// That of a file or folder, or of an object or prefix. Nothing is asked of the network.
    ///
    /// # Errors
    /// As [`Place::parse`]; that no folder of temporary files can be made.
    pub fn of(path: &Path) -> Result<Self, PlaceError> {
        let Some(url) = path.to_str().filter(|text| is_object_url(text)) else {
            return Ok(Self { path: path.to_owned(), remote: None });
        };
        let (bucket, key) = split_object_url(url)?;
        let bucket = Place::parse(&format!("s3://{bucket}"))?;
        let made = tempfile::Builder::new().prefix("hemora-").tempdir();
        let copies =
            made.map_err(|error| PlaceError::File { path: std::env::temp_dir(), error })?;
        let path = key.split('/').fold(copies.path().to_owned(), |path, part| path.join(part));
        Ok(Self { path, remote: Some(Remote { bucket, copies }) })
    }

    /// As [`Mirror::of`], of a file or an object: a whole bucket is refused.
    ///
    /// # Errors
    /// As there.
    pub fn of_file(path: &Path) -> Result<Self, PlaceError> {
        let mirror = Self::of(path)?;
        match &mirror.remote {
            Some(remote) if mirror.path == remote.copies.path() => Err(PlaceError::BadName {
                name: path.display().to_string(),
                reason: "it is a whole bucket; give s3://BUCKET/NAME",
            }),
            _ => Ok(mirror),
        }
    }

    /// The path on this machine.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it stands for object storage.
    pub fn is_remote(&self) -> bool {
        self.remote.is_some()
    }

    /// What a file is called for a user: its path, or the URL of the object that it is a copy of.
    pub fn shown(&self, file: &Path) -> PathBuf {
        let url = self.remote.as_ref().and_then(|remote| {
            let key = remote.key(file).ok()?;
            Some(remote.bucket.full_name(&key).into())
        });
        url.unwrap_or_else(|| file.to_owned())
    }

    /// Copies the object that `file` stands for to this machine; whether the file is here then.
    ///
    /// # Errors
    /// [`PlaceError`].
    pub fn fetch(&self, file: &Path) -> Result<bool, PlaceError> {
        let Some(remote) = &self.remote else { return Ok(file.exists()) };
        let key = remote.key(file)?;
        let folder = file.parent().unwrap_or(&self.path);
        fs::create_dir_all(folder).map_err(at(folder))?;
        remote.bucket.fetch(&key, file)
    }

    /// As [`fetch`](Self::fetch), of an object that must be there. A file that is not is told by whoever opens it.
    ///
    /// # Errors
    /// [`PlaceError`].
    pub fn need(&self, file: &Path) -> Result<(), PlaceError> {
        if self.remote.is_none() || self.fetch(file)? {
            return Ok(());
        }
        let error = io::Error::new(ErrorKind::NotFound, "there is no such object");
        Err(PlaceError::File { path: self.shown(file), error })
    }

    /// Makes the object that `file` stands for of the file, whole or not at all.
    ///
    /// # Errors
    /// [`PlaceError`]; an earlier object is then there unchanged.
    pub fn publish(&self, file: &Path) -> Result<(), PlaceError> {
        match &self.remote {
            Some(remote) => remote.bucket.write_file(&remote.key(file)?, file),
            None => Ok(()),
        }
    }

    /// Writes a file, or an object without a copy here, whole or not at all.
    ///
    /// # Errors
    /// [`PlaceError`].
    pub fn write(&self, file: &Path, bytes: &[u8]) -> Result<(), PlaceError> {
        match &self.remote {
            Some(remote) => remote.bucket.write(&remote.key(file)?, bytes),
            None => hemora_base::write_bytes(file, bytes).map_err(at(file)),
        }
    }

    /// Gives up the copy of an object, which takes space here.
    ///
    /// # Errors
    /// [`PlaceError`] of this machine's disk.
    pub fn release(&self, file: &Path) -> Result<(), PlaceError> {
        match &self.remote {
            Some(remote) => {
                remote.key(file)?;
                if_there(fs::remove_file(file)).map_err(at(file))
            }
            None => Ok(()),
        }
    }

    /// Removes a file, or an object and its copy; one that is not there is no error.
    ///
    /// # Errors
    /// [`PlaceError`].
    pub fn remove(&self, file: &Path) -> Result<(), PlaceError> {
        if let Some(remote) = &self.remote {
            remote.bucket.remove(&remote.key(file)?)?;
        }
        if_there(fs::remove_file(file)).map_err(at(file))
    }

    /// The names of all objects below what `folder` stands for, from there; none of a path of this machine.
    ///
    /// # Errors
    /// [`PlaceError`]; never a part of the list.
    pub fn objects(&self, folder: &Path) -> Result<Vec<String>, PlaceError> {
        let Some(remote) = &self.remote else { return Ok(Vec::new()) };
        let is_bucket = folder == remote.copies.path();
        let key = if is_bucket { String::new() } else { remote.key(folder)? };
        let listed = remote.bucket.list(&key)?.into_iter().map(|listed| listed.name);
        let below = |name: String| match name.strip_prefix(&key).map(|it| it.strip_prefix('/')) {
            Some(Some(below)) => below.to_owned(),
            _ => name,
        };
        Ok(listed.map(below).collect())
    }
}

impl Remote {
    /// The key of the object that a file stands for.
    fn key(&self, file: &Path) -> Result<String, PlaceError> {
        let part = |part: Component<'_>| match part {
            Component::Normal(part) => part.to_str().map(str::to_owned),
            _ => None,
        };
        let below = file.strip_prefix(self.copies.path()).ok();
        let parts = below.and_then(|below| below.components().map(part).collect::<Option<_>>());
        parts.map(|parts: Vec<String>| parts.join("/")).ok_or_else(|| PlaceError::BadName {
            name: file.display().to_string(),
            reason: "it is no copy of an object",
        })
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> PlaceError {
    |error| PlaceError::File { path: path.to_owned(), error }
}

fn if_there(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_this_machine_files_are_where_they_belong() {
        let folder = tempfile::tempdir().unwrap();
        let mirror = Mirror::of(folder.path()).unwrap();
        let file = folder.path().join("a");
        assert_eq!((mirror.path(), mirror.is_remote()), (folder.path(), false));
        assert!(!mirror.fetch(&file).unwrap());
        mirror.write(&file, b"content").unwrap();
        mirror.publish(&file).unwrap();
        mirror.release(&file).unwrap();
        assert!(mirror.fetch(&file).unwrap());
        mirror.need(&folder.path().join("none")).unwrap();
        assert_eq!(mirror.shown(&file), file);
        assert!(mirror.objects(folder.path()).unwrap().is_empty());
        mirror.remove(&file).unwrap();
        mirror.remove(&file).unwrap();
        assert!(!file.exists());
    }
}
