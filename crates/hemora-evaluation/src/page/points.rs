//! The tables of operating points and of the calibration.

use hemora_metrics::{DECISION_METRICS, Decisions, LabelMetrics, Level, OperatingRule};
use hemora_page::{number, section, short, table, title};
use maud::{Markup, html};

use super::words::{any_first, aside, interval_cell, level_title, point_text, tuned_mark};
use crate::{Evaluation, LevelMetrics};

pub(super) fn points(evaluation: &Evaluation) -> Markup {
    let with_points: Vec<&LevelMetrics> = evaluation
        .levels
        .iter()
        .filter(|level| level.metrics.labels.iter().any(|label| !label.decisions.is_empty()))
        .collect();
    let studies = evaluation.levels.iter().any(|level| level.level == Level::Study);
    section(
        "points",
        "Operating points",
        html! {
            @if with_points.is_empty() {
                p {
                    "None was given, so there are no figures of decisions. Choose some on other \
                     patients with " code { "hemora calibrate" } "."
                }
            }
            @for level in with_points {
                // Studies are what is read: their series are there for who unfolds them.
                @if level.level == Level::Series && studies {
                    details {
                        summary { (level_title(level.level)) }
                        (level_points(evaluation, level))
                    }
                } @else {
                    h3 { (level_title(level.level)) }
                    (level_points(evaluation, level))
                }
            }
        },
    )
}

fn level_points(evaluation: &Evaluation, level: &LevelMetrics) -> Markup {
    let metrics = DECISION_METRICS.iter().map(|metric| metric.title);
    let names = ["Label", "Point", "Threshold"].into_iter().chain(metrics);
    let names = names.map(|name| html! { (name) });
    // As in the cells below, the second of two figures is in a lighter line.
    let counts = html! { "TP,\u{a0}FN" (aside("FP, TN")) };
    let first = level.metrics.labels.iter().find_map(|label| label.decisions.first());
    let prevalences = first.into_iter().flat_map(|decisions| &decisions.at_prevalence);
    let prevalences = prevalences.map(|at| {
        let percent = number::short_percent(at.prevalence);
        html! { "PPV at " (percent) "\u{a0}%" (aside(&format!("NPV at {percent}\u{a0}%"))) }
    });
    let heads = names.chain([counts]).chain(prevalences);
    let rows = html! {
        @for label in any_first(&level.metrics.labels) {
            @for decisions in &label.decisions { (row(evaluation, label, decisions)) }
        }
    };
    table(heads, rows)
}

fn row(evaluation: &Evaluation, label: &LabelMetrics, decisions: &Decisions) -> Markup {
    let point = &decisions.point;
    let origin = match (&point.origin, point.rule) {
        (Some(origin), _) => format!("chosen on {}", short(&origin.file)),
        (None, OperatingRule::Fixed(_)) => "given beforehand".to_owned(),
        (None, _) => "origin not stated".to_owned(),
    };
    let counts = &decisions.counts;
    html! {
        tr {
            th scope="row" { (title(label.label)) }
            td {
                (point_text(point)) (tuned_mark(evaluation)) " " (aside(&origin))
            }
            td { (format!("{:.4}", point.threshold)) }
            @for metric in DECISION_METRICS { (interval_cell((metric.interval)(decisions))) }
            td {
                (counts.true_positives) ", " (counts.false_negatives) " "
                (aside(&format!("{}, {}", counts.false_positives, counts.true_negatives)))
            }
            @for at in &decisions.at_prevalence {
                td {
                    (number::decimal(at.positive_predictive_value.value)) " "
                    (aside(&number::decimal(at.negative_predictive_value.value)))
                }
            }
        }
    }
}

pub(super) fn calibration(evaluation: &Evaluation) -> Markup {
    let Some(effect) = &evaluation.calibration else { return html! {} };
    let heads =
        ["Label", "Log loss before", "after", "Brier before", "after", "ECE before", "after"];
    let rows = html! {
        @for label in &effect.labels {
            @let (before, after) = (&label.before, &label.after);
            tr {
                th scope="row" { (title(label.label)) }
                td { (number::decimal(before.log_loss)) }
                td { (number::decimal(after.log_loss)) }
                td { (number::decimal(before.brier)) }
                td { (number::decimal(after.brier)) }
                td { (number::decimal(before.expected_calibration_error)) }
                td { (number::decimal(after.expected_calibration_error)) }
            }
        }
    };
    section(
        "calibration",
        "Calibration",
        html! {
            p {
                "Probabilities of slices were calibrated (" (effect.method.to_string())
                "), fitted on " (short(&effect.origin.file)) " (" (effect.origin.items) " slices, "
                (effect.origin.groups) " groups)."
            }
            (table(heads, rows))
        },
    )
}
