//! Several evaluations side by side.

use std::fmt::Write;

use hemora_ct::Label;
use hemora_metrics::{Interval, LabelMetrics, Level};
use hemora_page::title;

use crate::Evaluation;
use crate::markdown::{comparison_table, plain};
use crate::page::interval_text;

/// A figure of a label, by name.
type Figure = (&'static str, fn(&LabelMetrics) -> &Interval);

const FIGURES: [Figure; 4] = [
    ("AUROC", |label| &label.auroc),
    ("average precision", |label| &label.average_precision),
    ("log loss", |label| &label.log_loss),
    ("Brier", |label| &label.brier),
];

/// Markdown tables with a column an evaluation. Evaluations of different predictions' slices are
/// shown and said not to be comparable.
pub fn side_by_side(evaluations: &[Evaluation]) -> String {
    let mut text = String::new();
    // Labels that stand in the predictions cannot be compared: then only the ids can.
    let same = |one: &Evaluation| {
        let labels = one.labels.as_ref().map(|file| file.sha256.clone());
        (one.alignment.evaluated, one.ids_sha256.clone(), labels)
    };
    // Writing to a string cannot fail.
    if evaluations.windows(2).any(|pair| same(&pair[0]) != same(&pair[1])) {
        let _ = writeln!(
            text,
            "**Not the same cases: the numbers or labels of the slices differ, so that differences \
             may come from the data. `hemora evaluate --compare` compares on the same slices.**\n"
        );
    }
    let head = |text: &mut String, first: &str| {
        let names: Vec<String> = evaluations.iter().map(|one| plain(&one.name)).collect();
        let _ = writeln!(text, "| {first} | {} |", names.join(" | "));
        let _ = writeln!(text, "|---|{}", "---|".repeat(names.len()));
    };
    head(&mut text, "");
    row(&mut text, "slices", evaluations, |one| one.alignment.evaluated.to_string());
    row(&mut text, "groups", evaluations, |one| one.grouping.groups.to_string());
    row(&mut text, "tuned on these cases", evaluations, |one| {
        if one.tuned_on_these_cases { "yes".to_owned() } else { "no".to_owned() }
    });
    for level in [Level::Slice, Level::Series, Level::Study] {
        if !evaluations.iter().any(|one| at(one, level).is_some()) {
            continue;
        }
        for (name, figure) in FIGURES {
            let _ = writeln!(text);
            head(&mut text, &format!("{name} by {level}"));
            for label in Label::ALL.into_iter().rev() {
                row(&mut text, title(label), evaluations, |one| {
                    let labels = at(one, level).into_iter().flatten();
                    let mut found = labels.filter(|one| one.label == label);
                    found.next().map_or("–".to_owned(), |one| interval_text(figure(one)))
                });
            }
        }
    }
    for evaluation in evaluations {
        differences(&mut text, evaluation);
    }
    text
}

/// The comparison of an evaluation's model with another.
fn differences(text: &mut String, evaluation: &Evaluation) {
    let Some(comparison) = &evaluation.comparison else { return };
    let _ = writeln!(
        text,
        "\n{} minus {}, on the same slices; p adjusted for the labels (Holm):\n",
        plain(&evaluation.name),
        plain(&comparison.other.file)
    );
    comparison_table(text, comparison);
}

fn at(evaluation: &Evaluation, level: Level) -> Option<&[LabelMetrics]> {
    let found = evaluation.levels.iter().find(|one| one.level == level)?;
    Some(&found.metrics.labels)
}

fn row(
    text: &mut String,
    name: &str,
    evaluations: &[Evaluation],
    cell: impl Fn(&Evaluation) -> String,
) {
    let cells: Vec<String> = evaluations.iter().map(cell).collect();
    let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
}
