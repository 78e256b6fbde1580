//! Lesions found and missed.

use std::io::{self, Write};

use hemora_ct::Label;
use hemora_metrics::{LesionDecisions, LesionLength};
use hemora_page::{close_table, open_table, title};

use super::number::{interval_cell, of_hundred, point_name_text};
use crate::Evaluation;

pub(super) fn write(out: &mut dyn Write, evaluation: &Evaluation) -> io::Result<()> {
    let Some(lesions) = &evaluation.lesions else { return Ok(()) };
    if lesions.labels.iter().all(|label| label.decisions.is_empty()) {
        return Ok(());
    }
    writeln!(
        out,
        "<section aria-labelledby=\"lesions\"><h2 id=\"lesions\">Lesions</h2>\
         <p>A run of neighbouring slices with a label counts as one lesion; it is found if one of its \
         slices is called positive. A false alarm is a run of called slices without a positive one. \
         Of two lesions in the same slices nothing is known. {} series in the order of their \
         slices{}.</p>",
        lesions.series,
        match lesions.unordered_series {
            0 => String::new(),
            count => format!("; of {count} more the order is not known"),
        }
    )?;
    let any = lesions.labels.iter().find_map(|label| label.decisions.first());
    let lengths: Vec<String> =
        any.map(|first| first.lengths.iter().map(length).collect()).unwrap_or_default();
    let mut columns = vec!["Label", "Point", "Lesions", "Found", "False alarms a series"];
    columns.extend(lengths.iter().map(String::as_str));
    open_table(out, &columns)?;
    let (first, rest): (Vec<_>, Vec<_>) =
        lesions.labels.iter().partition(|label| label.label == Label::Any);
    for label in first.into_iter().chain(rest) {
        for decisions in &label.decisions {
            writeln!(
                out,
                "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td>{}{}{}</tr>",
                title(label.label),
                point_name_text(&decisions.name),
                label.runs,
                interval_cell(&decisions.sensitivity),
                interval_cell(&decisions.false_runs_a_series),
                cells(decisions)
            )?;
        }
    }
    close_table(out)?;
    writeln!(out, "</section>")
}

/// What a column of lengths is called.
fn length(length: &LesionLength) -> String {
    match (length.from, length.to) {
        (1, Some(1)) => "1 slice".to_owned(),
        (from, Some(to)) => format!("{from} to {to} slices"),
        (from, None) => format!("{from} or more"),
    }
}

/// How many of each length are found, with their share of a hundred.
fn cells(decisions: &LesionDecisions) -> String {
    let cell = |length: &LesionLength| match length.found.value {
        None => "<td>–</td>".to_owned(),
        Some(share) => format!(
            "<td>{} of {} <span class=\"ci\">{} %</span></td>",
            length.found.count,
            length.found.total,
            of_hundred(share)
        ),
    };
    decisions.lengths.iter().map(cell).collect()
}
