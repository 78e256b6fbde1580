//! Why sets cannot be gathered.

use std::path::PathBuf;

use hemora_data::TableError;

use crate::output::FileError;

/// Why sets cannot be gathered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GatherError {
    /// No set was named.
    #[error(
        "no set to gather; give --rsna-png, --dicom, --phe-sich or --mbh-seg, each with a folder"
    )]
    NoSet,
    /// Folders and tables of DICOM files do not pair.
    #[error("{folders} --dicom and {tables} --dicom-labels; give one table for each folder")]
    Unpaired {
        /// How many folders.
        folders: usize,
        /// How many tables.
        tables: usize,
    },
    /// The output folder holds something.
    #[error("{}: not empty; give a new folder, so that nothing of another gathering stays", .0.display())]
    NotEmpty(PathBuf),
    /// A file or folder cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A table cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A set of which nothing can be used.
    #[error("{}: no slice of {set} can be used; {reason}", path.display())]
    NothingOf {
        /// The set.
        set: &'static str,
        /// Its folder.
        path: PathBuf,
        /// What is wrong with the first slice, or what was looked for.
        reason: String,
    },
}
