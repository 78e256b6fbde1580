//! `hemora evaluate`: predictions against labels.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use hemora_bundling::{Fitted, refuse_other_model};
use hemora_evaluation::{
    Cases, EvaluateOptions, Evaluation, Lookup, evaluate, markdown, write_html,
};
use hemora_metrics::{BootstrapMethod, BootstrapOptions, OperatingRule};
use hemora_model::Bundle;
use hemora_page::title;
use hemora_report::write_contact_sheet;
use miette::{IntoDiagnostic, Result, bail};

use super::cases::CaseArgs;
use super::pictures::{MapMaker, Pixels, sections};
use crate::default_model;
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

    /// The model of the predictions: a bundle, or `default` for the built-in one. Its calibration and
    /// operating points are applied, and its activation maps drawn
    #[arg(long, value_name = "BUNDLE", conflicts_with = "operating_points")]
    pub model: Option<PathBuf>,

    /// Operating points and calibration that `hemora calibrate` wrote
    #[arg(long, value_name = "JSON")]
    pub operating_points: Option<PathBuf>,

    /// The predictions are calibrated already: apply the operating points, not the calibration. Known
    /// of triage's result.csv where --model is given
    #[arg(long)]
    pub calibrated: bool,

    /// Files or folders of the slices' images, DICOM or windowed PNG named by their ids, where no
    /// index tells; for pictures and look-alikes
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
    pub choose: Vec<OperatingRule>,

    /// Report what was chosen or fitted on these very cases, marked as such
    #[arg(long)]
    pub tune_on_test: bool,

    /// Another model's predictions of the same slices
    #[arg(long, value_name = "PREDICTIONS")]
    pub compare: Option<PathBuf>,

    /// A column whose values make subgroups, beside those of the index; may be repeated
    #[arg(long, value_name = "TABLE:ID:COLUMN")]
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
  hemora evaluate today/result.csv --labels stage_2_train.csv --model default --out eval
  hemora evaluate today/result.csv --index set.parquet --model default
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
    let bundle = arguments.model.as_deref().map(open_model).transpose()?;
    let fitted = match (&bundle, &arguments.operating_points) {
        (Some(bundle), _) => Fitted::from_bundle(bundle),
        (None, Some(path)) => Fitted::read(path).into_diagnostic()?,
        (None, None) => Fitted::default(),
    };
    let mut request = arguments.cases.request();
    let (aggregation, learned) = fitted.aggregate(arguments.cases.aggregate).into_diagnostic()?;
    request.aggregation = aggregation;
    request.learned = fitted.learned.clone().filter(|_| learned);
    let mut cases = Cases::load(&request).into_diagnostic()?;
    let calibrated = is_calibrated(arguments, &mut cases, bundle.as_ref())?;
    let pixels = Pixels::find(&cases, &arguments.images);
    if !arguments.images.is_empty() {
        cases.looks = Some(pixels.looks(&cases.ids));
    }
    let options = options(arguments, fitted, calibrated)?;
    let mut evaluation = evaluate(cases, &options).into_diagnostic()?;
    for warning in &evaluation.warnings {
        eprintln!("warning: {warning}");
    }
    make_folder(&arguments.out)?;
    write_sheet(arguments, &mut evaluation, &pixels, bundle)?;
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

/// The bundle at a path; the built-in one by the name `default`.
fn open_model(path: &Path) -> Result<Bundle> {
    default_model::open(Some(path).filter(|path| path.as_os_str() != "default"))
}

/// Whether the predictions went through the model's calibration already.
fn is_calibrated(
    arguments: &EvaluateArgs,
    cases: &mut Cases,
    bundle: Option<&Bundle>,
) -> Result<bool> {
    if arguments.calibrated || !cases.of_triage {
        return Ok(arguments.calibrated);
    }
    match bundle {
        Some(bundle) => {
            refuse_other_model(&arguments.cases.predictions, bundle).into_diagnostic()?;
            Ok(bundle.info().calibration.is_some())
        }
        None if arguments.operating_points.is_some() => {
            cases.warnings.push(
                "the predictions look like triage's, which are calibrated already if the model's \
                 bundle has a calibration; say so with --calibrated, or give --model"
                    .to_owned(),
            );
            Ok(false)
        }
        None => Ok(false),
    }
}

fn options(arguments: &EvaluateArgs, fitted: Fitted, calibrated: bool) -> Result<EvaluateOptions> {
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
        calibrated,
        compare: arguments.compare.clone().map(|path| (path, arguments.cases.mapping())),
        subgroups: arguments.subgroups.clone(),
        mistakes: arguments.mistakes.max(arguments.pictures),
        ..EvaluateOptions::default()
    };
    options.choose.extend(&arguments.choose);
    let labels = arguments.cases.mapping().labels();
    options.points = fitted.points;
    options.points.retain(|point| labels.contains(&point.label));
    let given = arguments.operating_points.as_ref().or(arguments.model.as_ref());
    if let (true, Some(path)) = (options.points.is_empty(), given) {
        bail!("{} has no operating point for the labels evaluated", path.display());
    }
    options.calibration = fitted.calibration.filter(|_| !calibrated);
    Ok(options)
}

/// Draws the worst mistakes where pixels are at hand, and lets the page point to them.
fn write_sheet(
    arguments: &EvaluateArgs,
    evaluation: &mut Evaluation,
    pixels: &Pixels,
    bundle: Option<Bundle>,
) -> Result<()> {
    const NAME: &str = "mistakes.html";
    if arguments.pictures == 0 || pixels.is_empty() || evaluation.mistakes.is_empty() {
        return Ok(());
    }
    let mut about = vec![format!(
        "{}: the worst mistakes for {}. This file shows images of patients: treat it as such.",
        evaluation.name,
        title(evaluation.mistakes[0].label).to_lowercase()
    )];
    about.push(match &bundle {
        Some(bundle) => format!(
            "Maps show where {} {} looked; they are no segmentation.",
            bundle.info().name,
            bundle.info().version
        ),
        None => "Without --model there are no activation maps.".to_owned(),
    });
    let maps = bundle.map(MapMaker::new).transpose()?;
    let sections = sections(evaluation, pixels, maps.as_ref(), arguments.pictures);
    write_whole(&arguments.out.join(NAME), |mut file| {
        let heading = format!("Mistakes of {}", evaluation.name);
        write_contact_sheet(&mut file, &heading, &about, &sections).into_diagnostic()
    })?;
    evaluation.contact_sheet = Some(NAME.to_owned());
    Ok(())
}

fn write(out: &Path, evaluation: &Evaluation) -> Result<()> {
    write_json(&out.join("metrics.json"), evaluation)?;
    write_whole(&out.join("report.html"), |mut file| {
        write_html(&mut file, evaluation).into_diagnostic()
    })?;
    write_whole(&out.join("metrics.md"), |file| {
        file.write_all(markdown(evaluation).as_bytes()).into_diagnostic()
    })
}
