//! The ranked worklist as text for a terminal.

use std::fmt::Write;

use hemora_base::printable;
use hemora_model::TriageResult;

/// Failed files that are named; the others are counted.
const NAMED: usize = 10;

/// A line for each study, most suspicious first, with its leading subtype; then a line for each file
/// that failed. Texts from files have no control characters, which a terminal would obey.
pub fn worklist_text(result: &TriageResult) -> String {
    let mut text = String::new();
    if !result.studies.is_empty() {
        text.push_str("rank    any  leading subtype          slices  study\n");
    }
    for (index, study) in result.studies.iter().enumerate() {
        let slices: usize = study.series.iter().map(|series| series.slices.len()).sum();
        let leading = study.probabilities.leading_subtype();
        let probability = study.probabilities.get(leading);
        // Writing to a text does not fail.
        let _ = writeln!(
            text,
            "{:>4}  {:.3}  {leading:<16} {probability:.3}  {slices:>7}  {}",
            index + 1,
            study.probabilities.any,
            printable(&study.study_instance_uid)
        );
    }
    let failed: Vec<_> = result.skipped.iter().filter(|file| file.failed).collect();
    for file in failed.iter().take(NAMED) {
        let _ = writeln!(text, "failed: {}: {}", printable(&file.source), printable(&file.reason));
    }
    if failed.len() > NAMED {
        let more = failed.len() - NAMED;
        let _ = writeln!(text, "failed: {more} more files, named in result.json");
    }
    let left_out = result.skipped_files() - failed.len();
    if left_out > 0 {
        let _ = writeln!(
            text,
            "left out: {left_out} files that are no CT image or of a series that was not chosen; \
             result.json has the reasons"
        );
    }
    text
}
