//! Several runs side by side: evaluations that were written, or training runs that are evaluated now.

use std::path::{Path, PathBuf};

use hemora_metrics::BootstrapOptions;

use crate::{
    CaseRequest, Cases, EvaluateError, EvaluateOptions, Evaluation, Mapping, evaluate,
    read_evaluation,
};

/// The metrics document of a folder, or the document itself.
pub fn evaluation_file(run: &Path) -> PathBuf {
    if run.is_dir() { run.join("metrics.json") } else { run.to_owned() }
}

/// Reads evaluations, and evaluates training runs: the first by itself, the others against it where
/// they are of the same slices. `runs` are folders that `hemora evaluate` wrote, or their documents, or
/// folders of training runs.
///
/// # Errors
/// [`EvaluateError`] names the folder that is neither, or the document that cannot be read.
pub fn read_runs(runs: &[PathBuf], resamples: usize) -> Result<Vec<Evaluation>, EvaluateError> {
    let mut evaluations = Vec::with_capacity(runs.len());
    let mut first: Option<PathBuf> = None;
    for run in runs {
        let document = evaluation_file(run);
        let predictions = run.join("validation.csv");
        if document.is_file() {
            evaluations.push(read_evaluation(&document)?);
        } else if predictions.is_file() {
            let name = run.file_name().unwrap_or(run.as_os_str()).to_string_lossy().into_owned();
            let other = first.get_or_insert_with(|| predictions.clone()).clone();
            let other = Some(other).filter(|other| *other != predictions);
            evaluations.push(evaluate_run(&predictions, other, name, resamples)?);
        } else {
            return Err(EvaluateError::NoRun(run.clone()));
        }
    }
    Ok(evaluations)
}

/// Evaluates a training run's predictions, against another's where they are of the same slices.
fn evaluate_run(
    predictions: &Path,
    other: Option<PathBuf>,
    name: String,
    resamples: usize,
) -> Result<Evaluation, EvaluateError> {
    let request = CaseRequest { predictions: predictions.to_owned(), ..CaseRequest::default() };
    let options = EvaluateOptions {
        name,
        bootstrap: BootstrapOptions { repeats: resamples, ..BootstrapOptions::default() },
        compare: other.map(|path| (path, Mapping::default())),
        ..EvaluateOptions::default()
    };
    match evaluate(Cases::load(&request)?, &options) {
        // Not the same slices: side by side they can stand all the same, which the table notes.
        Err(EvaluateError::Rows { .. }) if options.compare.is_some() => {
            evaluate(Cases::load(&request)?, &EvaluateOptions { compare: None, ..options })
        }
        evaluated => evaluated,
    }
}
