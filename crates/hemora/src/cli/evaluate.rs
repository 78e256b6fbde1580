//! The flags of `hemora evaluate`, `calibrate` and `compare`.

use std::path::PathBuf;

use clap::Args;
use hemora_data::TableColumn;
use hemora_evaluation::EvaluateOptions;
use hemora_metrics::{
    BootstrapMethod, BootstrapOptions, CalibrationMethod, FitOptions, OperatingRule,
};

use super::CaseArgs;

/// Flags of `hemora evaluate`.
#[derive(Debug, Args)]
#[command(after_help = EVALUATE_HELP)]
pub struct EvaluateArgs {
    /// The tables.
    #[command(flatten)]
    pub cases: CaseArgs,

    /// Folder for metrics.json, report.html and metrics.md; made if it is not there
    #[arg(long, short, default_value = "hemora-evaluation", value_name = "DIR")]
    pub out: PathBuf,

    /// Print JSON to standard output instead of text
    #[arg(long)]
    pub json: bool,

    /// Name of the model or run [default: the file's name]
    #[arg(long)]
    pub name: Option<String>,

    /// The model of the predictions: a bundle, or `default` for the built-in one. Its calibration and
    /// operating points are applied, and its activation maps drawn
    #[arg(long, value_name = "BUNDLE", conflicts_with = "calibration")]
    pub model: Option<PathBuf>,

    /// Calibration and operating points that `hemora calibrate` wrote
    #[arg(long, value_name = "JSON")]
    pub calibration: Option<PathBuf>,

    /// The predictions are calibrated already: apply the operating points, not the calibration. Not
    /// needed for triage's result.csv with --model
    #[arg(long)]
    pub calibrated: bool,

    /// Files or folders of the slices' images, DICOM or windowed PNG named by their ids, where no
    /// index names them; for pictures and look-alikes
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub images: Vec<PathBuf>,

    /// Mistakes of each kind in mistakes.html, with their pictures; 0 for no such file
    #[arg(long, default_value_t = 12, value_name = "N")]
    pub pictures: usize,

    /// A threshold given beforehand, such as 0.5, as an operating point; may be repeated
    #[arg(long, value_name = "T")]
    pub threshold: Vec<f64>,

    /// Choose thresholds on these very cases (youden, sensitivity=S, specificity=S,
    /// cost=MISSED:ALARM, cost=MISSED:ALARM@PREVALENCE); needs --tune-on-test
    #[arg(long, value_name = "RULE")]
    pub rule: Vec<OperatingRule>,

    /// Report what was chosen or fitted on these very cases, marked as such
    #[arg(long)]
    pub tune_on_test: bool,

    /// Another model's predictions of the same slices
    #[arg(long, value_name = "PREDICTIONS")]
    pub compare: Option<PathBuf>,

    /// A column whose values make subgroups, beside those of the index; may be repeated
    #[arg(long, value_name = "TABLE:ID:COLUMN")]
    pub subgroups: Vec<TableColumn>,

    /// Give predictive values also where this share is positive, such as 0.05; may be repeated
    #[arg(long, value_name = "SHARE")]
    pub prevalence: Vec<f64>,

    /// Resamples of the intervals
    #[arg(long, default_value_t = 1000, value_name = "N")]
    pub resamples: usize,

    /// Intervals by the BCa method instead of percentiles
    #[arg(long)]
    pub bca: bool,

    /// Seed of what is drawn at random
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub seed: u64,

    /// Mistakes listed of each kind
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub mistakes: usize,
}

const EVALUATE_HELP: &str = "Examples:
  hemora evaluate today/result.csv --labels stage_2_train.csv --model default --out eval
  hemora evaluate today/result.csv --index set.parquet --model default
  hemora evaluate runs/first/validation.csv --threshold 0.5
  hemora evaluate test.csv --labels labels.csv --groups slices.csv:Image:PatientID \\
      --calibration calibration.json --subgroups slices.csv:Image:scanner
  hemora evaluate theirs.csv --id image --column any=p_bleed --only any --labels labels.csv

For research use only: not for diagnosis.";

impl EvaluateArgs {
    /// What is measured, but for what was fitted before.
    pub fn options(&self) -> EvaluateOptions {
        let stem = self.cases.predictions.file_stem().unwrap_or_default();
        let fixed = self.threshold.iter().map(|&at| OperatingRule::Fixed(at));
        EvaluateOptions {
            name: self.name.clone().unwrap_or_else(|| stem.to_string_lossy().into_owned()),
            bootstrap: BootstrapOptions {
                repeats: self.resamples,
                seed: self.seed,
                method: if self.bca { BootstrapMethod::Bca } else { BootstrapMethod::Percentile },
                ..BootstrapOptions::default()
            },
            prevalences: self.prevalence.clone(),
            choose: fixed.chain(self.rule.iter().copied()).collect(),
            tune_on_test: self.tune_on_test,
            compare: self.compare.clone().map(|path| (path, self.cases.mapping())),
            subgroups: self.subgroups.clone(),
            mistakes: self.mistakes.max(self.pictures),
            ..EvaluateOptions::default()
        }
    }
}

/// Flags of `hemora calibrate`.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  hemora calibrate runs/first/validation.csv --rule sensitivity=0.95 --rule youden \\
      --out calibration.json")]
pub struct CalibrateArgs {
    /// The tables.
    #[command(flatten)]
    pub cases: CaseArgs,

    /// The document to write
    #[arg(long, short, default_value = "calibration.json", value_name = "JSON")]
    pub out: PathBuf,

    /// Calibration: temperature, platt, isotonic or none
    #[arg(long, default_value = "temperature", value_name = "NAME", value_parser = method)]
    pub method: FitMethod,

    /// How a threshold is chosen: youden, sensitivity=S, specificity=S, fixed=T, cost=MISSED:ALARM or
    /// cost=MISSED:ALARM@PREVALENCE; may be repeated; sensitivity=0.95 without it
    #[arg(long, value_name = "RULE")]
    pub rule: Vec<OperatingRule>,

    /// Also fit how slices make a series or study: a logistic regression on the highest slice, the
    /// mean of the three highest, and all together
    #[arg(long, conflicts_with = "aggregate")]
    pub learn_aggregation: bool,

    /// Seed of what is drawn at random
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub seed: u64,
}

/// How a calibration is fitted, if at all.
#[derive(Debug, Clone, Copy)]
pub struct FitMethod(pub Option<CalibrationMethod>);

fn method(name: &str) -> Result<FitMethod, String> {
    match name {
        "none" => Ok(FitMethod(None)),
        name => match name.parse() {
            Ok(method) => Ok(FitMethod(Some(method))),
            Err(reason) => Err(format!("{reason}, or none")),
        },
    }
}

impl CalibrateArgs {
    /// What is fitted.
    pub fn options(&self) -> FitOptions {
        let rules = match self.rule.as_slice() {
            [] => vec![OperatingRule::Sensitivity(0.95)],
            rules => rules.to_vec(),
        };
        FitOptions {
            calibration: self.method.0,
            rules,
            learn_aggregation: self.learn_aggregation,
            seed: self.seed,
        }
    }
}

/// Flags of `hemora compare`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hemora compare eval-first eval-second
  hemora compare runs/lite runs/resnet
For training runs on the same slices it gives the differences from the first, with intervals and
p-values adjusted for the number of labels (Holm).")]
pub struct CompareArgs {
    /// Folders that `hemora evaluate` wrote, or their metrics.json; or folders of training runs, whose
    /// validation.csv is evaluated
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,

    /// Resamples of the intervals
    #[arg(long, default_value_t = 1000, value_name = "N")]
    pub resamples: usize,
}
