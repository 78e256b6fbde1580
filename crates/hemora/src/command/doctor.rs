//! `hemora doctor`: what triage would find on this machine.

use hemora_base::ExitStatus;
use hemora_infer::Checkup;
use miette::{IntoDiagnostic, Result};

use crate::cli::DoctorArgs;
use crate::default_model;
use crate::output::print;

/// Runs the command.
///
/// # Errors
/// A report if the built-in model cannot be opened or standard output cannot be written.
pub fn run(arguments: &DoctorArgs) -> Result<ExitStatus> {
    let checkup = Checkup::new(&default_model::open(None)?);
    let text = match arguments.json {
        true => serde_json::to_string_pretty(&checkup).into_diagnostic()? + "\n",
        false => checkup.to_string(),
    };
    print(|output| output.write_all(text.as_bytes()))?;
    Ok(match checkup.engine {
        Some(_) => ExitStatus::Success,
        None => ExitStatus::Failed,
    })
}
