//! Triage as a whole: headers, scores, key slices.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use hemora_io::{Collection, ReadOptions, SourceList, collect_sources, list_sources};
use hemora_model::{KeySlice, Timings, TriageOutput};
use rayon::prelude::*;

use super::{Progress, ProgressCallback, Step, TriageInput};
use crate::key_slices::key_slices_with;
use crate::spent::Spent;
use crate::triage::{Scoring, score_collection};
use crate::{LoadedModel, MapSink, SeriesPolicy};

/// How many slices are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pictures {
    /// Studies, most suspicious first, that have key slices.
    pub studies: usize,
    /// Key slices of each, at least 1. Each holds its pixels as HU: 1 MiB for 512 × 512.
    pub slices: usize,
}

impl Default for Pictures {
    fn default() -> Self {
        Self { studies: 50, slices: 3 }
    }
}

/// Triage with a model.
#[derive(Clone)]
pub struct Triage<'a> {
    /// The model.
    pub model: &'a LoadedModel,
    /// What a user declares about files that do not record it themselves.
    pub reading: ReadOptions,
    /// Which series of a study are scored.
    pub policy: SeriesPolicy,
    /// How many key slices the output has.
    pub pictures: Pictures,
    /// Gets the maps of each series as soon as it is scored, where they are wanted.
    pub maps: Option<MapSink<'a>>,
}

/// Why there is no output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TriageError {
    /// The progress callback stopped it.
    #[error("triage was cancelled while {step}")]
    Cancelled {
        /// The step that was stopped.
        step: Step,
    },
}

impl<'a> Triage<'a> {
    /// Triage of the chosen series, with the usual number of key slices.
    pub fn new(model: &'a LoadedModel) -> Self {
        let (policy, pictures) = (SeriesPolicy::default(), Pictures::default());
        Self { model, reading: ReadOptions::default(), policy, pictures, maps: None }
    }

    /// Reads headers, scores slices and makes the key slices.
    ///
    /// A file that cannot be used is in [`TriageResult::skipped`](hemora_model::TriageResult::skipped)
    /// with its reason; the others go on.
    ///
    /// # Errors
    /// [`TriageError::Cancelled`] if `progress` breaks while headers are read or slices scored.
    pub fn run(
        &self,
        input: TriageInput<'_>,
        progress: ProgressCallback<'_>,
    ) -> Result<TriageOutput, TriageError> {
        let list = match input {
            TriageInput::Collection(collection) => return self.score(collection, 0.0, progress),
            TriageInput::Paths(paths) => list_sources(&paths),
            TriageInput::Files(files) => SourceList::from_files(files),
        };
        let mut lap = Lap(Instant::now());
        let step = Step::ReadHeaders;
        let collection = collect_sources(list, &self.reading, &|done, total| {
            progress(Progress { step, done, total })
        });
        let collection = collection.ok_or(TriageError::Cancelled { step })?;
        self.score(&collection, lap.seconds(), progress)
    }

    /// The steps that follow the headers, whose reading took `headers_s` seconds.
    fn score(
        &self,
        collection: &Collection,
        headers_s: f64,
        progress: ProgressCallback<'_>,
    ) -> Result<TriageOutput, TriageError> {
        let mut lap = Lap(Instant::now());
        let step = Step::ScoreSlices;
        let advance = |done, total| progress(Progress { step, done, total });
        let spent = Spent::default();
        let options = Scoring { policy: self.policy, maps: self.maps, keys: self.pictures };
        let scored = score_collection(self.model, collection, options, &spent, &advance);
        let (result, kept) = scored.continue_value().ok_or(TriageError::Cancelled { step })?;
        let scoring_s = lap.seconds();

        let step = Step::DrawSlices;
        let total = result.studies.len().min(self.pictures.studies);
        let (drawn, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
        let of_studies = result.studies[..total].par_iter().map(|study| {
            // What was scored is not lost for want of pictures.
            if stopped.load(Ordering::Relaxed) {
                return Vec::new();
            }
            let keys = key_slices_with(self.model, collection, study, self.pictures.slices, &kept);
            let done = drawn.fetch_add(1, Ordering::Relaxed) + 1;
            if progress(Progress { step, done, total }).is_break() {
                stopped.store(true, Ordering::Relaxed);
            }
            keys
        });
        let keys: Vec<Vec<KeySlice>> = of_studies.collect();
        let (key_slices_s, work) = (lap.seconds(), spent.work());
        let timings = Timings { headers_s, scoring_s, key_slices_s, work };
        Ok(TriageOutput { result, key_slices: keys.into_iter().flatten().collect(), timings })
    }
}

/// A stopwatch that starts anew at each reading.
struct Lap(Instant);

impl Lap {
    fn seconds(&mut self) -> f64 {
        let seconds = self.0.elapsed().as_secs_f64();
        self.0 = Instant::now();
        seconds
    }
}
