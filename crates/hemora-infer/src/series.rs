//! Networks of series at work: what they make of the slices of one series.

use std::path::Path;
use std::slice;

use hemora_ct::{
    LABEL_COUNT, Probabilities, SequenceSlice, SeriesInput, places_along, probability_columns,
    stack,
};
use rayon::prelude::*;

use crate::score::{MemberScore, SliceScore};
use crate::{EngineError, EngineKind, SequenceEngine, load_sequence_engine, run_both_ways};
use hemora_model::{
    Bundle, FeatureError, Member, MemberNetworks, SeriesStage, check_features, series_entry,
};

/// Fewer slices than this have none with neighbours on both sides: nothing to read between.
const FEWEST: usize = 3;
/// More slices are no head; attention takes memory by the square of their number.
const MOST: usize = 1024;

/// Networks that read the slices of a whole series, in the order in which they run.
pub struct SeriesModel {
    stages: Vec<Stage>,
}

/// Networks of one kind, of which the mean is taken.
struct Stage {
    reads: SeriesInput,
    engines: Vec<Box<dyn SequenceEngine>>,
}

/// Why networks of series are not loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SeriesModelError {
    /// The network of single slices does not give the features that they read.
    #[error(transparent)]
    Features(#[from] FeatureError),
    /// An engine does not take a network.
    #[error("{file}: {source}")]
    Engine {
        /// The network of series.
        file: String,
        /// Why.
        source: EngineError,
    },
}

impl SeriesModel {
    /// Loads the networks of series of a member; `None` if it has none. `library` as of
    /// [`load_engine`](crate::load_engine).
    ///
    /// # Errors
    /// [`SeriesModelError`] names the network that cannot be used, and why.
    pub fn load(
        kind: EngineKind,
        member: &Member,
        networks: &MemberNetworks,
        library: Option<&Path>,
    ) -> Result<Option<Self>, SeriesModelError> {
        if member.series.is_empty() {
            return Ok(None);
        }
        check_features(&networks.slices, &member.series)?;
        Self::from_stages(kind, &member.series, &networks.series, library).map(Some)
    }

    /// Loads the networks of series that read all members of a bundle as one; `None` if it has none.
    ///
    /// # Errors
    /// [`SeriesModelError`] names the network that cannot be used, and why.
    pub(crate) fn load_for_bundle(
        kind: EngineKind,
        bundle: &Bundle,
        library: Option<&Path>,
    ) -> Result<Option<Self>, SeriesModelError> {
        let Some(series) = &bundle.info().series else { return Ok(None) };
        let stages = slice::from_ref(&series.stage);
        Self::from_stages(kind, stages, bundle.series(), library).map(Some)
    }

    fn from_stages(
        kind: EngineKind,
        stages: &[SeriesStage],
        networks: &[Vec<u8>],
        library: Option<&Path>,
    ) -> Result<Self, SeriesModelError> {
        let mut networks = networks.iter().enumerate();
        let mut loaded = Vec::with_capacity(stages.len());
        for stage in stages {
            let mut engines = Vec::with_capacity(stage.sha256.len());
            for (index, onnx) in networks.by_ref().take(stage.sha256.len()) {
                let file = series_entry(index);
                let engine = load_sequence_engine(kind, onnx, stage.columns, library);
                engines.push(engine.map_err(|source| SeriesModelError::Engine { file, source })?);
            }
            loaded.push(Stage { reads: stage.reads, engines });
        }
        Ok(Self { stages: loaded })
    }

    /// Whether a network reads features of the slices of a series of `slices`: those of one that is
    /// too long need not be kept.
    pub(crate) fn reads_features(&self, slices: usize) -> bool {
        slices <= MOST && self.stages.iter().any(|stage| stage.reads.is_features())
    }

    /// Replaces the probabilities of the slices by those of the networks, which read them from the
    /// lowest to the highest and back. `z_mm` are the positions of all slices of the series along its
    /// normal, mm; slices that were not scored are left out.
    ///
    /// # Errors
    /// Why they were not run, as text; then nothing is changed.
    pub(crate) fn apply(
        &self,
        score: &mut MemberScore,
        z_mm: &[Option<f64>],
    ) -> Result<(), String> {
        let positions = in_order(&score.slices, z_mm)?;
        let slices = in_sequence(&positions, &score.slices, None);
        let features: Vec<&[f32]> = positions
            .iter()
            .map(|&(_, index)| score.features.get(index).map_or(&[][..], Vec::as_slice))
            .collect();
        let predicted = self.run(slices, &features).map_err(|error| error.to_string())?;
        replace(&mut score.slices, &positions, predicted);
        Ok(())
    }

    /// The same of networks that read probabilities alone: those of single slices in `single`, and in
    /// `first` those of the same slices by other networks of series, which theirs replace.
    ///
    /// # Errors
    /// Why they were not run, as text; then nothing is changed.
    pub(crate) fn apply_after(
        &self,
        single: &[SliceScore],
        first: &mut [SliceScore],
        z_mm: &[Option<f64>],
    ) -> Result<(), String> {
        let positions = in_order(first, z_mm)?;
        let slices = in_sequence(&positions, single, Some(first));
        let features = vec![&[][..]; slices.len()];
        let predicted = self.run(slices, &features).map_err(|error| error.to_string())?;
        replace(first, &positions, predicted);
        Ok(())
    }

    /// What the last stage predicts of slices in the order of their positions.
    fn run(
        &self,
        mut slices: Vec<SequenceSlice>,
        features: &[&[f32]],
    ) -> Result<Vec<[f32; LABEL_COUNT]>, EngineError> {
        let mut predicted = Vec::new();
        for stage in &self.stages {
            predicted = stage.run(&slices, features)?;
            for (slice, predicted) in slices.iter_mut().zip(&predicted) {
                slice.first = Some(*predicted);
            }
        }
        Ok(predicted)
    }
}

/// What networks of series read of slices at `positions`: the probabilities of each alone, and those by
/// `first`, earlier networks of series.
fn in_sequence(
    positions: &[(f64, usize)],
    single: &[SliceScore],
    first: Option<&[SliceScore]>,
) -> Vec<SequenceSlice> {
    let slice = |(rank, &(z, index)): (usize, &(f64, usize))| SequenceSlice {
        z_mm: Some(z),
        spacing_mm: None,
        rank: SequenceSlice::rank_of(rank, positions.len()),
        probabilities: single[index].probabilities.to_array(),
        first: first.map(|first| first[index].probabilities.to_array()),
    };
    positions.iter().enumerate().map(slice).collect()
}

/// Replaces the probabilities of slices at `positions`.
fn replace(
    slices: &mut [SliceScore],
    positions: &[(f64, usize)],
    predicted: Vec<[f32; LABEL_COUNT]>,
) {
    for (&(_, index), probabilities) in positions.iter().zip(predicted) {
        slices[index].probabilities = Probabilities::from_array(probabilities);
    }
}

/// The scored slices from the lowest to the highest: their positions, mm, and indices in `slices`.
/// `z_mm` are the positions of all slices of the series.
///
/// # Errors
/// Why there is no such order, or nothing to read between, as text.
pub(crate) fn in_order(
    slices: &[SliceScore],
    z_mm: &[Option<f64>],
) -> Result<Vec<(f64, usize)>, String> {
    let count = slices.len();
    if count < FEWEST || z_mm.len() > MOST {
        let count = if count < FEWEST { count } else { z_mm.len() };
        let noun = if count == 1 { "slice" } else { "slices" };
        return Err(format!("it has {count} {noun}, and they read {FEWEST} to {MOST}"));
    }
    let mut positions = Vec::with_capacity(count);
    for (index, slice) in slices.iter().enumerate() {
        positions.extend(z_mm[slice.index].filter(|z| z.is_finite()).map(|z| (z, index)));
    }
    // The others keep what they have: one slice without a position costs itself alone.
    if positions.len() < FEWEST {
        return Err(format!("{} of its {count} slices have no position", count - positions.len()));
    }
    positions.sort_by(|a, b| a.0.total_cmp(&b.0));
    if stack::is_same_position(positions[0].0, positions[positions.len() - 1].0) {
        return Err("its slices all lie at one position".to_owned());
    }
    Ok(positions)
}

impl Stage {
    /// The mean of what the networks predict.
    fn run(
        &self,
        slices: &[SequenceSlice],
        features: &[&[f32]],
    ) -> Result<Vec<[f32; LABEL_COUNT]>, EngineError> {
        let columns = |order: &[usize]| self.columns(slices, features, order);
        let all = self
            .engines
            .par_iter()
            .map(|engine| run_both_ways(engine.as_ref(), slices.len(), columns))
            .collect::<Result<Vec<_>, _>>()?;
        let mut means = vec![[0f32; LABEL_COUNT]; slices.len()];
        for predicted in &all {
            for (mean, value) in means.iter_mut().flatten().zip(predicted.iter().flatten()) {
                *mean += value / all.len() as f32;
            }
        }
        // Rounding may leave a mean of ones above 1.
        means.iter_mut().flatten().for_each(|mean| *mean = mean.clamp(0.0, 1.0));
        Ok(means)
    }

    /// The networks' input for slices that are read in `order`, `[slices, columns]`.
    fn columns(&self, slices: &[SequenceSlice], features: &[&[f32]], order: &[usize]) -> Vec<f32> {
        let read = || order.iter().map(|&at| slices[at]).collect::<Vec<_>>();
        match self.reads {
            SeriesInput::Probabilities => probability_columns(&read()),
            SeriesInput::Features => {
                order.iter().flat_map(|&at| features[at].iter().copied()).collect()
            }
            SeriesInput::FeaturesAndPlaces => {
                let places = places_along(&read());
                let row = |(&at, place): (&usize, f32)| features[at].iter().copied().chain([place]);
                order.iter().zip(places).flat_map(row).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_without_end_are_not_read_and_their_features_not_kept() {
        let engines = Vec::new();
        let model = SeriesModel { stages: vec![Stage { reads: SeriesInput::Features, engines }] };
        assert!(model.reads_features(MOST) && !model.reads_features(MOST + 1));
        let slice = |index| SliceScore { index, probabilities: Probabilities::default() };
        let slices = (0..=MOST).map(slice).collect();
        let mut score = MemberScore { slices, ..MemberScore::default() };
        let z: Vec<Option<f64>> = (0..=MOST).map(|slice| Some(slice as f64)).collect();
        let reason = model.apply(&mut score, &z).unwrap_err();
        assert!(reason.contains("1025 slices"), "{reason}");
        // Of some of them nothing is known.
        score.slices.truncate(2 * FEWEST);
        assert!(model.apply(&mut score, &z).unwrap_err().contains("1025 slices"));
    }
}
