//! One run, from its settings to its best weights.

use std::rc::Rc;
use std::time::Instant;

use hemora_base::Event;
use hemora_data::Loader;

use super::checkpoint::{self, Progress};
use super::device::Compute;
use super::finish::{finish, shown};
use super::memory::{self, Demand};
use super::ranks::{Ranks, this_process};
use super::start::{self, TrainerPlan};
use super::teachers::Teachers;
use super::trainer::Trainer;
use super::validation::{LabelInterval, aurocs, validate};
use super::{TrainError, folds};
use crate::config::{RunConfig, RunPlan, TrainPlan};
use crate::data::{self, RunData};
use crate::optim::Monitor;
use crate::output::{Display, EpochMetrics, EventWriter, Folder, Reporter, metrics};

/// Trains as `config` asks for.
///
/// # Errors
/// [`TrainError`] names the file or setting and what to do.
pub fn run(config: &RunConfig) -> Result<(), TrainError> {
    let plan = RunPlan::from_config(config)?;
    let process = this_process()?;
    let several = process.as_ref().is_some_and(|process| process.world > 1);
    if plan.first().model.joint.is_some() && several {
        return Err(TrainError::Processes { what: "--series-network trains in" });
    }
    let reporter = match &process {
        Some(process) if process.rank > 0 => Reporter::silent(),
        _ => Reporter::new(config.progress),
    };
    let compute = Compute::start(&plan.first().compute, process.as_ref(), reporter)?;
    let ranks = Rc::new(Ranks::join(process, compute.device)?);
    if let Some(backend) = ranks.backend() {
        reporter.log(&format!("{} processes, joined by {backend}", ranks.world()));
    }
    let outcome = ranks.agree_on(config).map_err(TrainError::from).and_then(|()| {
        let train = |plan: &TrainPlan| train(plan, &ranks, compute, reporter);
        match &plan {
            RunPlan::One(plan) => train(plan).map(drop),
            RunPlan::CrossValidation { out, folds } => {
                folds::run_all(out, folds, ranks.is_first(), reporter, train)
            }
        }
    });
    ranks.end(outcome)?;
    reporter.event(&Event::Finished);
    Ok(())
}

/// Trains once; returns the validation of the best weights.
fn train(
    plan: &TrainPlan,
    ranks: &Rc<Ranks>,
    compute: Compute,
    reporter: Reporter,
) -> Result<Vec<LabelInterval>, TrainError> {
    let (first, optim) = (ranks.is_first(), &plan.optim);
    let folder = Folder::new(&plan.out);
    if first {
        folder.claim(&plan.record, plan.restart)?;
    }
    let joint = plan.model.joint.as_ref();
    let data = data::load(&plan.data, &plan.split, joint.is_some(), reporter)?;
    let (train, validation) =
        start::loaders(optim, &plan.model, plan.seed, &data, ranks.share(), compute.threads)?;
    let outcome = memory::catching(Demand::from(optim), || {
        let per_epoch = train.batches().div_ceil(optim.accumulate) as u64;
        let steps = optim.length.steps(per_epoch);
        let parts = TrainerPlan::from(plan);
        let trainer =
            start::trainer(parts, &data, ranks.clone(), compute.device, (steps, per_epoch))?;
        let teachers = Teachers::open(plan, &data, compute.device, reporter)?;
        let mut trainer = trainer.with_teachers(teachers);
        let mut progress = start::resume(&optim.watch, &folder, &mut trainer, reporter)?;
        let epochs = steps.div_ceil(per_epoch);
        let mut run = Run {
            plan,
            folder: &folder,
            data: &data,
            train: &train,
            validation: &validation,
            steps,
            epochs,
            display: Display::new(reporter, epochs, steps, progress.step),
            events: match first {
                true => Some(EventWriter::open(&folder.events(), progress.step)?),
                false => None,
            },
        };
        while progress.step < steps && !progress.watch.stopped {
            run.epoch(&mut trainer, &mut progress)?;
        }
        if let Some(patience) = optim.watch.patience.filter(|_| progress.watch.stopped) {
            run.display.line(&format!("stopped: no better score for {patience} epochs"));
        }
        drop(run);
        finish(plan, &folder, &data, &validation, &trainer, reporter)
    });
    if let (Err(TrainError::OutOfMemory(_)), true) = (&outcome, first) {
        // The smaller batch that is to be tried is another setting.
        folder.release()?;
    }
    outcome
}

/// A training under way.
struct Run<'a> {
    plan: &'a TrainPlan,
    folder: &'a Folder,
    data: &'a RunData,
    train: &'a Loader,
    validation: &'a Loader,
    steps: u64,
    epochs: u64,
    display: Display,
    /// Of several processes the first one writes.
    events: Option<EventWriter>,
}

/// A step's values are written every so many steps.
const EVENTS_EVERY: u64 = 10;

impl Run<'_> {
    /// Trains and validates an epoch, writes its metrics and checkpoints.
    fn epoch(&mut self, trainer: &mut Trainer, progress: &mut Progress) -> Result<(), TrainError> {
        let begin = Instant::now();
        let train_loss = self.train(trainer, progress.epoch)?;
        let train_seconds = begin.elapsed().as_secs_f64();
        let optim = &self.plan.optim;
        let images = (trainer.steps - progress.step) as usize * optim.batch * optim.accumulate;
        trainer.take_statistics_of_first();
        let kept = trainer.kept_model()?;
        let (task, data, ranks) = (self.plan.model.slices.task, self.data, trainer.ranks());
        let predictions =
            validate(&kept, task, data, self.validation, &trainer.loss, ranks).predictions;
        let auroc = aurocs(&predictions, self.data)?;
        let mean = metrics::mean_defined(&auroc);
        progress.epoch += 1;
        progress.step = trainer.steps;
        let line = EpochMetrics {
            epoch: progress.epoch,
            step: progress.step,
            train_loss,
            validation_loss: predictions.loss,
            mean_auroc: mean,
            images_per_second: images.min(self.train.images()) as f64 / train_seconds,
            seconds: begin.elapsed().as_secs_f64(),
            auroc,
        };
        let score = match optim.monitor {
            Monitor::MeanAuroc => mean,
            Monitor::AnyAuroc => line.auroc.get("any").copied().flatten(),
            Monitor::Loss => Some(-predictions.loss),
            // Every epoch is better than the one before.
            Monitor::Last => Some(progress.epoch as f64),
        };
        self.show(&line, score)?;
        let options = optim.watch;
        let factor = trainer.rate_factor;
        let first = trainer.ranks().is_first();
        if progress.watch.observe(score, &options) && first {
            checkpoint::save_weights(&self.folder.best(), &kept, &kept.weights(), *progress)?;
        }
        trainer.rate_factor = progress.watch.rate_factor(&options);
        if trainer.rate_factor != factor {
            let factor = trainer.rate_factor;
            self.display.line(&format!("plateau: the rate is {factor:.3e} of its first"));
        }
        if !first {
            return Ok(());
        }
        metrics::append(&self.folder.metrics(), &line)?;
        Ok(checkpoint::save(&self.folder.last(), trainer, *progress)?)
    }

    /// Trains an epoch; returns its mean loss.
    fn train(&mut self, trainer: &mut Trainer, epoch: u64) -> Result<f64, TrainError> {
        let (display, events) = (&mut self.display, &mut self.events);
        display.begin(epoch + 1, self.train.images() as u64);
        trainer.epoch(self.train, epoch, self.steps, &mut |step| {
            display.step(step);
            let Some(events) = events.as_mut().filter(|_| step.number.is_multiple_of(EVENTS_EVERY))
            else {
                return Ok(());
            };
            let absent = f64::NAN;
            let values = [
                ("step/loss", step.loss.unwrap_or(absent)),
                ("step/rate", step.rate),
                ("step/gradient_norm", step.norm.unwrap_or(absent)),
            ];
            Ok(events.scalars(step.number, &values)?)
        })
    }

    /// Shows what an epoch came to: to people, to a program, and in TensorBoard.
    fn show(&mut self, line: &EpochMetrics, score: Option<f64>) -> Result<(), TrainError> {
        let any = line.auroc.get("any").map(|auroc| format!(" any {},", shown(*auroc)));
        let text = format!(
            "epoch {}/{}: loss {:.4}, validation loss {:.4}, AUROC{} mean {}; {:.1} images/s",
            line.epoch,
            self.epochs,
            line.train_loss,
            line.validation_loss,
            any.unwrap_or_default(),
            shown(line.mean_auroc),
            line.images_per_second
        );
        let event = Event::Epoch {
            fold: self.plan.fold().map(|fold| fold.index as u64 + 1),
            epoch: line.epoch,
            epochs: self.epochs,
            loss: line.train_loss,
            score,
        };
        self.display.end_epoch(&text, &event);
        let Some(events) = &mut self.events else { return Ok(()) };
        let absent = f64::NAN;
        let names: Vec<(String, f64)> = line
            .auroc
            .iter()
            .map(|(label, value)| (format!("auroc/{label}"), value.unwrap_or(absent)))
            .collect();
        let mut values = vec![
            ("loss/train", line.train_loss),
            ("loss/validation", line.validation_loss),
            ("auroc/mean", line.mean_auroc.unwrap_or(absent)),
            ("epoch/images_per_second", line.images_per_second),
        ];
        values.extend(names.iter().map(|(name, value)| (name.as_str(), *value)));
        Ok(events.scalars(line.step, &values)?)
    }
}
