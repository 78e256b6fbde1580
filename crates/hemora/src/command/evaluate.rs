//! `hemora evaluate`: predictions against labels.

use hemora_base::ExitStatus;
use hemora_bundling::{Fitted, refuse_other_model};
use hemora_ct::Label;
use hemora_evaluation::{
    Cases, EvaluateOptions, Evaluation, Pixels, SheetModel, SliceImage, evaluate, markdown,
    write_evaluation, write_mistakes,
};
use hemora_infer::LoadedModel;
use hemora_model::Bundle;
use miette::{IntoDiagnostic, Result, WrapErr, bail};
use std::path::Path;

use crate::cli::EvaluateArgs;
use crate::default_model;
use crate::output::{make_folder, print};

/// Runs the command.
///
/// # Errors
/// A report that names the table and what does not fit.
pub fn run(arguments: &EvaluateArgs) -> Result<ExitStatus> {
    let model = arguments.model.as_deref().map(open_model).transpose()?;
    let fitted = match (&model, &arguments.calibration) {
        (Some(model), _) => Fitted::from_bundle(model),
        (None, Some(path)) => Fitted::read(path).into_diagnostic()?,
        (None, None) => Fitted::default(),
    };
    let mut request = arguments.cases.request();
    let (aggregation, learned) = fitted.aggregate(arguments.cases.aggregate).into_diagnostic()?;
    request.aggregation = aggregation;
    request.learned = fitted.learned.clone().filter(|_| learned);
    let mut cases = Cases::load(&request).into_diagnostic()?;
    let calibrated = is_calibrated(arguments, &mut cases, model.as_ref())?;
    let pixels = Pixels::find(&cases, &arguments.images);
    cases.warnings.extend_from_slice(pixels.warnings());
    if !arguments.images.is_empty() {
        cases.looks = Some(pixels.fingerprints(&cases.ids));
    }
    let options = options(arguments, fitted, calibrated)?;
    let mut evaluation = evaluate(cases, &options).into_diagnostic()?;
    for warning in &evaluation.warnings {
        eprintln!("warning: {warning}");
    }
    make_folder(&arguments.out)?;
    draw_mistakes(arguments, &mut evaluation, &pixels, model)?;
    write_evaluation(&arguments.out, &evaluation).into_diagnostic()?;
    print(|output| {
        if arguments.json {
            serde_json::to_writer_pretty(&mut *output, &evaluation)?;
            return writeln!(output);
        }
        write!(output, "{}", markdown(&evaluation))?;
        writeln!(output, "\nreport: {}", arguments.out.join("report.html").display())
    })?;
    Ok(ExitStatus::Success)
}

/// The bundle at a path; the built-in one by the name `default`.
fn open_model(path: &Path) -> Result<Bundle> {
    default_model::open(Some(path).filter(|path| path.as_os_str() != "default"))
}

/// Whether the predictions went through the model's calibration already.
fn is_calibrated(
    arguments: &EvaluateArgs,
    cases: &mut Cases,
    model: Option<&Bundle>,
) -> Result<bool> {
    if arguments.calibrated || !cases.of_triage {
        return Ok(arguments.calibrated);
    }
    if let Some(model) = model {
        refuse_other_model(&arguments.cases.predictions, model).into_diagnostic()?;
        return Ok(model.info().calibration.is_some());
    }
    if arguments.calibration.is_some() {
        cases.warnings.push(
            "the predictions look like triage's, which are calibrated already if the model's bundle \
             has a calibration; give --calibrated if they are, or --model"
                .to_owned(),
        );
    }
    Ok(false)
}

/// What is measured, with what was fitted for the labels.
fn options(arguments: &EvaluateArgs, fitted: Fitted, calibrated: bool) -> Result<EvaluateOptions> {
    let labels = arguments.cases.mapping().labels();
    let mut options = EvaluateOptions {
        points: fitted.points,
        calibration: fitted.calibration.filter(|_| !calibrated),
        calibrated,
        ..arguments.options()
    };
    options.points.retain(|point| labels.contains(&point.label));
    let given = arguments.calibration.as_ref().or(arguments.model.as_ref());
    if let (true, Some(path)) = (options.points.is_empty(), given) {
        bail!("{} has no operating point for the labels evaluated", path.display());
    }
    Ok(options)
}

/// Draws the worst mistakes, with activation maps where the model is at hand.
fn draw_mistakes(
    arguments: &EvaluateArgs,
    evaluation: &mut Evaluation,
    pixels: &Pixels,
    model: Option<Bundle>,
) -> Result<()> {
    let (out, most) = (&arguments.out, arguments.pictures);
    let Some(model) = model.filter(|_| most > 0 && !pixels.is_empty()) else {
        return write_mistakes(out, evaluation, pixels, None, most).into_diagnostic();
    };
    let model = LoadedModel::load(Default::default(), model, None);
    let model = model.into_diagnostic().wrap_err("no activation maps")?;
    let info = model.model().info();
    let view = |image: &SliceImage, label: Label| {
        model.view_slice(label, &|recipe| Some(image.input(recipe)))
    };
    let sheet = SheetModel {
        name: format!("{} {}", info.name, info.version),
        calibration: info.calibration.as_ref(),
        view: &view,
    };
    write_mistakes(out, evaluation, pixels, Some(&sheet), most).into_diagnostic()
}
