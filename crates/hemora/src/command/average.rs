//! `hemora model average`: the mean of several networks' weights as one network.

use hemora_base::ExitStatus;
use hemora_bundling::{Average, average};
use miette::{IntoDiagnostic, Result};

use crate::cli::AverageArgs;
use crate::output::print;

/// Runs the command.
///
/// # Errors
/// A report that names the file and what differs from the first.
pub fn run(arguments: &AverageArgs) -> Result<ExitStatus> {
    let AverageArgs { weights, out } = arguments;
    let Average { network, count } = average(weights, out).into_diagnostic()?;
    print(|output| writeln!(output, "{}: the mean of {count} networks {network}", out.display()))?;
    Ok(ExitStatus::Success)
}
