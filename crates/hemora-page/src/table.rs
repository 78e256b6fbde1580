//! Tables that scroll sideways where they do not fit.

use std::io::{self, Write};

/// Opens a table with these heads of its columns, which are escaped already.
///
/// # Errors
/// If `out` cannot be written.
pub fn open_table(out: &mut dyn Write, columns: &[&str]) -> io::Result<()> {
    write!(out, "<div class=\"scroll\" tabindex=\"0\"><table class=\"numbers\"><thead><tr>")?;
    for name in columns {
        write!(out, "<th scope=\"col\">{name}</th>")?;
    }
    writeln!(out, "</tr></thead><tbody>")
}

/// Closes it.
///
/// # Errors
/// If `out` cannot be written.
pub fn close_table(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "</tbody></table></div>")
}
