//! Why a phantom cannot be made or written.

use std::path::PathBuf;

use hemora_io::WriteError;

/// Why a phantom cannot be made or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SynthError {
    /// An option is outside of what the phantom can be imaged with.
    #[error("{name} is {found}; expected {expected}")]
    Option {
        /// The option.
        name: &'static str,
        /// Its value.
        found: String,
        /// What it may be.
        expected: &'static str,
    },
    /// The identifiers do not fit the study.
    #[error("{found} SOP instance identifiers for {expected} slices; give one for each slice")]
    Ids {
        /// Identifiers given.
        found: usize,
        /// Slices of the study.
        expected: usize,
    },
    /// What would be written is there already.
    #[error("{} exists already; choose an empty folder or remove it", .0.display())]
    Exists(PathBuf),
    /// A folder or table could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A slice could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Slice {
        /// The file.
        path: PathBuf,
        /// Why.
        source: WriteError,
    },
}
