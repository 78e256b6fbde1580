//! `hemora compare`: several runs side by side.

use hemora_base::ExitStatus;
use hemora_evaluation::{read_runs, side_by_side};
use miette::{IntoDiagnostic, Result};

use crate::cli::CompareArgs;
use crate::output::print;

/// Runs the command.
///
/// # Errors
/// A report that names the document that cannot be read.
pub fn run(arguments: &CompareArgs) -> Result<ExitStatus> {
    let evaluations = read_runs(&arguments.runs, arguments.resamples).into_diagnostic()?;
    print(|out| write!(out, "{}", side_by_side(&evaluations)))?;
    Ok(ExitStatus::Success)
}
