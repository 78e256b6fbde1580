//! `hemora evaluate`: predictions against labels.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use hemora_eval::{BootstrapMethod, BootstrapOptions, OperatingRule};
use hemora_evaluate::{
    Cases, EvaluateOptions, Evaluation, Lookup, evaluate, markdown, read_fit, write_html,
};
use miette::{IntoDiagnostic, Result, bail};

use super::cases::CaseArgs;
use crate::output::{make_folder, write_json, write_whole};

/// Flags of `hemora evaluate`.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct EvaluateArgs {
    /// The tables.
    #[command(flatten)]
    pub cases: CaseArgs,

    /// Folder for metrics.json, report.html and metrics.md; made if it is not there
    #[arg(long, short, default_value = "hemora-evaluation", value_name = "DIR")]
    pub out: PathBuf,

    /// Print metrics.json to standard output instead of the tables
    #[arg(long)]
    pub json: bool,

    /// Name of the model or run [default: the file's name]
    #[arg(long)]
    pub name: Option<String>,

    /// Operating points and calibration that `hemora calibrate` wrote
    #[arg(long, value_name = "JSON")]
    pub operating_points: Option<PathBuf>,

    /// The predictions are calibrated already, as triage gives them with a calibrated model: apply
    /// the operating points, not the calibration
    #[arg(long)]
    pub calibrated: bool,

    /// A threshold given beforehand, such as 0.5, as an operating point; may be repeated
    #[arg(long, value_name = "T")]
    pub threshold: Vec<f64>,

    /// Choose thresholds on these very cases (youden, sensitivity=S, specificity=S,
    /// cost=MISSED:ALARM, cost=MISSED:ALARM@PREVALENCE); needs --tune-on-test
    #[arg(long, value_name = "RULE")]
    pub choose: Vec<OperatingRule>,

    /// Report what was chosen or fitted on these very cases, marked as such
    #[arg(long)]
    pub tune_on_test: bool,

    /// Another model's predictions of the same slices
    #[arg(long, value_name = "PREDICTIONS")]
    pub compare: Option<PathBuf>,

    /// A column whose values make subgroups; may be repeated
    #[arg(long, value_name = "CSV:ID:COLUMN")]
    pub subgroups: Vec<Lookup>,

    /// Give predictive values also where this share is positive, such as 0.05; may be repeated
    #[arg(long, value_name = "SHARE")]
    pub prevalence: Vec<f64>,

    /// Resamples of the intervals
    #[arg(long, default_value_t = 1000, value_name = "N")]
    pub repeats: usize,

    /// Intervals by the BCa method instead of percentiles
    #[arg(long)]
    pub bca: bool,

    /// Seed of the resamples
    #[arg(long, default_value_t = 0)]
    pub seed: u64,

    /// Mistakes listed of each kind
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub mistakes: usize,
}

const HELP: &str = "Examples:
  hemora evaluate today/result.csv --labels stage_2_train.csv --out eval
  hemora evaluate runs/first/validation.csv --threshold 0.5
  hemora evaluate test.csv --labels labels.csv --groups slices.csv:Image:PatientID \\
      --operating-points calibration.json --subgroups slices.csv:Image:scanner
  hemora evaluate theirs.csv --id image --column any=p_bleed --only any --labels labels.csv

For research use only: not for diagnosis.";

/// Runs the command.
///
/// # Errors
/// A report that names the table and what does not fit.
pub fn run(arguments: &EvaluateArgs) -> Result<ExitCode> {
    let cases = Cases::load(&arguments.cases.request()).into_diagnostic()?;
    let evaluation = evaluate(cases, &options(arguments)?).into_diagnostic()?;
    for warning in &evaluation.warnings {
        eprintln!("warning: {warning}");
    }
    write(&arguments.out, &evaluation)?;
    let mut output = std::io::stdout().lock();
    let printed = if arguments.json {
        serde_json::to_writer_pretty(&mut output, &evaluation)
            .map_err(std::io::Error::from)
            .and_then(|()| writeln!(output))
    } else {
        let page = arguments.out.join("report.html");
        write!(output, "{}", markdown(&evaluation))
            .and_then(|()| writeln!(output, "\nreport: {}", page.display()))
    };
    match printed {
        // `hemora evaluate … | head` is no error.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).into_diagnostic()
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

fn options(arguments: &EvaluateArgs) -> Result<EvaluateOptions> {
    let stem = arguments.cases.predictions.file_stem().unwrap_or_default();
    let mut options = EvaluateOptions {
        name: arguments.name.clone().unwrap_or_else(|| stem.to_string_lossy().into_owned()),
        bootstrap: BootstrapOptions {
            repeats: arguments.repeats,
            seed: arguments.seed,
            method: if arguments.bca { BootstrapMethod::Bca } else { BootstrapMethod::Percentile },
            ..BootstrapOptions::default()
        },
        prevalences: arguments.prevalence.clone(),
        choose: arguments.threshold.iter().map(|&at| OperatingRule::Fixed(at)).collect(),
        tune_on_test: arguments.tune_on_test,
        calibrated: arguments.calibrated,
        compare: arguments.compare.clone().map(|path| (path, arguments.cases.mapping())),
        subgroups: arguments.subgroups.clone(),
        mistakes: arguments.mistakes,
        ..EvaluateOptions::default()
    };
    options.choose.extend(&arguments.choose);
    if let Some(path) = &arguments.operating_points {
        let fit = read_fit(path).into_diagnostic()?;
        let labels = arguments.cases.mapping().labels();
        options.points = fit.operating_points;
        options.points.retain(|point| labels.contains(&point.label));
        if options.points.is_empty() {
            bail!("{} has no operating point for the labels evaluated", path.display());
        }
        options.calibration = fit.calibration.filter(|_| !arguments.calibrated);
    }
    Ok(options)
}

fn write(out: &Path, evaluation: &Evaluation) -> Result<()> {
    make_folder(out)?;
    write_json(&out.join("metrics.json"), evaluation)?;
    write_whole(&out.join("report.html"), |mut file| {
        write_html(&mut file, evaluation).into_diagnostic()
    })?;
    write_whole(&out.join("metrics.md"), |file| {
        file.write_all(markdown(evaluation).as_bytes()).into_diagnostic()
    })
}
