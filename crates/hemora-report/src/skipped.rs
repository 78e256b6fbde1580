//! The files that were not used, with their reasons.

use hemora_model::{SkippedFile, TriageResult};
use hemora_page::{count, or_dash, section, short, table_of};
use maud::{Markup, html};

/// A list longer than this is folded.
const LONG: usize = 12;

/// The files that were not used: broken ones first, then those of another kind.
pub(crate) fn skipped(result: &TriageResult) -> Markup {
    let skipped = &result.skipped;
    let (failed, left_out): (Vec<_>, Vec<_>) = skipped.iter().partition(|file| file.failed);
    section(
        "skipped",
        "Files not used",
        html! {
            @if skipped.is_empty() { p { "Every file was used." } }
            (group("could not be used because of an error", &failed))
            (group("left out because this is not what Hemora scores", &left_out))
            @for more in &result.skipped_more {
                p { (count(more.files, "more file", "more files")) ": " (short(&more.reason)) }
            }
        },
    )
}

fn group(what: &str, files: &[&SkippedFile]) -> Markup {
    let rows = html! {
        @for file in files {
            tr {
                th scope="row" class="file" { (or_dash(&file.source)) }
                td { (short(&file.reason)) }
            }
        }
    };
    html! {
        @if !files.is_empty() {
            details open[files.len() <= LONG] {
                summary { (count(files.len(), "file", "files")) " " (what) }
                (table_of("files", ["File", "Reason"], rows))
            }
        }
    }
}
