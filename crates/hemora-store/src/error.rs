//! Why the store does not do what it is asked.

use std::io;
use std::path::{Path, PathBuf};

/// Why the store does not do what it is asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk has no room, or less than what is to stay free.
    #[error(
        "the disk is full: {free} bytes are free, {reserve} are to stay free; free some or lower `reserve`"
    )]
    Full {
        /// Bytes that are free.
        free: u64,
        /// Bytes that are to stay free.
        reserve: u64,
    },
    /// An instance is larger than the limit.
    #[error("the instance has more than {limit} bytes, the limit for one")]
    TooLarge {
        /// Bytes that an instance may have.
        limit: u64,
    },
    /// Another node holds the data folder.
    #[error("{} is in use by {}; stop that node, or give this one another folder", folder.display(), holder(*pid))]
    Locked {
        /// The data folder.
        folder: PathBuf,
        /// Its process, if it says so.
        pid: Option<u32>,
    },
    /// A newer Hemora wrote the data folder.
    #[error("{} has schema {found}, this Hemora knows up to {known}; use the Hemora that wrote it, or a newer one", folder.display())]
    Newer {
        /// The data folder.
        folder: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest schema that this program knows.
        known: u32,
    },
    /// Folder and database are not of each other.
    #[error("{} does not belong to {database}; correct the one or the other: images are of no use without their database", folder.display())]
    OtherDatabase {
        /// The data folder.
        folder: PathBuf,
        /// The database.
        database: String,
    },
    /// A folder that is to be empty holds something.
    #[error("{} already holds a data folder or a backup; give another one", .0.display())]
    Occupied(PathBuf),
    /// A backup is not whole.
    #[error("{}: {what}; take another backup", backup.display())]
    Backup {
        /// The backup.
        backup: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The object lacks what it would be filed under.
    #[error(
        "the object has no usable {attribute} ({found:?}), so it cannot be filed; the sender must correct it"
    )]
    NotFiled {
        /// Name of the attribute.
        attribute: &'static str,
        /// Its value, shortened.
        found: String,
    },
    /// There is no such study.
    #[error("there is no study {0}")]
    NoStudy(String),
    /// There is no such delivery.
    #[error("there is no delivery {0}")]
    NoDelivery(i64),
    /// There is no such user.
    #[error("there is no user {0:?}")]
    NoUser(String),
    /// There is no such token.
    #[error("there is no token {0}")]
    NoToken(i64),
    /// What is to be made is there.
    #[error("there is {what} already; {todo}")]
    Exists {
        /// What there is.
        what: String,
        /// What to do.
        todo: &'static str,
    },
    /// Nobody could make users any more.
    #[error("{0:?} is the last administrator who may log in; make another one first")]
    LastAdministrator(String),
    /// A result came that the reader has not seen and that is more urgent than the one that they saw.
    #[error(
        "revision {newest} has a more urgent result than revision {shown}, which was shown; look at it first"
    )]
    NewerResult {
        /// The revision that was shown.
        shown: u32,
        /// The revision of the newest result.
        newest: u32,
    },
    /// Somebody else has the job or the delivery now, or it is no longer wanted.
    #[error(
        "{what} {id} is no longer leased by {owner}; what was done for it is dropped, lease again"
    )]
    LeaseLost {
        /// `job` or `delivery`.
        what: &'static str,
        /// Its number.
        id: i64,
        /// Who had it.
        owner: String,
    },
    /// A cursor is none of ours.
    #[error("{0:?} is no cursor of this list; begin without one")]
    BadCursor(String),
    /// A value cannot be stored.
    #[error("{what} cannot be stored: {why}")]
    BadValue {
        /// What it is.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// What names a node or its database cannot.
    #[error("{what} cannot be used: {why}")]
    Unusable {
        /// What it is.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The database refuses.
    #[error("the database: {0}")]
    Database(String),
    /// The database of several nodes does not answer.
    #[error(
        "the database at {server} does not answer: {problem}; start it, or correct its address"
    )]
    Unreachable {
        /// Where it is, without a password.
        server: String,
        /// What is wrong.
        problem: String,
    },
    /// A row holds what this program does not write.
    #[error("the database is damaged: {0}; restore a backup")]
    Damaged(String),
    /// A file or folder cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system reports.
        source: io::Error,
    },
    /// The background work that files what arrived has failed; it goes on trying.
    #[error("what arrived cannot be filed yet: {0}")]
    Filing(String),
    /// The store is being closed.
    #[error("the store is closed")]
    Closed,
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another node".to_owned(), |pid| format!("the node of process {pid}"))
}

impl StoreError {
    /// A failure of the operating system at `path`.
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        if is_full(&source) {
            return Self::Full { free: 0, reserve: 0 };
        }
        Self::Io { path: path.to_owned(), source }
    }

    /// Whether the disk has no room: the peer may try again later.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full { .. })
    }
}

/// Whether a failure says that there is no room.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full { free: 0, reserve: 0 },
            _ => Self::Database(error.to_string()),
        }
    }
}
