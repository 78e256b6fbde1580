//! Lesions found and missed.

use hemora_ct::Label;
use hemora_metrics::{LesionDecisions, LesionLength};
use hemora_page::{number, section, table, title};
use maud::{Markup, html};

use super::words::{aside, interval_cell, point_name_text, tuned_mark};
use crate::Evaluation;

pub(super) fn lesions(evaluation: &Evaluation) -> Markup {
    let Some(lesions) = &evaluation.lesions else { return html! {} };
    let Some(first) = lesions.labels.iter().find_map(|label| label.decisions.first()) else {
        return html! {};
    };
    let mut heads =
        ["Label", "Point", "Lesions", "Found", "False alarms a series"].map(str::to_owned).to_vec();
    heads.extend(first.lengths.iter().map(length));
    let (any, rest): (Vec<_>, Vec<_>) =
        lesions.labels.iter().partition(|label| label.label == Label::Any);
    let rows = html! {
        @for label in any.into_iter().chain(rest) {
            @for decisions in &label.decisions {
                tr {
                    th scope="row" { (title(label.label)) }
                    td { (point_name_text(&decisions.name)) (tuned_mark(evaluation)) }
                    td { (label.runs) }
                    (interval_cell(&decisions.sensitivity))
                    (interval_cell(&decisions.false_runs_a_series))
                    (length_cells(decisions))
                }
            }
        }
    };
    section(
        "lesions",
        "Lesions",
        html! {
            p {
                "A run of neighbouring slices with a label counts as one lesion; it is found if one of \
                 its slices is called positive. A false alarm is a run of called slices without a \
                 positive one. Two lesions in the same slices count as one. "
                (lesions.series) " series in the order of their slices"
                @if lesions.unordered_series > 0 {
                    "; of " (lesions.unordered_series) " more the order is not known"
                }
                "."
            }
            (table(heads, rows))
        },
    )
}

/// What a column of lengths is called.
fn length(length: &LesionLength) -> String {
    match (length.from, length.to) {
        (1, Some(1)) => "1 slice".to_owned(),
        (from, Some(to)) => format!("{from} to {to} slices"),
        (from, None) => format!("{from} or more"),
    }
}

/// How many of each length are found, with their share of a hundred.
fn length_cells(decisions: &LesionDecisions) -> Markup {
    html! {
        @for length in &decisions.lengths {
            td {
                @if let Some(share) = length.found.value {
                    (length.found.count) " of " (length.found.total) " "
                    (aside(&format!("{} %", number::of_hundred(share))))
                } @else { "–" }
            }
        }
    }
}
