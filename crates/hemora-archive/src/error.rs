//! Why a share is not triaged, or shares are not merged.

use hemora_base::WorkShard;
use hemora_data::{CellTableError, IndexError};
use hemora_objects::PlaceError;
use hemora_report::ReportError;

/// Why a share is not triaged, or shares are not merged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The index cannot be read.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// A file cannot be written, read or listed where shares lie.
    #[error(transparent)]
    Place(PlaceError),
    /// The operating system refused.
    #[error("{file}: {source}")]
    Io {
        /// The file or folder.
        file: String,
        /// The reason.
        source: std::io::Error,
    },
    /// A table cannot be written or read.
    #[error("{file}: {source}")]
    Table {
        /// The table.
        file: String,
        /// The reason.
        source: CellTableError,
    },
    /// A document is not what it should be.
    #[error("{file}: {reason}")]
    Document {
        /// The file.
        file: String,
        /// What was found and what to do.
        reason: String,
    },
    /// Another process works on the share.
    #[error("another process is at work on share {shard} in {folder}; wait until it ends")]
    Busy {
        /// The share.
        shard: WorkShard,
        /// Folder of the shares.
        folder: String,
    },
    /// The folder holds the share of another job.
    #[error(
        "share {shard} in {folder} is of another job: {}; give another folder with --out",
        differs.join("; ")
    )]
    OtherJob {
        /// The share.
        shard: WorkShard,
        /// Folder of the shares.
        folder: String,
        /// What differs: what is there, and what is asked for.
        differs: Vec<String>,
    },
    /// There is nothing to merge.
    #[error(
        "{0}: no share of a triage; `hemora triage --index … --shard I/N --out DIR` makes them"
    )]
    NoShares(String),
    /// Shares are missing or not whole.
    #[error("{count} of {of} shares are not there: {}", missing.join(", "))]
    Missing {
        /// How many.
        count: usize,
        /// Shares of the job.
        of: u32,
        /// The first of those that are missing, and where one was begun.
        missing: Vec<String>,
    },
    /// Shares are of different jobs.
    #[error("{one} and {other} are not of one job: {}", differs.join("; "))]
    DifferentJobs {
        /// A share's manifest.
        one: String,
        /// Another's.
        other: String,
        /// What differs: in the one, and in the other.
        differs: Vec<String>,
    },
    /// A table is not the one that its share wrote.
    #[error(
        "{file} is not what its share wrote: {found}; triage the share again in another folder"
    )]
    Tampered {
        /// The table.
        file: String,
        /// What was found and what its manifest says.
        found: String,
    },
    /// A page or picture cannot be made.
    #[error("{file}: {source}")]
    Report {
        /// What was to be made.
        file: String,
        /// Why not.
        source: ReportError,
    },
}

impl ArchiveError {
    pub(crate) fn io(file: impl ToString, source: std::io::Error) -> Self {
        Self::Io { file: file.to_string(), source }
    }

    pub(crate) fn document(file: impl ToString, reason: impl ToString) -> Self {
        Self::Document { file: file.to_string(), reason: reason.to_string() }
    }
}
