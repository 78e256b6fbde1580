//! `hemora model average`: the mean of several networks' weights as one network.

use std::process::ExitCode;

use hemora_nn::Weights;
use miette::{IntoDiagnostic, Result, WrapErr, bail};

use super::trained::Trained;
use crate::cli::AverageArgs;
use crate::output::{print, write_whole};

/// Key of the number of networks in the metadata of a mean.
pub const AVERAGED: &str = "averaged";

/// What must be the same of all of them, or the mean is of nothing.
const SHARED: [&str; 3] = ["network", "task", "input"];

/// Runs the command.
///
/// # Errors
/// A report that names the file and what differs from the first.
pub fn run(arguments: &AverageArgs) -> Result<ExitCode> {
    let AverageArgs { weights, out } = arguments;
    let parts: Vec<Trained> =
        weights.iter().map(|path| Trained::read(path)).collect::<Result<_>>()?;
    let first = &parts[0];
    let network = first.entry("network")?;
    for part in &parts {
        part.entry("network")?;
        let differs = |key: &&&str| part.metadata.get(**key) != first.metadata.get(**key);
        if let Some(key) = SHARED.iter().find(differs) {
            bail!(
                help = "average networks of one kind that were trained for one task on one input",
                "{}: another {key} than that of {}",
                part.name,
                first.name
            );
        }
    }
    let mut metadata = first.metadata.clone();
    metadata.retain(|key, _| SHARED.contains(&key.as_str()));
    metadata.insert(AVERAGED.to_owned(), parts.len().to_string());
    // The parts' figures are not its own.
    metadata.insert("metrics".to_owned(), "[]".to_owned());
    let all: Vec<&Weights> = parts.iter().map(|part| &part.weights).collect();
    let names = || parts.iter().map(|part| part.name.as_str()).collect::<Vec<_>>().join(", ");
    let mean = Weights::mean(&all).into_diagnostic().wrap_err_with(names)?;
    let bytes = mean.to_safetensors(metadata).into_diagnostic()?;
    write_whole(out, |file| file.write_all(&bytes).into_diagnostic())?;
    let count = parts.len();
    print(|output| writeln!(output, "{}: the mean of {count} networks {network}", out.display()))?;
    Ok(ExitCode::SUCCESS)
}
