//! The table of results as in the presentation, beside what the study reports.

use hemora_ct::Label;
use hemora_page::{section, short};
use maud::{Markup, html};

use crate::study::baseline::BaselineKind;
use crate::study::document::{Outcome, REPORTED_MAJORITY, StudyDocument};
use crate::study::markdown::{rows, who_title};
use crate::study::summary::{Figure, Summary, Who};
use crate::study::words::{decimal, percent, question_title, split_title, spread};
use crate::study::{Cell, Draw, FEW_POSITIVES, Question};

/// A figure, and in a lighter line what stands behind it: the content of a cell.
pub(super) fn figure(figure: &Figure, text: fn(Option<f64>) -> String) -> Markup {
    let behind = spread(figure, text);
    html! {
        (text(figure.mean))
        @if !behind.is_empty() { " " span class="ci" { (behind) } }
    }
}

/// The class of a row: baselines are quiet.
pub(super) fn row_class(who: &Who) -> Option<&'static str> {
    matches!(who, Who::Baseline(_)).then_some("baseline")
}

pub(super) fn results(document: &StudyDocument) -> Markup {
    let (splits, subsets) = (&document.options.splits, &document.options.subsets);
    if subsets.is_empty() {
        return html! {};
    }
    section(
        "results",
        "Results",
        html! {
            p {
                "Accuracy at a threshold of one half. The seed study split its images probably by \
                 image: compare its figures with that side, and believe the side by patient."
            }
            div class="scroll" tabindex="0" {
                table class="numbers results" {
                    thead {
                        tr {
                            td {}
                            @for &split in splits {
                                th scope="colgroup" colspan="3" { (split_title(split)) }
                            }
                            th scope="colgroup" colspan="3" { "The study reports" }
                        }
                        tr {
                            td {}
                            @for _ in 0..=splits.len() {
                                th scope="col" class="first" { "Accuracy" }
                                th scope="col" { "MSE" }
                                th scope="col" { "AUC" }
                            }
                        }
                    }
                    @for &types in subsets { (subset(document, types)) }
                }
            }
        },
    )
}

fn subset(document: &StudyDocument, types: usize) -> Markup {
    let question = Question::AtLeast(types);
    let columns = 1 + 3 * (document.options.splits.len() + 1);
    html! {
        tbody {
            tr class="group" {
                th scope="rowgroup" colspan=(columns) {
                    (question_title(question)) " against none"
                    span class="ci" { (tested(document, question)) }
                }
            }
            @for (who, summaries) in rows(document, question, Label::Any) {
                tr class=[row_class(&who)] {
                    th scope="row" { (short(who_title(&who))) }
                    @for (index, summary) in summaries.into_iter().enumerate() {
                        @match summary {
                            Some(summary) => (split_cells(summary)),
                            None => td class="first" colspan="3" {
                                (missing(document, &who, question, index))
                            },
                        }
                    }
                    (reported_cells(document, &who, types))
                }
            }
        }
    }
}

fn split_cells(summary: &Summary) -> Markup {
    html! {
        td class="first" { (figure(&summary.accuracy, percent)) }
        td { (figure(&summary.mse, decimal)) }
        td { (figure(&summary.auc, decimal)) }
    }
}

/// How many are tested, of the first repeat.
fn tested(document: &StudyDocument, question: Question) -> String {
    let sides = document.options.splits.iter().filter_map(|&split| {
        let draw = Draw { question, split, repeat: 0 };
        let result = document.draws.iter().find(|result| result.draw == draw)?;
        let test = result.parts.last()?;
        let few = if test.any() < FEW_POSITIVES { ", too few to judge by" } else { "" };
        Some(format!(
            "{}: {} test images, {} positive{few}",
            split_title(split).to_lowercase(),
            test.images,
            test.any()
        ))
    });
    sides.collect::<Vec<_>>().join("; ")
}

/// Why there is no figure for the split at `index`.
fn missing(document: &StudyDocument, who: &Who, question: Question, index: usize) -> &'static str {
    let draw = Draw { question, split: document.options.splits[index], repeat: 0 };
    let result = document.draws.iter().find(|result| result.draw == draw);
    if result.is_some_and(|result| result.impossible.is_some()) {
        return "too few images";
    }
    let Who::Network(network) = who else { return "too few positions known" };
    match document.cell(&Cell { network: network.clone(), draw }).map(|cell| &cell.outcome) {
        Some(Outcome::Impossible(_)) => "too few images",
        Some(Outcome::Failed(_)) => "failed",
        Some(Outcome::Measured(_)) => "–",
        None => "not run yet",
    }
}

/// What the study reports, as accuracy, MSE and AUC.
fn reported_cells(document: &StudyDocument, who: &Who, types: usize) -> Markup {
    let mut reported = document.reported.iter().filter(|figures| figures.types == types);
    let none = || "–".to_owned();
    let texts = match who {
        Who::Network(name) => reported.find(|figures| figures.network == *name).map(|figures| {
            let accuracy = percent(Some(figures.accuracy));
            [accuracy, decimal(Some(figures.mse)), format!("{:.2}", figures.auc)]
        }),
        Who::Baseline(BaselineKind::Majority) => {
            reported.next().map(|_| [percent(Some(REPORTED_MAJORITY)), none(), none()])
        }
        Who::Baseline(_) => None,
    };
    let [accuracy, mse, auc] = texts.unwrap_or_else(|| [none(), none(), none()]);
    html! {
        td class="first" { (accuracy) }
        td { (mse) }
        td { (auc) }
    }
}
