//! The four curves of every label.

use std::io::{self, Write};

use hemora_ct::Label;
use hemora_metrics::{LabelMetrics, wilson};
use hemora_page::{Plot, title};

use super::number::{number_text, point_text};
use super::sections::{in_order, level_title};
use crate::Evaluation;

pub(super) fn write(out: &mut dyn Write, evaluation: &Evaluation) -> io::Result<()> {
    writeln!(
        out,
        "<section aria-labelledby=\"curves\"><h2 id=\"curves\">Curves</h2>\
         <p>Dots are the operating points. Dashed lines are what a coin, or perfect calibration, \
         would give; in the last chart, acting on every item (dashed) and on none (the line at 0).</p>"
    )?;
    for (number, level) in evaluation.levels.iter().enumerate() {
        let open = if number == 0 { " open" } else { "" };
        writeln!(out, "<details{open}><summary>{}</summary>", level_title(level.level))?;
        for label in in_order(&level.metrics.labels) {
            write_label(out, label, level.metrics.items)?;
        }
        writeln!(out, "</details>")?;
    }
    writeln!(out, "</section>")
}

fn write_label(out: &mut dyn Write, label: &LabelMetrics, items: u64) -> io::Result<()> {
    let name = title(label.label);
    let heading = if label.label == Label::Any { "h3 class=\"main\"" } else { "h3" };
    writeln!(out, "<{heading}>{name}: {} of {items} positive</h3>", label.positives)?;
    if label.roc.is_empty() {
        return writeln!(out, "<p>All are of one kind: there are no curves.</p>");
    }
    writeln!(out, "<div class=\"plots\">")?;
    write_roc(out, label, name)?;
    write_precision(out, label, name, items)?;
    write_reliability(out, label, name)?;
    write_decision(out, label, name)?;
    writeln!(out, "</div>")
}

fn write_roc(out: &mut dyn Write, label: &LabelMetrics, name: &str) -> io::Result<()> {
    let mut plot = Plot::new(0.0, 1.0);
    plot.line("chance", [[0.0, 0.0], [1.0, 1.0]]);
    plot.line("curve", label.roc.iter().copied());
    for decisions in &label.decisions {
        let (Some(sensitivity), Some(specificity)) =
            (decisions.sensitivity.value, decisions.specificity.value)
        else {
            continue;
        };
        let text = format!(
            "{}: sensitivity {}, specificity {}",
            point_text(&decisions.point),
            number_text(Some(sensitivity)),
            number_text(Some(specificity))
        );
        plot.dot("point", [1.0 - specificity, sensitivity], 4.0, &text);
    }
    plot.text([0.97, 0.06], "end", &format!("AUROC {}", number_text(label.auroc.value)));
    plot.write(
        out,
        &format!("{name}: receiver operating characteristic"),
        "1 − specificity",
        "sensitivity",
    )
}

fn write_precision(
    out: &mut dyn Write,
    label: &LabelMetrics,
    name: &str,
    items: u64,
) -> io::Result<()> {
    let mut plot = Plot::new(0.0, 1.0);
    let prevalence = label.positives as f64 / items.max(1) as f64;
    plot.line("chance", [[0.0, prevalence], [1.0, prevalence]]);
    plot.line("curve", label.precision_recall.iter().copied());
    for decisions in &label.decisions {
        let (Some(recall), Some(precision)) =
            (decisions.sensitivity.value, decisions.positive_predictive_value.value)
        else {
            continue;
        };
        let text = format!(
            "{}: sensitivity {}, positive predictive value {}",
            point_text(&decisions.point),
            number_text(Some(recall)),
            number_text(Some(precision))
        );
        plot.dot("point", [recall, precision], 4.0, &text);
    }
    let text = format!("AP {}", number_text(label.average_precision.value));
    // In the corner that the curve leaves free.
    let low = prevalence < 0.5;
    plot.text([0.03, if low { prevalence + 0.04 } else { 0.04 }], "start", &text);
    plot.write(
        out,
        &format!("{name}: precision and recall"),
        "sensitivity (recall)",
        "PPV (precision)",
    )
}

fn write_reliability(out: &mut dyn Write, label: &LabelMetrics, name: &str) -> io::Result<()> {
    let mut plot = Plot::new(0.0, 1.0);
    plot.line("chance", [[0.0, 0.0], [1.0, 1.0]]);
    let at = |bin: &hemora_metrics::ReliabilityBin| [bin.mean_probability, bin.share_positive];
    for bin in &label.reliability {
        // The weights are counts; the bars are those of independent items.
        if let Ok(interval) = wilson(bin.positives as u64, bin.weight as u64, 0.95)
            && let (Some(low), Some(high)) = (interval.low, interval.high)
        {
            let x = bin.mean_probability;
            plot.line("whisker", [[x, low], [x, high]]);
        }
    }
    plot.line("curve", label.reliability.iter().map(at));
    let most = label.reliability.iter().map(|bin| bin.weight).fold(1.0, f64::max);
    for bin in &label.reliability {
        // The area of a dot is its share of the items.
        let radius = 1.5 + 4.5 * (bin.weight / most).sqrt();
        let text = format!(
            "{} items: mean probability {}, share positive {}",
            bin.weight,
            number_text(Some(bin.mean_probability)),
            number_text(Some(bin.share_positive))
        );
        plot.dot("bin", at(bin), radius, &text);
    }
    let text = format!("ECE {}", number_text(label.expected_calibration_error));
    plot.text([0.97, 0.06], "end", &text);
    plot.write(out, &format!("{name}: reliability"), "mean probability", "share positive")
}

fn write_decision(out: &mut dyn Write, label: &LabelMetrics, name: &str) -> io::Result<()> {
    let curve = &label.decision_curve;
    let highest = curve.iter().map(|at| at.model.max(at.all)).fold(0.0, f64::max);
    let high = if highest > 0.0 { highest * 1.05 } else { 0.05 };
    let low = -0.25 * high;
    let mut plot = Plot::new(low, high);
    plot.line("zero", [[0.0, 0.0], [1.0, 0.0]]);
    let within = |at: &[f64; 2]| at[1] >= low;
    let all = curve.iter().map(|at| [at.threshold, at.all]);
    plot.line("chance", all.take_while(within));
    plot.line("curve", curve.iter().map(|at| [at.threshold, at.model]).filter(within));
    plot.write(out, &format!("{name}: decision curve"), "threshold probability", "net benefit")
}
