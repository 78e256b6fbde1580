//! The results as Markdown: `study.md`.

use std::fmt::Write;

use hemora_page::{count, title};

use crate::study::document::{DrawResult, Outcome, REPORTED_MAJORITY, StudyDocument};
use crate::study::summary::{Figure, Summary, Who};
use crate::study::words::{decimal, network_title, percent, question_title, split_title, spread};
use crate::study::{Question, SplitKind};

/// The tables of a study as Markdown.
pub fn markdown(document: &StudyDocument) -> String {
    let options = &document.options;
    let training = &options.training;
    let epochs: Vec<String> = options
        .networks
        .iter()
        .map(|name| format!("{} {}", network_title(name), options.epochs(name)))
        .collect();
    let mut text = format!(
        "# The seed study, reproduced\n\n{}\n\n{}: {} images, preset `{}`, {} pixels, batches of {}, \
         {}, epochs: {}; {} from seed {}. Accuracy at a threshold of one half; 95 % \
         intervals over resampled patients{}.\n",
        document.notice,
        document.set.name,
        document.set.images,
        options.preset,
        training.size,
        training.batch,
        training.optimizer,
        epochs.join(", "),
        count(options.repeats as usize, "repeat", "repeats"),
        options.seed,
        if options.repeats > 1 { ", or ± one standard deviation over the repeats" } else { "" }
    );
    // Writing to a string cannot fail.
    for warning in &document.warnings {
        let _ = writeln!(text, "\n- {warning}");
    }
    for &types in &options.subsets {
        binary(&mut text, document, types);
    }
    if options.subtypes {
        subtypes(&mut text, document);
    }
    images(&mut text, document);
    text
}

/// A figure and what stands behind it.
fn cell(figure: &Figure, write: fn(Option<f64>) -> String) -> String {
    let (value, behind) = (write(figure.mean), spread(figure, write));
    if behind.is_empty() { value } else { format!("{value} ({behind})") }
}

/// The rows of a question: who, and the summary of each split.
pub(crate) fn rows(
    document: &StudyDocument,
    question: Question,
    label: hemora_ct::Label,
) -> Vec<(Who, Vec<Option<&Summary>>)> {
    let of_question = |one: &&Summary| one.question == question && one.label == label;
    let mut who: Vec<Who> = document.options.networks.iter().cloned().map(Who::Network).collect();
    for summary in document.summaries.iter().filter(of_question) {
        if !who.contains(&summary.of) {
            who.push(summary.of.clone());
        }
    }
    let splits = &document.options.splits;
    let row = |who: Who| {
        let of = |split: &SplitKind| {
            let mut all = document.summaries.iter().filter(of_question);
            all.find(|one| one.of == who && one.split == *split)
        };
        let found = splits.iter().map(of).collect();
        (who, found)
    };
    who.into_iter().map(row).collect()
}

/// A row's name.
pub(crate) fn who_title(who: &Who) -> &str {
    match who {
        Who::Network(name) => network_title(name),
        Who::Baseline(kind) => kind.title(),
    }
}

fn binary(text: &mut String, document: &StudyDocument, types: usize) {
    let question = Question::AtLeast(types);
    let _ = writeln!(text, "\n## {} against none\n", question_title(question));
    let mut head = "| |".to_owned();
    let mut rule = "|---|".to_owned();
    for &split in &document.options.splits {
        let name = split_title(split).to_lowercase();
        head += &format!(" accuracy, {name} | MSE | AUC |");
        rule += "---|---|---|";
    }
    let is_reported = document.reported.iter().any(|one| one.types == types);
    if is_reported {
        head += " the study reports: accuracy, MSE, AUC |";
        rule += "---|";
    }
    let _ = writeln!(text, "{head}\n{rule}");
    for (who, summaries) in rows(document, question, hemora_ct::Label::Any) {
        let _ = write!(text, "| {} |", who_title(&who));
        for summary in summaries {
            let _ = match summary {
                Some(one) => write!(
                    text,
                    " {} | {} | {} |",
                    cell(&one.accuracy, percent),
                    cell(&one.mse, decimal),
                    cell(&one.auc, decimal)
                ),
                None => write!(text, " – | – | – |"),
            };
        }
        if is_reported {
            let _ = write!(text, " {} |", reported_text(document, &who, types));
        }
        let _ = writeln!(text);
    }
}

fn reported_text(document: &StudyDocument, who: &Who, types: usize) -> String {
    match who {
        Who::Network(name) => document
            .reported
            .iter()
            .find(|one| one.network == *name && one.types == types)
            .map_or("–".to_owned(), |one| {
                format!("{}, {:.3}, {:.2}", percent(Some(one.accuracy)), one.mse, one.auc)
            }),
        Who::Baseline(crate::study::BaselineKind::Majority) => percent(Some(REPORTED_MAJORITY)),
        Who::Baseline(crate::study::BaselineKind::Position) => "–".to_owned(),
    }
}

fn subtypes(text: &mut String, document: &StudyDocument) {
    let splits = &document.options.splits;
    for (index, &split) in splits.iter().enumerate() {
        let _ = writeln!(
            text,
            "\n## The five subtypes as a multi-label problem, {}: AUC\n",
            split_title(split).to_lowercase()
        );
        let columns: Vec<_> = hemora_ct::Label::SUBTYPES
            .iter()
            .map(|&label| (label, rows(document, Question::Subtypes, label)))
            .collect();
        let names: Vec<&str> = columns.iter().map(|(label, _)| title(*label)).collect();
        let _ = writeln!(text, "| | {} |\n|---|{}", names.join(" | "), "---|".repeat(5));
        let longest = columns.iter().map(|(_, rows)| rows.len()).max().unwrap_or(0);
        for row in 0..longest {
            let Some((who, _)) = columns[0].1.get(row) else { continue };
            let _ = write!(text, "| {} |", who_title(who));
            for (_, rows) in &columns {
                let summary = rows.iter().find(|(other, _)| other == who);
                let summary = summary.and_then(|(_, splits)| splits[index]);
                let shown = summary.map_or("–".to_owned(), |one| cell(&one.auc, decimal));
                let _ = write!(text, " {shown} |");
            }
            let _ = writeln!(text);
        }
    }
}

fn images(text: &mut String, document: &StudyDocument) {
    let _ = writeln!(
        text,
        "\n## Images of the cells\n\n| images | train: positive of all | validation | test | \
         patients in test | unknown patients in test | patients in several parts |\n\
         |---|---:|---:|---:|---:|---:|---:|"
    );
    for draw in &document.draws {
        let parts: Vec<String> =
            draw.parts.iter().map(|part| format!("{} of {}", part.any(), part.images)).collect();
        let test = draw.parts.last();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            draw_title(draw),
            parts.join(" | "),
            test.map_or(0, |part| part.groups),
            test.map_or(0, |part| part.unknown_patients),
            draw.shared_patients
        );
    }
    let failed = document.cells.iter().filter_map(|cell| match &cell.outcome {
        Outcome::Failed(reason) => Some((cell, reason)),
        Outcome::Measured(_) | Outcome::Impossible(_) => None,
    });
    for (cell, reason) in failed {
        let _ = writeln!(text, "\nFailed: {}:\n\n```\n{reason}\n```", cell.name());
    }
}

/// A draw in a few words.
pub(crate) fn draw_title(draw: &DrawResult) -> String {
    let repeat = match draw.draw.repeat {
        0 => String::new(),
        repeat => format!(", repeat {}", repeat + 1),
    };
    let question = match draw.draw.question {
        Question::AtLeast(types) => format!("{types}+"),
        Question::Subtypes => "subtypes".to_owned(),
    };
    format!("{question}, by {}{repeat}", draw.draw.split.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::testing::document;

    #[test]
    fn every_table_has_as_many_cells_in_each_row() {
        let text = markdown(&document(|_| ()));
        let mut width = 0;
        for line in text.lines().filter(|line| line.starts_with('|')) {
            let cells = line.matches('|').count();
            if line.starts_with("|---") {
                assert_eq!(cells, width, "{line}");
            } else if line.starts_with("| | ") || line.starts_with("| images") {
                width = cells;
            } else {
                assert_eq!(cells, width, "{line}");
            }
        }
        assert!(text.contains("| Simple NN |") && text.contains("84.1\u{a0}%, 0.137, 0.90"));
        assert!(text.contains("multi-label problem, split by image: AUC"));
        assert!(text.contains("neither patient nor series is known"));
    }
}
