//! The four curves of every label.

use hemora_ct::Label;
use hemora_metrics::{Decisions, LabelMetrics, ReliabilityBin, wilson};
use hemora_page::chart::{Axis, Chart, Frame};
use hemora_page::{number, section, title};
use maud::{Markup, html};

use super::words::{any_first, level_title, point_text};
use crate::Evaluation;

pub(super) fn curves(evaluation: &Evaluation) -> Markup {
    section(
        "curves",
        "Curves",
        html! {
            p {
                "Dots are the operating points. Dashed lines are what a coin, or perfect calibration, \
                 would give; in the last chart, acting on every item (dashed) and on none (the line \
                 at 0)."
            }
            @for (index, level) in evaluation.levels.iter().enumerate() {
                details open[index == 0] {
                    summary { (level_title(level.level)) }
                    @for label in any_first(&level.metrics.labels) {
                        (label_curves(label, level.metrics.items))
                    }
                }
            }
        },
    )
}

/// The curves of one label.
fn label_curves(label: &LabelMetrics, items: u64) -> Markup {
    let name = title(label.label);
    html! {
        h3 class=[(label.label == Label::Any).then_some("main")] {
            (name) ": " (label.positives) " of " (items) " positive"
        }
        @if label.roc.is_empty() {
            p { "All are of one kind: there are no curves." }
        } @else {
            div class="plots" {
                (roc(label, name)) (precision(label, name, items)) (reliability(label, name))
                (decision(label, name))
            }
        }
    }
}

/// A chart over 0–1 across, and from `low` to `high` upwards.
fn chart(across: &str, up: &str, [low, high]: [f64; 2]) -> Chart {
    Chart::new(Frame::SMALL, Axis::share(across), Axis::linear(up, [low, high], 5, 1e-6))
}

/// An operating point with two of its figures, for the pointer.
fn point(decisions: &Decisions, name: &str, value: f64, sensitivity: f64) -> String {
    format!(
        "{}: sensitivity {}, {name} {}",
        point_text(&decisions.point),
        number::decimal(Some(sensitivity)),
        number::decimal(Some(value))
    )
}

fn roc(label: &LabelMetrics, name: &str) -> Markup {
    let mut chart = chart("1 − specificity", "sensitivity", [0.0, 1.0]);
    chart.line("chance", [[0.0, 0.0], [1.0, 1.0]]);
    chart.line("curve", label.roc.iter().copied());
    for decisions in &label.decisions {
        if let (Some(sensitivity), Some(specificity)) =
            (decisions.sensitivity.value, decisions.specificity.value)
        {
            let text = point(decisions, "specificity", specificity, sensitivity);
            chart.dot("point", [1.0 - specificity, sensitivity], 4.0, &text);
        }
    }
    chart.text([0.97, 0.06], "end", &format!("AUROC {}", number::decimal(label.auroc.value)));
    chart.picture("small", &format!("{name}: receiver operating characteristic"))
}

fn precision(label: &LabelMetrics, name: &str, items: u64) -> Markup {
    let mut chart = chart("sensitivity (recall)", "PPV (precision)", [0.0, 1.0]);
    let prevalence = label.positives as f64 / items.max(1) as f64;
    chart.line("chance", [[0.0, prevalence], [1.0, prevalence]]);
    chart.line("curve", label.precision_recall.iter().copied());
    for decisions in &label.decisions {
        if let (Some(recall), Some(precision)) =
            (decisions.sensitivity.value, decisions.positive_predictive_value.value)
        {
            let text = point(decisions, "positive predictive value", precision, recall);
            chart.dot("point", [recall, precision], 4.0, &text);
        }
    }
    let text = format!("AP {}", number::decimal(label.average_precision.value));
    // In the corner that the curve leaves free.
    let low = prevalence < 0.5;
    chart.text([0.03, if low { prevalence + 0.04 } else { 0.04 }], "start", &text);
    chart.picture("small", &format!("{name}: precision and recall"))
}

fn reliability(label: &LabelMetrics, name: &str) -> Markup {
    let mut chart = chart("mean probability", "share positive", [0.0, 1.0]);
    chart.line("chance", [[0.0, 0.0], [1.0, 1.0]]);
    let at = |bin: &ReliabilityBin| [bin.mean_probability, bin.share_positive];
    for bin in &label.reliability {
        // The weights are counts; the bars are those of independent items.
        if let Ok(interval) = wilson(bin.positives as u64, bin.weight as u64, 0.95)
            && let (Some(low), Some(high)) = (interval.low, interval.high)
        {
            let x = bin.mean_probability;
            chart.line("whisker", [[x, low], [x, high]]);
        }
    }
    chart.line("curve", label.reliability.iter().map(at));
    let most = label.reliability.iter().map(|bin| bin.weight).fold(1.0, f64::max);
    for bin in &label.reliability {
        // The area of a dot is its share of the items.
        let radius = 1.5 + 4.5 * (bin.weight / most).sqrt();
        let text = format!(
            "{} items: mean probability {}, share positive {}",
            bin.weight,
            number::decimal(Some(bin.mean_probability)),
            number::decimal(Some(bin.share_positive))
        );
        chart.dot("bin", at(bin), radius, &text);
    }
    let text = format!("ECE {}", number::decimal(label.expected_calibration_error));
    chart.text([0.97, 0.06], "end", &text);
    chart.picture("small", &format!("{name}: reliability"))
}

fn decision(label: &LabelMetrics, name: &str) -> Markup {
    let curve = &label.decision_curve;
    let highest = curve.iter().map(|at| at.model.max(at.all)).fold(0.0, f64::max);
    let high = if highest > 0.0 { highest * 1.05 } else { 0.05 };
    let low = -0.25 * high;
    let mut chart = chart("threshold probability", "net benefit", [low, high]);
    chart.line("zero", [[0.0, 0.0], [1.0, 0.0]]);
    let within = |at: &[f64; 2]| at[1] >= low;
    let all = curve.iter().map(|at| [at.threshold, at.all]);
    chart.line("chance", all.take_while(within));
    chart.line("curve", curve.iter().map(|at| [at.threshold, at.model]).filter(within));
    chart.picture("small", &format!("{name}: decision curve"))
}
