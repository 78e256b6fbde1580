//! Confusion matrices of every network.

use hemora_ct::Label;
use hemora_page::{section, short};
use maud::{Markup, html};

use super::layout::of_first_repeat;
use crate::study::document::StudyDocument;
use crate::study::words::{network_title, question_title, split_title};
use crate::study::{Cell, Draw, Question, SplitKind};

pub(super) fn confusions(document: &StudyDocument) -> Markup {
    let options = &document.options;
    if options.subsets.is_empty() {
        return html! {};
    }
    section(
        "confusion",
        "Confusion matrices",
        html! {
            p {
                "Test images at a threshold of one half" (of_first_repeat(document)) ". Shaded: right."
            }
            @for &types in &options.subsets {
                @let question = Question::AtLeast(types);
                h3 { (question_title(question)) }
                div class="matrices" {
                    @for &split in &options.splits {
                        @for network in &options.networks {
                            (matrix(document, question, split, network))
                        }
                    }
                }
            }
        },
    )
}

/// The matrix of one network; nothing if it was not measured.
fn matrix(document: &StudyDocument, question: Question, split: SplitKind, network: &str) -> Markup {
    let draw = Draw { question, split, repeat: 0 };
    let cell = Cell { network: network.to_owned(), draw };
    let Some(figures) = document.figures(&cell, Label::Any) else { return html! {} };
    let counts = &figures.confusion;
    html! {
        table class="matrix" {
            caption { (short(network_title(network))) ", " (split_title(split).to_lowercase()) }
            thead {
                tr {
                    td {}
                    th scope="col" { "called none" }
                    th scope="col" { "called hemorrhage" }
                }
            }
            tbody {
                tr {
                    th scope="row" { "none" }
                    td class="right" { (counts.true_negatives) }
                    td { (counts.false_positives) }
                }
                tr {
                    th scope="row" { "hemorrhage" }
                    td { (counts.false_negatives) }
                    td class="right" { (counts.true_positives) }
                }
            }
        }
    }
}
