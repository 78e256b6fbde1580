//! By what a file is told from an earlier version of it without reading it.

use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use hemora_io::FileState;

/// Size and time of a file or an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStamp {
    /// Bytes.
    pub size: u64,
    /// When it was last changed, nanoseconds since 1970, negative before; 0 where the system keeps no time. Of an
    /// object when it was written, which most object storage tells to the second.
    pub modified_ns: i64,
}

impl FileStamp {
    /// That of the file or object as it is now.
    ///
    /// # Errors
    /// What the operating system or the object storage reports.
    pub fn of(path: &Path) -> io::Result<Self> {
        FileState::of(path).map(Self::from)
    }
}

impl From<FileState> for FileStamp {
    fn from(FileState { size, modified }: FileState) -> Self {
        let nanoseconds = |time: std::time::Duration| i64::try_from(time.as_nanos());
        let modified_ns = match modified.map(|time| time.duration_since(UNIX_EPOCH)) {
            Some(Ok(after)) => nanoseconds(after).unwrap_or(i64::MAX),
            Some(Err(before)) => -nanoseconds(before.duration()).unwrap_or(i64::MAX),
            None => 0,
        };
        Self { size, modified_ns }
    }
}
