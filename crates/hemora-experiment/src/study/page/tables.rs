//! The tables: results as in the presentation, subtypes, confusion matrices, images.

use std::io::{self, Write};

use hemora_ct::Label;
use hemora_page::{Escaped, close_table, open_table, title};

use crate::study::baseline::BaselineKind;
use crate::study::document::{Outcome, REPORTED_MAJORITY, StudyDocument};
use crate::study::markdown::{draw_title, rows, who_title};
use crate::study::summary::{Figure, Summary, Who};
use crate::study::words::{decimal, network_title, percent, question_title, split_title, spread};
use crate::study::{Cell, Draw, FEW_POSITIVES, Question};

/// A cell of a table: the figure, and in a lighter line what stands behind it.
fn figure(figure: &Figure, write: fn(Option<f64>) -> String) -> String {
    let behind = spread(figure, write);
    let value = write(figure.mean);
    if behind.is_empty() {
        return format!("<td>{value}</td>");
    }
    format!("<td>{value} <span class=\"ci\">{behind}</span></td>")
}

pub(super) fn write_results(out: &mut dyn Write, document: &StudyDocument) -> io::Result<()> {
    if document.options.subsets.is_empty() {
        return Ok(());
    }
    let splits = &document.options.splits;
    write!(
        out,
        "<section aria-labelledby=\"results\"><h2 id=\"results\">Results</h2>\
         <p>Accuracy at a threshold of one half. The seed study split its images probably by image: \
         compare its figures with that side, and believe the side by patient.</p>\
         <div class=\"scroll\" tabindex=\"0\"><table class=\"numbers results\"><thead><tr><td></td>"
    )?;
    for &split in splits {
        write!(out, "<th scope=\"colgroup\" colspan=\"3\">{}</th>", split_title(split))?;
    }
    write!(out, "<th scope=\"colgroup\" colspan=\"3\">The study reports</th></tr><tr><td></td>")?;
    for _ in 0..=splits.len() {
        write!(
            out,
            "<th scope=\"col\" class=\"first\">Accuracy</th><th scope=\"col\">MSE</th>\
             <th scope=\"col\">AUC</th>"
        )?;
    }
    writeln!(out, "</tr></thead>")?;
    for &types in &document.options.subsets {
        write_subset(out, document, types)?;
    }
    writeln!(out, "</table></div></section>")
}

fn write_subset(out: &mut dyn Write, document: &StudyDocument, types: usize) -> io::Result<()> {
    let question = Question::AtLeast(types);
    let columns = 1 + 3 * (document.options.splits.len() + 1);
    writeln!(
        out,
        "<tbody><tr class=\"group\"><th scope=\"rowgroup\" colspan=\"{columns}\">{} against none\
         <span class=\"ci\">{}</span></th></tr>",
        question_title(question),
        tested(document, question)
    )?;
    for (who, summaries) in rows(document, question, Label::Any) {
        let quiet = if matches!(who, Who::Baseline(_)) { " class=\"baseline\"" } else { "" };
        write!(out, "<tr{quiet}><th scope=\"row\">{}</th>", Escaped(who_title(&who)))?;
        for (place, summary) in summaries.into_iter().enumerate() {
            match summary {
                Some(one) => write!(
                    out,
                    "{}{}{}",
                    figure(&one.accuracy, percent).replacen("<td>", "<td class=\"first\">", 1),
                    figure(&one.mse, decimal),
                    figure(&one.auc, decimal)
                )?,
                None => write!(
                    out,
                    "<td class=\"first\" colspan=\"3\">{}</td>",
                    missing(document, &who, question, place)
                )?,
            }
        }
        writeln!(out, "{}</tr>", reported(document, &who, types))?;
    }
    writeln!(out, "</tbody>")
}

/// How many are tested, of the first repeat.
fn tested(document: &StudyDocument, question: Question) -> String {
    let sides = document.options.splits.iter().filter_map(|&split| {
        let draw = Draw { question, split, repeat: 0 };
        let found = document.draws.iter().find(|one| one.draw == draw)?;
        let test = found.parts.last()?;
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

/// Why there is no figure.
fn missing(document: &StudyDocument, who: &Who, question: Question, place: usize) -> &'static str {
    let draw = Draw { question, split: document.options.splits[place], repeat: 0 };
    let found = document.draws.iter().find(|one| one.draw == draw);
    if found.is_some_and(|one| one.impossible.is_some()) {
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

fn reported(document: &StudyDocument, who: &Who, types: usize) -> String {
    let dash = "<td class=\"first\">–</td><td>–</td><td>–</td>".to_owned();
    match who {
        Who::Network(name) => {
            let mut all = document.reported.iter();
            let found = all.find(|one| one.network == *name && one.types == types);
            found.map_or(dash, |one| {
                format!(
                    "<td class=\"first\">{}</td><td>{}</td><td>{:.2}</td>",
                    percent(Some(one.accuracy)),
                    decimal(Some(one.mse)),
                    one.auc
                )
            })
        }
        Who::Baseline(BaselineKind::Majority)
            if document.reported.iter().any(|one| one.types == types) =>
        {
            let share = percent(Some(REPORTED_MAJORITY));
            format!("<td class=\"first\">{share}</td><td>–</td><td>–</td>")
        }
        Who::Baseline(_) => dash,
    }
}

pub(super) fn write_subtypes(out: &mut dyn Write, document: &StudyDocument) -> io::Result<()> {
    if !document.options.subtypes {
        return Ok(());
    }
    writeln!(
        out,
        "<section aria-labelledby=\"subtypes\"><h2 id=\"subtypes\">The five subtypes as a \
         multi-label problem: AUC</h2><p>The experiment that the authors found unsuccessful: five \
         probabilities a slice, on slices with at least one type and slices without any.</p>"
    )?;
    for (place, &split) in document.options.splits.iter().enumerate() {
        writeln!(out, "<h3>{}</h3>", split_title(split))?;
        let draw = Draw { question: Question::Subtypes, split, repeat: 0 };
        let test = document.draws.iter().find(|one| one.draw == draw);
        let positives = |label: Label| {
            let test = test.and_then(|draw| draw.parts.last());
            test.and_then(|part| part.positives.get(&label)).copied().unwrap_or(0)
        };
        let mut heads = vec!["".to_owned()];
        heads.extend(Label::SUBTYPES.map(|label| {
            format!("{} <span class=\"ci\">{} positive</span>", title(label), positives(label))
        }));
        open_table(out, &heads.iter().map(String::as_str).collect::<Vec<_>>())?;
        let columns = Label::SUBTYPES.map(|label| rows(document, Question::Subtypes, label));
        for (who, _) in &columns[0] {
            let quiet = if matches!(who, Who::Baseline(_)) { " class=\"baseline\"" } else { "" };
            write!(out, "<tr{quiet}><th scope=\"row\">{}</th>", Escaped(who_title(who)))?;
            for rows in &columns {
                let row = rows.iter().find(|(other, _)| other == who);
                let summary: Option<&Summary> = row.and_then(|(_, splits)| splits[place]);
                let shown =
                    summary.map_or("<td>–</td>".to_owned(), |one| figure(&one.auc, decimal));
                write!(out, "{shown}")?;
            }
            writeln!(out, "</tr>")?;
        }
        close_table(out)?;
    }
    writeln!(out, "</section>")
}

pub(super) fn write_confusions(out: &mut dyn Write, document: &StudyDocument) -> io::Result<()> {
    if document.options.subsets.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<section aria-labelledby=\"confusion\"><h2 id=\"confusion\">Confusion matrices</h2>\
         <p>Test images at a threshold of one half{}. Shaded: right.</p>",
        of_first(document)
    )?;
    for &types in &document.options.subsets {
        let question = Question::AtLeast(types);
        writeln!(out, "<h3>{}</h3><div class=\"matrices\">", question_title(question))?;
        for &split in &document.options.splits {
            for network in &document.options.networks {
                let draw = Draw { question, split, repeat: 0 };
                let cell = Cell { network: network.clone(), draw };
                let Some(figures) = document.figures(&cell, Label::Any) else { continue };
                let counts = &figures.confusion;
                writeln!(
                    out,
                    "<table class=\"matrix\"><caption>{}, {}</caption><thead><tr><td></td>\
                     <th scope=\"col\">called none</th><th scope=\"col\">called hemorrhage</th></tr>\
                     </thead><tbody><tr><th scope=\"row\">none</th><td class=\"right\">{}</td>\
                     <td>{}</td></tr><tr><th scope=\"row\">hemorrhage</th><td>{}</td>\
                     <td class=\"right\">{}</td></tr></tbody></table>",
                    Escaped(network_title(network)),
                    split_title(split).to_lowercase(),
                    counts.true_negatives,
                    counts.false_positives,
                    counts.false_negatives,
                    counts.true_positives
                )?;
            }
        }
        writeln!(out, "</div>")?;
    }
    writeln!(out, "</section>")
}

/// Words for figures that are of one repeat among several.
pub(super) fn of_first(document: &StudyDocument) -> &'static str {
    if document.options.repeats > 1 { ", of the first repeat" } else { "" }
}

pub(super) fn write_images(out: &mut dyn Write, document: &StudyDocument) -> io::Result<()> {
    writeln!(
        out,
        "<section aria-labelledby=\"images\"><h2 id=\"images\">Images of the cells</h2>\
         <p>Positive of all. All networks see the same images.</p>"
    )?;
    let columns = [
        "Cells",
        "Train",
        "Validation",
        "Test",
        "Patients in test",
        "Unknown patients in test",
        "Known patients in several parts",
        "Seed",
    ];
    open_table(out, &columns)?;
    for draw in &document.draws {
        write!(out, "<tr><th scope=\"row\">{}</th>", draw_title(draw))?;
        for part in &draw.parts {
            write!(out, "<td>{} of {}</td>", part.any(), part.images)?;
        }
        let test = draw.parts.last();
        writeln!(
            out,
            "<td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            test.map_or(0, |part| part.groups),
            test.map_or(0, |part| part.unknown_patients),
            draw.shared_patients,
            draw.seed
        )?;
    }
    close_table(out)?;
    writeln!(out, "</section>")
}
