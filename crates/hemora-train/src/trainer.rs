//! A model in training: its optimizer, schedule and average, an epoch at a time.

use hemora_ct::InputRecipe;
use hemora_data::Loader;
use hemora_nn::{Graph, Weights};
use miette::{IntoDiagnostic, Result, bail};
use tch::{Device, Tensor};

use crate::optimizer::{Optimizer, OptimizerOptions};
use crate::validation::to_tensors;
use crate::{Mode, Model, Schedule, Task, WeightAverage, weighted_binary_cross_entropy};

/// What a trainer is made from.
#[derive(Debug, Clone, Copy)]
pub struct TrainerOptions {
    /// What is learned.
    pub task: Task,
    /// How weights are moved.
    pub optimizer: OptimizerOptions,
    /// How fast, step by step.
    pub schedule: Schedule,
    /// Decay of the moving average of the weights; 0 for none.
    pub ema: f64,
    /// Bound on the norm of the gradient.
    pub clip: Option<f64>,
    /// Weight of the label `any` in the loss.
    pub any_weight: f64,
    /// Seed of dropout.
    pub seed: u64,
}

/// A model in training.
pub struct Trainer {
    /// The model of the last step.
    pub model: Model,
    /// Its optimizer.
    pub optimizer: Optimizer,
    /// The moving average of its weights, where one is kept.
    pub average: Option<WeightAverage>,
    /// Weight of each label in the loss, `[labels]`.
    pub label_weights: Tensor,
    options: TrainerOptions,
}

impl Trainer {
    /// Starts from `model`.
    pub fn new(model: Model, options: TrainerOptions) -> Self {
        let average = (options.ema > 0.0).then(|| WeightAverage::new(&model, options.ema));
        let label_weights = options.task.weights(options.any_weight, model.device());
        Self {
            model,
            optimizer: Optimizer::new(options.optimizer),
            average,
            label_weights,
            options,
        }
    }

    /// Trains on all batches of an epoch and returns the mean loss. `progress` is told the images of
    /// each batch.
    ///
    /// # Errors
    /// A report if the loss is no longer a number.
    pub fn epoch(&mut self, loader: &Loader, epoch: u64, progress: &dyn Fn(usize)) -> Result<f64> {
        let mut losses = 0.0;
        for batch in loader.epoch(epoch) {
            // Dropout's numbers follow from seed and step, so that a resumed run draws the same.
            tch::manual_seed((self.options.seed << 32 | self.optimizer.steps()) as i64);
            let (images, targets) = to_tensors(&batch, &self.model);
            let task = self.options.task;
            let scores = task.scores(self.model.logits(&images, Mode::Train));
            let targets = task.targets(&targets);
            let loss = weighted_binary_cross_entropy(&scores, &targets, &self.label_weights);
            let value = loss.double_value(&[]);
            if !value.is_finite() {
                bail!(
                    help = "lower --learning-rate; the last checkpoint is kept",
                    "the loss is {value} at step {}",
                    self.optimizer.steps()
                );
            }
            let rate = self.options.schedule.rate(self.optimizer.steps());
            self.optimizer.step(&self.model, &loss, rate, self.options.clip);
            if let Some(average) = &mut self.average {
                average.update(&self.model, self.optimizer.steps());
            }
            losses += value;
            progress(batch.len());
        }
        Ok(losses / loader.batches() as f64)
    }

    /// The weights that are validated and kept: the average where there is one.
    pub fn kept_weights(&self) -> Weights {
        self.average.as_ref().map_or_else(|| self.model.weights(), WeightAverage::weights)
    }

    /// A model of its own with [`Trainer::kept_weights`].
    ///
    /// # Errors
    /// A report if they do not fit, which would be a defect.
    pub fn kept_model(&self) -> Result<Model> {
        let graph: Graph = self.model.graph().clone();
        Model::with_weights(graph, &self.kept_weights(), self.model.device()).into_diagnostic()
    }
}

/// One thread per core when `threads` is 0.
pub fn set_threads(threads: usize) -> usize {
    let threads = match threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    tch::set_num_threads(threads as i32);
    threads
}

/// The GPU where there is one.
pub fn device(threads: usize) -> Device {
    let device = Device::cuda_if_available();
    eprintln!("device: {device:?}, {threads} threads");
    device
}

/// Whether `model` takes what `recipe` makes.
pub fn fits(model: &Model, recipe: &InputRecipe) -> bool {
    model.graph().input_shape() == [recipe.channels.len(), recipe.size, recipe.size]
}
