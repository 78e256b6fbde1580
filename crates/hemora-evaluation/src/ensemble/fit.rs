//! Fitting an ensemble, and what each way gives out of fold.

use std::path::PathBuf;

use hemora_ct::{LABEL_COUNT, Label};
use hemora_data::SliceTable;
use hemora_metrics::{
    Clusters, LABEL_WEIGHTS, OutOfFold, fit_stacking, fit_weighted_mean, mean_of_models,
};

use super::document::{
    ENSEMBLE_VERSION, EnsembleFit, EnsembleLabel, EnsembleLosses, EnsembleMethod, FittedModel,
};
use super::tables::read_tables;
use crate::{EvaluateError, FileRef};

/// Neighbours on either side where nothing else is asked for.
pub const DEFAULT_NEIGHBOURS: usize = 2;

/// What can be chosen of a fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnsembleOptions {
    /// The way; that with the least log loss out of fold if absent.
    pub method: Option<EnsembleMethod>,
    /// Whether to fit boosted trees too where they are not the way that was asked for.
    pub stacking: bool,
    /// Neighbours on either side that trees read.
    pub neighbours: usize,
}

impl Default for EnsembleOptions {
    fn default() -> Self {
        Self { method: None, stacking: false, neighbours: DEFAULT_NEIGHBOURS }
    }
}

/// Fits an ensemble on tables of the same slices with the same folds. Returns the document and the table
/// of the first with the probabilities of the way that was chosen, out of fold.
///
/// # Errors
/// [`EvaluateError`] names the table and what does not fit.
pub fn fit_ensemble(
    tables: &[(String, PathBuf)],
    options: EnsembleOptions,
) -> Result<(EnsembleFit, SliceTable), EvaluateError> {
    let (mut table, models) = read_tables(tables)?;
    let truth = |label: Option<f32>| label.map(|label| label >= 0.5);
    let labels = table.rows.iter().map(|row| row.labels.map(truth)).collect();
    let folds = table.rows.iter().map(|row| row.fold).collect();
    let data = OutOfFold::new(models, labels, folds)?;
    if data.folds().len() < 2 {
        return Err(EvaluateError::Request(
            "the tables have one fold: weights would be measured on what they were fitted on; give \
             out-of-fold predictions of at least two"
                .to_owned(),
        ));
    }
    let of: Vec<&str> = table.rows.iter().map(|row| row.patient.as_str()).collect();
    let patients = Clusters::new(&of);
    let mean = mean_of_models(&data);
    let weighted = fit_weighted_mean(&data)?;
    let stacked = (options.stacking || options.method == Some(EnsembleMethod::Stacking))
        .then(|| fit_stacking(&data, &table.series(), &patients, options.neighbours))
        .transpose()?;
    let stacked_rows = stacked.as_ref().map(|fit| {
        let row = |(trees, else_mean): (&[Option<f32>; LABEL_COUNT], &[f32; LABEL_COUNT])| {
            Label::ALL.map(|it| trees[it.index()].unwrap_or(else_mean[it.index()]))
        };
        fit.out_of_fold.iter().zip(&weighted.out_of_fold).map(row).collect::<Vec<_>>()
    });
    let mut labels = Vec::with_capacity(LABEL_COUNT);
    for own in &weighted.labels {
        let of = |rows: &[[f32; LABEL_COUNT]]| {
            data.log_loss(own.label, |slice| f64::from(rows[slice][own.label.index()]))
        };
        let alone = |model| data.log_loss(own.label, |it| data.probability(model, it, own.label));
        let log_loss = EnsembleLosses {
            models: (0..data.models()).map(alone).collect::<Result<_, _>>()?,
            mean: of(&mean)?,
            weighted_mean: of(&weighted.out_of_fold)?,
            stacking: stacked_rows.as_deref().map(of).transpose()?.flatten(),
        };
        labels.push(EnsembleLabel {
            label: own.label,
            items: own.items,
            positives: own.positives,
            weights: own.weights.clone(),
            fitted: own.fitted,
            log_loss,
        });
    }
    let log_loss = EnsembleLosses {
        models: (0..data.models()).map(|it| overall(&labels, |loss| loss.models[it])).collect(),
        mean: overall(&labels, |loss| loss.mean),
        weighted_mean: overall(&labels, |loss| loss.weighted_mean),
        stacking: overall(&labels, |loss| loss.stacking),
    };
    let chosen = options.method.unwrap_or_else(|| least(&log_loss));
    let rows = match (chosen, stacked_rows) {
        (EnsembleMethod::Stacking, Some(rows)) => rows,
        (EnsembleMethod::WeightedMean, _) => weighted.out_of_fold,
        _ => mean,
    };
    for (row, probabilities) in table.rows.iter_mut().zip(rows) {
        row.probabilities = probabilities;
    }
    let reference = |(name, path): &(String, PathBuf)| {
        let own = FileRef::read(path)?;
        let table = FileRef { rows: data.slices() as u64, ..own };
        Ok(FittedModel { name: name.clone(), table })
    };
    let document = EnsembleFit {
        schema_version: ENSEMBLE_VERSION,
        models: tables.iter().map(reference).collect::<Result<_, EvaluateError>>()?,
        patients: patients.len() as u64,
        folds: data.folds().len() as u64,
        chosen,
        log_loss,
        labels,
        stacking: stacked.map(|fit| fit.stacking),
    };
    Ok((document, table))
}

/// The labels' losses, weighted as in the competition, over the labels that have one.
fn overall(labels: &[EnsembleLabel], of: impl Fn(&EnsembleLosses) -> Option<f64>) -> Option<f64> {
    let (mut sum, mut weights) = (0.0, 0.0);
    for label in labels {
        if let Some(loss) = of(&label.log_loss) {
            let weight = LABEL_WEIGHTS[label.label.index()];
            sum += weight * loss;
            weights += weight;
        }
    }
    (weights > 0.0).then(|| sum / weights)
}

/// The simplest of the ways with the least loss.
fn least(losses: &EnsembleLosses) -> EnsembleMethod {
    let ways = [EnsembleMethod::Mean, EnsembleMethod::WeightedMean, EnsembleMethod::Stacking];
    let loss = |way: EnsembleMethod| losses.of(way).unwrap_or(f64::INFINITY);
    ways.into_iter().fold(ways[0], |best, way| if loss(way) < loss(best) { way } else { best })
}
