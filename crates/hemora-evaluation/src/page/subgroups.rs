//! Subgroups of slices.

use hemora_ct::Label;
use hemora_page::chart::interval;
use hemora_page::{section, short, table, title};
use maud::{Markup, html};

use super::words::{aside, interval_cell, interval_text, point_name_text, tuned_mark};
use crate::{Evaluation, Subgroup, SubgroupLabel};

pub(super) fn subgroups(evaluation: &Evaluation) -> Markup {
    if evaluation.subgroups.is_empty() && evaluation.undivided.is_empty() {
        return html! {};
    }
    let undivided = evaluation.undivided.join(", ");
    section(
        "subgroups",
        "Subgroups of slices",
        html! {
            p {
                "‡ fewer than ten positives or negatives, or fewer than five groups: such a row says \
                 little. Many rows are shown, so that some differ by chance."
            }
            @if !undivided.is_empty() {
                p { "Columns of the index with one value for all slices: " (short(&undivided)) "." }
            }
            @for label in Label::ALL.into_iter().rev() { (subgroups_of_label(evaluation, label)) }
        },
    )
}

fn subgroups_of_label(evaluation: &Evaluation, label: Label) -> Markup {
    let groups: Vec<_> = evaluation
        .subgroups
        .iter()
        .filter_map(|group| {
            Some((group, group.labels.iter().find(|figures| figures.label == label)?))
        })
        .collect();
    if groups.is_empty() {
        return html! {};
    }
    let heads = [
        "Column",
        "Value",
        "Slices",
        "Groups",
        "Positive",
        "AUROC",
        "0.5 to 1",
        "Operating points: sensitivity, specificity",
    ];
    let rows = html! {
        @for (index, (group, figures)) in groups.iter().enumerate() {
            // A column is named where it begins.
            @let begins = index == 0 || groups[index - 1].0.column != group.column;
            (row(group, figures, begins, tuned_mark(evaluation)))
        }
    };
    html! {
        details open[label == Label::Any] {
            summary { (title(label)) }
            (table(heads, rows))
        }
    }
}

fn row(group: &Subgroup, figures: &SubgroupLabel, names_column: bool, mark: &str) -> Markup {
    let auroc = &figures.auroc;
    html! {
        tr class=[figures.small.then_some("small")] {
            td { @if names_column { (short(&group.column)) } }
            th scope="row" { (short(&group.value)) @if figures.small { "‡" } }
            td { (group.items) }
            td { (group.groups) }
            td { (figures.positives) }
            (interval_cell(auroc))
            td { (interval([0.5, 1.0], auroc.value, auroc.low, auroc.high)) }
            td {
                @for decision in &figures.decisions {
                    (point_name_text(&decision.name)) (mark) ": " (interval_text(&decision.sensitivity))
                    (aside(&format!("specificity {}", interval_text(&decision.specificity))))
                }
            }
        }
    }
}
