//! What a place holds.

use std::time::SystemTime;

/// A file or object of a place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// Its name in the place, parts separated by `/`.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// When it was written, as the file system or the server says.
    pub modified: Option<SystemTime>,
    /// What object storage gives each version of an object (its ETag); none of a file.
    pub version: Option<String>,
}
