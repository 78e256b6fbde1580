//! The card of one network with its networks of series.

use std::fmt::Write;

use hemora_ct::SeriesInput;
use hemora_evaluation::Evaluation;
use hemora_model::{Estimate, Member, ModelInfo, SliceNetwork};

use crate::About;
use crate::card::write_end;
use crate::series_runs::SeriesRuns;

/// The card, Markdown.
pub(crate) fn network_card(
    info: &ModelInfo,
    member: &Member,
    about: &About,
    trained: &SliceNetwork,
    series: &SeriesRuns,
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
        member.network.name,
        member.network.trainable_parameters,
        trained
            .averaged
            .map_or_else(String::new, |count| format!(", the mean of {count} networks' weights")),
        member.input.size,
        member.input.size,
        about.input.trim(),
        about.training_data.trim(),
        about.validation.trim(),
    );
    write_validation(&mut card, trained);
    write_series(&mut card, series);
    write_end(&mut card, info, evaluations, &about.limits);
    card
}

/// The figures of the training, a row a label.
fn write_validation(card: &mut String, trained: &SliceNetwork) {
    let Some(first) = trained.validation.first() else { return };
    card.push_str("| label | AUROC | 95 % interval | positive slices | slices |\n");
    card.push_str("|---|---|---|---|---|\n");
    let shown = |value: Option<f64>| value.map_or("undefined".to_owned(), |v| format!("{v:.3}"));
    for row in &trained.validation {
        let Estimate { value, low, high } = row.auroc;
        let (value, low, high) = (shown(value), shown(low), shown(high));
        let (label, positives, images) = (row.label, row.positives, row.images);
        // Writing to a string cannot fail.
        let _ = writeln!(card, "| {label} | {value} | {low} to {high} | {positives} | {images} |");
    }
    let _ = writeln!(
        card,
        "\nIntervals: percentile bootstrap, 2,000 draws of whole groups; {} groups.",
        first.groups
    );
}

/// The networks of series; nothing without any.
fn write_series(card: &mut String, series: &SeriesRuns) {
    if series.stages.is_empty() {
        return;
    }
    card.push_str(
        "\n## Networks of series\n\nThey read what the network above predicts of all slices of a series, \
         in the order of their positions, up and down; their probabilities, the mean over as many \
         networks as the table has, replace those of single slices. A series of fewer than three slices, \
         or a slice without a position, keeps those of single slices, and its result has a warning.\n\n| network | \
         reads | values of each slice | networks | parameters of each |\n|---|---|---:|---:|---:|\n",
    );
    for stage in &series.stages {
        let reads = match stage.reads {
            SeriesInput::Features => "pooled features",
            SeriesInput::FeaturesAndPositions => "pooled features, positions in mm",
            SeriesInput::Probabilities => "probabilities, positions in mm",
        };
        let _ = writeln!(
            card,
            "| {} | {reads} | {} | {} | {} |",
            stage.network,
            stage.columns,
            stage.sha256.len(),
            stage.trainable_parameters
        );
    }
    if series.is_evaluated() {
        card.push_str(
            "\nFigures “out of fold” below are of these runs: each slice is predicted by the \
             networks that did not see its patient, alone and not as a mean over folds.\n",
        );
    }
    for note in &series.notes {
        let _ = writeln!(card, "\n- {note}");
    }
}
