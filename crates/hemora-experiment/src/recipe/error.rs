//! Why a recipe cannot be run.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use hemora_data::{SliceTableError, TableError};

/// Why a recipe cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// An option is out of bounds.
    #[error("{name}: found {found}; expected {expected}")]
    Option {
        /// The option.
        name: &'static str,
        /// What was given.
        found: String,
        /// What can be.
        expected: &'static str,
    },
    /// The data set has no images or labels where they are looked for.
    #[error(
        "{}: {missing}; expected the competition's layout, stage_2_train/ and stage_2_train.csv, or \
         a folder of DICOM files and --labels",
        folder.display()
    )]
    Dataset {
        /// The folder.
        folder: PathBuf,
        /// What is not there.
        missing: String,
    },
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The predictions cannot be read.
    #[error(transparent)]
    Slices(#[from] SliceTableError),
    /// A table cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A file that a step wrote is not what was expected.
    #[error("{}: {reason}", path.display())]
    Output {
        /// The file.
        path: PathBuf,
        /// What was found and expected.
        reason: String,
    },
    /// A program cannot be started.
    #[error("cannot start {}: {source}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A step failed; what it said stands before.
    #[error("the step `{step}` ended with {status}; the same command goes on with it")]
    Failed {
        /// The step.
        step: String,
        /// How its program ended.
        status: ExitStatus,
    },
    /// A step ended well but did not write its outputs.
    #[error("the step `{step}` did not write {}", path.display())]
    Absent {
        /// The step.
        step: String,
        /// What is not there.
        path: PathBuf,
    },
    /// The folder has steps of another recipe.
    #[error(
        "{}: the step `{step}` was completed with other settings; give another folder, or start over \
         with --restart",
        path.display()
    )]
    OtherSettings {
        /// The step.
        step: String,
        /// Its record.
        path: PathBuf,
    },
}

/// An error of the operating system with its file.
pub(crate) fn in_path(path: &Path) -> impl FnOnce(io::Error) -> RecipeError + '_ {
    move |source| RecipeError::Io { path: path.to_owned(), source }
}
