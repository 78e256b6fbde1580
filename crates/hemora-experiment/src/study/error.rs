//! Why a study cannot be run.

use std::io;
use std::path::PathBuf;

use hemora_data::{
    DataError, IndexError, PrepareError, PrepareRecipeError, SplitError, TableColumnError,
    TableError,
};
use hemora_metrics::MetricError;
use hemora_synth::SynthError;

use crate::engine::EngineError;

/// Why a study cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StudyError {
    /// An option is out of bounds.
    #[error("{name}: found {found}; expected {expected}")]
    Option {
        /// The option.
        name: &'static str,
        /// What was given.
        found: String,
        /// What can be.
        expected: String,
    },
    /// A text names no table.
    #[error("{flag}: {source}")]
    TableColumn {
        /// The flag.
        flag: &'static str,
        /// What was found and expected.
        source: TableColumnError,
    },
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A table cannot be used.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The images cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The recipe of the prepared set cannot be used.
    #[error(transparent)]
    Recipe(#[from] PrepareRecipeError),
    /// Phantoms cannot be made.
    #[error(transparent)]
    Phantoms(#[from] SynthError),
    /// Phantoms cannot be indexed, or the index with the positions cannot be read.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// Phantoms cannot be prepared.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// The images cannot be split.
    #[error(transparent)]
    Split(#[from] SplitError),
    /// Predictions cannot be measured.
    #[error(transparent)]
    Metric(#[from] MetricError),
    /// DICOM files have to be prepared first.
    #[error(
        "{}: DICOM files; expected a prepared set, or windowed PNG: run `hemora index` and \
         `hemora prepare` first",
        .0.display()
    )]
    Dicom(PathBuf),
    /// A patient stands in two parts of a split by patient.
    #[error(
        "{}: {count} patients are in several parts of a split by patient, {example} among them; \
         remove the file, or ask for the split by image",
        path.display()
    )]
    Leak {
        /// The split's table.
        path: PathBuf,
        /// Patients in several parts.
        count: usize,
        /// One of them.
        example: String,
    },
    /// The folder has results of other settings.
    #[error(
        "{}: belongs to a study with other settings or images; give another folder, or start over \
         with --restart",
        .0.display()
    )]
    OtherSettings(PathBuf),
    /// A step did not complete.
    #[error(transparent)]
    Step(#[from] EngineError),
    /// What the training program wrote cannot be used.
    #[error("{}: {reason}", path.display())]
    Output {
        /// The file.
        path: PathBuf,
        /// What was found and expected.
        reason: String,
    },
}

impl StudyError {
    /// How a program ends with it.
    pub fn exit_status(&self) -> hemora_base::ExitStatus {
        match self {
            Self::Step(error) => error.exit_status(),
            _ => hemora_base::ExitStatus::Failed,
        }
    }
}

/// An error of the operating system with its file.
pub(crate) fn in_path(path: &std::path::Path) -> impl FnOnce(io::Error) -> StudyError + '_ {
    move |source| StudyError::Io { path: path.to_owned(), source }
}
