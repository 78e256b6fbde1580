//! Several bundles as one: their members with weights, and what reads them together.

use std::path::{Path, PathBuf};

use hemora_ct::LABEL_COUNT;
use hemora_evaluation::{EnsembleFit, EnsembleMethod, Evaluation, read_ensemble_fit};
use hemora_model::{Bundle, BundleNetworks, BundleSeries, Member, ModelInfo};

use crate::calibration::{measured_metrics, read_calibration, read_evaluations};
use crate::ensemble_card::ensemble_card;
use crate::network::Bundled;
use crate::series_runs::SeriesRuns;
use crate::{About, BundlingError, NamedPath};

/// What a bundle of several members is made of.
#[derive(Debug, Clone, Default)]
pub struct EnsembleRequest {
    /// Bundles of one member. Those with one name, as of a run's folds, are one model: their mean.
    pub members: Vec<NamedPath>,
    /// What `hemora ensemble fit` found of models of these names; else all count the same.
    pub fit: Option<PathBuf>,
    /// A run of networks of series that read all models as one.
    pub series_run: Option<PathBuf>,
    /// The fit on single slices that this run was trained on; else all names count the same.
    pub slices_fit: Option<PathBuf>,
    /// The [`About`] file.
    pub about: PathBuf,
    /// What `hemora calibrate` wrote, of the ensemble's predictions.
    pub calibration: Option<PathBuf>,
    /// Evaluations for the card.
    pub evaluations: Vec<PathBuf>,
    /// The bundle to write.
    pub out: PathBuf,
}

/// A model's name, and the bundles of its members.
type Model = (String, Vec<PathBuf>);

/// A weight for each label.
type Weights = [f64; LABEL_COUNT];

/// Makes one bundle of several.
///
/// # Errors
/// [`BundlingError`] names the file and what does not fit.
pub fn bundle_ensemble(request: &EnsembleRequest) -> Result<Bundled, BundlingError> {
    let about = About::read(&request.about)?;
    let calibration = read_calibration(request.calibration.as_deref())?;
    let mut evaluations = read_evaluations(&request.evaluations)?;
    let mut models = by_name(&request.members);
    let fit = request.fit.as_deref().map(read_ensemble_fit).transpose()?;
    if let (Some(fit), Some(path)) = (&fit, &request.fit) {
        models = in_order(models, fit, path)?;
    }
    let weights = weights(&models, fit.as_ref())?;
    let (members, mut networks) = read_members(&models, &weights)?;
    let mut warnings = Vec::new();
    let series = match &request.series_run {
        Some(run) => {
            let slices_fit = request.slices_fit.as_deref();
            let (series, measured, notes) = read_series(run, slices_fit, &models, &mut networks)?;
            warnings = notes;
            // The run's figures out of fold, unless it was evaluated with more care.
            if evaluations.is_empty() {
                evaluations = measured;
            }
            Some(series)
        }
        None => None,
    };
    let stacking =
        fit.filter(|fit| fit.chosen == EnsembleMethod::Stacking).and_then(|fit| fit.stacking);
    let metrics = evaluations.iter().flat_map(measured_metrics).collect();
    let info = about.describe(members, metrics, calibration);
    let info = ModelInfo { stacking, series, ..info };
    let card = ensemble_card(&info, &about, &evaluations);
    let bundle = Bundle::write(&request.out, &info, networks, &card)
        .map_err(BundlingError::bundle(&request.out))?;
    Ok(Bundled { bundle, warnings })
}

/// Bundles by the name of their model, in the order in which the names come.
fn by_name(members: &[NamedPath]) -> Vec<Model> {
    let mut models: Vec<Model> = Vec::new();
    for NamedPath { name, path } in members {
        match models.iter_mut().find(|(known, _)| known == name) {
            Some((_, paths)) => paths.push(path.clone()),
            None => models.push((name.clone(), vec![path.clone()])),
        }
    }
    models
}

/// The models in the order of the fit at `path`.
fn in_order(
    mut models: Vec<Model>,
    fit: &EnsembleFit,
    path: &Path,
) -> Result<Vec<Model>, BundlingError> {
    let index = |name: &String| fit.models.iter().position(|model| model.name == *name);
    if models.len() != fit.models.len() || models.iter().any(|(name, _)| index(name).is_none()) {
        let found: Vec<&str> = models.iter().map(|(name, _)| name.as_str()).collect();
        let expected: Vec<&str> = fit.models.iter().map(|model| model.name.as_str()).collect();
        return Err(BundlingError::unfit(
            path.display().to_string(),
            format!(
                "the bundles are of {}, the fit is of {}",
                found.join(", "),
                expected.join(", ")
            ),
            "name the bundles after the models: NAME=BUNDLE",
        ));
    }
    models.sort_by_key(|(name, _)| index(name));
    Ok(models)
}

/// Weights of the models for each label: those of a fit, else all the same.
fn weights(models: &[Model], fit: Option<&EnsembleFit>) -> Result<Vec<Weights>, BundlingError> {
    let Some(fit) = fit.filter(|fit| fit.chosen != EnsembleMethod::Mean) else {
        return Ok(vec![[1.0 / models.len() as f64; LABEL_COUNT]; models.len()]);
    };
    let fitted = |(name, _): &Model| {
        let model = fit.models.iter().position(|model| model.name == *name);
        let weights = model.and_then(|model| {
            let weights = fit.labels.iter().map(|label| label.weights.get(model).copied());
            <Weights>::try_from(weights.collect::<Option<Vec<_>>>()?).ok()
        });
        weights.ok_or_else(|| {
            let advice = "name the bundles after the models of the fit: NAME=BUNDLE";
            BundlingError::unfit(format!("`{name}`"), "the fit has no weights of it", advice)
        })
    };
    models.iter().map(fitted).collect()
}

/// The members of all models, which share their model's weights, and their networks.
fn read_members(
    models: &[Model],
    weights: &[Weights],
) -> Result<(Vec<Member>, BundleNetworks), BundlingError> {
    let (mut members, mut networks) = (Vec::new(), BundleNetworks::default());
    for ((name, paths), weights) in models.iter().zip(weights) {
        for path in paths {
            let bundle = Bundle::open(path).map_err(BundlingError::bundle(path))?;
            let (mut info, mut own) = bundle.into_parts();
            let unfit = |problem: &str| {
                let advice = "give bundles that `hemora model bundle` made";
                BundlingError::unfit(path.display().to_string(), problem, advice)
            };
            let (Some(member), Some(network), true) = (
                info.members.pop(),
                own.members.pop(),
                info.members.is_empty() && info.stacking.is_none() && info.series.is_none(),
            ) else {
                return Err(unfit("it is an ensemble; expected a bundle of one member alone"));
            };
            let calibration = match (member.calibration, info.calibration) {
                (Some(_), Some(_)) => return Err(unfit("it is calibrated twice")),
                (of_member, of_bundle) => of_member.or(of_bundle),
            };
            let (model, weights) = (name.clone(), weights.map(|it| it / paths.len() as f64));
            members.push(Member { model, weights, calibration, ..member });
            networks.members.push(network);
        }
    }
    Ok((members, networks))
}

/// The networks of series of a run that read all models as one, and their figures out of fold.
fn read_series(
    run: &Path,
    slices_fit: Option<&Path>,
    models: &[Model],
    networks: &mut BundleNetworks,
) -> Result<(BundleSeries, Vec<Evaluation>, Vec<String>), BundlingError> {
    let runs = SeriesRuns::read_for_ensemble(run)?;
    let fit = slices_fit.map(read_ensemble_fit).transpose()?;
    if fit.as_ref().is_some_and(|fit| fit.chosen == EnsembleMethod::Stacking) {
        return Err(BundlingError::unfit(
            "--slices-fit",
            "the fit chose trees, and networks of series read weighted means",
            "fit single slices with --method best or weighted-mean, and train the run on them",
        ));
    }
    let shared = weights(models, fit.as_ref())?.into_iter().zip(models);
    let slice_weights = shared.flat_map(|(weights, (_, paths))| {
        vec![weights.map(|weight| weight / paths.len() as f64); paths.len()]
    });
    let Ok([stage]) = <[_; 1]>::try_from(runs.stages) else {
        let advice = "give a run of `hemora-train sequence`";
        return Err(BundlingError::unfit(run.display().to_string(), "it has no networks", advice));
    };
    networks.series = runs.networks;
    let series = BundleSeries { stage, slice_weights: slice_weights.collect() };
    Ok((series, runs.evaluations, runs.notes))
}
