//! A model with its engines: what every member says of slices, and what they say together.

use std::path::Path;

use hemora_ct::{InputRecipe, LABEL_COUNT, Label, Plane, Probabilities};

use crate::score::{MemberScore, Scored, Scorer, SeriesScore, SliceScore, calibrate};
use crate::series::in_order;
use crate::{
    ActivationMap, Classifier, Engine, EngineError, EngineKind, SeriesModel, SeriesModelError,
    load_engine,
};
use hemora_model::member_entry;
use hemora_model::{Bundle, Ensemble, Model};

/// A model with its engines.
pub struct LoadedModel {
    model: Model,
    members: Vec<LoadedMember>,
    /// Networks of series of the ensemble, which read what all members say.
    series: Option<SeriesModel>,
    note: String,
}

/// The engines of one bundle.
struct LoadedMember {
    engine: Box<dyn Engine>,
    series: Option<SeriesModel>,
    classifier: Option<Classifier>,
}

/// What the networks of single slices say of an image, without networks of series and calibration.
#[derive(Debug, Clone)]
pub struct Look {
    /// Probabilities in label order.
    pub probabilities: [f64; LABEL_COUNT],
    /// Where they see each of the labels that were asked for; `None` where nothing speaks for it or the
    /// networks give no activation maps.
    pub maps: Vec<Option<ActivationMap>>,
}

/// Why the engines of a model are not loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// An engine does not take the network of single slices.
    #[error("cannot load the engine: {0}")]
    Engine(#[from] EngineError),
    /// The networks of series cannot be used.
    #[error("cannot load the networks of series: {0}")]
    Series(#[from] SeriesModelError),
    /// A member of an ensemble cannot be loaded.
    #[error("{file}: {source}")]
    Member {
        /// The member's file.
        file: String,
        /// Why not.
        source: Box<LoadError>,
    },
}

impl LoadedMember {
    fn load(
        kind: EngineKind,
        bundle: &Bundle,
        library: Option<&Path>,
    ) -> Result<(Self, String), LoadError> {
        let input = &bundle.info().input;
        let loaded = load_engine(kind, bundle.onnx(), input.channels.len(), input.size, library)?;
        let series = SeriesModel::load(kind, bundle, library)?;
        Ok((Self::of(bundle, loaded.engine, series), loaded.note))
    }

    fn of(bundle: &Bundle, engine: Box<dyn Engine>, series: Option<SeriesModel>) -> Self {
        // A model without a plain linear head has no maps; its slices are shown all the same.
        let classifier = Classifier::from_onnx(bundle.onnx()).ok().flatten();
        Self { engine, series, classifier }
    }
}

impl LoadedModel {
    /// Loads the engines of all members. `library` as of [`load_engine`].
    ///
    /// # Errors
    /// [`LoadError`] names the network that cannot be used, and why.
    pub fn load(kind: EngineKind, model: Model, library: Option<&Path>) -> Result<Self, LoadError> {
        let (mut members, mut note) = (Vec::new(), String::new());
        for (index, bundle) in model.members().iter().enumerate() {
            let loaded = LoadedMember::load(kind, bundle, library);
            let (member, why) = loaded.map_err(|source| match &model {
                Model::Network(_) => source,
                Model::Ensemble(_) => {
                    LoadError::Member { file: member_entry(index), source: Box::new(source) }
                }
            })?;
            members.push(member);
            note = why;
        }
        let series = match &model {
            Model::Network(_) => None,
            Model::Ensemble(ensemble) => SeriesModel::of_ensemble(kind, ensemble, library)?,
        };
        Ok(Self { model, members, series, note })
    }

    /// A network with engines that are loaded already.
    pub fn of(bundle: Bundle, engine: Box<dyn Engine>, series: Option<SeriesModel>) -> Self {
        let member = LoadedMember::of(&bundle, engine, series);
        let model = Model::Network(bundle);
        Self { model, members: vec![member], series: None, note: String::new() }
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// One line on the choice of the engine, for the log.
    pub fn note(&self) -> &str {
        &self.note
    }

    /// `tract` or `onnxruntime`.
    pub fn engine(&self) -> &'static str {
        self.members.first().map_or("none", |member| member.engine.name())
    }

    /// Slices on either side that an input reaches, the most of all members.
    pub fn reach(&self) -> usize {
        let reach = |bundle: &Bundle| bundle.info().input.reach();
        self.model.members().iter().map(reach).max().unwrap_or(0)
    }

    /// What the networks of single slices say of an image, and where they see `labels`. `input` makes an
    /// image of a recipe. `None` if a network gives nothing.
    pub fn look(
        &self,
        labels: &[Label],
        input: &dyn Fn(&InputRecipe) -> Option<Vec<f32>>,
    ) -> Option<Look> {
        let weights = self.weights();
        let mut probabilities = [0.0; LABEL_COUNT];
        let mut maps: Vec<Vec<(f64, ActivationMap)>> = vec![Vec::new(); labels.len()];
        let bundles = self.model.members().iter().zip(&self.members);
        for ((bundle, member), weights) in bundles.zip(&weights) {
            let output = member.engine.run(&input(&bundle.info().input)?).ok()?;
            for (at, value) in output.probabilities.iter().enumerate() {
                probabilities[at] += weights[at] * f64::from(*value);
            }
            for (label, maps) in labels.iter().zip(&mut maps) {
                let map = member.classifier.as_ref().zip(output.features.as_ref());
                let map = map.and_then(|(classifier, features)| classifier.map(features, *label));
                let weight = weights[label.index()];
                maps.extend(map.filter(|_| weight > 0.0).map(|map| (weight, map)));
            }
        }
        let maps = labels.iter().zip(maps).map(|(label, maps)| mean_map(*label, maps)).collect();
        Some(Look { probabilities, maps })
    }

    /// The networks of single slices at work on a series of so many slices.
    pub(crate) fn scorers(&self, slices: usize) -> Vec<Scorer<'_>> {
        let bundles = self.model.members().iter().zip(&self.members);
        bundles
            .map(|(bundle, member)| Scorer {
                engine: member.engine.as_ref(),
                recipe: &bundle.info().input,
                views: bundle.info().views,
                with_features: member.series.as_ref().is_some_and(|it| it.reads_features(slices)),
            })
            .collect()
    }

    /// What all say together of the slices of a series at `z` (mm, by index in the series), after the
    /// networks of series and with all calibrations; and what a reader should know.
    pub(crate) fn judge(&self, scored: Scored, z: &[Option<f64>]) -> (SeriesScore, Vec<String>) {
        let Scored { mut members, implausible, skipped } = scored;
        let mut warnings: Vec<String> = Vec::new();
        let single = match &self.model {
            Model::Network(_) => None,
            Model::Ensemble(ensemble) => ensemble.slice_weights(),
        };
        let single = single.map(|weights| weighted_mean(&weights, &members));
        let loaded = self.model.members().iter().zip(&self.members);
        for ((bundle, loaded), member) in loaded.zip(&mut members) {
            let warning = read_series(loaded.series.as_ref(), bundle, member, z);
            // Of several members it is the same.
            warnings.extend(warning.filter(|warning| !warnings.contains(warning)));
            if let Some(calibration) = &bundle.info().calibration {
                calibrate(&mut member.slices, calibration);
            }
        }
        let slices = match &self.model {
            Model::Network(_) => members.into_iter().next().unwrap_or_default().slices,
            Model::Ensemble(ensemble) => {
                let mut slices = weighted_mean(&self.weights(), &members);
                warnings.extend(stack(ensemble, &members, z, &mut slices));
                if let (Some(series), Some(single)) = (&self.series, &single) {
                    let read = series.apply_after(single, &mut slices, z);
                    let warning = read.err().map(|reason| not_run(&reason));
                    warnings.extend(warning.filter(|warning| !warnings.contains(warning)));
                }
                if let Some(calibration) = &ensemble.info().calibration {
                    calibrate(&mut slices, calibration);
                }
                slices
            }
        };
        (SeriesScore { slices, implausible, skipped }, warnings)
    }

    /// The weight of each member's probability of each label.
    fn weights(&self) -> Vec<[f64; LABEL_COUNT]> {
        match &self.model {
            Model::Network(_) => vec![[1.0; LABEL_COUNT]],
            Model::Ensemble(ensemble) => ensemble.member_weights(),
        }
    }
}

/// What members say as one, slice by slice, with the weight of each for each label.
fn weighted_mean(weights: &[[f64; LABEL_COUNT]], members: &[MemberScore]) -> Vec<SliceScore> {
    let slices = members.first().map_or(&[][..], |member| &member.slices);
    let mean = |(at, slice): (usize, &SliceScore)| {
        let mut sums = [0.0; LABEL_COUNT];
        for (member, weights) in members.iter().zip(weights) {
            let said = member.slices[at].probabilities.to_array();
            for ((sum, weight), value) in sums.iter_mut().zip(weights).zip(said) {
                *sum += weight * f64::from(value);
            }
        }
        // Rounding may leave a mean of ones above 1.
        let means = sums.map(|sum| sum.clamp(0.0, 1.0) as f32);
        SliceScore { index: slice.index, probabilities: Probabilities::from_array(means) }
    };
    slices.iter().enumerate().map(mean).collect()
}

/// Lets the networks of series read a series; a warning if they do not, where the bundle has some.
fn read_series(
    model: Option<&SeriesModel>,
    bundle: &Bundle,
    score: &mut MemberScore,
    z: &[Option<f64>],
) -> Option<String> {
    let reason = match model {
        Some(model) => model.apply(score, z).err()?,
        None if bundle.info().series.is_empty() => return None,
        None => "they are not loaded".to_owned(),
    };
    Some(not_run(&reason))
}

/// What a reader should know where networks of series were not run.
fn not_run(reason: &str) -> String {
    format!(
        "the networks of series were not run ({reason}): the probabilities are those of single slices, \
         for which calibration and thresholds may not hold"
    )
}

/// Puts what an ensemble's trees say in the place of the weighted means; a warning if they cannot read
/// the series, where there are some.
fn stack(
    ensemble: &Ensemble,
    members: &[MemberScore],
    z: &[Option<f64>],
    slices: &mut [SliceScore],
) -> Option<String> {
    let stacking = ensemble.info().stacking.as_ref()?;
    let places = match in_order(slices, z) {
        Ok(places) => places,
        Err(reason) => {
            return Some(format!(
                "the trees of the ensemble were not used ({reason}): the probabilities are weighted \
                 means, for which calibration and thresholds may not hold"
            ));
        }
    };
    let models: Vec<Vec<[f32; LABEL_COUNT]>> = ensemble
        .parts()
        .map(|part| {
            let members = &members[part];
            let mean = |&(_, place): &(f64, usize)| {
                let mut sums = [0.0; LABEL_COUNT];
                for member in members {
                    let said = member.slices[place].probabilities.to_array();
                    sums.iter_mut().zip(said).for_each(|(sum, it)| *sum += f64::from(it));
                }
                sums.map(|sum| (sum / members.len() as f64).clamp(0.0, 1.0) as f32)
            };
            places.iter().map(mean).collect()
        })
        .collect();
    for ((_, place), said) in places.into_iter().zip(stacking.apply(&models)) {
        let mut probabilities = slices[place].probabilities.to_array();
        for (value, said) in probabilities.iter_mut().zip(said) {
            *value = said.map_or(*value, |said| said as f32);
        }
        slices[place].probabilities = Probabilities::from_array(probabilities);
    }
    None
}

/// The weighted mean of maps at the size of the largest, its highest value 1.
fn mean_map(label: Label, maps: Vec<(f64, ActivationMap)>) -> Option<ActivationMap> {
    if maps.len() == 1 {
        return maps.into_iter().next().map(|(_, map)| map);
    }
    let rows = maps.iter().map(|(_, map)| map.plane.rows).max()?;
    let columns = maps.iter().map(|(_, map)| map.plane.columns).max()?;
    let mut values = vec![0f32; rows * columns];
    for (weight, map) in &maps {
        let map = map.upsampled(rows, columns);
        values.iter_mut().zip(map.values).for_each(|(sum, it)| *sum += *weight as f32 * it);
    }
    let largest = values.iter().copied().fold(0f32, f32::max);
    if largest <= 0.0 {
        return None;
    }
    values.iter_mut().for_each(|value| *value /= largest);
    Some(ActivationMap { label, plane: Plane { rows, columns, values } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_weighted_at_the_size_of_the_largest() {
        let map = |rows, columns, values: &[f32]| {
            let plane = Plane { rows, columns, values: values.to_vec() };
            ActivationMap { label: Label::Any, plane }
        };
        let (small, large) = (map(1, 1, &[1.0]), map(2, 2, &[1.0, 0.0, 0.0, 0.5]));
        assert_eq!(mean_map(Label::Any, vec![(0.3, small.clone())]), Some(small.clone()));
        let mean = mean_map(Label::Any, vec![(0.25, small), (0.75, large.clone())]).unwrap();
        assert_eq!((mean.plane.rows, mean.plane.columns), (2, 2));
        let expected = [1.0, 0.25, 0.25, 0.625];
        for (found, expected) in mean.plane.values.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{:?}", mean.plane.values);
        }
        assert_eq!(mean_map(Label::Any, vec![(0.0, large.clone()), (0.0, large)]), None);
        assert_eq!(mean_map(Label::Any, Vec::new()), None);
    }
}
