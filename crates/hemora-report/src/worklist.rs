//! The ranked list of studies.

use std::io::{self, Write};

use hemora_model::StudyResult;
use hemora_page::{Escaped, count, or_dash};

use crate::bar::Bar;
use crate::number::{leading_html, probability_html};
use crate::study::slice_count;

/// Writes the worklist; `studies` are in the order of their rank.
pub(crate) fn write(out: &mut dyn Write, studies: &[&StudyResult]) -> io::Result<()> {
    writeln!(out, "<section aria-labelledby=\"worklist\"><h2 id=\"worklist\">Worklist</h2>")?;
    if studies.is_empty() {
        return writeln!(out, "<p>No study was scored.</p></section>");
    }
    writeln!(
        out,
        "<p>Ordered by the probability of any hemorrhage, highest first. \
         A low probability does not exclude hemorrhage.</p>"
    )?;
    writeln!(
        out,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"worklist\"><table class=\"worklist\"><thead><tr>"
    )?;
    for name in
        ["Rank", "Study", "Patient", "Slices", "Any hemorrhage", "Leading subtypes", "Warnings"]
    {
        write!(out, "<th scope=\"col\">{name}</th>")?;
    }
    writeln!(out, "</tr></thead><tbody>")?;
    for (index, study) in studies.iter().enumerate() {
        write_row(out, index + 1, study)?;
    }
    writeln!(out, "</tbody></table></div></section>")
}

fn write_row(out: &mut dyn Write, rank: usize, study: &StudyResult) -> io::Result<()> {
    let warnings = study.warnings.len()
        + study.series.iter().map(|series| series.warnings.len()).sum::<usize>();
    let warnings = match warnings {
        0 => "none".to_owned(),
        some => format!("<strong>{}</strong>", count(some, "warning", "warnings")),
    };
    let any = study.probabilities.any;
    writeln!(
        out,
        "<tr><td>{rank}</td><th scope=\"row\" class=\"uid\"><a href=\"#study-{rank}\">{}</a></th>\
         <td class=\"uid\">{}</td><td>{}</td><td><span class=\"any\"><strong>{}</strong>{}</span></td>\
         <td>{}</td><td>{warnings}</td></tr>",
        or_dash(&study.study_instance_uid),
        Escaped(&study.patient_id),
        slice_count(study),
        probability_html(any),
        Bar(any),
        leading_html(&study.probabilities)
    )
}
