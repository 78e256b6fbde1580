//! How fast a network of series trains and predicts on this machine, by a few steps on random slices.

use std::time::Instant;

use clap::Args;
use hemora_ct::LABEL_COUNT;
use hemora_nn::Summary;
use serde::Serialize;
use tch::{Kind, Tensor};

use super::SeriesError;
use super::run::{compute_plan, new_trainer};
use super::settings::SequenceSettings;
use crate::model::{Mode, Model};
use crate::output::Reporter;
use crate::training::{Compute, TrainError, Trainer, memory};

/// Slices of a series whose prediction is timed: a head in slices of 5 mm.
const SERIES: i64 = 36;
/// Steps before the clock starts.
const WARM_UP: usize = 2;
/// Steps, or predictions, after which no further one is timed.
const MOST: usize = 40;
/// Seconds after which no further one is timed.
const ENOUGH: f64 = 0.5;

/// Which network is timed.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct SequenceTime {
    /// Values of a slice: pooled features, or what stands beside probabilities (30, with `--first` 36);
    /// of sequence-transformer one more than the features.
    #[arg(long)]
    pub columns: usize,

    /// How it would be trained.
    #[command(flatten)]
    pub settings: SequenceSettings,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Timing {
    /// Where it ran.
    device: String,
    /// Slices a second of training steps.
    train_slices_per_second: f64,
    /// Slices a second of predictions, both ways.
    predict_slices_per_second: f64,
    /// Trainable parameters.
    parameters: usize,
    /// Epochs that a run with these settings takes.
    epochs: u64,
}

/// Takes some steps on random slices and prints a line of JSON.
///
/// # Errors
/// [`TrainError`] if the settings fit no network.
pub fn time(asked: &SequenceTime) -> Result<(), TrainError> {
    let SequenceTime { columns, settings } = asked;
    settings.check()?;
    if *columns == 0 {
        let (flag, expected) = ("--columns", "the values of a slice");
        return Err(SeriesError::Value { flag, value: columns.to_string(), expected }.into());
    }
    let plan = compute_plan(settings);
    let Compute { device, .. } = Compute::start(&plan, None, Reporter::default())?;
    let timing = memory::catching(settings.demand(), || {
        let mut trainer = new_trainer(settings, *columns, device, 0)?;
        Ok::<_, TrainError>(Timing {
            device: format!("{device:?}"),
            train_slices_per_second: training(&mut trainer, settings, *columns)?,
            predict_slices_per_second: predicting(&trainer.model, *columns),
            parameters: Summary::new(trainer.model.graph()).trainable,
            epochs: settings.epochs,
        })
    })?;
    println!("{}", serde_json::to_string(&timing).expect("texts and numbers"));
    Ok(())
}

/// Slices a second of steps.
fn training(
    trainer: &mut Trainer,
    settings: &SequenceSettings,
    columns: usize,
) -> Result<f64, TrainError> {
    let device = trainer.model.device();
    let shape = [settings.batch, settings.window, columns].map(|size| size as i64);
    let slices = (settings.batch * settings.window) as i64;
    let labels = [slices, LABEL_COUNT as i64];
    let inputs = Tensor::rand(shape, (Kind::Float, device));
    let targets = Tensor::rand(labels, (Kind::Float, device)).round();
    let mut clock = Clock::default();
    while !clock.is_enough() {
        clock.time(|| {
            let step = trainer.step_on(|model, loss| {
                loss.mean(&model.logits(&inputs, Mode::Train).reshape(labels), &targets)
            });
            step.map(drop)
        })?;
    }
    Ok(clock.a_second() * slices as f64)
}

/// Slices a second of predictions of one series after the other, both ways.
fn predicting(model: &Model, columns: usize) -> f64 {
    let options = (Kind::Float, model.device());
    let series = Tensor::rand([1, SERIES, columns as i64], options);
    let read = |series: &Tensor| tch::no_grad(|| model.logits(series, Mode::Evaluate));
    let mut clock = Clock::default();
    while !clock.is_enough() {
        // A GPU has only finished when its result is there.
        let _ = clock.time(|| (read(&series) + read(&series.flip([1]))).double_value(&[0, 0, 0]));
    }
    clock.a_second() * SERIES as f64
}

/// Times what is done several times, but for the first few.
#[derive(Default)]
struct Clock {
    times: usize,
    seconds: f64,
}

impl Clock {
    fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let begin = Instant::now();
        let done = work();
        self.times += 1;
        if self.times > WARM_UP {
            self.seconds += begin.elapsed().as_secs_f64();
        }
        done
    }

    fn is_enough(&self) -> bool {
        self.times > WARM_UP && (self.seconds >= ENOUGH || self.times >= MOST)
    }

    fn a_second(&self) -> f64 {
        (self.times - WARM_UP) as f64 / self.seconds
    }
}
