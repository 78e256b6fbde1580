//! Why a recipe cannot be run.

use std::io;
use std::path::{Path, PathBuf};

use hemora_data::TableError;

use crate::engine::EngineError;

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
    /// A table cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A step did not complete.
    #[error(transparent)]
    Step(#[from] EngineError),
}

impl RecipeError {
    /// How a program ends with it.
    pub fn exit_status(&self) -> hemora_base::ExitStatus {
        match self {
            Self::Step(error) => error.exit_status(),
            _ => hemora_base::ExitStatus::Failed,
        }
    }
}

/// An error of the operating system with its file.
pub(crate) fn in_path(path: &Path) -> impl FnOnce(io::Error) -> RecipeError + '_ {
    move |source| RecipeError::Io { path: path.to_owned(), source }
}
