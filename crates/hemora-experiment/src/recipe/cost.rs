//! What a recipe costs, before it is run: counted, and timed on a few images and steps.

use std::ffi::OsString;
use std::time::Instant;

use hemora_ct::probability_column_count;
use hemora_io::{Source, read_slice};
use serde::Deserialize;

use crate::engine::{Call, Command, Programs};
use crate::recipe::{Dataset, RecipeError, RecipeOptions, Stage1};

/// Images that are read for the timing.
const READ: usize = 12;
/// How often each image is read: indexing and preparing.
const READINGS: f64 = 2.0;
/// Part of their size that HU take in shards.
const PACKED: f64 = 0.4;
/// Bytes of weights, an optimizer's two moments and the best weights so far, of one parameter.
const CHECKPOINT: f64 = 4.0 * 5.0;
/// Pixels of a slice, where none can be read.
const PIXELS: f64 = 512.0 * 512.0;

/// Result of `hemora-train time`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Timing {
    /// Where it ran.
    pub device: String,
    /// Images a second of training steps.
    pub train_images_per_second: f64,
    /// Images a second of predictions.
    pub predict_images_per_second: f64,
    /// Trainable parameters.
    pub parameters: u64,
    /// Pooled features of an image.
    pub features: usize,
}

/// Result of `hemora-train time-sequence` for a network of series.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct SeriesTiming {
    /// Slices a second of training steps.
    pub train_slices_per_second: f64,
    /// Slices a second of predictions.
    pub predict_slices_per_second: f64,
    /// Trainable parameters.
    pub parameters: u64,
    /// Epochs.
    pub epochs: u64,
}

/// What a recipe costs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cost {
    /// Labelled slices.
    pub slices: usize,
    /// Optimizer steps of all networks and folds.
    pub steps: u64,
    /// Images that pass forward and back.
    pub trained: f64,
    /// Images that pass forward alone.
    pub predicted: f64,
    /// Bytes on disk.
    pub disk: f64,
    /// Bytes of images in memory.
    pub memory: f64,
    /// Seconds to index and prepare.
    pub data_seconds: f64,
    /// Seconds to train and predict by networks of slices; `None` if the training program could not be
    /// timed.
    pub network_seconds: Option<f64>,
    /// The same of networks of series, at most: of long series an epoch sees a part.
    pub series_seconds: Option<f64>,
    /// Where the training program runs.
    pub device: Option<String>,
    /// Why the training program could not be timed, where it could not: its last words.
    pub untimed: Option<String>,
}

impl Cost {
    /// Counts a recipe and times it on this machine.
    ///
    /// # Errors
    /// [`RecipeError`] if the labels cannot be read or a program not be started.
    pub(super) fn measure(
        options: &RecipeOptions,
        dataset: &Dataset,
        programs: &Programs,
    ) -> Result<Self, RecipeError> {
        let slices = dataset.slices()?;
        let (seconds, pixels) = reading(dataset);
        let cores = programs.cores();
        let mut cost = Self {
            slices,
            data_seconds: READINGS * seconds * slices as f64 / cores as f64,
            disk: 2.0 * pixels * PACKED * slices as f64,
            memory: 2.0 * (options.working_size().pow(2) * slices) as f64,
            network_seconds: Some(0.0),
            series_seconds: Some(0.0),
            ..Self::default()
        };
        for stage1 in &options.stage1 {
            let flags = options.network_flags(stage1);
            let timing: Option<Timing> = cost.time(programs, Command::TimeSlices, flags)?;
            cost.add(options, timing.as_ref());
            let features = timing.map(|timing| timing.features);
            cost.add_series(options, programs, "sequence-features", features)?;
        }
        let columns = Some(probability_column_count(true));
        cost.add_series(options, programs, "sequence-probabilities", columns)?;
        Ok(cost)
    }

    /// Times a network of series that reads so many values of a slice, and adds its folds.
    fn add_series(
        &mut self,
        options: &RecipeOptions,
        programs: &Programs,
        network: &str,
        columns: Option<usize>,
    ) -> Result<(), RecipeError> {
        let timing: Option<SeriesTiming> = match columns {
            Some(columns) => {
                let input = [format!("--network={network}"), format!("--columns={columns}")];
                let flags = input.iter().chain(&options.stage2).map(Into::into).collect();
                self.time(programs, Command::TimeSeries, flags)?
            }
            None => None,
        };
        self.add_folds_of_series(options, timing.as_ref());
        Ok(())
    }

    /// What the training program measures; `None`, with the reason kept, if it failed or printed
    /// something that is not known.
    fn time<T: serde::de::DeserializeOwned>(
        &mut self,
        programs: &Programs,
        command: Command,
        flags: Vec<OsString>,
    ) -> Result<Option<T>, RecipeError> {
        let printed = programs.output(&Call::new(command, flags))?;
        let timing = printed.and_then(|printed| {
            serde_json::from_slice(&printed).map_err(|error| format!("its timing: {error}"))
        });
        match timing {
            Ok(timing) => Ok(Some(timing)),
            Err(reason) => {
                self.untimed.get_or_insert(reason);
                Ok(None)
            }
        }
    }

    fn add_folds_of_series(&mut self, options: &RecipeOptions, timing: Option<&SeriesTiming>) {
        let Some(timing) = timing else {
            self.series_seconds = None;
            return;
        };
        let (slices, folds, epochs) =
            (self.slices as f64, options.folds as f64, timing.epochs as f64);
        let trained = slices * (folds - 1.0) * epochs;
        // Every series is held out once, each epoch and with the kept weights.
        let predicted = slices * (epochs + 1.0);
        let seconds =
            trained / timing.train_slices_per_second + predicted / timing.predict_slices_per_second;
        self.series_seconds = self.series_seconds.map(|sum| sum + seconds);
        self.disk += timing.parameters as f64 * CHECKPOINT * folds;
    }

    /// Adds the folds of one network.
    fn add(&mut self, options: &RecipeOptions, timing: Option<&Timing>) {
        let (slices, folds, epochs) =
            (self.slices as f64, options.folds as f64, options.epochs as f64);
        let steps_of_fold = (slices * (folds - 1.0) / folds / options.batch as f64).floor();
        self.steps += (folds * epochs * steps_of_fold) as u64;
        let trained = folds * epochs * steps_of_fold * options.batch as f64;
        // Every slice is held out once, each epoch and with the best weights; of every fold's network
        // the features of all are taken, with all views.
        let views = options.views.all().len() as f64;
        let predicted = slices * (epochs + 1.0 + folds * views);
        self.trained += trained;
        self.predicted += predicted;
        let Some(timing) = timing else {
            self.network_seconds = None;
            return;
        };
        let seconds =
            trained / timing.train_images_per_second + predicted / timing.predict_images_per_second;
        self.network_seconds = self.network_seconds.map(|sum| sum + seconds);
        self.disk += timing.parameters as f64 * CHECKPOINT * folds;
        self.device = Some(timing.device.clone());
    }

    /// Seconds in all, where everything could be timed.
    pub fn seconds(&self) -> Option<f64> {
        Some(self.network_seconds? + self.series_seconds? + self.data_seconds)
    }
}

/// Seconds to read one image, and its pixels; the mean of a few.
fn reading(dataset: &Dataset) -> (f64, f64) {
    let begin = Instant::now();
    let slices: Vec<usize> = dataset
        .some_files(READ)
        .into_iter()
        .filter_map(|path| read_slice(&Source::File(path)).ok())
        .map(|(_, slice)| slice.hu().len())
        .collect();
    if slices.is_empty() {
        return (0.0, PIXELS);
    }
    let count = slices.len() as f64;
    (begin.elapsed().as_secs_f64() / count, slices.iter().sum::<usize>() as f64 / count)
}

impl RecipeOptions {
    /// The flags of the training program that say which network is trained and how.
    pub(super) fn network_flags(&self, stage1: &Stage1) -> Vec<OsString> {
        let mut flags: Vec<OsString> = stage1.flags.iter().map(Into::into).collect();
        let network = [
            format!("--network={}", stage1.network),
            format!("--input={}", stage1.input),
            format!("--size={}", self.size),
            format!("--working-size={}", self.working_size()),
            format!("--epochs={}", self.epochs),
            format!("--batch={}", self.batch),
            format!("--seed={}", self.seed),
        ];
        flags.extend(network.into_iter().map(Into::into));
        flags
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{Kind, Preset};

    #[test]
    fn steps_and_images_are_counted() {
        let mut options = RecipeOptions::new(Kind::Fast, Preset::Full);
        (options.folds, options.epochs, options.batch) = (5, 6, 64);
        let timing = Timing {
            device: "Cpu".to_owned(),
            train_images_per_second: 100.0,
            predict_images_per_second: 400.0,
            parameters: 1000,
            features: 512,
        };
        let zero = Some(0.0);
        let empty = Cost { network_seconds: zero, series_seconds: zero, ..Cost::default() };
        let mut cost = Cost { slices: 1000, ..empty };
        cost.add(&options, Some(&timing));
        // 800 slices are 12 batches of 64.
        assert_eq!((cost.steps, cost.trained), (5 * 6 * 12, 5.0 * 6.0 * 12.0 * 64.0));
        assert_eq!(cost.predicted, 1000.0 * (6.0 + 1.0 + 5.0 * 2.0));
        let slices = 23_040.0 / 100.0 + 17_000.0 / 400.0;
        assert_eq!(cost.seconds(), Some(slices));
        let series = SeriesTiming {
            train_slices_per_second: 1000.0,
            predict_slices_per_second: 2000.0,
            parameters: 10,
            epochs: 3,
        };
        let disk = cost.disk;
        cost.add_folds_of_series(&options, Some(&series));
        // Four of five folds three times; every slice after each epoch and at the end.
        assert_eq!(cost.seconds(), Some(slices + 12.0 + 2.0));
        assert_eq!(cost.disk - disk, 10.0 * 20.0 * 5.0);
        cost.add(&options, None);
        assert_eq!(cost.seconds(), None);
    }
}
