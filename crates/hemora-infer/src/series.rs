//! The networks of series of a bundle at work: what they make of the slices of one series.

use std::path::Path;
use std::slice;

use hemora_ct::{LABEL_COUNT, Probabilities, SequenceSlice, places_along, probability_columns};
use hemora_nn::onnx::{OnnxError, pooled_features};
use rayon::prelude::*;

use crate::score::{MemberScore, SliceScore};
use crate::{EngineError, EngineKind, SequenceEngine, load_sequence_engine, run_both_ways};
use hemora_ct::SeriesInput;
use hemora_model::series_entry;
use hemora_model::{Bundle, Ensemble, SeriesStage};

/// Fewer slices than this have none with neighbours on both sides: nothing to read between.
const FEWEST: usize = 3;
/// More slices are no head; attention takes memory by the square of their number.
const MOST: usize = 1024;
/// Slices closer than this lie in one place, mm.
const SAME_PLACE: f64 = 0.01;

/// Networks that read the slices of a whole series, in the order in which they run.
pub struct SeriesModel {
    stages: Vec<Stage>,
}

/// Networks of one kind, of which the mean is taken.
struct Stage {
    reads: SeriesInput,
    engines: Vec<Box<dyn SequenceEngine>>,
}

/// Why the networks of series of a bundle are not loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SeriesModelError {
    /// The network of single slices is not an ONNX model.
    #[error("model.onnx: {0}")]
    Onnx(#[from] OnnxError),
    /// The network of single slices does not give what its classifier reads.
    #[error(
        "the networks of series read pooled features, which model.onnx does not give: expected a last \
         linear layer that reads the mean of the second output, the last feature map; put networks \
         that read probabilities into the bundle"
    )]
    NoFeatures,
    /// The networks of series read other features.
    #[error(
        "{file} reads {expected} features of each slice, model.onnx gives {found}: they were not \
         trained together"
    )]
    Features {
        /// The network of series.
        file: String,
        /// Features that it reads.
        expected: usize,
        /// Features that there are.
        found: usize,
    },
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
    /// Loads the networks of series of a bundle; `None` if it has none. `library` as of
    /// [`load_engine`](crate::load_engine).
    ///
    /// # Errors
    /// [`SeriesModelError`] names the network that cannot be used, and why.
    pub fn load(
        kind: EngineKind,
        bundle: &Bundle,
        library: Option<&Path>,
    ) -> Result<Option<Self>, SeriesModelError> {
        let stages = &bundle.info().series;
        if stages.is_empty() {
            return Ok(None);
        }
        Self::check(bundle.onnx(), stages)?;
        Self::of_stages(kind, stages, bundle.series(), library).map(Some)
    }

    /// Loads an ensemble's own networks of series; `None` if it has none.
    ///
    /// # Errors
    /// [`SeriesModelError`] names the network that cannot be used, and why.
    pub(crate) fn of_ensemble(
        kind: EngineKind,
        ensemble: &Ensemble,
        library: Option<&Path>,
    ) -> Result<Option<Self>, SeriesModelError> {
        let Some(series) = &ensemble.info().series else { return Ok(None) };
        let stages = slice::from_ref(&series.stage);
        Self::of_stages(kind, stages, ensemble.series(), library).map(Some)
    }

    fn of_stages(
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

    /// Checks that a network of single slices, an ONNX model, gives the features that `stages` read.
    ///
    /// # Errors
    /// [`SeriesModelError`] if it gives none, or another number.
    pub fn check(onnx: &[u8], stages: &[SeriesStage]) -> Result<(), SeriesModelError> {
        let mut first = 0;
        for stage in stages {
            let file = series_entry(first);
            first += stage.sha256.len();
            let expected = match stage.reads {
                SeriesInput::Probabilities => continue,
                SeriesInput::Features => stage.columns,
                SeriesInput::FeaturesAndPlaces => stage.columns.saturating_sub(1),
            };
            let found = pooled_features(onnx)?.ok_or(SeriesModelError::NoFeatures)?;
            if found != expected {
                return Err(SeriesModelError::Features { file, expected, found });
            }
        }
        Ok(())
    }

    /// Whether a network reads features of the slices of a series of `slices`: those of one that is
    /// too long need not be kept.
    pub(crate) fn reads_features(&self, slices: usize) -> bool {
        slices <= MOST && self.stages.iter().any(|stage| stage.reads.is_features())
    }

    /// Replaces the probabilities of the slices by those of the networks, which read them from the
    /// lowest to the highest and back. `z_mm` are the places of all slices of the series along its
    /// normal, mm; slices that were not scored are left out.
    ///
    /// # Errors
    /// Why they were not run, as text; then nothing is changed.
    pub(crate) fn apply(
        &self,
        score: &mut MemberScore,
        z_mm: &[Option<f64>],
    ) -> Result<(), String> {
        let places = in_order(&score.slices, z_mm)?;
        let slices = in_sequence(&places, &score.slices, None);
        let features: Vec<&[f32]> = places
            .iter()
            .map(|&(_, place)| score.features.get(place).map_or(&[][..], Vec::as_slice))
            .collect();
        let found = self.run(slices, &features).map_err(|error| error.to_string())?;
        put(&mut score.slices, &places, found);
        Ok(())
    }

    /// The same of networks that read probabilities alone: those of single slices in `single`, and in
    /// `said` those of the same slices by other networks of series, whose place theirs take.
    ///
    /// # Errors
    /// Why they were not run, as text; then nothing is changed.
    pub(crate) fn apply_after(
        &self,
        single: &[SliceScore],
        said: &mut [SliceScore],
        z_mm: &[Option<f64>],
    ) -> Result<(), String> {
        let places = in_order(said, z_mm)?;
        let slices = in_sequence(&places, single, Some(said));
        let features = vec![&[][..]; slices.len()];
        let found = self.run(slices, &features).map_err(|error| error.to_string())?;
        put(said, &places, found);
        Ok(())
    }

    /// What the last stage says of slices in the order of their places.
    fn run(
        &self,
        mut slices: Vec<SequenceSlice>,
        features: &[&[f32]],
    ) -> Result<Vec<[f32; LABEL_COUNT]>, EngineError> {
        let mut said = Vec::new();
        for stage in &self.stages {
            said = stage.run(&slices, features)?;
            for (slice, said) in slices.iter_mut().zip(&said) {
                slice.first = Some(*said);
            }
        }
        Ok(said)
    }
}

/// What networks of series are told of slices at `places`: what is said of each alone, and `first` by
/// earlier networks of series.
fn in_sequence(
    places: &[(f64, usize)],
    single: &[SliceScore],
    first: Option<&[SliceScore]>,
) -> Vec<SequenceSlice> {
    let slice = |(rank, &(z, place)): (usize, &(f64, usize))| SequenceSlice {
        z_mm: Some(z),
        spacing_mm: None,
        rank: SequenceSlice::rank_of(rank, places.len()),
        probabilities: single[place].probabilities.to_array(),
        first: first.map(|first| first[place].probabilities.to_array()),
    };
    places.iter().enumerate().map(slice).collect()
}

/// Puts what was found of slices at `places` in their place.
fn put(slices: &mut [SliceScore], places: &[(f64, usize)], found: Vec<[f32; LABEL_COUNT]>) {
    for (&(_, place), probabilities) in places.iter().zip(found) {
        slices[place].probabilities = Probabilities::from_array(probabilities);
    }
}

/// The scored slices from the lowest to the highest: their positions, mm, and places in `slices`.
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
    let mut places = Vec::with_capacity(count);
    for (place, slice) in slices.iter().enumerate() {
        places.extend(z_mm[slice.index].filter(|z| z.is_finite()).map(|z| (z, place)));
    }
    if places.len() < count {
        return Err(format!("{} of its {count} slices have no position", count - places.len()));
    }
    places.sort_by(|a, b| a.0.total_cmp(&b.0));
    if places[count - 1].0 - places[0].0 < SAME_PLACE {
        return Err("its slices all lie in one place".to_owned());
    }
    Ok(places)
}

impl Stage {
    /// The mean of what the networks say.
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
        for said in &all {
            for (mean, value) in means.iter_mut().flatten().zip(said.iter().flatten()) {
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
