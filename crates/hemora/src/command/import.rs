//! `hemora model import`: weights of timm and torchvision under our names.

use hemora_base::ExitStatus;
use hemora_bundling::import_weights;
use miette::{IntoDiagnostic, Result};

use crate::cli::ImportArgs;
use crate::output::print;

/// Runs the command.
///
/// # Errors
/// A report that names the file and the tensor that does not fit.
pub fn run(arguments: &ImportArgs) -> Result<ExitStatus> {
    let ImportArgs { weights, network, out, channels } = arguments;
    let (imported, parameters) =
        import_weights(weights, network, *channels, out).into_diagnostic()?;
    print(|output| {
        let count = imported.weights.iter().count();
        writeln!(output, "{count} tensors of {network}, {parameters} parameters with six labels")?;
        if let Some((theirs, ours)) = imported.renamed.first() {
            let count = imported.renamed.len();
            writeln!(output, "{count} have another name here, such as {theirs}: {ours}")?;
        }
        if !imported.reshaped.is_empty() {
            writeln!(output, "brought into another shape: {}", imported.reshaped.join(", "))?;
        }
        if !imported.unused.is_empty() {
            writeln!(output, "not used here: {}", imported.unused.join(", "))?;
        }
        if let Some(labels) = imported.other_labels {
            writeln!(output, "the last layer has {labels} labels; training draws it afresh")?;
        }
        if imported.without_head {
            writeln!(output, "the file has no last layer; training draws it afresh")?;
        }
        writeln!(output, "{}", out.display())
    })?;
    Ok(ExitStatus::Success)
}
