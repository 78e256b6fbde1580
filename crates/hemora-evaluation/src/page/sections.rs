//! The tables of figures, operating points and calibration.

use std::io::{self, Write};

use hemora_ct::Label;
use hemora_metrics::{LabelMetrics, Level, OperatingRule};
use hemora_page::{Escaped, close_table, open_table, title};

use super::number::{interval_cell, interval_text, number_text, point_text};
use crate::{Evaluation, LevelMetrics};

/// Any hemorrhage first, then the others in label order.
pub(super) fn in_order(labels: &[LabelMetrics]) -> impl Iterator<Item = &LabelMetrics> {
    let any = labels.iter().filter(|label| label.label == Label::Any);
    any.chain(labels.iter().filter(|label| label.label != Label::Any))
}

pub(super) fn level_title(level: Level) -> &'static str {
    match level {
        Level::Slice => "Slices",
        Level::Series => "Series",
        Level::Study => "Studies",
    }
}

pub(super) fn write_figures(out: &mut dyn Write, evaluation: &Evaluation) -> io::Result<()> {
    let confidence = evaluation.bootstrap.confidence * 100.0;
    writeln!(
        out,
        "<section aria-labelledby=\"figures\"><h2 id=\"figures\">Figures</h2>\
         <p>With {confidence:.0} % intervals from {} resamples of whole groups.</p>",
        evaluation.bootstrap.repeats
    )?;
    for level in &evaluation.levels {
        write_level(out, level)?;
    }
    writeln!(out, "</section>")
}

fn write_level(out: &mut dyn Write, level: &LevelMetrics) -> io::Result<()> {
    let metrics = &level.metrics;
    writeln!(
        out,
        "<h3>{}: {} from {} groups</h3>",
        level_title(level.level),
        metrics.items,
        metrics.groups
    )?;
    open_table(
        out,
        &["Label", "Positive", "AUROC", "Average precision", "Log loss", "Brier score", "ECE"],
    )?;
    for label in in_order(&metrics.labels) {
        writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{} <span class=\"ci\">in {} groups</span></td>{}{}{}{}<td>{}</td></tr>",
            title(label.label),
            label.positives,
            label.positive_groups,
            interval_cell(&label.auroc),
            interval_cell(&label.average_precision),
            interval_cell(&label.log_loss),
            interval_cell(&label.brier),
            number_text(label.expected_calibration_error)
        )?;
    }
    if metrics.labels.len() > 1 {
        writeln!(
            out,
            "<tr class=\"mean\"><th scope=\"row\">Mean</th><td></td>{}{}<td></td><td></td><td></td></tr>",
            interval_cell(&metrics.mean_auroc),
            interval_cell(&metrics.mean_average_precision)
        )?;
    }
    close_table(out)?;
    if let Some(loss) = metrics.competition_log_loss.filter(|_| level.level == Level::Slice) {
        writeln!(
            out,
            "<p>Weighted log loss of the RSNA 2019 challenge: {}</p>",
            interval_text(&loss)
        )?;
    }
    Ok(())
}

pub(super) fn write_points(out: &mut dyn Write, evaluation: &Evaluation) -> io::Result<()> {
    let any = evaluation
        .levels
        .iter()
        .any(|level| level.metrics.labels.iter().any(|label| !label.decisions.is_empty()));
    writeln!(out, "<section aria-labelledby=\"points\"><h2 id=\"points\">Operating points</h2>")?;
    if !any {
        return writeln!(
            out,
            "<p>None was given, so nothing is said about decisions. Choose some on other patients \
             with <code>hemora calibrate</code>.</p></section>"
        );
    }
    let first = evaluation
        .levels
        .iter()
        .flat_map(|level| &level.metrics.labels)
        .find_map(|label| label.decisions.first());
    let prevalences: Vec<f64> = first
        .map(|decisions| decisions.at_prevalence.iter().map(|at| at.prevalence).collect())
        .unwrap_or_default();
    for level in &evaluation.levels {
        if level.metrics.labels.iter().all(|label| label.decisions.is_empty()) {
            continue;
        }
        // Studies are what is read: their series are there for who unfolds them.
        let folded = level.level == Level::Series
            && evaluation.levels.iter().any(|other| other.level == Level::Study);
        if folded {
            writeln!(out, "<details><summary>{}</summary>", level_title(level.level))?;
        } else {
            writeln!(out, "<h3>{}</h3>", level_title(level.level))?;
        }
        let at = prevalences
            .iter()
            .map(|prevalence| format!("PPV, NPV at {}\u{a0}%", number_of_percent(*prevalence)));
        let mut columns: Vec<String> = [
            "Label",
            "Point",
            "Threshold",
            "Sensitivity",
            "Specificity",
            "PPV",
            "NPV",
            "Accuracy",
            "F1",
            "MCC",
            "TP, FN; FP, TN",
        ]
        .map(str::to_owned)
        .to_vec();
        columns.extend(at);
        open_table(out, &columns.iter().map(String::as_str).collect::<Vec<_>>())?;
        for label in in_order(&level.metrics.labels) {
            for decisions in &label.decisions {
                let point = &decisions.point;
                let origin = match (&point.origin, point.rule) {
                    (Some(origin), _) => format!("chosen on {}", Escaped(&origin.file)),
                    (None, OperatingRule::Fixed(_)) => "given beforehand".to_owned(),
                    (None, _) => "origin not stated".to_owned(),
                };
                let mark = if evaluation.tuned_on_these_cases { "†" } else { "" };
                let counts = &decisions.counts;
                write!(
                    out,
                    "<tr><th scope=\"row\">{}</th><td>{}{mark} <span class=\"ci\">{origin}</span></td>\
                     <td>{:.4}</td>{}{}{}{}{}{}{}<td>{}, {} <span class=\"ci\">{}, {}</span></td>",
                    title(label.label),
                    point_text(point),
                    point.threshold,
                    interval_cell(&decisions.sensitivity),
                    interval_cell(&decisions.specificity),
                    interval_cell(&decisions.positive_predictive_value),
                    interval_cell(&decisions.negative_predictive_value),
                    interval_cell(&decisions.accuracy),
                    interval_cell(&decisions.f1),
                    interval_cell(&decisions.matthews),
                    counts.true_positives,
                    counts.false_negatives,
                    counts.false_positives,
                    counts.true_negatives,
                )?;
                for at in &decisions.at_prevalence {
                    write!(
                        out,
                        "<td>{} <span class=\"ci\">{}</span></td>",
                        number_text(at.positive_predictive_value.value),
                        number_text(at.negative_predictive_value.value)
                    )?;
                }
                writeln!(out, "</tr>")?;
            }
        }
        close_table(out)?;
        if folded {
            writeln!(out, "</details>")?;
        }
    }
    writeln!(out, "</section>")
}

fn number_of_percent(share: f64) -> String {
    let percent = format!("{:.2}", share * 100.0);
    percent.trim_end_matches('0').trim_end_matches('.').to_owned()
}

pub(super) fn write_calibration(out: &mut dyn Write, evaluation: &Evaluation) -> io::Result<()> {
    let Some(effect) = &evaluation.calibration else { return Ok(()) };
    writeln!(
        out,
        "<section aria-labelledby=\"calibration\"><h2 id=\"calibration\">Calibration</h2>\
         <p>Probabilities of slices were calibrated ({}), fitted on {} ({} slices, {} groups).</p>",
        effect.method,
        Escaped(&effect.origin.file),
        effect.origin.items,
        effect.origin.groups
    )?;
    open_table(
        out,
        &["Label", "Log loss before", "after", "Brier before", "after", "ECE before", "after"],
    )?;
    for label in &effect.labels {
        let (a, b) = (&label.before, &label.after);
        writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            title(label.label),
            number_text(a.log_loss),
            number_text(b.log_loss),
            number_text(a.brier),
            number_text(b.brier),
            number_text(a.expected_calibration_error),
            number_text(b.expected_calibration_error)
        )?;
    }
    close_table(out)?;
    writeln!(out, "</section>")
}
