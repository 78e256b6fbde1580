//! `hemora calibrate`: a calibration and operating points from validation predictions.

use hemora_base::ExitStatus;
use hemora_evaluation::{Cases, calibrate, fit_text, write_document};
use miette::{IntoDiagnostic, Result};

use crate::cli::CalibrateArgs;
use crate::output::print;

/// Runs the command.
///
/// # Errors
/// A report that names the table and what does not fit.
pub fn run(arguments: &CalibrateArgs) -> Result<ExitStatus> {
    let cases = Cases::load(&arguments.cases.request()).into_diagnostic()?;
    for warning in &cases.warnings {
        eprintln!("warning: {warning}");
    }
    let report = calibrate(&cases, &arguments.options()).into_diagnostic()?;
    write_document(&arguments.out, &report).into_diagnostic()?;
    print(|out| {
        write!(out, "{}", fit_text(&report))?;
        writeln!(out, "written: {}", arguments.out.display())
    })?;
    Ok(ExitStatus::Success)
}
