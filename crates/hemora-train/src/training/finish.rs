//! What is left of a training: its best weights, and what they predict of the validation images.

use hemora_data::{Loader, LoaderOptions};
use hemora_model::{Estimate, LabelValidation, SliceNetwork, TrainedNetwork};
use hemora_nn::Weights;

use super::start::in_order;
use super::trainer::Trainer;
use super::validation::{
    LabelInterval, Predictions, Validation, intervals, validate, write_predictions,
};
use super::{TrainError, joint};
use crate::config::TrainPlan;
use crate::data::RunData;
use crate::model::{Model, Task};
use crate::output::{Folder, Reporter, files};

/// Four digits, or a word where there is no value.
pub fn shown(value: Option<f64>) -> String {
    value.map_or_else(|| "undefined".to_owned(), |value| format!("{value:.4}"))
}

/// Validates the best checkpoint and writes what the bundle needs.
///
/// # Errors
/// [`TrainError`] names the file.
pub fn finish(
    plan: &TrainPlan,
    folder: &Folder,
    data: &RunData,
    loader: &Loader,
    trainer: &Trainer,
    reporter: Reporter,
) -> Result<Vec<LabelInterval>, TrainError> {
    let ranks = trainer.ranks();
    let task = plan.model.slices.task;
    let mut weights = match ranks.read_first(&folder.best())? {
        Some(bytes) => Weights::from_safetensors(&bytes)?,
        None => trainer.kept_weights(),
    };
    let model = trainer.model.again(&weights)?;
    let Validation { predictions, alone } =
        validate(&model, task, data, loader, &trainer.loss, ranks);
    let rows = intervals(&predictions, data, plan.seed)?;
    let test = test(task, plan.optim.batch, data, &model, trainer)?;
    if !ranks.is_first() {
        return Ok(rows);
    }
    write_predictions(&folder.validation(), &predictions, data)?;
    if let Some(test) = test {
        write_predictions(&folder.test(), &test, data)?;
    }
    // The weights are those of the network of slices, and so are their figures.
    let of_slices = match &alone {
        Some(alone) => &intervals(alone, data, plan.seed)?,
        None => &rows,
    };
    let trained = TrainedNetwork::Slices(SliceNetwork {
        network: plan.model.slices.network.clone(),
        task: task.to_string(),
        // Without it no bundle is made, which would be shown slices other than those trained on.
        input: data.describes.then(|| data.recipe.clone()),
        fold: plan.fold().and_then(|fold| u32::try_from(fold.index + 1).ok()),
        validation: of_slices.iter().map(label_validation).collect(),
        averaged: None,
    });
    if let Some(alone) = &alone {
        joint::write(plan, folder, data, &mut weights, (&predictions, alone), reporter)?;
    }
    let path = folder.model();
    files::write(&path, &weights.to_safetensors(trained.to_metadata())?)?;
    for row in &rows {
        reporter.result(&format!(
            "{:<18} AUROC {} ({}–{})  {} positive of {} images",
            row.label.name(),
            shown(row.auroc.value),
            shown(row.auroc.low),
            shown(row.auroc.high),
            row.positives,
            row.images
        ));
    }
    reporter.result(&format!("best weights: {}", path.display()));
    Ok(rows)
}

fn label_validation(row: &LabelInterval) -> LabelValidation {
    let LabelInterval { label, images, groups, positives, auroc } = *row;
    let [images, groups, positives] = [images, groups, positives].map(|count| count as u64);
    let auroc = Estimate { value: auroc.value, low: auroc.low, high: auroc.high };
    LabelValidation { label, images, groups, positives, auroc }
}

/// Predicts the test images, if there are any, with the kept weights; each process a share.
fn test(
    task: Task,
    batch: usize,
    data: &RunData,
    model: &Model,
    trainer: &Trainer,
) -> Result<Option<Predictions>, TrainError> {
    if data.test.is_empty() {
        return Ok(None);
    }
    let ranks = trainer.ranks();
    let options = LoaderOptions { batch, share: ranks.share(), ..LoaderOptions::default() };
    let loader = in_order(data, &data.test, &options)?;
    Ok(Some(validate(model, task, data, &loader, &trainer.loss, ranks).predictions))
}
