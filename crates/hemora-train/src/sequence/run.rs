//! A run on sequences: every fold held out once, and what all say out of fold.

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use hemora_ct::{Label, Views};
use hemora_data::Window;
use hemora_nn::{Graph, Weights, onnx};
use miette::{IntoDiagnostic, Result, WrapErr, bail};
use tch::Device;

use super::batch::Batch;
use super::config::SequenceConfig;
use super::set::SequenceSet;
use super::settings::{Keep, SequenceSettings};
use super::validation::{Figures, predict};
use crate::checkpoint::{self, Progress};
use crate::events::EventWriter;
use crate::files::write_whole;
use crate::finish::shown;
use crate::folder::Folder;
use crate::loss::LossOptions;
use crate::metrics::{self, EpochMetrics};
use crate::optimizer::{OptimizerOptions, Preset};
use crate::precision::Precision;
use crate::progress::say;
use crate::trainer::{self, Trainer, TrainerOptions};
use crate::validation::{PredictedRow, write_rows};
use crate::watch::WatchOptions;
use crate::{Layout, Model, Schedule, Task, ranks};

/// The best epoch is told by the loss alone.
const WATCH: WatchOptions = WatchOptions { least_gain: 0.0, patience: 0, plateau: 0, decay: 1.0 };

/// Trains as `config` says: a model for every fold of the table, its out-of-fold probabilities in
/// `slices.parquet` and, for `hemora evaluate`, in `validation.csv`.
///
/// # Errors
/// A report that names the file or setting and what to do.
pub fn run(config: &SequenceConfig) -> Result<()> {
    config.check()?;
    if ranks::place()?.is_some_and(|place| place.world > 1) {
        bail!("networks of sequences are small and train in one process: start one");
    }
    let mut set = SequenceSet::load(config)?;
    let folds = set.table().folds();
    if folds < 2 {
        bail!("{} has one fold; expected 2 or more", config.slices.display());
    }
    let threads = trainer::set_threads(config.settings.threads, None);
    let device = trainer::device(threads, Precision::F32, false, None)?;
    config.prepare_folder(folds)?;
    let mut table = set.table().clone();
    for fold in 0..folds {
        set.turn_to(config, fold)?;
        let model =
            Fold { config, set: &set, device, fold, folder: config.folder(fold)? }.train()?;
        for series in of_fold(&set, |other| other == fold) {
            for (row, probabilities) in
                set.series()[series].iter().zip(predict(&model, &set, series))
            {
                table.rows[*row].probabilities = probabilities;
            }
        }
    }
    let path = config.out.join("slices.parquet");
    table.write(&path).into_diagnostic()?;
    write_validation(config, &set, &table)?;
    let of = |table: &hemora_data::SliceTable| {
        let rows = table.rows.iter().map(|row| row.probabilities);
        Figures::of(&set, rows.enumerate())
    };
    let (before, after) = (of(set.table())?, of(&table)?);
    println!("{:<18} of single slices   of series", "out of fold");
    for label in Label::ALL.map(Label::name) {
        let [one, other] = [&before, &after].map(|it| it.auroc[label]);
        println!("{label:<18} AUROC {:<12} {}", shown(one), shown(other));
    }
    println!("{:<18} {:<18.5} {:.5}", "weighted log loss", before.loss, after.loss);
    println!("{} slices with labels; probabilities: {}", after.slices, path.display());
    Ok(())
}

/// The series of the folds that `wanted` says.
fn of_fold(set: &SequenceSet, wanted: impl Fn(u32) -> bool) -> Vec<usize> {
    (0..set.series().len()).filter(|series| wanted(set.fold(*series))).collect()
}

/// The training of one fold's model.
struct Fold<'a> {
    config: &'a SequenceConfig,
    set: &'a SequenceSet,
    device: Device,
    fold: u32,
    folder: Folder,
}

impl Fold<'_> {
    /// Trains, or goes on from the last checkpoint, and writes the model that is kept.
    fn train(&self) -> Result<Model> {
        let Self { config, set, fold, .. } = self;
        let has_labels =
            |series: &usize| set.series()[*series].iter().any(|row| set.labels(*row).is_some());
        let mut series = of_fold(set, |other| other != *fold);
        series.retain(has_labels);
        if series.is_empty() {
            bail!("no series outside fold {} has labels", fold + 1);
        }
        let (settings, columns) = (&config.settings, set.columns());
        let mut trainer = trainer_of(settings, columns, self.device, u64::from(*fold))?;
        let mut progress = self.resume(&mut trainer)?;
        let mut events =
            EventWriter::open(&self.folder.events(), progress.step).into_diagnostic()?;
        while progress.epoch < config.settings.epochs {
            let line = self.epoch(&mut trainer, &series, progress)?;
            let [loss, validation] = [line.train_loss, line.validation_loss];
            let mut values = vec![("loss/train", loss), ("loss/validation", validation)];
            values.extend(line.mean_auroc.map(|value| ("auroc/mean", value)));
            events.scalars(line.step, &values).into_diagnostic()?;
            (progress.epoch, progress.step) = (line.epoch, line.step);
            let score = Some(-validation).filter(|score| score.is_finite());
            if progress.watch.observe(score, &WATCH) {
                let weights = trainer.model.weights();
                checkpoint::save_weights(&self.folder.best(), &trainer.model, &weights, progress)
                    .into_diagnostic()?;
            }
            metrics::append(&self.folder.metrics(), &line).into_diagnostic()?;
            checkpoint::save(&self.folder.last(), &trainer, progress).into_diagnostic()?;
            say(&format!(
                "fold {}, epoch {}/{}: loss {loss:.4}, validation loss {validation:.4}, mean AUROC {}",
                fold + 1,
                line.epoch,
                config.settings.epochs,
                shown(line.mean_auroc),
            ));
        }
        self.finish(&trainer)
    }

    fn resume(&self, trainer: &mut Trainer) -> Result<Progress> {
        let (path, mut progress) = (self.folder.last(), Progress::default());
        if path.exists() {
            progress = checkpoint::load(&path, trainer).into_diagnostic()?;
            say(&format!("fold {}: going on after epoch {}", self.fold + 1, progress.epoch));
        }
        metrics::keep_epochs(&self.folder.metrics(), progress.epoch).into_diagnostic()?;
        Ok(progress)
    }

    /// Trains an epoch and validates it on the fold.
    fn epoch(
        &self,
        trainer: &mut Trainer,
        series: &[usize],
        progress: Progress,
    ) -> Result<EpochMetrics> {
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
                    let logits = model.logits(&batch.inputs, crate::Mode::Train);
                    loss.of(&batch.scores(&logits), &batch.targets)
                })?;
                steps += 1;
            }
            if steps > 0 {
                break;
            }
        }
        if steps == 0 {
            bail!("fold {}: too few slices with labels outside it for a batch", self.fold + 1);
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

    fn validate(&self, model: &Model) -> Result<Figures> {
        let series = of_fold(self.set, |fold| fold == self.fold);
        let rows = series.into_iter().flat_map(|series| {
            let rows = self.set.series()[series].iter().copied();
            rows.zip(predict(model, self.set, series)).collect::<Vec<_>>()
        });
        Figures::of(self.set, rows)
    }

    /// The kept weights as safetensors and ONNX.
    fn finish(&self, trainer: &Trainer) -> Result<Model> {
        let Self { config, set, .. } = self;
        let best = self.folder.best();
        let weights = match config.settings.keep {
            Keep::Best if best.exists() => {
                let bytes = std::fs::read(&best).into_diagnostic()?;
                Weights::from_safetensors(&bytes).into_diagnostic()?
            }
            _ => trainer.model.weights(),
        };
        let graph = config.settings.graph(set.columns())?;
        // Of no other network of slices would it understand the features.
        let of_fold = config.has_features_by_fold().then_some(self.fold as usize + 1);
        let (hidden, layers) = (config.settings.hidden, config.settings.layers);
        let notes = SeriesNotes { hidden, layers, of_fold, views: config.views()? };
        write_model(&self.folder.model(), &graph, &weights, &notes)?;
        Model::with_weights(graph, &weights, self.device).into_diagnostic()
    }
}

/// A fresh network for slices of `columns` values, and what trains it; folds draw differently.
///
/// # Errors
/// A report if the network does not take them.
pub(super) fn trainer_of(
    settings: &SequenceSettings,
    columns: usize,
    device: Device,
    fold: u64,
) -> Result<Trainer> {
    let seed = settings.seed.wrapping_add(fold);
    let model = Model::fresh(settings.graph(columns)?, device, seed as i64);
    let learning_rate = settings.learning_rate;
    let options = TrainerOptions {
        task: Task::Labels,
        loss: LossOptions { any_weight: settings.any_weight, ..LossOptions::default() },
        optimizer: OptimizerOptions { learning_rate, ..Preset::Adam.options() },
        schedule: Schedule::Constant(learning_rate),
        ema: 0.0,
        clip: None,
        accumulate: 1,
        precision: Precision::F32,
        layout: Layout::Planar,
        seed,
    };
    Ok(Trainer::new(model, options))
}

/// What a bundle needs to know of a network of series beside its weights.
pub(crate) struct SeriesNotes {
    /// Units of its layers.
    pub hidden: usize,
    /// Its layers.
    pub layers: usize,
    /// Of one that reads features the fold, from 1, whose network of slices makes them.
    pub of_fold: Option<usize>,
    /// The views that were averaged in what it was trained on.
    pub views: Option<Views>,
}

/// Writes a network of series as safetensors, with what a bundle needs to know, and as ONNX beside.
///
/// # Errors
/// A report if a file cannot be written.
pub(crate) fn write_model(
    path: &Path,
    graph: &Graph,
    weights: &Weights,
    notes: &SeriesNotes,
) -> Result<()> {
    let mut metadata = HashMap::from([
        ("network".to_owned(), graph.name().to_owned()),
        ("columns".to_owned(), graph.input_shape()[0].to_string()),
        ("hidden".to_owned(), notes.hidden.to_string()),
        ("layers".to_owned(), notes.layers.to_string()),
    ]);
    if let Some(fold) = notes.of_fold {
        metadata.insert("features_of_fold".to_owned(), fold.to_string());
    }
    if let Some(views) = notes.views {
        metadata.insert("views".to_owned(), views.name().to_owned());
    }
    let bytes = weights.to_safetensors(metadata).into_diagnostic()?;
    write_whole(path, &bytes).into_diagnostic()?;
    let model = onnx::write(graph, weights).into_diagnostic()?;
    write_whole(&path.with_extension("onnx"), &model).into_diagnostic()
}

/// A row a slice with labels, in the layout of a run on images: id, group, labels, probabilities.
fn write_validation(
    config: &SequenceConfig,
    set: &SequenceSet,
    table: &hemora_data::SliceTable,
) -> Result<()> {
    let labelled = table.rows.iter().enumerate().filter_map(|(row, score)| {
        let truth = set.labels(row)?.map(|label| label >= 0.5);
        let (id, group, probabilities) = (&*score.id, &*score.patient, &score.probabilities[..]);
        Some(PredictedRow { id, group, truth, probabilities })
    });
    let path = config.out.join("validation.csv");
    let written = write_rows(&path, &Label::ALL, labelled).into_diagnostic();
    written.wrap_err("cannot write the predictions")
}
