//! Comparison, subgroups and mistakes.

use std::io::{self, Write};

use hemora_ct::Label;
use hemora_metrics::Interval;
use hemora_page::{Escaped, Scale, close_table, open_table, title};

use super::number::{interval_cell, p_text};
use super::sections::level_title;
use crate::markdown::OTHER_UNCALIBRATED;
use crate::{Evaluation, Mistake, MistakeKind};

pub(super) fn write_comparison(out: &mut dyn Write, evaluation: &Evaluation) -> io::Result<()> {
    let Some(comparison) = &evaluation.comparison else { return Ok(()) };
    writeln!(
        out,
        "<section aria-labelledby=\"comparison\"><h2 id=\"comparison\">Compared with {}</h2>\
         <p>This model minus the other, on the same cases and the same resamples. A difference in \
         AUROC above 0, or in a loss below 0, speaks for this model. p-values are adjusted for the \
         number of labels (Holm).</p>",
        Escaped(&comparison.other.file)
    )?;
    if evaluation.calibration.is_some() {
        writeln!(out, "<p>{OTHER_UNCALIBRATED}</p>")?;
    }
    open_table(
        out,
        &[
            "Level",
            "Label",
            "AUROC of the other",
            "AUROC, difference",
            "p, resampled",
            "p, DeLong",
            "Average precision",
            "Log loss",
            "Brier score",
        ],
    )?;
    for one in &comparison.labels {
        let difference = &one.difference;
        writeln!(
            out,
            "<tr><td>{}</td><th scope=\"row\">{}</th>{}{}<td>{}</td><td>{}</td>{}{}{}</tr>",
            level_title(one.level),
            title(one.label),
            difference.second_auroc.as_ref().map_or("<td>–</td>".to_owned(), interval_cell),
            interval_cell(&difference.auroc),
            p_text(one.auroc_p_value_holm),
            p_text(one.delong_p_value_holm),
            interval_cell(&difference.average_precision),
            interval_cell(&difference.log_loss),
            interval_cell(&difference.brier)
        )?;
    }
    close_table(out)?;
    writeln!(out, "</section>")
}

pub(super) fn write_subgroups(out: &mut dyn Write, evaluation: &Evaluation) -> io::Result<()> {
    if evaluation.subgroups.is_empty() && evaluation.undivided.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<section aria-labelledby=\"subgroups\"><h2 id=\"subgroups\">Subgroups of slices</h2>\
         <p>‡ fewer than ten positives or negatives, or fewer than five groups: such a row says \
         little. Many rows are shown, so that some differ by chance.</p>"
    )?;
    if !evaluation.undivided.is_empty() {
        let columns = evaluation.undivided.join(", ");
        writeln!(out, "<p>The index parts nothing by: {}.</p>", Escaped(&columns))?;
    }
    for label in Label::ALL.into_iter().rev() {
        write_subgroup_label(out, evaluation, label)?;
    }
    writeln!(out, "</section>")
}

fn write_subgroup_label(
    out: &mut dyn Write,
    evaluation: &Evaluation,
    label: Label,
) -> io::Result<()> {
    let rows: Vec<_> = evaluation
        .subgroups
        .iter()
        .filter_map(|group| Some((group, group.labels.iter().find(|one| one.label == label)?)))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let open = if label == Label::Any { " open" } else { "" };
    writeln!(out, "<details{open}><summary>{}</summary>", title(label))?;
    open_table(
        out,
        &[
            "Column",
            "Value",
            "Slices",
            "Groups",
            "Positive",
            "AUROC",
            "0.5 to 1",
            "Operating points: sensitivity, specificity",
        ],
    )?;
    let mut before = "";
    for (group, one) in rows {
        // A column is named where it begins.
        let column = if group.column == before { "" } else { &group.column };
        before = &group.column;
        let mark = if one.small { "‡" } else { "" };
        let points: Vec<String> = one
            .decisions
            .iter()
            .map(|decision| {
                format!(
                    "{}: {}<span class=\"ci\">specificity {}</span>",
                    Escaped(&decision.name),
                    super::interval_text(&decision.sensitivity),
                    super::interval_text(&decision.specificity)
                )
            })
            .collect();
        writeln!(
            out,
            "<tr{}><td>{}</td><th scope=\"row\">{}{mark}</th><td>{}</td><td>{}</td><td>{}</td>{}<td>{}</td><td>{}</td></tr>",
            if one.small { " class=\"small\"" } else { "" },
            Escaped(column),
            Escaped(&group.value),
            group.items,
            group.groups,
            one.positives,
            interval_cell(&one.auroc),
            Forest(&one.auroc),
            points.concat()
        )?;
    }
    close_table(out)?;
    writeln!(out, "</details>")
}

/// An interval as a line with its value as a dot, from 0.5 to 1.
struct Forest<'a>(&'a Interval);

impl std::fmt::Display for Forest<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scale = Scale { domain: [0.5, 1.0], range: [4.0, 156.0] };
        write!(
            formatter,
            "<svg class=\"forest\" viewBox=\"0 0 160 16\" aria-hidden=\"true\"><path class=\"base\" d=\"M4 8H156M4 4v8M156 4v8\"/>"
        )?;
        if let (Some(low), Some(high)) = (self.0.low, self.0.high) {
            write!(
                formatter,
                "<path class=\"whisker\" d=\"M{:.1} 8H{:.1}\"/>",
                scale.at(low),
                scale.at(high)
            )?;
        }
        if let Some(value) = self.0.value {
            write!(formatter, "<circle cx=\"{:.1}\" cy=\"8\" r=\"3.5\"/>", scale.at(value))?;
        }
        write!(formatter, "</svg>")
    }
}

pub(super) fn write_mistakes(out: &mut dyn Write, evaluation: &Evaluation) -> io::Result<()> {
    let Some(first) = evaluation.mistakes.first() else { return Ok(()) };
    writeln!(
        out,
        "<section aria-labelledby=\"mistakes\"><h2 id=\"mistakes\">The worst mistakes: {}</h2>\
         <p>Look at these images first: each is a lesson about the model or an error in the labels.</p>",
        title(first.label).to_lowercase()
    )?;
    if let Some(sheet) = &evaluation.contact_sheet {
        writeln!(
            out,
            "<p><a href=\"{}\">Pictures of the worst of them</a>, in a file of its own: it shows \
             patients\u{2019} images, this page does not.</p>",
            Escaped(sheet)
        )?;
    }
    writeln!(out, "<div class=\"pair\">")?;
    for (kind, name) in [
        (MistakeKind::FalseNegative, "Positive slices with the lowest probability"),
        (MistakeKind::FalsePositive, "Negative slices with the highest probability"),
    ] {
        let rows: Vec<&Mistake> =
            evaluation.mistakes.iter().filter(|mistake| mistake.kind == kind).collect();
        writeln!(out, "<div><h3>{name}</h3>")?;
        if rows.is_empty() {
            writeln!(out, "<p>None: there is no such slice.</p></div>")?;
            continue;
        }
        open_table(out, &["Slice", "Group", "Probability", "Subtypes by label"])?;
        for mistake in rows {
            let truth: Vec<&str> = mistake.truth.iter().map(|label| label.name()).collect();
            writeln!(
                out,
                "<tr><th scope=\"row\" class=\"uid\">{}</th><td class=\"uid\">{}</td><td>{}</td><td class=\"wrap\">{}</td></tr>",
                Escaped(&mistake.id),
                Escaped(mistake.group.as_deref().unwrap_or("–")),
                probability(mistake.probability),
                if truth.is_empty() { "–".to_owned() } else { truth.join(", ") }
            )?;
        }
        close_table(out)?;
        writeln!(out, "</div>")?;
    }
    writeln!(out, "</div></section>")
}

/// Two digits that matter, also near 0 and 1.
fn probability(value: f64) -> String {
    if value < 0.001 {
        "&lt; 0.001".to_owned()
    } else if value > 0.999 {
        "&gt; 0.999".to_owned()
    } else {
        format!("{value:.3}")
    }
}
