//! `hemora compare`: several runs side by side.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use hemora_evaluation::{
    CaseRequest, Cases, EvaluateError, EvaluateOptions, Evaluation, Mapping, evaluate,
    read_evaluation, side_by_side,
};
use hemora_metrics::BootstrapOptions;
use miette::{IntoDiagnostic, Result, bail};

use crate::output::print;

/// Flags of `hemora compare`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hemora compare eval-first eval-second
  hemora compare runs/lite runs/resnet
Of training runs on the same slices the differences from the first are given, with intervals and
p-values adjusted for the number of labels (Holm).")]
pub struct CompareArgs {
    /// Folders that `hemora evaluate` wrote, or their metrics.json; or folders of training runs, whose
    /// validation.csv is evaluated
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,

    /// Resamples of the intervals of training runs
    #[arg(long, default_value_t = 1000, value_name = "N")]
    pub repeats: usize,
}

/// Runs the command.
///
/// # Errors
/// A report that names the document that cannot be read.
pub fn run(arguments: &CompareArgs) -> Result<ExitCode> {
    let mut evaluations = Vec::with_capacity(arguments.runs.len());
    let mut first = None;
    for run in &arguments.runs {
        let document = evaluation_file(run);
        let predictions = run.join("validation.csv");
        if document.is_file() {
            evaluations.push(read_evaluation(&document).into_diagnostic()?);
        } else if predictions.is_file() {
            let name = run.file_name().unwrap_or(run.as_os_str()).to_string_lossy().into_owned();
            let other = first.get_or_insert_with(|| predictions.clone()).clone();
            let other = Some(other).filter(|other| *other != predictions);
            evaluations.push(measure(&predictions, other, name, arguments.repeats)?);
        } else {
            bail!(
                help = "give folders that `hemora evaluate` or `hemora train` wrote",
                "{} has neither metrics.json nor validation.csv",
                run.display()
            );
        }
    }
    let text = side_by_side(&evaluations);
    print(|out| write!(out, "{text}"))?;
    Ok(ExitCode::SUCCESS)
}

/// The metrics document of a folder, or the document itself.
pub fn evaluation_file(run: &Path) -> PathBuf {
    if run.is_dir() { run.join("metrics.json") } else { run.to_owned() }
}

/// Evaluates a training run's predictions, against another's where they are of the same slices.
fn measure(
    predictions: &Path,
    other: Option<PathBuf>,
    name: String,
    repeats: usize,
) -> Result<Evaluation> {
    let request = CaseRequest { predictions: predictions.to_owned(), ..CaseRequest::default() };
    let options = EvaluateOptions {
        name,
        bootstrap: BootstrapOptions { repeats, ..BootstrapOptions::default() },
        compare: other.map(|path| (path, Mapping::default())),
        ..EvaluateOptions::default()
    };
    let cases = || Cases::load(&request).into_diagnostic();
    match evaluate(cases()?, &options) {
        // Not the same slices: side by side they can stand all the same, which the table says.
        Err(EvaluateError::Rows { .. }) if options.compare.is_some() => {
            evaluate(cases()?, &EvaluateOptions { compare: None, ..options }).into_diagnostic()
        }
        evaluated => evaluated.into_diagnostic(),
    }
}
