//! `hemora model import`: weights of timm and torchvision under our names.

use std::collections::HashMap;
use std::process::ExitCode;

use hemora_nn::{Summary, import, networks};
use miette::{IntoDiagnostic, Result, WrapErr, bail};

use crate::cli::ImportArgs;
use crate::output::{print, write_whole};

/// Images that are as wide as any network asks for: the size is no matter of weights.
const SIZE: usize = 224;

/// Runs the command.
///
/// # Errors
/// A report that names the file and the tensor that does not fit.
pub fn run(arguments: &ImportArgs) -> Result<ExitCode> {
    let ImportArgs { weights, network, out, channels } = arguments;
    let options =
        networks::Options { channels: *channels, size: SIZE, ..networks::Options::default() };
    let Some(graph) = networks::build(network, &options) else {
        let names = networks::names().collect::<Vec<_>>().join(", ");
        bail!(help = format!("there are {names}"), "no network is named `{network}`");
    };
    let graph = graph.into_diagnostic()?;
    let name = weights.display().to_string();
    let bytes = std::fs::read(weights).into_diagnostic().wrap_err_with(|| name.clone())?;
    let imported = import(&graph, &bytes).into_diagnostic().wrap_err_with(|| name.clone())?;
    let file = weights.file_name().map_or(name, |file| file.to_string_lossy().into_owned());
    let metadata = HashMap::from([
        ("network".to_owned(), network.clone()),
        ("imported_from".to_owned(), file),
    ]);
    let bytes = imported.weights.to_safetensors(metadata).into_diagnostic()?;
    write_whole(out, |file| file.write_all(&bytes).into_diagnostic())?;
    let parameters = Summary::new(&graph).trainable;
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
            writeln!(output, "of no use here: {}", imported.unused.join(", "))?;
        }
        if let Some(labels) = imported.other_labels {
            writeln!(output, "the last layer has {labels} labels; training draws it afresh")?;
        }
        writeln!(output, "{}", out.display())
    })?;
    Ok(ExitCode::SUCCESS)
}
