//! `hemora model summary` and `hemora model inspect`.

use hemora_base::ExitStatus;
use hemora_ct::{SeriesInput, probability_column_count};
use hemora_nn::{Summary, networks};
use miette::{IntoDiagnostic, Result, bail};

use crate::cli::{InspectArgs, SummaryArgs};
use crate::default_model;
use crate::output::print;

/// Features of a slice that a network of series reads where --columns is left out: DenseNet-121's.
const FEATURES: usize = 1024;

/// Prints the layer table of a network.
///
/// # Errors
/// A report that lists the networks when the name is none of them.
pub fn summary(arguments: &SummaryArgs) -> Result<ExitStatus> {
    let options = networks::Options { size: arguments.size, ..networks::Options::default() };
    let name = &*arguments.network;
    let columns = arguments.columns.unwrap_or_else(|| match networks::sequence_input(name) {
        Some(SeriesInput::Probabilities) => probability_column_count(true),
        Some(SeriesInput::FeaturesAndPositions) => FEATURES + 1,
        _ => FEATURES,
    });
    let sequence = || networks::build_sequence(name, &networks::SequenceOptions::new(columns));
    let Some(graph) = networks::build(name, &options).or_else(sequence) else {
        let names = networks::names().chain(networks::sequence_names());
        let names = names.collect::<Vec<_>>().join(", ");
        bail!(help = format!("there are {names}"), "no network is named `{name}`");
    };
    let summary = Summary::new(&graph.into_diagnostic()?);
    let text = match arguments.json {
        true => serde_json::to_string_pretty(&summary).into_diagnostic()?,
        false => summary.to_string(),
    };
    print(|output| writeln!(output, "{text}"))?;
    Ok(ExitStatus::Success)
}

/// Prints the card or the description of a bundle.
///
/// # Errors
/// A report that names the bundle.
pub fn inspect(arguments: &InspectArgs) -> Result<ExitStatus> {
    let bundle = default_model::open(arguments.model.as_deref())?;
    let text = match arguments.json || bundle.card().is_empty() {
        true => serde_json::to_string_pretty(bundle.info()).into_diagnostic()?,
        false => bundle.card().to_owned(),
    };
    print(|output| writeln!(output, "{text}"))?;
    Ok(ExitStatus::Success)
}
