//! A folder or a prefix in object storage.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::folder::Folder;
use crate::s3::Prefix;
use crate::url::is_object_url;
use crate::{Listed, Object, PlaceError, name};

/// A local folder, or a prefix of a bucket in object storage. A clone is the same place.
///
/// Names in it have parts separated by `/`; one that is absolute or has an empty part, `.` or `..` is refused.
#[derive(Debug, Clone)]
pub struct Place(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Folder(Folder),
    Objects(Prefix),
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Folder(folder) => folder.fmt(formatter),
            Kind::Objects(prefix) => prefix.fmt(formatter),
        }
    }
}

impl Place {
    /// The place that a text names: `s3://bucket/prefix`, or else a folder, which need not be there yet.
    /// Nothing is asked of the network. Who is asking stands in the environment's variables, which are read
    /// once for each bucket.
    ///
    /// # Errors
    /// If the URL is none, the variables cannot be used, or this build has no object storage.
    pub fn parse(text: &str) -> Result<Self, PlaceError> {
        if is_object_url(text) {
            return Ok(Self(Kind::Objects(Prefix::parse(text)?)));
        }
        if text.is_empty() {
            return Err(PlaceError::BadPlace { text: String::new(), reason: "it is empty" });
        }
        Ok(Self::folder(text))
    }

    /// As [`Place::parse`], with these variables in place of the environment's, such as
    /// `("AWS_ENDPOINT_URL", "http://127.0.0.1:9000")`.
    ///
    /// # Errors
    /// As there.
    pub fn parse_with_variables(
        text: &str,
        variables: &[(String, String)],
    ) -> Result<Self, PlaceError> {
        if is_object_url(text) {
            Ok(Self(Kind::Objects(Prefix::with_variables(text, variables)?)))
        } else {
            Self::parse(text)
        }
    }

    /// A local folder, which need not be there yet.
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self(Kind::Folder(Folder(path.into())))
    }

    /// The folder, unless the place is in object storage.
    pub fn local(&self) -> Option<&Path> {
        match &self.0 {
            Kind::Folder(Folder(path)) => Some(path),
            Kind::Objects(_) => None,
        }
    }

    /// The place below this one that `name` names.
    ///
    /// # Errors
    /// If `name` is none.
    pub fn below(&self, name: &str) -> Result<Self, PlaceError> {
        name::check(name)?;
        Ok(Self(match &self.0 {
            Kind::Folder(folder) => Kind::Folder(Folder(folder.path(name))),
            Kind::Objects(prefix) => Kind::Objects(prefix.below(name)),
        }))
    }

    /// What a file of the place is called for a user: its path or its URL.
    pub fn full_name(&self, name: &str) -> String {
        match &self.0 {
            Kind::Folder(folder) => folder.path(name).display().to_string(),
            Kind::Objects(prefix) => prefix.url(name),
        }
    }

    /// Writes a file: whole or not there. An earlier one of the name is replaced; folders are made.
    ///
    /// # Errors
    /// [`PlaceError`]; the earlier file is then there unchanged.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), PlaceError> {
        name::check(name)?;
        match &self.0 {
            Kind::Folder(folder) => folder.write(name, bytes),
            Kind::Objects(prefix) => prefix.write(name, bytes),
        }
    }

    /// As [`Place::write`], of a local file of any size, which is never in memory as a whole.
    ///
    /// # Errors
    /// As there.
    pub fn write_file(&self, name: &str, from: &Path) -> Result<(), PlaceError> {
        name::check(name)?;
        match &self.0 {
            Kind::Folder(folder) => folder.write_file(name, from),
            Kind::Objects(prefix) => prefix.write_file(name, from),
        }
    }

    /// The bytes of a file; `None` if it is not there.
    ///
    /// # Errors
    /// [`PlaceError`], also if there are more than `limit` bytes: then none is kept.
    pub fn read(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, PlaceError> {
        name::check(name)?;
        match &self.0 {
            Kind::Folder(folder) => folder.read(name, limit),
            Kind::Objects(prefix) => prefix.read(name, limit),
        }
    }

    /// Copies a file of any size to the local path `to`, whole or not at all; `false` if it is not there. The
    /// folder of `to` must be there.
    ///
    /// # Errors
    /// [`PlaceError`]; `to` is then as it was.
    pub fn fetch(&self, name: &str, to: &Path) -> Result<bool, PlaceError> {
        name::check(name)?;
        match &self.0 {
            Kind::Folder(folder) => folder.fetch(name, to),
            Kind::Objects(prefix) => prefix.fetch(name, to),
        }
    }

    /// The files below `prefix` (a folder of the place; empty for all), in the order of their names. What is
    /// being written is not among them. A place or folder that is not there holds nothing.
    ///
    /// # Errors
    /// [`PlaceError`]; never a part of the list.
    pub fn list(&self, prefix: &str) -> Result<Vec<Listed>, PlaceError> {
        name::check_prefix(prefix)?;
        let mut listed = match &self.0 {
            Kind::Folder(folder) => folder.list(prefix)?,
            Kind::Objects(objects) => objects.list(prefix)?,
        };
        listed.sort();
        Ok(listed)
    }

    /// What [`Place::list`] would say of one file; `None` if it is not there.
    ///
    /// # Errors
    /// [`PlaceError`].
    pub fn look_up(&self, name: &str) -> Result<Option<Listed>, PlaceError> {
        name::check(name)?;
        match &self.0 {
            Kind::Folder(folder) => folder.look_up(name),
            Kind::Objects(prefix) => prefix.look_up(name),
        }
    }

    /// Opens a file to be read piece by piece; `None` if it is not there. The first piece, at most
    /// `first` bytes, is read at once.
    ///
    /// # Errors
    /// [`PlaceError`].
    pub fn open(&self, name: &str, first: usize) -> Result<Option<Object>, PlaceError> {
        name::check(name)?;
        match &self.0 {
            Kind::Folder(folder) => folder.open(name),
            Kind::Objects(prefix) => Ok(prefix.open(name, first)?.map(Object::remote)),
        }
    }

    /// Removes a file; one that is not there is no error.
    ///
    /// # Errors
    /// [`PlaceError`].
    pub fn remove(&self, name: &str) -> Result<(), PlaceError> {
        name::check(name)?;
        match &self.0 {
            Kind::Folder(folder) => folder.remove(name),
            Kind::Objects(prefix) => prefix.remove(name),
        }
    }
}
