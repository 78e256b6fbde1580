//! A model in training: its optimizer, schedule and average, an epoch at a time.

use std::rc::Rc;

use hemora_ct::InputRecipe;
use hemora_data::{Batch, Loader};
use hemora_nn::{Weights, WeightsError};
use tch::{Kind, Tensor};

use super::TrainError;
use super::ranks::Ranks;
use super::teachers::Teachers;
use super::tensors::{label_weights, map_targets, to_tensors};
use crate::model::{Layout, LossScale, Mode, Model, Precision, Task};
use crate::optim::{
    DenseTargets, Loss, LossOptions, Optimizer, OptimizerOptions, Schedule, WeightAverage,
    dense_loss, gradients,
};
use crate::output::Step;

/// What a trainer is made from.
#[derive(Debug, Clone, Copy)]
pub struct TrainerOptions {
    /// What is learned.
    pub task: Task,
    /// By which loss.
    pub loss: LossOptions,
    /// How weights are moved.
    pub optimizer: OptimizerOptions,
    /// How fast, step by step.
    pub schedule: Schedule,
    /// Decay of the moving average of the weights that is kept.
    pub ema: Option<f64>,
    /// Bound on the norm of the gradient.
    pub clip: Option<f64>,
    /// Batches of which the gradients are averaged for a step.
    pub accumulate: usize,
    /// What convolutions and linear layers compute in.
    pub precision: Precision,
    /// How images and weights lie in memory.
    pub layout: Layout,
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
    /// What is minimised.
    pub loss: Loss,
    /// What the schedule's rate is multiplied with: lower after a plateau.
    pub rate_factor: f64,
    /// Steps taken, those that half precision could not hold among them.
    pub steps: u64,
    /// The factor of the loss; used in half precision.
    pub scale: LossScale,
    /// Who teaches beside the labels.
    teachers: Option<Teachers>,
    /// The processes that train together.
    ranks: Rc<Ranks>,
    options: TrainerOptions,
}

/// On a GPU the loss of every so many steps is waited for.
const WAIT_EVERY: u64 = 16;

impl Trainer {
    /// Starts from `model`.
    pub fn new(model: Model, options: TrainerOptions) -> Self {
        Self::among(Rc::default(), model, options)
    }

    /// Starts from the model of the first of `ranks`, each with its share of every batch.
    pub fn among(ranks: Rc<Ranks>, model: Model, options: TrainerOptions) -> Self {
        ranks.copy_first(&model.all_tensors());
        let average = options.ema.map(|decay| WeightAverage::new(&model, decay));
        let loss = Loss::new(options.task, &options.loss, model.device());
        Self {
            model: model.computing_in(options.precision).laid_out(options.layout),
            optimizer: Optimizer::new(options.optimizer),
            average,
            loss,
            rate_factor: 1.0,
            steps: 0,
            scale: LossScale::default(),
            teachers: None,
            ranks,
            options,
        }
    }

    /// The same with the predictions of teachers mixed into the labels.
    pub(crate) fn with_teachers(self, teachers: Option<Teachers>) -> Self {
        Self { teachers, ..self }
    }

    /// Trains on the batches of an epoch, until `last` steps were taken, and returns the mean loss.
    /// `observe` is given each step.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] if the loss is no longer a number.
    pub fn epoch(
        &mut self,
        loader: &Loader,
        epoch: u64,
        last: u64,
        observe: &mut dyn FnMut(&Step) -> Result<(), TrainError>,
    ) -> Result<f64, TrainError> {
        let mut batches = loader.epoch(epoch);
        let mut losses = Tensor::zeros([], (Kind::Double, self.model.device()));
        let mut steps = 0.0;
        while batches.len() > 0 && self.steps < last {
            // The last step may have fewer batches.
            let count = batches.len().min(self.options.accumulate);
            let (step, loss) = self.step(batches.by_ref().take(count), count)?;
            let _ = losses.g_add_(&loss);
            steps += 1.0;
            observe(&step)?;
        }
        let mean = losses.double_value(&[]) / steps;
        self.check(mean)?;
        Ok(mean)
    }

    /// One step on `count` batches with the schedule's rate, and its mean loss on the model's
    /// device.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] if the loss is no longer a number.
    pub fn step(
        &mut self,
        batches: impl Iterator<Item = Batch>,
        count: usize,
    ) -> Result<(Step, Tensor), TrainError> {
        let rate = self.options.schedule.rate(self.steps) * self.rate_factor;
        let wait = !self.model.device().is_cuda() || self.steps.is_multiple_of(WAIT_EVERY);
        let (images, loss, norm) = self.step_at(rate, batches.take(count), count);
        let norm = norm.filter(|_| wait).map(|norm| norm.double_value(&[]));
        let value = wait.then(|| loss.double_value(&[]));
        value.map_or(Ok(()), |value| self.check(value))?;
        Ok((Step { number: self.steps, images, rate, loss: value, norm }, loss))
    }

    /// One step on `count` batches with a rate, which a loss that is no number ruins: the number of
    /// images, the mean loss and, where it was needed, the norm of the gradient.
    pub fn step_at(
        &mut self,
        rate: f64,
        batches: impl Iterator<Item = Batch>,
        count: usize,
    ) -> (usize, Tensor, Option<Tensor>) {
        self.seed_dropout();
        let mut sum = Vec::new();
        let mut loss = Tensor::zeros([], (Kind::Double, self.model.device()));
        let mut images = 0;
        for batch in batches {
            // Of the whole batch's mean, whatever the shares are.
            let share = batch.len() as f64 / batch.whole() as f64;
            let (part, gradients) = self.gradients(&batch, share / count as f64);
            let _ = loss.g_add_(&part);
            gradients::accumulate(&mut sum, gradients);
            images += batch.whole();
        }
        sum.push(loss);
        self.ranks.sum(&sum);
        let loss = sum.pop().expect("just pushed");
        let norm = self.move_weights(sum, rate);
        (images, loss, norm)
    }

    /// One step of this process alone with the schedule's rate, on what `loss` makes of the model;
    /// returns the loss. Not for half precision.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] if the loss is no longer a number.
    pub fn step_on(
        &mut self,
        loss: impl FnOnce(&Model, &Loss) -> Tensor,
    ) -> Result<f64, TrainError> {
        let rate = self.options.schedule.rate(self.steps) * self.rate_factor;
        self.seed_dropout();
        let loss = loss(&self.model, &self.loss);
        let gradients = self.model.gradients(&loss);
        self.move_weights(gradients, rate);
        let loss = loss.double_value(&[]);
        self.check(loss)?;
        Ok(loss)
    }

    /// Dropout's numbers follow from seed and step, so that a resumed run draws the same.
    fn seed_dropout(&self) {
        // Each process draws its own: its images are others.
        let rank = (self.ranks.rank() as u64).rotate_right(16);
        tch::manual_seed(((self.options.seed << 32 | self.steps) ^ rank) as i64);
    }

    /// Ends a step; returns the norm of the gradient where it was needed.
    fn move_weights(&mut self, gradients: Vec<Tensor>, rate: f64) -> Option<Tensor> {
        let norm = self.apply(gradients, rate);
        self.steps += 1;
        if let Some(average) = &mut self.average {
            average.update(&self.model, self.steps);
        }
        norm
    }

    /// The mean loss of a batch times `part`, and its gradients, one for each of
    /// [`Model::trainable`]; in half precision times the scale.
    fn gradients(&self, batch: &Batch, part: f64) -> (Tensor, Vec<Tensor>) {
        let task = self.options.task;
        if batch.is_empty() {
            let zeros = self.model.trainable().map(|(_, tensor)| tensor.detach().zeros_like());
            let kind = (Kind::Float, self.model.device());
            return (Tensor::zeros([] as [i64; 0], kind), zeros.collect());
        }
        let (images, targets) = to_tensors(batch, &self.model);
        let mut targets = task.targets(&targets);
        if let Some(teachers) = &self.teachers {
            targets = teachers.mix_into(&targets, &images);
        }
        let weights = label_weights(batch, task, &self.model);
        let maps = map_targets(batch, task, &self.model);
        let mean = |scores: &Tensor| self.loss.mean_weighted(scores, &targets, weights.as_ref());
        let loss = match (batch.slices(), maps) {
            (None, None) => mean(&task.scores(self.model.logits(&images, Mode::Train))),
            (None, Some((present, known))) => {
                let logits = self.model.dense(&images, Mode::Train);
                let logits = logits.expect("maps are asked for where the network gives some");
                let labels = targets.shallow_clone();
                let weights = weights.as_ref().map(Tensor::shallow_clone);
                dense_loss(&logits, &DenseTargets { labels, weights, present, known }, &self.loss)
            }
            (Some(slices), _) => {
                let (alone, series) =
                    self.model.read_windows(&images, slices, batch.places(), Mode::Train);
                // The network of slices stays of use alone: it reads series that are too short.
                (mean(&alone) + mean(&series)) / 2.0
            }
        };
        let loss = loss * part;
        let scaled = if self.scales() { &loss * self.scale.factor } else { loss.shallow_clone() };
        (loss.detach(), self.model.gradients(&scaled))
    }

    /// Moves the weights along `gradients`; returns the norm where it was needed.
    fn apply(&mut self, mut gradients: Vec<Tensor>, rate: f64) -> Option<Tensor> {
        tch::no_grad(|| {
            let clip = self.options.clip;
            if self.scales() {
                for gradient in &mut gradients {
                    let _ = gradient.g_mul_scalar_(1.0 / self.scale.factor);
                }
            }
            let norm = (clip.is_some() || self.scales()).then(|| gradients::norm(&gradients));
            if let Some(norm) = norm.as_ref().filter(|_| self.scales()) {
                let finite = norm.double_value(&[]).is_finite();
                self.scale.update(finite);
                if !finite {
                    return Some(norm.shallow_clone());
                }
            }
            if let (Some(norm), Some(bound)) = (&norm, clip) {
                gradients::clip(&mut gradients, norm, bound);
            }
            self.optimizer.step(&self.model, &gradients, rate);
            norm
        })
    }

    fn scales(&self) -> bool {
        self.options.precision == Precision::F16
    }

    fn check(&self, loss: f64) -> Result<(), TrainError> {
        match loss.is_finite() {
            true => Ok(()),
            false => Err(TrainError::Diverged { loss, step: self.steps }),
        }
    }

    /// Takes the running statistics of the first process, as PyTorch's DistributedDataParallel does:
    /// batch norms saw each process' own images. All else is the same already.
    pub fn take_statistics_of_first(&self) {
        let mut tensors = self.model.all_tensors();
        if let Some(average) = &self.average {
            tensors.extend(average.tensors());
        }
        self.ranks.copy_first(&tensors);
    }

    /// The processes that train together.
    pub fn ranks(&self) -> &Ranks {
        &self.ranks
    }

    /// Takes other weights of the same graph.
    pub fn restore(&mut self, model: Model) {
        self.model = model.computing_in(self.options.precision).laid_out(self.options.layout);
    }

    /// The weights that are validated and kept: the average where there is one.
    pub fn kept_weights(&self) -> Weights {
        self.average.as_ref().map_or_else(|| self.model.weights(), WeightAverage::weights)
    }

    /// A model of its own with [`Trainer::kept_weights`], which computes in 32 bits as an exported
    /// one does.
    ///
    /// # Errors
    /// [`WeightsError`] if they do not fit, which would be a defect.
    pub fn kept_model(&self) -> Result<Model, WeightsError> {
        self.model.again(&self.kept_weights())
    }
}

/// Whether `model` takes what `recipe` makes.
pub fn fits(model: &Model, recipe: &InputRecipe) -> bool {
    model.graph().input_shape() == [recipe.channels.len(), recipe.size, recipe.size]
}
