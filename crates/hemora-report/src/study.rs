//! One study: what the network found in it, and its series.

use std::io::{self, Write};

use hemora_ct::{Label, Probabilities};
use hemora_model::StudyResult;
use hemora_page::{Escaped, count, or_dash, title};

use crate::bar::Bar;
use crate::figure::Figure;
use crate::number::{leading_html, probability_html};
use crate::series;

/// Where a study stands in the page.
pub(crate) struct Place {
    /// Place in the worklist, from 1.
    pub(crate) rank: usize,
    /// Studies in the worklist.
    pub(crate) total: usize,
    /// Whether the section is unfolded at first.
    pub(crate) open: bool,
}

/// Number of scored slices of a study.
pub(crate) fn slice_count(study: &StudyResult) -> usize {
    study.series.iter().map(|series| series.slices.len()).sum()
}

/// Writes a study; `figures` holds the key slices of each series, in the order of the series.
pub(crate) fn write(
    out: &mut dyn Write,
    study: &StudyResult,
    place: &Place,
    figures: &[Vec<Figure>],
) -> io::Result<()> {
    let Place { rank, total, open } = *place;
    let open = if open { " open" } else { "" };
    writeln!(out, "<details class=\"study\"{open}>\n<summary><h2>Study {rank} of {total}</h2>")?;
    writeln!(
        out,
        "<span>patient {}</span><span>any hemorrhage <strong>{}</strong></span><span>{}</span></summary>",
        or_dash(&study.patient_id),
        probability_html(study.probabilities.any),
        leading_html(&study.probabilities)
    )?;
    // The target of the links lies inside, so that following one unfolds the study.
    writeln!(
        out,
        "<p id=\"study-{rank}\">Study <span class=\"uid\">{}</span>: {}, {}.</p>",
        or_dash(&study.study_instance_uid),
        count(study.series.len(), "series", "series"),
        count(slice_count(study), "slice", "slices")
    )?;
    write_bars(out, &study.probabilities)?;
    write_flags(out, study)?;
    series::write_warnings(out, "Warnings about this study", &study.warnings)?;
    for (index, (one, figures)) in study.series.iter().zip(figures).enumerate() {
        let id = format!("study-{rank}-series-{}", index + 1);
        series::write(out, one, &id, index + 1, study.series.len(), figures)?;
    }
    writeln!(
        out,
        "<p class=\"back\"><a href=\"#worklist\">Back to the worklist</a></p>\n</details>"
    )
}

/// How many slices reach the model's stored thresholds for any hemorrhage; those of the subtypes are
/// in the result.
fn write_flags(out: &mut dyn Write, study: &StudyResult) -> io::Result<()> {
    let slices = slice_count(study);
    for flag in study.flags.iter().filter(|flag| flag.label == Label::Any) {
        writeln!(
            out,
            "<p>{}, threshold {:.3} on a slice ({}): <strong>{} of {}</strong> flagged.</p>",
            title(flag.label),
            flag.threshold,
            Escaped(&flag.operating_point),
            flag.flagged_slices,
            count(slices, "slice", "slices")
        )?;
    }
    Ok(())
}

fn write_bars(out: &mut dyn Write, probabilities: &Probabilities) -> io::Result<()> {
    writeln!(out, "<table class=\"bars\"><caption>Probability in this study</caption><tbody>")?;
    for label in std::iter::once(Label::Any).chain(Label::SUBTYPES) {
        let value = probabilities.get(label);
        let class = if label == Label::Any { " class=\"any\"" } else { "" };
        writeln!(
            out,
            "<tr{class}><th scope=\"row\">{}</th><td class=\"number\">{}</td><td>{}</td></tr>",
            title(label),
            probability_html(value),
            Bar(value)
        )?;
    }
    writeln!(out, "</tbody></table>")
}
