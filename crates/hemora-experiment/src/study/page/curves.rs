//! ROC curves with the AUC in the legend, and training curves.

use hemora_ct::Label;
use hemora_page::chart::{Axis, Chart, Frame};
use hemora_page::{section, short};
use maud::{Markup, html};

use super::layout::{class, of_first_repeat};
use crate::study::document::{Measured, Outcome, StudyDocument};
use crate::study::words::{decimal, network_title, question_title, split_title};
use crate::study::{Cell, Draw, Question, SplitKind};

/// Losses beyond this are drawn at the upper end: a run that went astray must not flatten the rest.
const HIGHEST_LOSS: f64 = 2.0;

fn questions(document: &StudyDocument) -> Vec<Question> {
    document.options.subsets.iter().map(|&types| Question::AtLeast(types)).collect()
}

pub(super) fn roc_curves(document: &StudyDocument) -> Markup {
    if document.options.subsets.is_empty() {
        return html! {};
    }
    section(
        "roc",
        "ROC curves",
        html! {
            p {
                "On the test images" (of_first_repeat(document)) "; the AUC in the legend. Thin dashes: \
                a coin."
            }
            @for &split in &document.options.splits {
                h3 { (split_title(split)) }
                div class="plots" {
                    @for question in questions(document) {
                        figure {
                            figcaption { (question_title(question)) }
                            (roc(document, Draw { question, split, repeat: 0 }))
                        }
                    }
                }
            }
        },
    )
}

fn roc(document: &StudyDocument, draw: Draw) -> Markup {
    let up = Axis::linear("sensitivity", [0.0, 1.0], 5, 1e-6);
    let mut chart = Chart::new(Frame::SMALL, Axis::share("1 − specificity"), up);
    chart.line("chance", [[0.0, 0.0], [1.0, 1.0]]);
    let networks = &document.options.networks;
    for (index, network) in networks.iter().enumerate() {
        let cell = Cell { network: network.clone(), draw };
        let Some(figures) = document.figures(&cell, Label::Any) else { continue };
        let class = format!("curve {}", class(document, network));
        chart.line(&class, figures.roc.iter().copied());
        let y = 0.06 + 0.075 * (networks.len() - 1 - index) as f64;
        chart.line(&class, [[0.36, y + 0.015], [0.46, y + 0.015]]);
        let text = format!("{} {}", short(network_title(network)), decimal(figures.auc.value));
        chart.text([0.48, y], "start", &text);
    }
    chart.picture("small", &format!("ROC curves, {}", question_title(draw.question)))
}

pub(super) fn training_curves(document: &StudyDocument) -> Markup {
    let mut all = questions(document);
    all.extend(document.options.subtypes.then_some(Question::Subtypes));
    section(
        "training",
        "Training curves",
        html! {
            p {
                "Binary cross-entropy by epoch" (of_first_repeat(document)) ": solid on the training \
                images, dashed on validation. The dot is the epoch whose weights were kept: the one \
                with the highest AUC on validation. Losses above " (HIGHEST_LOSS) " are drawn at the \
                upper end."
            }
            @for (index, question) in all.into_iter().enumerate() {
                details open[index == 0] {
                    summary { (question_title(question)) }
                    @for &split in &document.options.splits {
                        (training_of_split(document, question, split))
                    }
                }
            }
        },
    )
}

fn training_of_split(document: &StudyDocument, question: Question, split: SplitKind) -> Markup {
    html! {
        h3 { (split_title(split)) }
        div class="plots" {
            @for network in &document.options.networks {
                @let draw = Draw { question, split, repeat: 0 };
                @let cell = document.cell(&Cell { network: network.clone(), draw });
                @if let Some(Outcome::Measured(measured)) = cell.map(|cell| &cell.outcome) {
                    figure {
                        figcaption { (short(network_title(network))) }
                        (losses(measured, network_title(network)))
                    }
                }
            }
        }
    }
}

fn losses(measured: &Measured, name: &str) -> Markup {
    let epochs = &measured.epochs;
    let losses = epochs.iter().flat_map(|epoch| [epoch.train_loss, epoch.validation_loss]);
    let highest = losses.filter(|loss| loss.is_finite()).fold(0.1, f64::max);
    let last = epochs.last().map_or(1, |epoch| epoch.epoch) as f64;
    let across = Axis::linear("epoch", [1.0, last], 6, 1.0);
    let up = Axis::linear("loss", [0.0, highest.min(HIGHEST_LOSS)], 5, 1e-6);
    let mut chart = Chart::new(Frame::SMALL, across, up);
    chart.line("curve n0", epochs.iter().map(|epoch| [epoch.epoch as f64, epoch.train_loss]));
    chart.line("curve n1", epochs.iter().map(|epoch| [epoch.epoch as f64, epoch.validation_loss]));
    let kept = epochs.iter().find(|epoch| Some(epoch.epoch) == measured.best_epoch);
    if let Some(kept) = kept {
        let text = format!(
            "epoch {}: validation loss {}, AUC {}",
            kept.epoch,
            decimal(Some(kept.validation_loss)),
            decimal(kept.mean_auroc)
        );
        chart.dot("point", [kept.epoch as f64, kept.validation_loss], 4.0, &text);
    }
    chart.picture("small", &format!("Training curves of {}", short(name)))
}
