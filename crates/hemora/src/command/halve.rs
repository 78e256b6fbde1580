//! `hemora model halve`: a bundle with its large weights in 16 bits.

use hemora_base::ExitStatus;
use hemora_bundling::{Halved, halve};
use miette::{IntoDiagnostic, Result};

use crate::cli::HalveArgs;
use crate::output::print;

/// Runs the command.
///
/// # Errors
/// A report that names the bundle and why it cannot be halved.
pub fn run(arguments: &HalveArgs) -> Result<ExitStatus> {
    let HalveArgs { model, out } = arguments;
    let Halved { bytes, .. } = halve(model, out).into_diagnostic()?;
    let [before, after] = bytes.map(|bytes| bytes as f64 / 1e6);
    print(|output| writeln!(output, "{}: {after:.1} MB, {before:.1} before", out.display()))?;
    Ok(ExitStatus::Success)
}
