//! The comparison with another model.

use hemora_page::{number, section, short, table, title};
use maud::{Markup, html};

use super::words::{interval_cell, level_title};
use crate::Evaluation;
use crate::markdown::OTHER_UNCALIBRATED;

pub(super) fn comparison(evaluation: &Evaluation) -> Markup {
    let Some(comparison) = &evaluation.comparison else { return html! {} };
    let heads = [
        "Level",
        "Label",
        "AUROC of the other",
        "AUROC, difference",
        "p, resampled",
        "p, DeLong",
        "Average precision",
        "Log loss",
        "Brier score",
    ];
    let rows = html! {
        @for label in &comparison.labels {
            @let difference = &label.difference;
            tr {
                td { (level_title(label.level)) }
                th scope="row" { (title(label.label)) }
                @if let Some(auroc) = &difference.second_auroc { (interval_cell(auroc)) } @else {
                    td { "–" }
                }
                (interval_cell(&difference.auroc))
                td { (number::p_value(label.auroc_p_value_holm)) }
                td { (number::p_value(label.delong_p_value_holm)) }
                (interval_cell(&difference.average_precision))
                (interval_cell(&difference.log_loss))
                (interval_cell(&difference.brier))
            }
        }
    };
    section(
        "comparison",
        html! { "Compared with " (short(&comparison.other.file)) },
        html! {
            p {
                "This model minus the other, on the same cases and the same resamples. A difference in \
                 AUROC above 0, or in a loss below 0, speaks for this model. p-values are adjusted for \
                 the number of labels (Holm)."
            }
            @if evaluation.calibration.is_some() { p { (OTHER_UNCALIBRATED) } }
            (table(heads, rows))
        },
    )
}
