//! Judging the maps of finished runs, of a cross-validation those of every fold.

use std::path::PathBuf;

use hemora_data::LoaderSet;

use super::network::Judged;
use super::options::{PointingError, PointingOptions};
use super::summary::{Row, Summary, write_rows};
use crate::config::{ComputePlan, RunConfig, unless_zero};
use crate::data::{Images, MOST_FOLDS, Source};
use crate::model::{Precision, trained_model};
use crate::output::Reporter;
use crate::training::memory::{self, Demand};
use crate::training::predict::{finished_folds, held_out_splits};
use crate::training::{Compute, TrainError};

/// Part of a picture's side within which a maximum is near.
const NEAR: f64 = 0.03;

/// Judges the maps of runs by the annotations of the images that they held out and by drawn bleeds,
/// writes `pointing.csv` into the folder of each, and prints what all come to.
///
/// # Errors
/// [`TrainError`] names the run or file, and what to do.
pub fn point_run(options: &PointingOptions) -> Result<(), TrainError> {
    let reporter = Reporter::new(options.progress);
    options.check()?;
    let open = |number| Run::open(options, number);
    let runs = (0..options.runs.len()).map(open).collect::<Result<Vec<_>, _>>()?;
    let plan = ComputePlan {
        threads: unless_zero(options.threads),
        precision: Precision::F32,
        layout: runs[0].folds[0].0.layout,
        deterministic: false,
    };
    let compute = Compute::start(&plan, None, reporter)?;
    let mut judged = Vec::new();
    for run in &runs {
        judged.push(run.judge(options, compute, reporter)?);
    }
    let side = judged[0].side;
    let near = options.near.unwrap_or(NEAR * side as f64);
    let drawn: usize = judged.iter().map(|run| run.drawn).sum();
    if drawn < options.drawn {
        let text = "too few held-out slices without hemorrhage show a head that can be drawn into";
        reporter.warn(&format!("{drawn} of {} bleeds were drawn: {text}", options.drawn));
    }
    for (run, judged) in runs.iter().zip(&judged) {
        if judged.side != side {
            let (run, first) = (run.folder.clone(), runs[0].folder.clone());
            return Err(
                PointingError::Side { run, side: judged.side, first, expected: side }.into()
            );
        }
    }
    if judged.iter().all(|run| run.rows.is_empty()) {
        let (run, images) = (options.runs[0].clone(), judged.iter().map(|run| run.held_out).sum());
        return Err(PointingError::Nothing { run, images }.into());
    }
    for (run, judged) in runs.iter().zip(&judged) {
        let path = run.folder.join("pointing.csv");
        write_rows(&path, &judged.rows, (side, near))?;
        reporter.log(&format!("{}: {} rows", path.display(), judged.rows.len()));
    }
    let rows: Vec<Row> = judged.into_iter().flat_map(|run| run.rows).collect();
    let summary = Summary::new(&options.runs, &rows, (side, near), options.seed)?;
    if options.json {
        println!("{}", serde_json::to_string(&summary).expect("numbers and texts"));
    } else {
        reporter.result(&summary.text());
    }
    Ok(())
}

/// A finished run, or a cross-validation.
struct Run {
    /// Place among the runs that are judged.
    number: usize,
    folder: PathBuf,
    /// The settings and weights of each fold.
    folds: Vec<(RunConfig, PathBuf)>,
    source: Source,
}

/// What a run's maps came to.
struct JudgedRun {
    rows: Vec<Row>,
    /// Height and width of its pictures, pixels.
    side: usize,
    held_out: usize,
    drawn: usize,
}

impl Run {
    /// One of the runs that are asked for, or why it is refused before its images are read.
    fn open(options: &PointingOptions, number: usize) -> Result<Self, TrainError> {
        let folder = options.runs[number].clone();
        let folds = finished_folds(&folder)?.into_iter();
        let folds: Vec<_> =
            folds.map(|(config, weights)| (options.over(config, number), weights)).collect();
        let first = &folds[0].0;
        let source = first.source()?;
        let prepared = match &source {
            Source::Prepared { folder, set } => Some((folder.as_path(), set.as_ref())),
            Source::Folder { .. } => None,
        };
        let channels = first.network_input(prepared)?.recipe.channels.len();
        if first.slice_plan().map_stride(channels)?.is_none() {
            let network = first.network.clone();
            return Err(PointingError::NoMaps { run: folder, network }.into());
        }
        if first.annotations.is_empty() && options.drawn == 0 {
            return Err(PointingError::NoAnnotations(folder).into());
        }
        Ok(Self { number, folder, folds, source })
    }

    fn judge(
        &self,
        options: &PointingOptions,
        compute: Compute,
        reporter: Reporter,
    ) -> Result<JudgedRun, TrainError> {
        let first = &self.folds[0].0;
        let splits = held_out_splits(&self.folds, &self.source)?;
        let data = first.data_plan(self.source.clone())?;
        let images = Images::load(&data, &splits[0].hold_out, reporter)?;
        let side = match &images.set {
            LoaderSet::Memory(set) => set.working_size(),
            LoaderSet::Files(set) => set.side(),
        };
        let wanted = part(options.drawn, self.number, options.runs.len());
        let mut of_run = JudgedRun { rows: Vec::new(), side, held_out: 0, drawn: 0 };
        for (fold, ((config, weights), split)) in self.folds.iter().zip(&splits).enumerate() {
            let (split, test) = images.split(split, reporter)?;
            let held_out: Vec<usize> = split.validation.into_iter().chain(test).collect();
            of_run.held_out += held_out.len();
            let channels = images.recipe.channels.len();
            let model = trained_model(&config.slice_plan(), weights, channels, compute.device)?;
            let model = model.laid_out(config.layout);
            let batch = unless_zero(options.batch).unwrap_or(config.batch);
            let task = config.task;
            let judged = Judged { images: &images, model, task, batch, compute, reporter };
            let wanted = part(wanted, fold, self.folds.len());
            // Other runs and folds draw others.
            let seed = options.seed.wrapping_add((self.number * MOST_FOLDS + fold) as u64);
            let (rows, drawn) = memory::catching(Demand::Predicting { batch }, || {
                let mut rows = judged.annotated(&held_out)?;
                let (of_drawn, drawn) = judged.drawn(&held_out, wanted, seed)?;
                rows.extend(of_drawn);
                Ok::<_, TrainError>((rows, drawn))
            })?;
            of_run.rows.extend(rows);
            of_run.drawn += drawn;
        }
        Ok(of_run)
    }
}

/// How many of `total` the part `number` of `count` has, from 0.
fn part(total: usize, number: usize, count: usize) -> usize {
    total * (number + 1) / count - total * number / count
}
