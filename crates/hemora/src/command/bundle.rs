//! `hemora model bundle`: trained weights to a bundle with its card.

use std::fmt::Write;
use std::process::ExitCode;

use hemora_ct::NOTICE;
use hemora_ct::{InputRecipe, LABEL_COUNT, Label, Views};
use hemora_evaluation::Evaluation;
use hemora_experiment::recipe::About;
use hemora_model::{Bundle, FORMAT_VERSION, MeasuredLevel, Metric, ModelInfo, NetworkRef};
use hemora_nn::{networks, onnx};
use miette::{IntoDiagnostic, Result, WrapErr, miette};
use serde::Deserialize;

use super::average::AVERAGED;
use super::bundle_series::SeriesRuns;
use super::card::{measured_metrics, read_about, read_evaluations, read_fit, write_end};
use super::trained::Trained;
use crate::cli::BundleArgs;

/// One label's validation as hemora-train stores it in the weights.
#[derive(Debug, Deserialize)]
struct Measured {
    label: Label,
    images: u64,
    groups: u64,
    positives: u64,
    auroc: Interval,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct Interval {
    value: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
}

/// Runs the command.
///
/// # Errors
/// A report that names the file and what it lacks.
pub fn run(arguments: &BundleArgs) -> Result<ExitCode> {
    let trained = Trained::read(&arguments.weights)?;
    let about = read_about(&arguments.about)?;
    let network = trained.entry("network")?;
    let fold = trained.metadata.get("fold").map(String::as_str);
    let averaged = trained.metadata.get(AVERAGED).map(String::as_str);
    let input: InputRecipe = serde_json::from_str(trained.entry("input")?).into_diagnostic()?;
    input.check().into_diagnostic()?;
    let measured: Vec<Measured> =
        serde_json::from_str(trained.entry("metrics")?).into_diagnostic()?;
    let fit = read_fit(arguments.calibration.as_deref())?;
    let mut evaluations = read_evaluations(&arguments.evaluation)?;
    let options = networks::Options {
        channels: input.channels.len(),
        size: input.size,
        head: Some(networks::Head::Sigmoid(LABEL_COUNT)),
        dropout: 0.0,
    };
    let graph = networks::build(network, &options)
        .ok_or_else(|| miette!("{} is of an unknown network `{network}`", trained.name))?
        .into_diagnostic()?;
    let onnx = onnx::write(&graph, &trained.weights).into_diagnostic();
    let onnx = onnx.wrap_err_with(|| trained.name.clone())?;
    let asked = arguments.views.as_deref().and_then(Views::named);
    let mut series = SeriesRuns::read(&arguments.series, &onnx, fold, arguments.own_fold)?;
    for note in &series.notes {
        eprintln!("warning: {note}");
    }
    evaluations.append(&mut series.evaluations);
    let info = ModelInfo {
        format_version: FORMAT_VERSION,
        name: about.name.clone(),
        version: about.version.clone(),
        created: about.created.clone(),
        licence: about.licence.clone(),
        intended_use: about.intended_use.clone(),
        notice: NOTICE.to_owned(),
        labels: Label::ALL.to_vec(),
        input,
        views: series.views(asked)?,
        network: NetworkRef {
            name: network.to_owned(),
            trainable_parameters: graph.trainable_parameters() as u64,
        },
        training_data: about.training_data.clone(),
        metrics: measured
            .iter()
            .filter_map(|row| metric(row, &about))
            .chain(evaluations.iter().flat_map(measured_metrics))
            .collect(),
        operating_points: fit.as_ref().map_or_else(Vec::new, |fit| fit.operating_points.clone()),
        aggregation: fit.as_ref().and_then(|fit| fit.aggregation.clone()),
        calibration: fit.and_then(|fit| fit.calibration),
        series: series.stages.clone(),
        sha256: String::new(),
    };
    let card = card(&info, &about, (&measured, averaged), &series.card_section(), &evaluations);
    Bundle::write_with_series(&arguments.out, &info, &onnx, &series.networks, &card)
        .into_diagnostic()?;
    let bytes = onnx.len() + series.networks.iter().map(Vec::len).sum::<usize>();
    println!("{}: {bytes} bytes of ONNX", arguments.out.display());
    for stage in &series.stages {
        println!("{} networks of series, {}", stage.sha256.len(), stage.network);
    }
    Ok(ExitCode::SUCCESS)
}

fn metric(row: &Measured, about: &About) -> Option<Metric> {
    Some(Metric {
        name: "AUROC".to_owned(),
        label: Some(row.label),
        level: MeasuredLevel::Slice,
        value: row.auroc.value?,
        low: row.auroc.low,
        high: row.auroc.high,
        n: row.images,
        positives: row.positives,
        note: about.validation.clone(),
    })
}

/// The model card, Markdown.
fn card(
    info: &ModelInfo,
    about: &About,
    (measured, averaged): (&[Measured], Option<&str>),
    series: &str,
    evaluations: &[Evaluation],
) -> String {
    let mut card = format!(
        "# {} {}\n\n{}\n\n**Licence:** {}\n\n## Intended use\n\n{}\n\n## Network\n\n{}, {} trainable \
         parameters{}, input {}×{} pixels.\n\n## Input\n\n{}\n\n## Training data\n\n{}\n\n## Validation\
         \n\n{}\n\n",
        info.name,
        info.version,
        info.notice,
        info.licence,
        info.intended_use.trim(),
        info.network.name,
        info.network.trainable_parameters,
        averaged
            .map_or_else(String::new, |count| format!(", the mean of {count} networks' weights")),
        info.input.size,
        info.input.size,
        about.input.trim(),
        about.training_data.trim(),
        about.validation.trim(),
    );
    let shown = |value: Option<f64>| value.map_or("undefined".to_owned(), |v| format!("{v:.3}"));
    if !measured.is_empty() {
        card.push_str("| label | AUROC | 95 % interval | positive slices | slices |\n");
        card.push_str("|---|---|---|---|---|\n");
    }
    for row in measured {
        let Interval { value, low, high } = row.auroc;
        let (value, low, high) = (shown(value), shown(low), shown(high));
        let (label, positives, images) = (row.label, row.positives, row.images);
        // Writing to a string cannot fail.
        let _ = writeln!(card, "| {label} | {value} | {low} to {high} | {positives} | {images} |");
    }
    if let Some(row) = measured.first() {
        let _ = writeln!(
            card,
            "\nIntervals: percentile bootstrap, 2,000 draws of whole groups; {} groups.",
            row.groups
        );
    }
    card.push_str(series);
    write_end(&mut card, &info.claims(), evaluations, &about.limits);
    card
}
