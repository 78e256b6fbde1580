//! How fast a network trains and predicts on this machine, by a few steps on random images: what a
//! plan of many hours is estimated from.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use hemora_ct::{Channel, InputRecipe, LABEL_COUNT};
use hemora_data::{InMemorySet, Share, Split};
use hemora_nn::Summary;
use miette::{IntoDiagnostic, Result};
use serde::Serialize;

use crate::config::RunConfig;
use crate::dataset::{RunData, input};
use crate::validation::predict;
use crate::{joint, memory, start, trainer};

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
/// A report if the network cannot be built; [`memory::OutOfMemory`] if a batch does not fit.
pub fn time(config: &RunConfig) -> Result<()> {
    let threads = trainer::set_threads(config.threads, None);
    let device = trainer::device(threads, config.precision, config.deterministic, None)?;
    let data = random(config)?;
    let (train, validate) = start::loaders(config, &data, Share::default(), threads)?;
    let timing = memory::catching(config.batch, config.accumulate, || {
        let mut trainer = start::trainer(config, &data, Rc::default(), device, (1000, 1000))?;
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
        let predictions = predict(&model, config.task, &validate, &trainer.loss, trainer.ranks());
        let predicting = begin.elapsed().as_secs_f64();
        let summary = Summary::new(model.graph());
        Ok(Timing {
            device: format!("{device:?}"),
            train_images_per_second: images as f64 / seconds,
            predict_images_per_second: predictions.indices.len() as f64 / predicting,
            parameters: summary.trainable,
            multiply_adds: summary.multiply_adds,
            features: joint::features(model.graph()),
        })
    })?;
    println!("{}", serde_json::to_string(&timing).into_diagnostic()?);
    Ok(())
}

/// Random images for the input that `config` names.
fn random(config: &RunConfig) -> Result<RunData> {
    let named = input(config, None)?.0;
    // One plane serves every channel.
    let channel = |channel: &Channel| Channel { offset: 0, ..*channel };
    let recipe = InputRecipe::of(config.size, named.channels.iter().map(channel).collect());
    recipe.check().into_diagnostic()?;
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
        set: Arc::new(set.into_diagnostic()?).into(),
        split: Split { train: all.clone(), validation: all },
        test: Vec::new(),
        groups: Vec::new(),
        recipe,
        describes: false,
        stacks: None,
    })
}
