//! `hemora ensemble`: several models as one, from their out-of-fold predictions to one bundle.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use hemora_ct::NOTICE;
use hemora_ct::{LABEL_COUNT, Label};
use hemora_evaluation::{
    DEFAULT_NEIGHBOURS, EnsembleFit, EnsembleLosses, EnsembleMethod, EnsembleOptions, fit_ensemble,
    read_ensemble_fit,
};
use hemora_model::{
    Bundle, ENSEMBLE_FORMAT_VERSION, Ensemble, EnsembleInfo, EnsembleModel, EnsembleSeries,
};
use miette::{IntoDiagnostic, Result, WrapErr, bail};

use super::bundle_series::SeriesRuns;
use super::card::{measured_metrics, read_about, read_evaluations, read_fit};
use super::ensemble_card::card;
use crate::output::{make_folder, print, write_json};

/// Flags of `hemora ensemble fit`.
#[derive(Debug, Args)]
#[command(after_help = FIT_HELP)]
pub struct EnsembleFitArgs {
    /// Out-of-fold predictions of each model (slices.parquet of `hemora-train predict` or `sequence`), of
    /// the same slices with the same folds; the name is the run's without NAME=
    #[arg(required = true, value_name = "[NAME=]TABLE")]
    pub tables: Vec<String>,

    /// Folder for slices.parquet and ensemble.json
    #[arg(long, short, value_name = "DIR")]
    pub out: PathBuf,

    /// What slices.parquet has: best takes what has the least log loss out of fold
    #[arg(long, value_enum, default_value = "best")]
    pub method: Method,

    /// Also fit gradient-boosted trees on the models' probabilities of each slice and its neighbours
    #[arg(long)]
    pub stacking: bool,

    /// Neighbours on either side that the trees read
    #[arg(long, default_value_t = DEFAULT_NEIGHBOURS, value_name = "N")]
    pub neighbours: usize,
}

/// The ways to make several models one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Method {
    /// That with the least log loss out of fold
    Best,
    /// All models count the same
    Mean,
    /// Weights of each label
    WeightedMean,
    /// Boosted trees
    Stacking,
}

const FIT_HELP: &str = "Examples:
  hemora ensemble fit a/predicted/slices.parquet b/predicted/slices.parquet --out both
  hemora ensemble fit large=a.parquet small=b.parquet --stacking --out both
  hemora evaluate both/slices.parquet --id id --column any=prob_any --index set.parquet

Weights and trees are fitted on all folds but one for the predictions of that one, so that the
figures and slices.parquet are out of fold; those in ensemble.json are fitted on all. Trees take
minutes where weights take a second.

For research use only: not for diagnosis.";

/// Flags of `hemora ensemble bundle`.
#[derive(Debug, Args)]
#[command(after_help = BUNDLE_HELP)]
pub struct EnsembleBundleArgs {
    /// The bundles. Those with one NAME, as of a run's folds, are one model: their mean
    #[arg(required = true, value_name = "[NAME=]BUNDLE")]
    pub members: Vec<String>,

    /// ensemble.json of `hemora ensemble fit` on models of these names [default: all names count the
    /// same]
    #[arg(long, value_name = "JSON")]
    pub fit: Option<PathBuf>,

    /// Run of `hemora-train sequence` on the probabilities of all as one (--slices of a fit on single
    /// slices, --first of the fit that --fit names): its networks have the last word
    #[arg(long, value_name = "RUN")]
    pub series: Option<PathBuf>,

    /// ensemble.json of the fit on single slices that --series was trained on [default: all names count
    /// the same]
    #[arg(long, value_name = "JSON", requires = "series")]
    pub slices_fit: Option<PathBuf>,

    /// Name, version, licence, intended use and training data, as TOML
    #[arg(long, value_name = "TOML")]
    pub about: PathBuf,

    /// Calibration and operating points that `hemora calibrate` wrote, of the ensemble's predictions
    #[arg(long, value_name = "JSON")]
    pub calibration: Option<PathBuf>,

    /// Evaluation for the card and its figures: a folder of `hemora evaluate`, or its metrics.json;
    /// may be repeated
    #[arg(long, value_name = "RUN")]
    pub evaluation: Vec<PathBuf>,

    /// The bundle to write
    #[arg(long, short, value_name = "FILE")]
    pub out: PathBuf,
}

const BUNDLE_HELP: &str = "Examples:
  hemora ensemble bundle fold-1.hemora fold-2.hemora --about about.toml --out both.hemora
  hemora ensemble bundle large=a1.hemora large=a2.hemora small=b.hemora \\
      --fit both/ensemble.json --about about.toml --out both.hemora
  hemora ensemble bundle large=a.hemora small=b.hemora --fit series/ensemble.json \\
      --series runs/last --slices-fit slices/ensemble.json --about about.toml --out all.hemora
  hemora triage study/ --model both.hemora

For research use only: not for diagnosis.";

/// Runs `hemora ensemble fit`.
///
/// # Errors
/// A report that names the table and what does not fit.
pub fn fit(arguments: &EnsembleFitArgs) -> Result<ExitCode> {
    let tables: Vec<(String, PathBuf)> = arguments.tables.iter().map(|it| named(it)).collect();
    let method = match arguments.method {
        Method::Best => None,
        Method::Mean => Some(EnsembleMethod::Mean),
        Method::WeightedMean => Some(EnsembleMethod::WeightedMean),
        Method::Stacking => Some(EnsembleMethod::Stacking),
    };
    let EnsembleFitArgs { stacking, neighbours, .. } = *arguments;
    let options = EnsembleOptions { method, stacking, neighbours };
    let (document, table) = fit_ensemble(&tables, options).into_diagnostic()?;
    make_folder(&arguments.out)?;
    let slices = arguments.out.join("slices.parquet");
    table.write(&slices).into_diagnostic()?;
    write_json(&arguments.out.join("ensemble.json"), &document)?;
    let said = summary(&document, table.rows.len());
    print(|output| {
        write!(output, "{said}")?;
        writeln!(output, "written: {} and ensemble.json beside it", slices.display())
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What was fitted, for people.
fn summary(fit: &EnsembleFit, slices: usize) -> String {
    let mut text = format!(
        "log loss out of fold: {slices} slices, {} patients, {} folds\n",
        fit.patients, fit.folds
    );
    for (place, model) in fit.models.iter().enumerate() {
        let _ = writeln!(text, "  model {}: {}", place + 1, model.name);
    }
    let _ = write!(text, "label             positive");
    for place in 1..=fit.models.len() {
        let _ = write!(text, "  {:>7}", format!("model {place}"));
    }
    let stacking = if fit.stacking.is_some() { "  stacking" } else { "" };
    let _ = writeln!(text, "     mean  weighted{stacking}  weights");
    let shown = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.4}"));
    let losses = |losses: &EnsembleLosses| {
        let mut row = String::new();
        for &loss in &losses.models {
            let _ = write!(row, "  {:>7}", shown(loss));
        }
        let _ = write!(row, "  {:>7}  {:>8}", shown(losses.mean), shown(losses.weighted_mean));
        if fit.stacking.is_some() {
            let _ = write!(row, "  {:>8}", shown(losses.stacking));
        }
        row
    };
    for label in &fit.labels {
        let weights: Vec<String> =
            label.weights.iter().map(|weight| format!("{weight:.3}")).collect();
        let why = if label.fitted { "" } else { " (equal: too few of a class)" };
        let _ = writeln!(
            text,
            "{:<17} {:>8}{}  {}{why}",
            label.label,
            label.positives,
            losses(&label.log_loss),
            weights.join(" ")
        );
    }
    let _ = writeln!(text, "{:<26}{}", "all, any twice", losses(&fit.log_loss));
    let _ = writeln!(text, "chosen: {}, {}", fit.chosen, shown(fit.log_loss.of(fit.chosen)));
    text
}

/// `NAME=PATH`, or a path with the name of its run.
fn named(text: &str) -> (String, PathBuf) {
    if let Some((name, path)) = text.split_once('=')
        && !name.is_empty()
        && !name.contains('/')
    {
        return (name.to_owned(), path.into());
    }
    let path = Path::new(text);
    let is_general = |name: &str| matches!(name, "slices.parquet" | "predicted");
    let parts: Vec<_> = path.iter().filter_map(|part| part.to_str()).collect();
    let own = parts.into_iter().rev().find(|part| !is_general(part)).unwrap_or(text);
    let stem = Path::new(own).file_stem().map_or(own.into(), |stem| stem.to_string_lossy());
    (stem.into_owned(), path.to_owned())
}

/// Runs `hemora ensemble bundle`.
///
/// # Errors
/// A report that names the file and what does not fit.
pub fn bundle(arguments: &EnsembleBundleArgs) -> Result<ExitCode> {
    let about = read_about(&arguments.about)?;
    let calibration = read_fit(arguments.calibration.as_deref())?;
    let mut evaluations = read_evaluations(&arguments.evaluation)?;
    let mut groups: Vec<(String, Vec<PathBuf>)> = Vec::new();
    for (name, path) in arguments.members.iter().map(|it| named(it)) {
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, paths)) => paths.push(path),
            None => groups.push((name, vec![path])),
        }
    }
    let fit = arguments.fit.as_deref().map(read_ensemble_fit).transpose().into_diagnostic()?;
    if let Some(fit) = &fit {
        groups = in_order(groups, fit)?;
    }
    let names: Vec<&str> = groups.iter().map(|(name, _)| name.as_str()).collect();
    let weights = weights(&names, fit.as_ref())?;
    let (series, networks) = match &arguments.series {
        Some(run) => {
            let runs = SeriesRuns::of_ensemble(run)?;
            let slices = arguments.slices_fit.as_deref().map(read_ensemble_fit).transpose();
            let slices = slices.into_diagnostic()?;
            if slices.as_ref().is_some_and(|fit| fit.chosen == EnsembleMethod::Stacking) {
                bail!(
                    help = "fit single slices with --method best or weighted-mean, and train the run on them",
                    "the fit of --slices-fit chose trees, and networks of series read weighted means"
                );
            }
            let slice_weights = self::weights(&names, slices.as_ref())?;
            let [stage] = runs.stages.as_slice() else { bail!("{}: no networks", run.display()) };
            // What it says out of fold, unless that was evaluated with more care.
            if evaluations.is_empty() {
                evaluations = runs.evaluations;
            }
            (Some(EnsembleSeries { stage: stage.clone(), slice_weights }), runs.networks)
        }
        None => (None, Vec::new()),
    };
    let models = groups.iter().zip(weights).map(|((name, paths), weights)| EnsembleModel {
        name: name.clone(),
        weights,
        // Hashed as the bundle is written.
        sha256: vec![String::new(); paths.len()],
    });
    let info = EnsembleInfo {
        format_version: ENSEMBLE_FORMAT_VERSION,
        name: about.name.clone(),
        version: about.version.clone(),
        created: about.created.clone(),
        licence: about.licence.clone(),
        intended_use: about.intended_use.clone(),
        notice: NOTICE.to_owned(),
        labels: Label::ALL.to_vec(),
        training_data: about.training_data.clone(),
        metrics: evaluations.iter().flat_map(measured_metrics).collect(),
        operating_points: calibration
            .as_ref()
            .map_or_else(Vec::new, |fit| fit.operating_points.clone()),
        aggregation: calibration.as_ref().and_then(|fit| fit.aggregation.clone()),
        calibration: calibration.and_then(|fit| fit.calibration),
        models: models.collect(),
        stacking: fit
            .as_ref()
            .filter(|fit| fit.chosen == EnsembleMethod::Stacking)
            .and_then(|fit| fit.stacking.clone()),
        series,
    };
    let paths: Vec<&PathBuf> = groups.iter().flat_map(|(_, paths)| paths).collect();
    let (mut files, mut bundles) = (Vec::new(), Vec::new());
    for path in &paths {
        let name = || path.display().to_string();
        bundles.push(Bundle::open(path).into_diagnostic().wrap_err_with(name)?);
        files.push(std::fs::read(path).into_diagnostic().wrap_err_with(name)?);
    }
    let card = card(&info, &about, &bundles, &evaluations);
    Ensemble::write_with_series(&arguments.out, &info, &files, &networks, &card)
        .into_diagnostic()?;
    let bytes = std::fs::metadata(&arguments.out).into_diagnostic()?.len();
    print(|output| {
        writeln!(
            output,
            "{}: {:.1} MB, {} bundles of {} models",
            arguments.out.display(),
            bytes as f64 / 1e6,
            files.len(),
            info.models.len()
        )
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Weights of the models `names` for each label: those of a fit, else all the same.
///
/// # Errors
/// A report if the fit is of other models.
fn weights(names: &[&str], fit: Option<&EnsembleFit>) -> Result<Vec<Vec<f64>>> {
    let Some(fit) = fit.filter(|fit| fit.chosen != EnsembleMethod::Mean) else {
        return Ok(vec![vec![1.0 / names.len() as f64; LABEL_COUNT]; names.len()]);
    };
    let of = |name: &&str| match fit.models.iter().position(|model| model.name == **name) {
        Some(model) => Ok(fit.labels.iter().map(|label| label.weights[model]).collect()),
        None => bail!("the fit knows no model `{name}`"),
    };
    names.iter().map(of).collect()
}

/// The models in the order of a fit.
///
/// # Errors
/// A report if their names are others.
fn in_order(
    mut groups: Vec<(String, Vec<PathBuf>)>,
    fit: &EnsembleFit,
) -> Result<Vec<(String, Vec<PathBuf>)>> {
    let names = |names: &mut dyn Iterator<Item = &String>| {
        names.map(String::as_str).collect::<Vec<_>>().join(", ")
    };
    let place = |name: &String| fit.models.iter().position(|model| model.name == *name);
    if groups.len() != fit.models.len() || groups.iter().any(|(name, _)| place(name).is_none()) {
        bail!(
            help = "name the bundles as the models: NAME=BUNDLE",
            "the bundles are of {}, and the fit is of {}",
            names(&mut groups.iter().map(|(name, _)| name)),
            names(&mut fit.models.iter().map(|model| &model.name))
        );
    }
    groups.sort_by_key(|(name, _)| place(name));
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_called_as_said_or_as_their_run() {
        for (text, name, path) in [
            ("large=a/slices.parquet", "large", "a/slices.parquet"),
            ("runs/a=1/slices.parquet", "a=1", "runs/a=1/slices.parquet"),
            (
                "stage1/densenet121-both/predicted/slices.parquet",
                "densenet121-both",
                "stage1/densenet121-both/predicted/slices.parquet",
            ),
            ("both.csv", "both", "both.csv"),
            ("slices.parquet", "slices", "slices.parquet"),
        ] {
            assert_eq!(named(text), (name.to_owned(), PathBuf::from(path)));
        }
    }
}
