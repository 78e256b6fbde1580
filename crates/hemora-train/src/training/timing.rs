//! How fast a network trains and predicts on this machine, by a few steps on random images: what a
//! plan of many hours is estimated from.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use hemora_ct::{Channel, InputRecipe, LABEL_COUNT};
use hemora_data::{InMemorySet, Share, Split};
use hemora_nn::Summary;
use serde::Serialize;

use super::device::Compute;
use super::memory::{self, Demand};
use super::start::{self, TrainerPlan};
use super::validation::predict;
use super::{TrainError, joint};
use crate::config::RunConfig;
use crate::data::{LoadError, RunData};
use crate::model::ModelPlan;
use crate::output::Reporter;

/// Batches that are made.
const BATCHES: usize = 3;
/// Steps before the clock starts: memory is allocated and kernels are chosen in them.
const WARM_UP: usize = 2;
/// Seconds after which no further step is taken.
const ENOUGH: f64 = 1.0;

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Timing {
    /// Where it ran.
    pub device: String,
    /// Images a second of training steps, with augmentation.
    pub train_images_per_second: f64,
    /// Images a second of predictions.
    pub predict_images_per_second: f64,
    /// Trainable parameters.
    pub parameters: usize,
    /// Multiply-additions of one image's forward pass.
    pub multiply_adds: u64,
    /// Pooled features of an image, which a network of series would read.
    pub features: usize,
}

/// Takes some steps as `config` says, on random images, and prints a line of JSON.
///
/// # Errors
/// [`TrainError`] if the network cannot be built, or a batch does not fit into memory.
pub fn time(config: &RunConfig) -> Result<(), TrainError> {
    let (optim, plan, seed) = (config.optim_plan()?, config.compute_plan(), config.seed);
    // Slices alone: a network of series reads whole series, of which random images are none.
    let model = ModelPlan { slices: config.slice_plan(), joint: None };
    let Compute { device, threads } = Compute::start(&plan, None, Reporter::new(config.progress))?;
    let data = random(config)?;
    let (train, validation) =
        start::loaders(&optim, &model, seed, &data, Share::default(), threads)?;
    let timing = memory::catching(Demand::from(&optim), || {
        let parts = TrainerPlan { model: &model, optim: &optim, compute: &plan, seed };
        let mut trainer = start::trainer(parts, &data, Rc::default(), device, (1000, 1000))?;
        let (mut images, mut seconds, mut steps) = (0, 0.0, 0);
        for epoch in 0.. {
            let mut batches = train.epoch(epoch);
            while let (Some(batch), true) = (batches.next(), seconds < ENOUGH) {
                let begin = Instant::now();
                let (count, loss, _) = trainer.step_at(1e-6, std::iter::once(batch), 1);
                // A GPU has only finished when its result is there.
                let _ = loss.double_value(&[]);
                steps += 1;
                if steps > WARM_UP {
                    (images, seconds) = (images + count, seconds + begin.elapsed().as_secs_f64());
                }
            }
            if seconds >= ENOUGH || steps >= 40 {
                break;
            }
        }
        let model = trainer.kept_model()?;
        let begin = Instant::now();
        let (loss, ranks) = (&trainer.loss, trainer.ranks());
        let predictions = predict(&model, config.task, &validation, loss, ranks);
        let predicting = begin.elapsed().as_secs_f64();
        let summary = Summary::new(model.graph());
        Ok::<_, TrainError>(Timing {
            device: format!("{device:?}"),
            train_images_per_second: images as f64 / seconds,
            predict_images_per_second: predictions.indices.len() as f64 / predicting,
            parameters: summary.trainable,
            multiply_adds: summary.multiply_adds,
            features: joint::features(model.graph()),
        })
    })?;
    println!("{}", serde_json::to_string(&timing).expect("texts and numbers"));
    Ok(())
}

/// Random images for the input that `config` names.
fn random(config: &RunConfig) -> Result<RunData, TrainError> {
    let named = config.network_input(None)?.recipe;
    // One plane serves every channel.
    let channel = |channel: &Channel| Channel { offset: 0, ..*channel };
    let recipe = InputRecipe::of(config.size, named.channels.iter().map(channel).collect());
    recipe.check()?;
    let count = BATCHES * config.batch;
    let mut state = 1u32;
    let values = count * config.working_size * config.working_size;
    let planes = (0..values).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    let labels = (0..count).map(|image| [image % 2 == 0; LABEL_COUNT]).collect();
    let ids = (0..count).map(|image| image.to_string()).collect();
    let set = InMemorySet::from_windowed(config.working_size, ids, labels, planes.collect());
    let all: Vec<usize> = (0..count).collect();
    Ok(RunData {
        set: Arc::new(set.map_err(LoadError::from)?).into(),
        split: Split { train: all.clone(), validation: all },
        test: Vec::new(),
        groups: Vec::new(),
        recipe,
        describes: false,
        stacks: None,
    })
}
