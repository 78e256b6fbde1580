//! Why a step did not complete.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

/// Why a step did not complete.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A program cannot be started.
    #[error("cannot start {}: {source}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A program failed. What it printed stands before, or at the end of its log.
    #[error("the step `{step}` ended with {status}; the same command goes on with it")]
    Failed {
        /// The step.
        step: String,
        /// How its program ended.
        status: ExitStatus,
        /// The last lines of its log, where it has one.
        last_lines: String,
    },
    /// Memory ran out.
    #[error("the step `{step}` ran out of memory; {advice}")]
    OutOfMemory {
        /// The step.
        step: String,
        /// What to do.
        advice: &'static str,
        /// The last lines of its log, where it has one.
        last_lines: String,
    },
    /// A step ended well but did not write one of its outputs.
    #[error("the step `{step}` did not write {}", path.display())]
    Absent {
        /// The step.
        step: String,
        /// What is not there.
        path: PathBuf,
    },
    /// One file could not be made of another.
    #[error("the step `{step}`: {source}")]
    Convert {
        /// The step.
        step: String,
        /// What was found and expected.
        source: ConvertError,
    },
    /// The folder has a step of other settings.
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

/// Why one file could not be made of another.
pub type ConvertError = Box<dyn std::error::Error + Send + Sync>;

impl EngineError {
    /// How a program ends with it.
    pub fn exit_status(&self) -> hemora_base::ExitStatus {
        match self {
            Self::OutOfMemory { .. } => hemora_base::ExitStatus::OutOfMemory,
            _ => hemora_base::ExitStatus::Failed,
        }
    }
}

/// An error of the operating system with its file.
pub(crate) fn in_path(path: &Path) -> impl FnOnce(io::Error) -> EngineError + '_ {
    move |source| EngineError::Io { path: path.to_owned(), source }
}
