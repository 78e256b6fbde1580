//! The files that are made of a triage: a new kind of file is a module with a [`Writer`] and a line in
//! [`WRITERS`].

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use hemora_base::write_whole;
use hemora_model::TriageOutput;

use crate::{ReportError, csv, html, json};

/// One kind of file.
#[derive(Debug, Clone, Copy)]
pub struct Writer {
    /// Name of the file, such as `result.json`.
    pub file_name: &'static str,
    /// What it holds, in a few words.
    pub holds: &'static str,
    /// Writes the content.
    pub write: fn(&TriageOutput, &mut dyn Write) -> Result<(), ReportError>,
}

/// All kinds.
pub const WRITERS: &[Writer] = &[json::WRITER, csv::WRITER, html::WRITER];

/// Why a file is not written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}", path.display())]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// Why not.
    pub source: ReportError,
}

/// Writes a file of each of [`WRITERS`] into `folder`, which must be there. A file is whole or not there.
///
/// # Errors
/// [`WriteError`] names the file.
pub fn write_all(output: &TriageOutput, folder: &Path) -> Result<(), WriteError> {
    for writer in WRITERS {
        let path = folder.join(writer.file_name);
        let written = write_whole(&path, |file: &mut BufWriter<_>| (writer.write)(output, file));
        written.map_err(|source| WriteError { path, source })?;
    }
    Ok(())
}

/// Keeps the kinds of failure apart that the operating system reports.
pub(crate) fn io_error(error: impl Into<io::Error>) -> ReportError {
    ReportError::Write(error.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_names_of_their_own() {
        let mut names: Vec<&str> = WRITERS.iter().map(|writer| writer.file_name).collect();
        assert_eq!(names, ["result.json", "result.csv", "report.html"]);
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), WRITERS.len());
    }
}
