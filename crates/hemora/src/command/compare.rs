//! `hemora compare`: several evaluations side by side.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use hemora_evaluate::{read_evaluation, side_by_side};
use miette::{IntoDiagnostic, Result};

/// Flags of `hemora compare`.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  hemora compare eval-first eval-second")]
pub struct CompareArgs {
    /// Folders that `hemora evaluate` wrote, or their metrics.json
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// A report that names the document that cannot be read.
pub fn run(arguments: &CompareArgs) -> Result<ExitCode> {
    let mut evaluations = Vec::with_capacity(arguments.runs.len());
    for run in &arguments.runs {
        let path = if run.is_dir() { run.join("metrics.json") } else { run.clone() };
        evaluations.push(read_evaluation(&path).into_diagnostic()?);
    }
    match write!(std::io::stdout().lock(), "{}", side_by_side(&evaluations)) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).into_diagnostic()
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}
