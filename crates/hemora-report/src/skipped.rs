//! The files that were not used, with their reasons.

use std::io::{self, Write};

use hemora_model::SkippedFile;
use hemora_page::{Escaped, count, or_dash};

/// A list longer than this is folded.
const LONG: usize = 12;

/// Writes the files that were not used: broken ones first, then those of another kind.
pub(crate) fn write(out: &mut dyn Write, skipped: &[SkippedFile]) -> io::Result<()> {
    writeln!(out, "<section aria-labelledby=\"skipped\"><h2 id=\"skipped\">Files not used</h2>")?;
    if skipped.is_empty() {
        writeln!(out, "<p>Every file was used.</p>")?;
    }
    write_group(out, "could not be used because of an error", skipped, true)?;
    write_group(out, "left out because this is not what Hemora scores", skipped, false)?;
    writeln!(out, "</section>")
}

fn write_group(
    out: &mut dyn Write,
    what: &str,
    skipped: &[SkippedFile],
    failed: bool,
) -> io::Result<()> {
    let number = skipped.iter().filter(|file| file.failed == failed).count();
    if number == 0 {
        return Ok(());
    }
    let open = if number > LONG { "" } else { " open" };
    writeln!(
        out,
        "<details{open}><summary>{} {what}</summary><div class=\"scroll\"><table class=\"files\">\
         <thead><tr><th scope=\"col\">File</th><th scope=\"col\">Reason</th></tr></thead><tbody>",
        count(number, "file", "files")
    )?;
    for file in skipped.iter().filter(|file| file.failed == failed) {
        writeln!(
            out,
            "<tr><th scope=\"row\" class=\"file\">{}</th><td>{}</td></tr>",
            or_dash(&file.source),
            Escaped(&file.reason)
        )?;
    }
    writeln!(out, "</tbody></table></div></details>")
}
