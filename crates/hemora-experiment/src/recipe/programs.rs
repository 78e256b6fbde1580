//! The programs that do the steps.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use crate::recipe::RecipeError;

/// The programs that do the steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    /// `hemora`.
    pub hemora: PathBuf,
    /// `hemora-train`.
    pub train: PathBuf,
    /// Threads that each may use; 0 for one a core.
    pub threads: usize,
}

impl Programs {
    /// Runs a program; what it says goes to standard error, as the recipe's own output is another.
    ///
    /// # Errors
    /// [`RecipeError::Start`] if it cannot be started.
    pub(crate) fn run(
        &self,
        program: &Path,
        arguments: &[OsString],
    ) -> Result<ExitStatus, RecipeError> {
        let start = |source| RecipeError::Start { program: program.to_owned(), source };
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(std::io::stderr());
        command.status().map_err(start)
    }

    /// What a program prints, if it ends well.
    ///
    /// # Errors
    /// [`RecipeError::Start`] if it cannot be started.
    pub(crate) fn ask(
        &self,
        program: &Path,
        arguments: &[OsString],
    ) -> Result<Option<Vec<u8>>, RecipeError> {
        let start = |source| RecipeError::Start { program: program.to_owned(), source };
        let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
        let output = output.map_err(start)?;
        Ok(output.status.success().then_some(output.stdout))
    }
}
