//! The ranked list of studies.

use hemora_model::StudyResult;
use hemora_page::chart::share_bar;
use hemora_page::{count, number, or_dash, section, short};
use maud::{Markup, html};

use crate::leading::leading;
use crate::study::slice_count;

/// The worklist; `studies` are in the order of their rank.
pub(crate) fn worklist(studies: &[&StudyResult]) -> Markup {
    let heads =
        ["Rank", "Study", "Patient", "Slices", "Any hemorrhage", "Leading subtypes", "Warnings"];
    section(
        "worklist",
        "Worklist",
        html! {
            @if studies.is_empty() {
                p { "No study was scored." }
            } @else {
                p {
                    "Ordered by the probability of any hemorrhage, highest first. \
                     A low probability does not exclude hemorrhage."
                }
                div class="scroll" tabindex="0" role="region" aria-labelledby="worklist" {
                    table class="worklist" {
                        thead { tr { @for head in heads { th scope="col" { (head) } } } }
                        tbody {
                            @for (index, study) in studies.iter().enumerate() {
                                (row(index + 1, study))
                            }
                        }
                    }
                }
            }
        },
    )
}

fn row(rank: usize, study: &StudyResult) -> Markup {
    let warnings = study.warnings.len()
        + study.series.iter().map(|series| series.warnings.len()).sum::<usize>();
    let any = study.probabilities.any;
    html! {
        tr {
            td { (rank) }
            th scope="row" class="uid" {
                a href={ "#study-" (rank) } { (or_dash(&study.study_instance_uid)) }
            }
            td class="uid" { (short(&study.patient_id)) }
            td { (slice_count(study)) }
            td { span class="any" { strong { (number::probability(any)) } (share_bar(any)) } }
            td { (leading(&study.probabilities)) }
            td {
                @if warnings == 0 { "none" } @else {
                    strong { (count(warnings, "warning", "warnings")) }
                }
            }
        }
    }
}
