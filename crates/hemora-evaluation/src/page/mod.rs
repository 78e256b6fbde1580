//! The page of an evaluation: one HTML file for a reader who knows no code.

mod alike;
mod figures;
mod guide;
mod lesions;
mod number;
mod parts;
mod sections;
mod summary;

pub use number::{interval_text, number_text};

use std::io::{self, Write};

use hemora_page::{Escaped, count, write_head};

use crate::Evaluation;

/// What the page of an evaluation has beside the shared style, for pages of its kind.
pub const STYLE: &str = include_str!("style.css");

/// Writes the page of an evaluation.
///
/// # Errors
/// If `out` cannot be written.
pub fn write_html(out: &mut dyn Write, evaluation: &Evaluation) -> io::Result<()> {
    write_head(out, "Hemora evaluation, for research use only", STYLE)?;
    writeln!(out, "<a class=\"skip\" href=\"#short\">Skip to the summary</a>")?;
    write_header(out, evaluation)?;
    writeln!(out, "<main>")?;
    write_warnings(out, evaluation)?;
    summary::write(out, evaluation)?;
    sections::write_figures(out, evaluation)?;
    sections::write_points(out, evaluation)?;
    lesions::write(out, evaluation)?;
    figures::write(out, evaluation)?;
    sections::write_calibration(out, evaluation)?;
    parts::write_comparison(out, evaluation)?;
    parts::write_subgroups(out, evaluation)?;
    parts::write_mistakes(out, evaluation)?;
    alike::write(out, evaluation)?;
    guide::write(out, evaluation)?;
    writeln!(
        out,
        "</main>\n<footer><p>{}</p></footer>\n</body>\n</html>",
        Escaped(&evaluation.notice)
    )
}

fn write_header(out: &mut dyn Write, evaluation: &Evaluation) -> io::Result<()> {
    let Evaluation { name, notice, alignment, grouping, predictions, labels, .. } = evaluation;
    writeln!(
        out,
        "<header><h1>Evaluation of {}</h1>\n\
         <div class=\"notice\" role=\"note\"><p><strong>{}</strong></p></div>\n\
         <p>{} of {}. <a href=\"#guide\">How to read this page</a></p>",
        Escaped(name),
        Escaped(notice),
        count(alignment.evaluated as usize, "slice", "slices"),
        match grouping.kind.as_str() {
            "slice" => "unknown patients".to_owned(),
            kind => format!("{} groups by {}", grouping.groups, Escaped(kind)),
        }
    )?;
    write!(out, "<dl class=\"made\">")?;
    let mut row = |what: &str, file: &crate::FileRef| {
        let short: String = file.sha256.chars().take(12).collect();
        write!(
            out,
            "<div><dt>{what}</dt><dd>{} <span class=\"uid\" title=\"SHA-256 {}\">({})</span></dd></div>",
            Escaped(&file.file),
            Escaped(&file.sha256),
            Escaped(&short)
        )
    };
    row("Predictions", predictions)?;
    if let Some(labels) = labels {
        row("Labels", labels)?;
    }
    if let Some(index) = &evaluation.index {
        row("Index", index)?;
    }
    writeln!(
        out,
        "<div><dt>Program</dt><dd>{} {}</dd></div></dl></header>",
        Escaped(&evaluation.tool.name),
        Escaped(&evaluation.tool.version)
    )
}

fn write_warnings(out: &mut dyn Write, evaluation: &Evaluation) -> io::Result<()> {
    if evaluation.tuned_on_these_cases {
        writeln!(
            out,
            "<div class=\"warnings tuned\"><p><strong>Tuned on these cases.</strong> Thresholds or \
             the calibration were chosen on the very cases that are evaluated. Figures that depend \
             on them (marked †) are better than what other patients will see.</p></div>"
        )?;
    }
    if evaluation.warnings.is_empty() {
        return Ok(());
    }
    writeln!(out, "<div class=\"warnings\"><strong>To know first</strong><ul>")?;
    for warning in &evaluation.warnings {
        writeln!(out, "<li>{}</li>", Escaped(warning))?;
    }
    writeln!(out, "</ul></div>")
}
