//! `hemora calibrate`: a calibration and operating points from validation predictions.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use hemora_evaluation::{Cases, calibrate};
use hemora_metrics::{CalibrationMethod, FitOptions, OperatingRule};
use miette::{IntoDiagnostic, Result, bail};

use super::cases::CaseArgs;
use crate::output::write_json;

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
    #[arg(long, default_value = "temperature", value_name = "NAME")]
    pub method: String,

    /// How a threshold is chosen: youden, sensitivity=S, specificity=S, fixed=T, cost=MISSED:ALARM or
    /// cost=MISSED:ALARM@PREVALENCE; may be repeated; sensitivity=0.95 without it
    #[arg(long, value_name = "RULE")]
    pub rule: Vec<OperatingRule>,

    /// Also fit how slices make a series or study: a logistic regression on the highest slice, the
    /// mean of the three highest, and all together
    #[arg(long, conflicts_with = "aggregate")]
    pub learn_aggregation: bool,

    /// Seed of the parts that the held-out figures are computed over
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

/// Runs the command.
///
/// # Errors
/// A report that names the table and what does not fit.
pub fn run(arguments: &CalibrateArgs) -> Result<ExitCode> {
    let calibration = match arguments.method.as_str() {
        "none" => None,
        name => match name.parse::<CalibrationMethod>() {
            Ok(method) => Some(method),
            Err(reason) => bail!("{reason}, or none"),
        },
    };
    let rules = if arguments.rule.is_empty() {
        vec![OperatingRule::Sensitivity(0.95)]
    } else {
        arguments.rule.clone()
    };
    let cases = Cases::load(&arguments.cases.request()).into_diagnostic()?;
    for warning in &cases.warnings {
        eprintln!("warning: {warning}");
    }
    let hierarchy = &cases.hierarchy;
    let learn_aggregation = arguments.learn_aggregation;
    if learn_aggregation && hierarchy.series.is_none() && hierarchy.studies.is_none() {
        bail!(
            help = "give --index, --series or --studies",
            "neither series nor studies are known, so that nothing can be learnt of them"
        );
    }
    let options = FitOptions { calibration, rules, learn_aggregation, seed: arguments.seed };
    let report = calibrate(&cases, &options).into_diagnostic()?;
    write_json(&arguments.out, &report)?;
    let shown = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.4}"));
    println!("label             positive  log loss: before   after  held out");
    for label in &report.labels {
        println!(
            "{:<17} {:>8}  {:>16} {:>7}  {:>8}",
            label.label,
            label.positives,
            shown(label.before.log_loss),
            shown(label.after.log_loss),
            shown(label.held_out.and_then(|scores| scores.log_loss))
        );
    }
    if let Some(learned) = &report.aggregation {
        println!("{}: log loss top-3  learned, held out", learned.level);
        for rule in &learned.labels {
            println!(
                "{:<17} {:>14} {:>18}",
                rule.label,
                shown(rule.before.log_loss),
                shown(rule.held_out.and_then(|scores| scores.log_loss))
            );
        }
    }
    for point in &report.operating_points {
        println!(
            "{} {}, {}: threshold {:.4}, sensitivity {}, specificity {}",
            point.level,
            point.label,
            point.name,
            point.threshold,
            shown(point.sensitivity),
            shown(point.specificity)
        );
    }
    println!("written: {}", arguments.out.display());
    Ok(ExitCode::SUCCESS)
}
