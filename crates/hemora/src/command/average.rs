//! `hemora model average`: the mean of several networks' weights as one network.

use std::collections::HashMap;
use std::path::Path;
use std::process::ExitCode;

use hemora_nn::Weights;
use miette::{IntoDiagnostic, Result, WrapErr, bail, miette};

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
    let mut networks = Vec::with_capacity(weights.len());
    let mut shared: HashMap<String, String> = HashMap::new();
    for path in weights {
        let (network, mut metadata) = read(path)?;
        metadata.retain(|key, _| SHARED.contains(&key.as_str()));
        if networks.is_empty() {
            shared = metadata;
        } else if let Some(key) = SHARED.iter().find(|key| shared.get(**key) != metadata.get(**key))
        {
            bail!(
                help = "average networks of one kind that were trained for one task on one input",
                "{}: another {key} than that of {}",
                path.display(),
                weights[0].display()
            );
        }
        networks.push(network);
    }
    let mean = Weights::mean(&networks).into_diagnostic().wrap_err_with(|| {
        let names: Vec<_> = weights.iter().map(|path| path.display().to_string()).collect();
        names.join(", ")
    })?;
    let network = shared.get("network").cloned().unwrap_or_default();
    let count = networks.len();
    shared.insert(AVERAGED.to_owned(), count.to_string());
    // The parts' figures are not its own.
    shared.insert("metrics".to_owned(), "[]".to_owned());
    let bytes = mean.to_safetensors(shared).into_diagnostic()?;
    write_whole(out, |file| file.write_all(&bytes).into_diagnostic())?;
    print(|output| writeln!(output, "{}: the mean of {count} networks {network}", out.display()))?;
    Ok(ExitCode::SUCCESS)
}

fn read(path: &Path) -> Result<(Weights, HashMap<String, String>)> {
    let name = || path.display().to_string();
    let bytes = std::fs::read(path).into_diagnostic().wrap_err_with(name)?;
    let weights = Weights::from_safetensors(&bytes).into_diagnostic().wrap_err_with(name)?;
    let metadata = Weights::metadata(&bytes).into_diagnostic().wrap_err_with(name)?;
    if !metadata.contains_key("network") {
        return Err(miette!(
            help = "give the model.safetensors that hemora-train wrote",
            "{} has no `network` in its metadata",
            name()
        ));
    }
    Ok((weights, metadata))
}
