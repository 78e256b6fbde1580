//! ROC curves with the AUC in the legend, and training curves.

use std::io::{self, Write};

use hemora_ct::Label;
use hemora_evaluation::number_text;
use hemora_page::{Escaped, Plot};

use super::class;
use super::tables::of_first;
use crate::study::document::{Measured, Outcome, StudyDocument};
use crate::study::words::{network_title, question_title, split_title};
use crate::study::{Cell, Draw, Question, SplitKind};

/// Losses beyond this are drawn at the upper end: a run that went astray must not flatten the rest.
const HIGHEST_LOSS: f64 = 2.0;

fn questions(document: &StudyDocument) -> Vec<Question> {
    document.options.subsets.iter().map(|&types| Question::AtLeast(types)).collect()
}

pub(super) fn write_roc(out: &mut dyn Write, document: &StudyDocument) -> io::Result<()> {
    if document.options.subsets.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<section aria-labelledby=\"roc\"><h2 id=\"roc\">ROC curves</h2><p>On the test images{}; the \
         AUC in the legend. Thin dashes: a coin.</p>",
        of_first(document)
    )?;
    for &split in &document.options.splits {
        writeln!(out, "<h3>{}</h3><div class=\"plots\">", split_title(split))?;
        for question in questions(document) {
            writeln!(out, "<figure><figcaption>{}</figcaption>", question_title(question))?;
            write_roc_of(out, document, Draw { question, split, repeat: 0 })?;
            writeln!(out, "</figure>")?;
        }
        writeln!(out, "</div>")?;
    }
    writeln!(out, "</section>")
}

fn write_roc_of(out: &mut dyn Write, document: &StudyDocument, draw: Draw) -> io::Result<()> {
    let mut plot = Plot::new(0.0, 1.0);
    plot.line("chance", [[0.0, 0.0], [1.0, 1.0]]);
    let networks = &document.options.networks;
    for (place, network) in networks.iter().enumerate() {
        let cell = Cell { network: network.clone(), draw };
        let Some(figures) = document.figures(&cell, Label::Any) else { continue };
        let class = format!("curve {}", class(document, network));
        plot.line(&class, figures.roc.iter().copied());
        let y = 0.06 + 0.075 * (networks.len() - 1 - place) as f64;
        plot.line(&class, [[0.36, y + 0.015], [0.46, y + 0.015]]);
        let auc = number_text(figures.auc.value);
        plot.text([0.48, y], "start", &format!("{} {auc}", Escaped(network_title(network))));
    }
    plot.write(
        out,
        &format!("ROC curves, {}", question_title(draw.question)),
        "1 − specificity",
        "sensitivity",
    )
}

pub(super) fn write_training(out: &mut dyn Write, document: &StudyDocument) -> io::Result<()> {
    writeln!(
        out,
        "<section aria-labelledby=\"training\"><h2 id=\"training\">Training curves</h2><p>Binary \
         cross-entropy by epoch{}: solid on the training images, dashed on validation. The dot is the \
         epoch whose weights were kept: the one with the highest AUC on validation. Losses above \
         {HIGHEST_LOSS} are drawn at the upper end.</p>",
        of_first(document)
    )?;
    let mut all = questions(document);
    all.extend(document.options.subtypes.then_some(Question::Subtypes));
    for (place, question) in all.into_iter().enumerate() {
        let open = if place == 0 { " open" } else { "" };
        writeln!(out, "<details{open}><summary>{}</summary>", question_title(question))?;
        for &split in &document.options.splits {
            write_training_of(out, document, question, split)?;
        }
        writeln!(out, "</details>")?;
    }
    writeln!(out, "</section>")
}

fn write_training_of(
    out: &mut dyn Write,
    document: &StudyDocument,
    question: Question,
    split: SplitKind,
) -> io::Result<()> {
    writeln!(out, "<h3>{}</h3><div class=\"plots\">", split_title(split))?;
    for network in &document.options.networks {
        let cell = Cell { network: network.clone(), draw: Draw { question, split, repeat: 0 } };
        let Some(Outcome::Measured(measured)) = document.cell(&cell).map(|cell| &cell.outcome)
        else {
            continue;
        };
        let name = network_title(network);
        writeln!(out, "<figure><figcaption>{}</figcaption>", Escaped(name))?;
        write_losses(out, measured, name)?;
        writeln!(out, "</figure>")?;
    }
    writeln!(out, "</div>")
}

fn write_losses(out: &mut dyn Write, measured: &Measured, name: &str) -> io::Result<()> {
    let epochs = &measured.epochs;
    let losses = epochs.iter().flat_map(|epoch| [epoch.train_loss, epoch.validation_loss]);
    let highest = losses.filter(|loss| loss.is_finite()).fold(0.1, f64::max);
    let last = epochs.last().map_or(1, |epoch| epoch.epoch);
    let mut plot = Plot::over([1.0, last as f64], [0.0, highest.min(HIGHEST_LOSS)]);
    plot.line("curve n0", epochs.iter().map(|epoch| [epoch.epoch as f64, epoch.train_loss]));
    plot.line("curve n1", epochs.iter().map(|epoch| [epoch.epoch as f64, epoch.validation_loss]));
    let kept = epochs.iter().find(|epoch| Some(epoch.epoch) == measured.best_epoch);
    if let Some(kept) = kept {
        let text = format!(
            "epoch {}: validation loss {}, AUC {}",
            kept.epoch,
            number_text(Some(kept.validation_loss)),
            number_text(kept.mean_auroc)
        );
        plot.dot("point", [kept.epoch as f64, kept.validation_loss], 4.0, &text);
    }
    let title = format!("Training curves of {}", Escaped(name));
    plot.write(out, &title, "epoch", "loss")
}
