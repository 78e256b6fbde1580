//! One training run, from its config to its best weights.

use std::rc::Rc;
use std::time::Instant;

use hemora_data::Loader;
use miette::{IntoDiagnostic, Result, bail};
use tch::Device;

use crate::checkpoint::{self, Progress};
use crate::config::{Monitor, RunConfig};
use crate::dataset::{self, RunData};
use crate::events::EventWriter;
use crate::finish::{finish, shown};
use crate::folder::Folder;
use crate::metrics::{self, EpochMetrics};
use crate::progress::{self, Display};
use crate::ranks::{self, Ranks};
use crate::trainer::{self, Trainer};
use crate::validation::{self, LabelInterval, aurocs};
use crate::{folds, memory, start};

/// Trains as `config` says.
///
/// # Errors
/// A report that names the file or setting and what to do; [`memory::OutOfMemory`] if a batch does
/// not fit.
pub fn run(config: &RunConfig) -> Result<()> {
    let config = &dataset::with_folds_of_set(config)?;
    config.check()?;
    let place = ranks::place()?;
    if config.is_joint() && place.as_ref().is_some_and(|place| place.world > 1) {
        bail!("--series trains in one process: start one");
    }
    if place.as_ref().is_some_and(|place| place.rank > 0) {
        progress::be_silent();
    }
    let threads = trainer::set_threads(config.threads, place.as_ref());
    let device = trainer::device(threads, config.precision, config.deterministic, place.as_ref())?;
    let ranks = Rc::new(Ranks::join(place, device)?);
    if let Some(backend) = ranks.backend() {
        progress::say(&format!("{} processes, joined by {backend}", ranks.world()));
    }
    let outcome = ranks.agree_on(config).and_then(|()| {
        let one = |config: &RunConfig| one(config, &ranks, device, threads);
        if config.folds > 0 && config.fold == 0 {
            return folds::run_all(config, ranks.is_first(), one);
        }
        one(config).map(|_| ())
    });
    ranks.end(outcome)
}

/// Trains once; returns the validation of the best weights.
fn one(
    config: &RunConfig,
    ranks: &Rc<Ranks>,
    device: Device,
    threads: usize,
) -> Result<Vec<LabelInterval>> {
    let first = ranks.is_first();
    let folder = if first { Folder::prepare(config)? } else { Folder::of(config) };
    let data = dataset::load(config)?;
    let (train, validate) = start::loaders(config, &data, ranks.share(), threads)?;
    memory::catching(config.batch, config.accumulate, || {
        let per_epoch = train.batches().div_ceil(config.accumulate) as u64;
        let steps = match config.steps {
            0 => config.epochs * per_epoch,
            steps => steps,
        };
        let mut trainer = start::trainer(config, &data, ranks.clone(), device, (steps, per_epoch))?;
        let mut progress = start::resume(config, &folder, &mut trainer)?;
        let epochs = steps.div_ceil(per_epoch);
        let mut run = Run {
            config,
            folder: &folder,
            data: &data,
            train: &train,
            validate: &validate,
            steps,
            epochs,
            display: Display::new(config.progress, epochs, steps, progress.step),
            events: first
                .then(|| EventWriter::open(&folder.events(), progress.step))
                .transpose()
                .into_diagnostic()?,
        };
        while progress.step < steps && !progress.watch.stopped {
            run.epoch(&mut trainer, &mut progress)?;
        }
        if progress.watch.stopped {
            let waited = config.patience;
            run.display.line(&format!("stopped: no better score for {waited} epochs"));
        }
        drop(run);
        finish(config, &folder, &data, &validate, &trainer)
    })
}

/// A run under way.
struct Run<'a> {
    config: &'a RunConfig,
    folder: &'a Folder,
    data: &'a RunData,
    train: &'a Loader,
    validate: &'a Loader,
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
    fn epoch(&mut self, trainer: &mut Trainer, progress: &mut Progress) -> Result<()> {
        let begin = Instant::now();
        let train_loss = self.train(trainer, progress.epoch)?;
        let train_seconds = begin.elapsed().as_secs_f64();
        let images =
            (trainer.steps - progress.step) as usize * self.config.batch * self.config.accumulate;
        trainer.take_statistics_of_first();
        let kept = trainer.kept_model()?;
        let (task, data) = (self.config.task, self.data);
        let said =
            validation::say(&kept, task, data, self.validate, &trainer.loss, trainer.ranks());
        let predictions = said.predictions;
        let auroc = aurocs(&predictions, self.data).into_diagnostic()?;
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
        self.show(&line)?;
        let score = match self.config.monitor {
            Monitor::MeanAuroc => mean,
            Monitor::AnyAuroc => line.auroc.get("any").copied().flatten(),
            Monitor::Loss => Some(-predictions.loss),
        };
        let options = self.config.watch();
        let factor = trainer.rate_factor;
        let first = trainer.ranks().is_first();
        if progress.watch.observe(score, &options) && first {
            checkpoint::save_weights(&self.folder.best(), &kept, &kept.weights(), *progress)
                .into_diagnostic()?;
        }
        trainer.rate_factor = progress.watch.rate_factor(&options);
        if trainer.rate_factor != factor {
            let factor = trainer.rate_factor;
            self.display.line(&format!("plateau: the rate is {factor:.3e} of its first"));
        }
        if !first {
            return Ok(());
        }
        metrics::append(&self.folder.metrics(), &line).into_diagnostic()?;
        checkpoint::save(&self.folder.last(), trainer, *progress).into_diagnostic()
    }

    /// Trains an epoch; returns its mean loss.
    fn train(&mut self, trainer: &mut Trainer, epoch: u64) -> Result<f64> {
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
            events.scalars(step.number, &values).into_diagnostic()
        })
    }

    /// Says what an epoch came to, on standard error and to TensorBoard.
    fn show(&mut self, line: &EpochMetrics) -> Result<()> {
        let any = line.auroc.get("any").map(|auroc| format!(" any {},", shown(*auroc)));
        self.display.line(&format!(
            "epoch {}/{}: loss {:.4}, validation loss {:.4}, AUROC{} mean {}; {:.1} images/s",
            line.epoch,
            self.epochs,
            line.train_loss,
            line.validation_loss,
            any.unwrap_or_default(),
            shown(line.mean_auroc),
            line.images_per_second
        ));
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
        events.scalars(line.step, &values).into_diagnostic()
    }
}
