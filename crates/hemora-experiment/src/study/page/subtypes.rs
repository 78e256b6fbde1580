//! The five subtypes as a multi-label problem.

use hemora_ct::Label;
use hemora_page::{section, short, table, title};
use maud::{Markup, html};

use super::results::{figure, row_class};
use crate::study::document::StudyDocument;
use crate::study::markdown::{rows, who_title};
use crate::study::summary::Summary;
use crate::study::words::{decimal, split_title};
use crate::study::{Draw, Question, SplitKind};

pub(super) fn subtypes(document: &StudyDocument) -> Markup {
    if !document.options.subtypes {
        return html! {};
    }
    section(
        "subtypes",
        "The five subtypes as a multi-label problem: AUC",
        html! {
            p {
                "The experiment that the authors found unsuccessful: five probabilities a slice, on \
                 slices with at least one type and slices without any."
            }
            @for (index, &split) in document.options.splits.iter().enumerate() {
                h3 { (split_title(split)) }
                (split_table(document, split, index))
            }
        },
    )
}

/// The AUC of every subtype for a split, which is the one at `index` of the study's.
fn split_table(document: &StudyDocument, split: SplitKind, index: usize) -> Markup {
    let draw = Draw { question: Question::Subtypes, split, repeat: 0 };
    let result = document.draws.iter().find(|result| result.draw == draw);
    let test = result.and_then(|result| result.parts.last());
    let positives = |label| test.and_then(|part| part.positives.get(&label)).copied().unwrap_or(0);
    let head = |label: Label| {
        html! { (title(label)) " " span class="ci" { (positives(label)) " positive" } }
    };
    let heads = std::iter::once(html! {}).chain(Label::SUBTYPES.map(head));
    let columns = Label::SUBTYPES.map(|label| rows(document, Question::Subtypes, label));
    let body = html! {
        @for (who, _) in &columns[0] {
            tr class=[row_class(who)] {
                th scope="row" { (short(who_title(who))) }
                @for column in &columns {
                    @let row = column.iter().find(|(other, _)| other == who);
                    @let summary: Option<&Summary> = row.and_then(|(_, splits)| splits[index]);
                    td {
                        @match summary {
                            Some(summary) => (figure(&summary.auc, decimal)),
                            None => "–",
                        }
                    }
                }
            }
        }
    };
    table(heads, body)
}
