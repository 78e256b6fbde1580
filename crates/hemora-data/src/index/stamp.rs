//! By what a file is told from an earlier version of it without reading it.

use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

/// Size and time of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStamp {
    /// Bytes.
    pub size: u64,
    /// When it was last changed, nanoseconds since 1970, negative before; 0 where the system keeps no time.
    pub modified_ns: i64,
}

impl FileStamp {
    /// That of the file as it is now.
    ///
    /// # Errors
    /// What the operating system reports.
    pub fn of(path: &Path) -> io::Result<Self> {
        let metadata = std::fs::metadata(path)?;
        let nanoseconds = |time: std::time::Duration| i64::try_from(time.as_nanos());
        let modified_ns = match metadata.modified().map(|time| time.duration_since(UNIX_EPOCH)) {
            Ok(Ok(after)) => nanoseconds(after).unwrap_or(i64::MAX),
            Ok(Err(before)) => -nanoseconds(before.duration()).unwrap_or(i64::MAX),
            Err(_) => 0,
        };
        Ok(Self { size: metadata.len(), modified_ns })
    }
}
