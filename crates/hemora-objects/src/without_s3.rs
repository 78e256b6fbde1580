//! Stands in for object storage where it is not built in: nothing here can be made.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::path::Path;

use crate::{Listed, PlaceError, split_object_url};

/// A prefix that there is none of.
#[derive(Debug, Clone)]
pub(crate) struct Prefix(Infallible);

/// An object that there is none of.
#[derive(Debug)]
pub(crate) struct Pieces(Infallible);

impl fmt::Display for Prefix {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {}
    }
}

impl Prefix {
    pub(crate) fn parse(text: &str) -> Result<Self, PlaceError> {
        // What is no URL at all is said first.
        split_object_url(text)?;
        Err(PlaceError::NotBuilt { url: text.to_owned() })
    }

    pub(crate) fn with_variables(text: &str, _: &[(String, String)]) -> Result<Self, PlaceError> {
        Self::parse(text)
    }

    pub(crate) fn below(&self, _: &str) -> Self {
        match self.0 {}
    }

    pub(crate) fn url(&self, _: &str) -> String {
        match self.0 {}
    }

    pub(crate) fn write(&self, _: &str, _: &[u8]) -> Result<(), PlaceError> {
        match self.0 {}
    }

    pub(crate) fn write_file(&self, _: &str, _: &Path) -> Result<(), PlaceError> {
        match self.0 {}
    }

    pub(crate) fn read(&self, _: &str, _: u64) -> Result<Option<Vec<u8>>, PlaceError> {
        match self.0 {}
    }

    pub(crate) fn fetch(&self, _: &str, _: &Path) -> Result<bool, PlaceError> {
        match self.0 {}
    }

    pub(crate) fn list(&self, _: &str) -> Result<Vec<Listed>, PlaceError> {
        match self.0 {}
    }

    pub(crate) fn look_up(&self, _: &str) -> Result<Option<Listed>, PlaceError> {
        match self.0 {}
    }

    pub(crate) fn open(&self, _: &str, _: usize) -> Result<Option<Pieces>, PlaceError> {
        match self.0 {}
    }

    pub(crate) fn remove(&self, _: &str) -> Result<(), PlaceError> {
        match self.0 {}
    }
}

impl Pieces {
    pub(crate) fn size(&self) -> u64 {
        match self.0 {}
    }

    pub(crate) fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        match self.0 {}
    }
}

#[cfg(test)]
mod tests {
    use crate::Place;

    #[test]
    fn object_storage_is_refused_in_words() {
        let error = Place::parse("s3://scans/2024").unwrap_err().to_string();
        assert!(error.starts_with("s3://scans/2024: this build has no object storage"), "{error}");
        assert!(error.contains("--features s3"), "{error}");
    }
}
