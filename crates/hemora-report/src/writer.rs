//! How the files of a triage are written: whole, and never beside those of another run.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use hemora_base::WholeFile;
use hemora_model::TriageOutput;

use crate::{ReportError, WRITERS};

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

/// Why a file is not written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}", path.display())]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// Why not.
    pub source: ReportError,
}

/// Writes a file of each of [`WRITERS`] into `folder`, which must be there. Files of an earlier run are
/// removed once all new ones are written, and before the first of these gets its name: what stands
/// there is whole and of one run, whenever the program is killed and whoever else writes there.
///
/// # Errors
/// [`WriteError`] names the file.
pub fn write_all(output: &TriageOutput, folder: &Path) -> Result<(), WriteError> {
    let mut files = Vec::new();
    for writer in WRITERS {
        let path = folder.join(writer.file_name);
        match WholeFile::write(folder, |file: &mut BufWriter<_>| (writer.write)(output, file)) {
            Ok(file) => files.push((file, path)),
            Err(source) => return Err(WriteError { path, source }),
        }
    }
    // Held to the end of this function; where folders cannot be locked, as on some network file
    // systems, runs that end in the same moment are the user's to keep apart.
    let lock = File::open(folder).ok();
    let _locked = lock.as_ref().map(File::lock);
    for (_, path) in &files {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(WriteError { path: path.clone(), source: io_error(error) });
            }
            _ => {}
        }
    }
    for (file, path) in files {
        file.rename(&path).map_err(|error| WriteError { path, source: io_error(error) })?;
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
        for always in ["result.json", "result.csv", "report.html"] {
            assert!(names.contains(&always), "{always}");
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), WRITERS.len());
    }
}
