//! `hemora train`: starts hemora-train, the program that links libtorch.

use std::process::{Command, ExitCode};

use miette::{Result, miette};

use crate::cli::TrainArgs;
use crate::train_program::{self, HELP};

/// Runs the command.
///
/// # Errors
/// A report with how to get hemora-train when it is absent.
pub fn run(arguments: &TrainArgs) -> Result<ExitCode> {
    let program = train_program::path();
    let status = Command::new(&program).args(&arguments.arguments).status();
    let status = status
        .map_err(|error| miette!(help = HELP, "cannot start {}: {error}", program.display()))?;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}
