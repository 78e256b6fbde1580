//! Slices that look alike, and labels that contradict each other on them.

use hemora_page::{section, short, table, title};
use maud::{Markup, html};

use crate::{DifferingLabel, Duplicate, Evaluation};

pub(super) fn alike(evaluation: &Evaluation) -> Markup {
    let Some(duplicates) = &evaluation.duplicates else { return html! {} };
    let listed = &duplicates.listed;
    let rows = html! { @for pair in listed { (row(pair)) } };
    section(
        "alike",
        "Slices that look alike",
        html! {
            p {
                (duplicates.compared) " slices were compared by what they show, "
                (duplicates.left_out) " left out (nothing known of their pixels, or next to nothing \
                to see). " strong { (duplicates.pairs) } " pairs look alike, "
                (duplicates.across_groups) " of them in two groups, and of "
                strong { (duplicates.conflicts) } " the labels differ. These are candidates to look \
                at: a copy, one patient under two names, or an error in the labels."
            }
            @if !listed.is_empty() {
                @if duplicates.pairs > listed.len() as u64 {
                    p { "The first " (listed.len()) " are listed." }
                }
                (table(["Slice", "Looks like", "Alike", "Group", "Labels"], rows))
            }
        },
    )
}

fn row(pair: &Duplicate) -> Markup {
    html! {
        tr {
            th scope="row" class="uid" { (short(&pair.ids[0])) }
            td class="uid" { (short(&pair.ids[1])) }
            td {
                @if pair.same_file { "the same file" } @else {
                    (pair.distance) " of 256 bits differ"
                }
            }
            td {
                @match pair.same_group {
                    None => "not known",
                    Some(true) => "the same",
                    Some(false) => "another",
                }
            }
            td class="wrap" { (labels(pair)) }
        }
    }
}

fn labels(pair: &Duplicate) -> String {
    if pair.differing.is_empty() {
        return "the same".to_owned();
    }
    let text = |label: &DifferingLabel| {
        let has = if label.has == 0 { "first" } else { "second" };
        format!("{} only in the {has}", title(label.label).to_lowercase())
    };
    pair.differing.iter().map(text).collect::<Vec<_>>().join(", ")
}
