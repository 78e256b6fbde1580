//! The files of an evaluation: `metrics.json`, `report.html` and `metrics.md`.

use std::io::Write;
use std::path::Path;

use crate::{EvaluateError, Evaluation, markdown, write_html};

/// Writes `metrics.json`, `report.html` and `metrics.md` in the folder `out`, each whole or not at
/// all.
///
/// # Errors
/// [`EvaluateError::Write`] names the file.
pub fn write_evaluation(out: &Path, evaluation: &Evaluation) -> Result<(), EvaluateError> {
    write_document(&out.join("metrics.json"), evaluation)?;
    let page = out.join("report.html");
    hemora_base::write_whole(&page, |file| write_html(file, evaluation)).map_err(in_file(&page))?;
    let table = out.join("metrics.md");
    hemora_base::write_whole(&table, |file| file.write_all(markdown(evaluation).as_bytes()))
        .map_err(in_file(&table))
}

/// Writes a document as indented JSON, whole or not at all.
///
/// # Errors
/// [`EvaluateError::Write`] names the file.
pub fn write_document(path: &Path, document: &impl serde::Serialize) -> Result<(), EvaluateError> {
    hemora_base::write_json(path, document).map_err(in_file(path))
}

/// An error of the operating system with its file.
pub(crate) fn in_file(path: &Path) -> impl FnOnce(std::io::Error) -> EvaluateError + '_ {
    move |source| EvaluateError::Write { path: path.to_owned(), source }
}
