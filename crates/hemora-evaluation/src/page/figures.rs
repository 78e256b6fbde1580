//! The table of figures of every level.

use hemora_metrics::Level;
use hemora_page::{number, section, table, title};
use maud::{Markup, html};

use super::words::{any_first, aside, interval_cell, interval_text, level_title};
use crate::{Evaluation, LevelMetrics};

pub(super) fn figures(evaluation: &Evaluation) -> Markup {
    let bootstrap = &evaluation.bootstrap;
    section(
        "figures",
        "Figures",
        html! {
            p {
                "With " (format!("{:.0}", bootstrap.confidence * 100.0)) " % intervals from "
                (bootstrap.repeats) " resamples of whole groups."
            }
            @for level in &evaluation.levels { (level_figures(level)) }
        },
    )
}

fn level_figures(level: &LevelMetrics) -> Markup {
    let metrics = &level.metrics;
    let heads =
        ["Label", "Positive", "AUROC", "Average precision", "Log loss", "Brier score", "ECE"];
    let rows = html! {
        @for label in any_first(&metrics.labels) {
            tr {
                th scope="row" { (title(label.label)) }
                td { (label.positives) " " (aside(&format!("in {} groups", label.positive_groups))) }
                (interval_cell(&label.auroc))
                (interval_cell(&label.average_precision))
                (interval_cell(&label.log_loss))
                (interval_cell(&label.brier))
                td { (number::decimal(label.expected_calibration_error)) }
            }
        }
        @if metrics.labels.len() > 1 {
            tr class="mean" {
                th scope="row" { "Mean" }
                td {}
                (interval_cell(&metrics.mean_auroc))
                (interval_cell(&metrics.mean_average_precision))
                td {} td {} td {}
            }
        }
    };
    let competition = metrics.competition_log_loss.filter(|_| level.level == Level::Slice);
    html! {
        h3 { (level_title(level.level)) ": " (metrics.items) " from " (metrics.groups) " groups" }
        (table(heads, rows))
        @if let Some(loss) = competition {
            p { "Weighted log loss of the RSNA 2019 challenge: " (interval_text(&loss)) }
        }
    }
}
