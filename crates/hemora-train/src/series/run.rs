//! A run on sequences: every fold held out once, and what all predict out of fold.

use std::time::Instant;

use hemora_base::Event;
use hemora_ct::Label;
use hemora_data::Window;
use hemora_nn::Weights;
use tch::Device;

use super::SeriesError;
use super::batch::Batch;
use super::config::SequenceConfig;
use super::set::SequenceSet;
use super::settings::{Keep, SequenceSettings};
use super::validation::{Figures, predict};
use crate::config::{ComputePlan, unless_zero};
use crate::model::{Layout, Mode, Model, Precision, Task};
use crate::optim::{LossOptions, OptimizerOptions, Preset, Schedule, WatchOptions};
use crate::output::{
    EpochMetrics, EventWriter, Folder, PredictedRow, Reporter, files, metrics, write_predictions,
    write_series_network,
};
use crate::training::checkpoint::{self, Progress};
use crate::training::{Compute, TrainError, Trainer, TrainerOptions, memory, ranks, shown};

/// The loss alone decides which epoch is best.
const WATCH: WatchOptions =
    WatchOptions { least_gain: 0.0, patience: None, plateau: None, decay: 1.0 };

/// Trains as `config` asks for: a model for every fold of the table, its out-of-fold probabilities in
/// `slices.parquet` and, for `hemora evaluate`, in `validation.csv`.
///
/// # Errors
/// [`TrainError`] names the file or setting and what to do.
pub fn run(config: &SequenceConfig) -> Result<(), TrainError> {
    config.check()?;
    if ranks::is_one_of_several()? {
        let what = "networks of series are small and train in";
        return Err(TrainError::Processes { what });
    }
    let reporter = Reporter::new(config.progress);
    let mut set = SequenceSet::load(config, reporter)?;
    let folds = set.table().folds();
    if folds < 2 {
        return Err(SeriesError::OneFold(config.slices.clone()).into());
    }
    let Compute { device, .. } = Compute::start(&compute_plan(&config.settings), None, reporter)?;
    config.prepare_folder(folds)?;
    let mut table = set.table().clone();
    for fold in 0..folds {
        set.turn_to(config, fold)?;
        let folder = config.folder(fold)?;
        let held_out = memory::catching(config.settings.demand(), || {
            let model = Fold { config, set: &set, device, fold, folder, reporter }.train()?;
            let series = series_in(&set, |other| other == fold).into_iter();
            let predicted = series.map(|series| (series, predict(&model, &set, series)));
            Ok::<_, TrainError>(predicted.collect::<Vec<_>>())
        });
        if let Err(TrainError::OutOfMemory(_)) = &held_out {
            // The smaller batch that is to be tried is another setting.
            config.release_folder(folds)?;
        }
        for (series, predicted) in held_out? {
            for (row, probabilities) in set.series()[series].iter().zip(predicted) {
                table.rows[*row].probabilities = probabilities;
            }
        }
    }
    let path = config.out.join("slices.parquet");
    table.write(&path)?;
    write_validation(config, &set, &table)?;
    let figures = |table: &hemora_data::SliceTable| {
        let rows = table.rows.iter().map(|row| row.probabilities);
        Figures::from_rows(&set, rows.enumerate())
    };
    let (before, after) = (figures(set.table())?, figures(&table)?);
    reporter.result(&format!("{:<18} of single slices   of series", "out of fold"));
    for label in Label::ALL.map(Label::name) {
        let [before, after] = [&before, &after].map(|figures| shown(figures.auroc[label]));
        reporter.result(&format!("{label:<18} AUROC {before:<12} {after}"));
    }
    let (loss, slices) = ("weighted log loss", after.slices);
    reporter.result(&format!("{loss:<18} {:<18.5} {:.5}", before.loss, after.loss));
    reporter.result(&format!("{slices} slices with labels; probabilities: {}", path.display()));
    reporter.event(&Event::Finished);
    Ok(())
}

/// Precision and layout are those that small networks need; only the threads are a setting.
pub(super) fn compute_plan(settings: &SequenceSettings) -> ComputePlan {
    ComputePlan {
        threads: unless_zero(settings.threads),
        precision: Precision::F32,
        layout: Layout::Planar,
        deterministic: false,
    }
}

/// The series of the folds that `wanted` chooses.
fn series_in(set: &SequenceSet, wanted: impl Fn(u32) -> bool) -> Vec<usize> {
    (0..set.series().len()).filter(|series| wanted(set.fold(*series))).collect()
}

/// The training of one fold's model.
struct Fold<'a> {
    config: &'a SequenceConfig,
    set: &'a SequenceSet,
    device: Device,
    fold: u32,
    folder: Folder,
    reporter: Reporter,
}

impl Fold<'_> {
    /// Trains, or goes on from the last checkpoint, and writes the model that is kept.
    fn train(&self) -> Result<Model, TrainError> {
        let Self { config, set, fold, reporter, .. } = self;
        let has_labels =
            |series: &usize| set.series()[*series].iter().any(|row| set.labels(*row).is_some());
        let mut series = series_in(set, |other| other != *fold);
        series.retain(has_labels);
        if series.is_empty() {
            return Err(SeriesError::NoLabels(fold + 1).into());
        }
        let (settings, columns) = (&config.settings, set.columns());
        let mut trainer = new_trainer(settings, columns, self.device, u64::from(*fold))?;
        let mut progress = self.resume(&mut trainer)?;
        let mut events = EventWriter::open(&self.folder.events(), progress.step)?;
        while progress.epoch < config.settings.epochs {
            let line = self.epoch(&mut trainer, &series, progress)?;
            let [loss, validation] = [line.train_loss, line.validation_loss];
            let mut values = vec![("loss/train", loss), ("loss/validation", validation)];
            values.extend(line.mean_auroc.map(|value| ("auroc/mean", value)));
            events.scalars(line.step, &values)?;
            (progress.epoch, progress.step) = (line.epoch, line.step);
            let score = Some(-validation).filter(|score| score.is_finite());
            if progress.watch.observe(score, &WATCH) {
                let weights = trainer.model.weights();
                checkpoint::save_weights(&self.folder.best(), &trainer.model, &weights, progress)?;
            }
            metrics::append(&self.folder.metrics(), &line)?;
            checkpoint::save(&self.folder.last(), &trainer, progress)?;
            let (number, epoch, epochs) = (fold + 1, line.epoch, config.settings.epochs);
            reporter.log(&format!(
                "fold {number}, epoch {epoch}/{epochs}: loss {loss:.4}, validation loss \
                 {validation:.4}, mean AUROC {}",
                shown(line.mean_auroc),
            ));
            let fold = Some(u64::from(number));
            reporter.event(&Event::Epoch { fold, epoch, epochs, loss, score });
        }
        self.finish(&trainer)
    }

    fn resume(&self, trainer: &mut Trainer) -> Result<Progress, TrainError> {
        let (path, mut progress) = (self.folder.last(), Progress::default());
        if path.exists() {
            progress = checkpoint::load(&path, trainer)?;
            let (fold, epoch) = (self.fold + 1, progress.epoch);
            self.reporter.log(&format!("fold {fold}: going on after epoch {epoch}"));
        }
        metrics::keep_epochs(&self.folder.metrics(), progress.epoch)?;
        Ok(progress)
    }

    /// Trains an epoch and validates it on the fold.
    fn epoch(
        &self,
        trainer: &mut Trainer,
        series: &[usize],
        progress: Progress,
    ) -> Result<EpochMetrics, TrainError> {
        let Self { config, set, .. } = self;
        let begin = Instant::now();
        trainer.rate_factor = config.settings.rate_factor(progress.epoch);
        // Folds draw differently.
        let seed = config.settings.seed ^ (u64::from(self.fold) << 32);
        let (mut losses, mut steps, mut slices) = (0.0, 0u32, 0);
        let rows: Vec<&[usize]> = series.iter().map(|series| &*set.series()[*series]).collect();
        // Of few short series, windows that step over slices may all be too short for a batch.
        for stride in [config.settings.stride, 1] {
            let window = Window { slices: config.settings.window, stride };
            for windows in window.epoch(&rows, config.settings.batch, (seed, progress.epoch)) {
                let Some(batch) = Batch::new(set, &windows, self.device) else { continue };
                slices += windows.iter().map(Vec::len).sum::<usize>();
                losses += trainer.step_on(|model, loss| {
                    let logits = model.logits(&batch.inputs, Mode::Train);
                    loss.mean(&batch.scores(&logits), &batch.targets)
                })?;
                steps += 1;
            }
            if steps > 0 {
                break;
            }
        }
        if steps == 0 {
            return Err(SeriesError::TooFew(self.fold + 1).into());
        }
        let train_seconds = begin.elapsed().as_secs_f64();
        let figures = self.validate(&trainer.model)?;
        Ok(EpochMetrics {
            epoch: progress.epoch + 1,
            step: trainer.steps,
            train_loss: losses / f64::from(steps),
            validation_loss: figures.loss,
            mean_auroc: metrics::mean_defined(&figures.auroc),
            auroc: figures.auroc,
            images_per_second: slices as f64 / train_seconds,
            seconds: begin.elapsed().as_secs_f64(),
        })
    }

    fn validate(&self, model: &Model) -> Result<Figures, TrainError> {
        let series = series_in(self.set, |fold| fold == self.fold);
        let rows = series.into_iter().flat_map(|series| {
            let rows = self.set.series()[series].iter().copied();
            rows.zip(predict(model, self.set, series)).collect::<Vec<_>>()
        });
        Figures::from_rows(self.set, rows)
    }

    /// The kept weights as safetensors and ONNX.
    fn finish(&self, trainer: &Trainer) -> Result<Model, TrainError> {
        let Self { config, set, .. } = self;
        let best = self.folder.best();
        let weights = match config.settings.keep {
            Keep::Best if best.exists() => Weights::from_safetensors(&files::read(&best)?)?,
            _ => trainer.model.weights(),
        };
        let plan = config.settings.plan()?;
        let graph = plan.graph(set.columns())?;
        // Of no other network of slices would it understand the features.
        let fold = config.has_features_by_fold().then_some(self.fold as usize + 1);
        let (path, views) = (self.folder.model(), config.views()?);
        write_series_network(&path, &plan, &graph, &weights, fold, views)?;
        Ok(Model::with_weights(graph, &weights, self.device)?)
    }
}

/// A fresh network for slices of `columns` values, and what trains it; folds draw differently.
///
/// # Errors
/// [`TrainError`] if the network does not take them.
pub(super) fn new_trainer(
    settings: &SequenceSettings,
    columns: usize,
    device: Device,
    fold: u64,
) -> Result<Trainer, TrainError> {
    let seed = settings.seed.wrapping_add(fold);
    let model = Model::fresh(settings.plan()?.graph(columns)?, device, seed as i64);
    let learning_rate = settings.learning_rate;
    let options = TrainerOptions {
        task: Task::Labels,
        loss: LossOptions { any_weight: settings.any_weight, ..LossOptions::default() },
        optimizer: OptimizerOptions { learning_rate, ..Preset::Adam.options() },
        schedule: Schedule::Constant(learning_rate),
        ema: None,
        clip: None,
        accumulate: 1,
        precision: Precision::F32,
        layout: Layout::Planar,
        seed,
    };
    Ok(Trainer::new(model, options))
}

/// A row a slice with labels, in the layout of a run on images: id, group, labels, probabilities.
fn write_validation(
    config: &SequenceConfig,
    set: &SequenceSet,
    table: &hemora_data::SliceTable,
) -> Result<(), TrainError> {
    let labelled = table.rows.iter().enumerate().filter_map(|(row, score)| {
        let truth = set.labels(row)?.map(|label| Some(label >= 0.5));
        let (id, group, probabilities) = (&*score.id, &*score.patient, &score.probabilities[..]);
        Some(PredictedRow { id, group, truth, probabilities })
    });
    Ok(write_predictions(&config.out.join("validation.csv"), &Label::ALL, labelled)?)
}
