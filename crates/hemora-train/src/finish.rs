//! What is left of a run: its best weights, and what they say of the validation images.

use hemora_data::{Loader, LoaderOptions};
use hemora_nn::Weights;
use miette::{IntoDiagnostic, Result};

use crate::Model;
use crate::config::RunConfig;
use crate::dataset::RunData;
use crate::files::write_whole;
use crate::folder::Folder;
use crate::joint;
use crate::start::in_order;
use crate::trainer::Trainer;
use crate::validation::{self, LabelInterval, Predictions, Said, intervals, say};

/// Four digits, or a word where there is no value.
pub fn shown(value: Option<f64>) -> String {
    value.map_or_else(|| "undefined".to_owned(), |value| format!("{value:.4}"))
}

/// Validates the best checkpoint and writes what the bundle needs.
///
/// # Errors
/// A report that names the file.
pub fn finish(
    config: &RunConfig,
    folder: &Folder,
    data: &RunData,
    validate: &Loader,
    trainer: &Trainer,
) -> Result<Vec<LabelInterval>> {
    let ranks = trainer.ranks();
    let mut weights = match ranks.read_first(&folder.best())? {
        Some(bytes) => Weights::from_safetensors(&bytes).into_diagnostic()?,
        None => trainer.kept_weights(),
    };
    let model = trainer.model.again(&weights).into_diagnostic()?;
    let said = say(&model, config.task, data, validate, &trainer.loss, ranks);
    let Said { predictions, alone } = said;
    let of = |predictions| intervals(predictions, data, config.seed).into_diagnostic();
    let intervals = of(&predictions)?;
    let test = test(config, data, &model, trainer)?;
    if !ranks.is_first() {
        return Ok(intervals);
    }
    validation::write_predictions(&folder.validation(), &predictions, data).into_diagnostic()?;
    if let Some(test) = test {
        validation::write_predictions(&folder.test(), &test, data).into_diagnostic()?;
    }
    // The weights are those of the network of slices, and so are their figures.
    let own = alone.as_ref().map(of).transpose()?;
    let mut metadata = vec![
        ("network".to_owned(), config.network.clone()),
        ("task".to_owned(), config.task.to_string()),
        (
            "metrics".to_owned(),
            serde_json::to_string(own.as_ref().unwrap_or(&intervals)).into_diagnostic()?,
        ),
    ];
    if config.fold > 0 {
        metadata.push(("fold".to_owned(), config.fold.to_string()));
    }
    // Without it no bundle is made, which would be shown slices other than those trained on.
    if data.describes {
        let input = serde_json::to_string(&data.recipe).into_diagnostic()?;
        metadata.push(("input".to_owned(), input));
    }
    if let Some(alone) = &alone {
        joint::write(config, folder, data, &mut weights, (&predictions, alone))?;
    }
    let weights = weights.to_safetensors(metadata.into_iter().collect()).into_diagnostic()?;
    let model = folder.model();
    write_whole(&model, &weights).into_diagnostic()?;
    for row in &intervals {
        println!(
            "{:<18} AUROC {} ({}–{})  {} positive of {} images",
            row.label.name(),
            shown(row.auroc.value),
            shown(row.auroc.low),
            shown(row.auroc.high),
            row.positives,
            row.images
        );
    }
    println!("best weights: {}", model.display());
    Ok(intervals)
}

/// Predicts the test images, if there are any, with the kept weights; each process a share.
fn test(
    config: &RunConfig,
    data: &RunData,
    model: &Model,
    trainer: &Trainer,
) -> Result<Option<Predictions>> {
    if data.test.is_empty() {
        return Ok(None);
    }
    let ranks = trainer.ranks();
    let options =
        LoaderOptions { batch: config.batch, share: ranks.share(), ..LoaderOptions::default() };
    let loader = in_order(data, &data.test, &options)?;
    Ok(Some(say(model, config.task, data, &loader, &trainer.loss, ranks).predictions))
}
