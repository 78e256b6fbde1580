//! What a training starts with: the trainer and the loaders.

use std::rc::Rc;

use hemora_data::{Loader, LoaderError, LoaderOptions, Share};
use tch::Device;

use super::checkpoint::{self, Progress};
use super::ranks::Ranks;
use super::trainer::{self, Trainer, TrainerOptions};
use super::{TrainError, joint};
use crate::config::{ComputePlan, TrainPlan};
use crate::data::RunData;
use crate::model::{JointPlan, ModelPlan, initial_model};
use crate::optim::{LossOptions, OptimPlan, Schedule, WatchOptions};
use crate::output::{Folder, Reporter, metrics};

/// The parts of a plan that a trainer is made of.
#[derive(Debug, Clone, Copy)]
pub struct TrainerPlan<'a> {
    /// The networks.
    pub model: &'a ModelPlan,
    /// How weights are moved.
    pub optim: &'a OptimPlan,
    /// On what it is computed.
    pub compute: &'a ComputePlan,
    /// Seed of weights and dropout.
    pub seed: u64,
}

impl<'a> From<&'a TrainPlan> for TrainerPlan<'a> {
    fn from(plan: &'a TrainPlan) -> Self {
        let TrainPlan { model, optim, compute, seed, .. } = plan;
        Self { model, optim, compute, seed: *seed }
    }
}

/// A trainer at the start of a training of `steps` steps, `per_epoch` of them an epoch.
///
/// # Errors
/// [`TrainError`] names the file or setting and what to do.
pub fn trainer(
    plan: TrainerPlan<'_>,
    data: &RunData,
    ranks: Rc<Ranks>,
    device: Device,
    (steps, per_epoch): (u64, u64),
) -> Result<Trainer, TrainError> {
    let TrainerPlan { model, optim, compute, seed } = plan;
    let graph = model.slices.graph(data.recipe.channels.len())?;
    let mut network = initial_model(&model.slices, graph, seed, device)?;
    if let Some(joint) = &model.joint {
        network = joint::with_series(&joint.series, &model.slices.network, network, seed)?;
    }
    debug_assert!(trainer::fits(&network, &data.recipe));
    let labels: Vec<_> = data.split.train.iter().map(|&index| data.set.labels(index)).collect();
    let loss = LossOptions {
        any_weight: optim.loss.any_weight,
        positive_weights: optim.loss.class_weights.for_labels(&labels),
        focal: optim.loss.focal,
    };
    let options = TrainerOptions {
        task: model.slices.task,
        loss,
        optimizer: optim.optimizer,
        schedule: Schedule::new(&optim.schedule, steps, per_epoch),
        ema: optim.ema,
        clip: optim.clip,
        accumulate: optim.accumulate,
        precision: compute.precision,
        layout: compute.layout,
        seed,
    };
    Ok(Trainer::among(ranks, network, options))
}

/// Moves the trainer to where the training's last checkpoint was written, if there is one.
///
/// # Errors
/// [`TrainError`] if it cannot be read or belongs to another training.
pub fn resume(
    watch: &WatchOptions,
    folder: &Folder,
    trainer: &mut Trainer,
    reporter: Reporter,
) -> Result<Progress, TrainError> {
    let mut progress = Progress::default();
    if let Some(bytes) = trainer.ranks().read_first(&folder.last())? {
        progress = checkpoint::restore(&folder.last(), &bytes, trainer)?;
        trainer.rate_factor = progress.watch.rate_factor(watch);
        let Progress { epoch, step, .. } = progress;
        reporter.log(&format!("going on after epoch {epoch}, step {step}"));
    }
    // Also without a checkpoint: the run may have been killed just before it wrote its first.
    if trainer.ranks().is_first() {
        metrics::keep_epochs(&folder.metrics(), progress.epoch)?;
    }
    Ok(progress)
}

/// The loaders of the training and the validation images.
///
/// # Errors
/// [`TrainError`] if there are too few images for a batch, or the network's maps do not fill its input.
pub fn loaders(
    optim: &OptimPlan,
    model: &ModelPlan,
    seed: u64,
    data: &RunData,
    share: Share,
    threads: usize,
) -> Result<(Loader, Loader), TrainError> {
    let map_stride = model.slices.map_stride(data.recipe.channels.len())?;
    let options = LoaderOptions {
        batch: optim.batch,
        seed,
        threads,
        drop_last: true,
        share,
        ..LoaderOptions::default()
    };
    let labels: Vec<_> = data.split.train.iter().map(|&index| data.set.labels(index)).collect();
    let augment = optim.augment.clone();
    let (set, recipe, train) = (data.set.clone(), data.recipe.clone(), data.split.train.clone());
    let with_maps = LoaderOptions { map_stride, ..options.clone() };
    let train = match (&data.stacks, &model.joint) {
        (Some(stacks), Some(JointPlan { window, .. })) => {
            Loader::of_windows(set, stacks.clone(), train, *window, recipe, augment, &options)?
        }
        _ => {
            let weights = optim.sampling.weights(&labels);
            Loader::new(set, train, weights.as_deref(), recipe, augment, &with_maps)?
        }
    };
    Ok((train, in_order(data, &data.split.validation, &options)?))
}

/// A loader of each of `images` once, as they are; where series are known, of a series after the
/// other, from the lowest slice.
///
/// # Errors
/// [`LoaderError`] if there are none.
pub fn in_order(
    data: &RunData,
    images: &[usize],
    options: &LoaderOptions,
) -> Result<Loader, LoaderError> {
    let images = match &data.stacks {
        None => images.to_vec(),
        Some(stacks) => stacks.among(images).concat(),
    };
    let options = LoaderOptions { shuffle: false, drop_last: false, ..*options };
    Loader::new(data.set.clone(), images, None, data.recipe.clone(), None, &options)
}
