//! What a run starts with: the trainer and the loaders.

use std::rc::Rc;

use hemora_data::{Augment, Loader, LoaderOptions, Share};
use hemora_nn::{Graph, Weights, networks};
use miette::{IntoDiagnostic, Result, WrapErr, miette};
use tch::Device;

use crate::checkpoint::{self, Progress};
use crate::config::RunConfig;
use crate::dataset::RunData;
use crate::folder::Folder;
use crate::loss::LossOptions;
use crate::progress::say;
use crate::ranks::Ranks;
use crate::trainer::{self, Trainer, TrainerOptions};
use crate::{Model, Schedule, metrics};

/// The network that the settings name.
///
/// # Errors
/// A report if there is none of that name, or it does not fit the image size.
pub fn graph(config: &RunConfig) -> Result<Graph> {
    let names = networks::names().collect::<Vec<_>>().join(", ");
    config
        .task
        .graph(&config.network, config.size, config.dropout)
        .ok_or_else(|| miette!("unknown network `{}`; there are {names}", config.network))?
        .into_diagnostic()
}

/// Fresh weights, with those of `path` where they fit.
fn initial_model(config: &RunConfig, graph: Graph, device: Device) -> Result<Model> {
    let fresh = Model::fresh(graph.clone(), device, config.seed as i64);
    let Some(path) = &config.weights else { return Ok(fresh) };
    let name = || path.display().to_string();
    let bytes = std::fs::read(path).into_diagnostic().wrap_err_with(name)?;
    let mut weights = Weights::from_safetensors(&bytes).into_diagnostic().wrap_err_with(name)?;
    let head = graph.node(graph.logits()).name.clone();
    for suffix in ["weight", "bias"] {
        let key = format!("{head}.{suffix}");
        let drawn = fresh.weights().remove(&key);
        let drawn = drawn.ok_or_else(|| miette!("the network ends in no linear layer"))?;
        if weights.get(&key).is_none_or(|loaded| loaded.shape != drawn.shape) {
            weights.insert(&key, drawn);
        }
    }
    Model::with_weights(graph, &weights, device).into_diagnostic().wrap_err_with(name)
}

/// A trainer at the start of a run of `steps` steps, `per_epoch` of them an epoch.
///
/// # Errors
/// A report that names the file or setting and what to do.
pub fn trainer(
    config: &RunConfig,
    data: &RunData,
    ranks: Rc<Ranks>,
    device: Device,
    (steps, per_epoch): (u64, u64),
) -> Result<Trainer> {
    let model = initial_model(config, graph(config)?, device)?;
    debug_assert!(trainer::fits(&model, &data.recipe));
    let labels: Vec<_> = data.split.train.iter().map(|&index| data.set.labels(index)).collect();
    let loss = LossOptions {
        any_weight: config.any_weight,
        positive_weights: config.class_weights.of(&labels),
        focal: config.focal,
    };
    let options = TrainerOptions {
        task: config.task,
        loss,
        optimizer: config.optimizer(),
        schedule: Schedule::new(&config.schedule(), steps, per_epoch),
        ema: config.ema,
        clip: Some(config.clip).filter(|clip| *clip > 0.0),
        accumulate: config.accumulate,
        precision: config.precision,
        seed: config.seed,
    };
    Ok(Trainer::among(ranks, model, options))
}

/// Puts the trainer where the run's last checkpoint was written, if there is one.
///
/// # Errors
/// A report if it cannot be read or belongs to another run.
pub fn resume(config: &RunConfig, folder: &Folder, trainer: &mut Trainer) -> Result<Progress> {
    let mut progress = Progress::default();
    if let Some(bytes) = trainer.ranks().read_first(&folder.last())? {
        progress = checkpoint::restore(&folder.last(), &bytes, trainer).into_diagnostic()?;
        trainer.rate_factor = progress.watch.rate_factor(&config.watch());
        say(&format!("going on after epoch {}, step {}", progress.epoch, progress.step));
    }
    // Also without a checkpoint: the run may have been killed just before it wrote its first.
    if trainer.ranks().is_first() {
        metrics::keep_epochs(&folder.metrics(), progress.epoch).into_diagnostic()?;
    }
    Ok(progress)
}

/// The loaders of the training and the validation images.
///
/// # Errors
/// A report if there are too few images for a batch.
pub fn loaders(
    config: &RunConfig,
    data: &RunData,
    share: Share,
    threads: usize,
) -> Result<(Loader, Loader)> {
    let options = LoaderOptions {
        batch: config.batch,
        seed: config.seed,
        threads,
        drop_last: true,
        share,
        ..LoaderOptions::default()
    };
    let labels: Vec<_> = data.split.train.iter().map(|&index| data.set.labels(index)).collect();
    let train = Loader::new(
        data.set.clone(),
        data.split.train.clone(),
        config.sampling.weights(&labels).as_deref(),
        data.recipe.clone(),
        (!config.no_augment).then(augmentation),
        &options,
    );
    let validate = Loader::new(
        data.set.clone(),
        data.split.validation.clone(),
        None,
        data.recipe.clone(),
        None,
        &LoaderOptions { shuffle: false, drop_last: false, ..options },
    );
    Ok((train.into_diagnostic()?, validate.into_diagnostic()?))
}

/// The augmentation of the default model: what a real second scanner might have done, not more.
fn augmentation() -> Augment {
    Augment {
        flip: 0.5,
        rotate_degrees: 20.0,
        scale: 0.15,
        shift: 0.06,
        brightness: 0.06,
        contrast: 0.15,
        gamma: 0.15,
        noise: 0.02,
        blur: 0.15,
        erase: 0.15,
        ..Augment::off()
    }
}
