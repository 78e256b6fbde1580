//! `hemora model summary` and `hemora model inspect`.

use std::io::Write;
use std::process::ExitCode;

use hemora_model::Model;
use hemora_nn::{Summary, networks};
use miette::{IntoDiagnostic, Result, bail};

use crate::cli::{InspectArgs, SummaryArgs};
use crate::default_model;

/// Prints the layer table of a network.
///
/// # Errors
/// A report that lists the networks when the name is none of them.
pub fn summary(arguments: &SummaryArgs) -> Result<ExitCode> {
    let options = networks::Options { size: arguments.size, ..networks::Options::default() };
    let name = &*arguments.network;
    let columns = arguments.columns.unwrap_or(match name {
        "sequence-probabilities" => 36,
        "sequence-transformer" => 1025,
        _ => 1024,
    });
    let sequence = || networks::build_sequence(name, &networks::SequenceOptions::new(columns));
    let Some(graph) = networks::build(name, &options).or_else(sequence) else {
        let names = networks::names().chain(networks::sequence_names());
        let names = names.collect::<Vec<_>>().join(", ");
        bail!(help = format!("there are {names}"), "no network is named `{name}`");
    };
    let summary = Summary::new(&graph.into_diagnostic()?);
    if arguments.json {
        print(&serde_json::to_string_pretty(&summary).into_diagnostic()?)
    } else {
        print(&summary.to_string())
    }
}

/// Prints the card or the description of a bundle.
///
/// # Errors
/// A report that names the bundle.
pub fn inspect(arguments: &InspectArgs) -> Result<ExitCode> {
    let model = default_model::open(arguments.model.as_deref())?;
    if !arguments.json && !model.card().is_empty() {
        return print(model.card());
    }
    let description = match &model {
        Model::Network(bundle) => serde_json::to_string_pretty(bundle.info()),
        Model::Ensemble(ensemble) => serde_json::to_string_pretty(ensemble.info()),
    };
    print(&description.into_diagnostic()?)
}

fn print(text: &str) -> Result<ExitCode> {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).into_diagnostic()
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}
