//! A model with its engines: what every member predicts of slices, and what they predict together.

use std::path::Path;
use std::sync::Arc;

use hemora_ct::{InputRecipe, LABEL_COUNT, Label, Plane, Probabilities};

use crate::engine::RememberingEngine;
use crate::maps::mean_map;
use crate::score::{MemberScore, Scored, SeriesScore, SliceScore, calibrate};
use crate::scorer::Scorer;
use crate::series::in_order;
use crate::slabs::Slabs;
use crate::{
    Classifier, Engine, EngineError, EngineKind, LabelMap, MapKind, Output, OutputMemory,
    SeriesModel, SeriesModelError, load_engine,
};
use hemora_io::Series;
use hemora_model::{Bundle, Member, MemberNetworks, ModelInfo, member_folder};

/// A model with its engines.
pub struct LoadedModel {
    model: Bundle,
    members: Vec<LoadedMember>,
    /// Networks of series of the bundle, which read what all members predict.
    series: Option<SeriesModel>,
    note: String,
}

/// The engines of one member.
struct LoadedMember {
    engine: Box<dyn Engine>,
    series: Option<SeriesModel>,
    classifier: Option<Classifier>,
}

/// What the networks of single slices predict of an image, without networks of series and calibration.
#[derive(Debug, Clone)]
pub struct Look {
    /// Probabilities in label order.
    pub probabilities: [f64; LABEL_COUNT],
    /// Where they see each of the labels that were asked for; `None` where nothing speaks for it or the
    /// networks give no activation maps.
    pub maps: Vec<(Label, Option<LabelMap>)>,
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
    /// One of several members cannot be loaded.
    #[error("{folder}: {source}")]
    Member {
        /// The member's folder in the bundle.
        folder: String,
        /// Why not.
        source: Box<LoadError>,
    },
}

impl LoadedMember {
    fn load(
        kind: EngineKind,
        member: &Member,
        networks: &MemberNetworks,
        library: Option<&Path>,
    ) -> Result<(Self, String), LoadError> {
        let (channels, size) = (member.input.channels.len(), member.input.size);
        let loaded = load_engine(kind, &networks.slices, channels, size, library)?;
        let series = SeriesModel::load(kind, member, networks, library)?;
        Ok((Self::new(networks, loaded.engine, series), loaded.note))
    }

    fn new(
        networks: &MemberNetworks,
        engine: Box<dyn Engine>,
        series: Option<SeriesModel>,
    ) -> Self {
        // A model without a plain linear head has no maps; its slices are shown all the same.
        let classifier = Classifier::from_onnx(&networks.slices).ok().flatten();
        Self { engine, series, classifier }
    }

    /// Where the network sees a label, as it says itself, else by what its last layer reads.
    fn map(&self, output: &Output, label: Label) -> Option<LabelMap> {
        match &output.maps {
            Some(maps) => {
                let area = maps.rows * maps.columns;
                let values = maps.values[label.index() * area..][..area].to_vec();
                let plane = Plane { rows: maps.rows, columns: maps.columns, values };
                Some(LabelMap { label, kind: MapKind::Probability, plane })
            }
            None => self.classifier.as_ref()?.map(output.features.as_ref()?, label),
        }
    }
}

impl LoadedModel {
    /// Loads the engines of all members. `library` as of [`load_engine`].
    ///
    /// # Errors
    /// [`LoadError`] names the network that cannot be used, and why.
    pub fn load(
        kind: EngineKind,
        model: Bundle,
        library: Option<&Path>,
    ) -> Result<Self, LoadError> {
        let (mut members, mut note) = (Vec::new(), String::new());
        let several = model.members().len() > 1;
        for (index, (member, networks)) in model.members().enumerate() {
            let loaded = LoadedMember::load(kind, member, networks, library);
            let (member, why) = loaded.map_err(|source| match several {
                false => source,
                true => {
                    LoadError::Member { folder: member_folder(index), source: Box::new(source) }
                }
            })?;
            members.push(member);
            note = why;
        }
        let series = SeriesModel::load_for_bundle(kind, &model, library)?;
        Ok(Self { model, members, series, note })
    }

    /// A model of one member with engines that are loaded already.
    ///
    /// # Panics
    /// If the model has several members, or networks of series of its own.
    pub fn with_engine(
        model: Bundle,
        engine: Box<dyn Engine>,
        series: Option<SeriesModel>,
    ) -> Self {
        assert!(
            model.info().members.len() == 1 && model.info().series.is_none(),
            "one member alone"
        );
        let networks = model.members().map(|(_, networks)| networks);
        let members = networks.zip([(engine, series)]);
        let members = members
            .map(|(networks, (engine, series))| LoadedMember::new(networks, engine, series))
            .collect();
        Self { model, members, series: None, note: String::new() }
    }

    /// The same model, whose networks of slices with a dense head ask `memory` before they run. Others run
    /// each time, since their feature maps are read: by networks of series, or for activation maps.
    pub fn remembering(self, memory: &Arc<dyn OutputMemory>) -> Self {
        let Self { model, members, series, note } = self;
        let networks = model.members().map(|(_, networks)| networks);
        let members = members.into_iter().zip(networks).map(|(member, networks)| {
            if member.series.is_some() {
                return member;
            }
            let engine =
                RememberingEngine::new(member.engine, &networks.slices, Arc::clone(memory));
            LoadedMember { engine: Box::new(engine), ..member }
        });
        Self { members: members.collect(), model, series, note }
    }

    /// The model.
    pub fn model(&self) -> &Bundle {
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
        self.model.members().map(|(member, _)| member.input.reach()).max().unwrap_or(0)
    }

    /// What the networks of single slices predict of an image, and where they see what `labels` names after
    /// these probabilities. `input` makes an image of a recipe. `None` if a network gives nothing.
    pub fn look(
        &self,
        labels: &dyn Fn(Probabilities) -> Vec<Label>,
        input: &dyn Fn(&InputRecipe) -> Option<Vec<f32>>,
    ) -> Option<Look> {
        let mut probabilities = [0.0; LABEL_COUNT];
        let mut outputs = Vec::with_capacity(self.members.len());
        for ((info, _), member) in self.model.members().zip(&self.members) {
            let output = member.engine.run(&input(&info.input)?).ok()?;
            for (at, value) in output.probabilities.iter().enumerate() {
                probabilities[at] += info.weights[at] * f64::from(*value);
            }
            outputs.push((info.weights, member, output));
        }
        let map = |label: Label| {
            let of_members = outputs.iter().filter_map(|(weights, member, output)| {
                let weight = weights[label.index()];
                let map = if weight > 0.0 { member.map(output, label) } else { None };
                Some((weight, map?))
            });
            (label, mean_map(label, of_members.collect()))
        };
        let labels = labels(Probabilities::from_array(probabilities.map(|value| value as f32)));
        Some(Look { probabilities, maps: labels.into_iter().map(map).collect() })
    }

    /// The slices of a series as the model scores them.
    pub(crate) fn slabs(&self, series: &Series) -> Slabs {
        Slabs::of(&series.slices, self.model.info().slab_mm())
    }

    /// The networks of single slices at work on a series of so many slices.
    pub(crate) fn scorers(&self, slices: usize) -> Vec<Scorer<'_>> {
        let members = self.model.members().zip(&self.members);
        members
            .map(|((info, _), member)| Scorer {
                engine: member.engine.as_ref(),
                recipe: &info.input,
                views: info.views,
                with_features: member.series.as_ref().is_some_and(|it| it.reads_features(slices)),
                weights: info.weights,
            })
            .collect()
    }

    /// What all predict together of the slices of a series at `z` (mm, by index in the series), after the
    /// networks of series and with all calibrations; and what a reader should know.
    pub(crate) fn judge(&self, scored: Scored, z: &[Option<f64>]) -> (SeriesScore, Vec<String>) {
        let Scored { mut members, implausible, headless, skipped, .. } = scored;
        let mut warnings: Vec<String> = Vec::new();
        let info = self.model.info();
        // What they predict of single slices, before their networks of series replace it.
        let single = info.series.as_ref().map(|it| weighted_mean(&it.slice_weights, &members));
        for ((info, loaded), member) in info.members.iter().zip(&self.members).zip(&mut members) {
            let warning = read_series(loaded.series.as_ref(), info, member, z);
            // Of several members it is the same.
            warnings.extend(warning.filter(|warning| !warnings.contains(warning)));
            if let Some(calibration) = &info.calibration {
                calibrate(&mut member.slices, calibration);
            }
        }
        let weights: Vec<_> = info.members.iter().map(|member| member.weights).collect();
        let mut slices = weighted_mean(&weights, &members);
        warnings.extend(stack(info, &members, z, &mut slices));
        if let (Some(series), Some(single)) = (&self.series, &single) {
            let read = series.apply_after(single, &mut slices, z);
            let warning = read.err().map(|reason| not_run(&reason));
            warnings.extend(warning.filter(|warning| !warnings.contains(warning)));
        }
        if warnings.is_empty() {
            warnings.extend(unplaced(info, &slices, z));
        }
        if let Some(calibration) = &info.calibration {
            calibrate(&mut slices, calibration);
        }
        (SeriesScore { slices, implausible, headless, skipped }, warnings)
    }
}

/// The mean of the members' probabilities, slice by slice, with the weight of each for each label.
fn weighted_mean(weights: &[[f64; LABEL_COUNT]], members: &[MemberScore]) -> Vec<SliceScore> {
    let slices = members.first().map_or(&[][..], |member| &member.slices);
    let mean = |(at, slice): (usize, &SliceScore)| {
        let mut sums = [0.0; LABEL_COUNT];
        for (member, weights) in members.iter().zip(weights) {
            let predicted = member.slices[at].probabilities.to_array();
            for ((sum, weight), value) in sums.iter_mut().zip(weights).zip(predicted) {
                *sum += weight * f64::from(value);
            }
        }
        // Rounding may leave a mean of ones above 1.
        let means = sums.map(|sum| sum.clamp(0.0, 1.0) as f32);
        SliceScore { index: slice.index, probabilities: Probabilities::from_array(means) }
    };
    slices.iter().enumerate().map(mean).collect()
}

/// Lets the networks of series read a series; a warning if they do not, where the member has some.
fn read_series(
    model: Option<&SeriesModel>,
    member: &Member,
    score: &mut MemberScore,
    z: &[Option<f64>],
) -> Option<String> {
    let reason = match model {
        Some(model) => model.apply(score, z).err()?,
        None if member.series.is_empty() => return None,
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

/// What a reader should know where what reads a series passed over slices without a position.
fn unplaced(info: &ModelInfo, slices: &[SliceScore], z: &[Option<f64>]) -> Option<String> {
    let reads_series = info.series.is_some()
        || info.stacking.is_some()
        || info.members.iter().any(|member| !member.series.is_empty());
    let has_position = |slice: &&SliceScore| z[slice.index].is_some_and(f64::is_finite);
    let count = slices.len() - slices.iter().filter(has_position).count();
    (reads_series && count > 0).then(|| {
        format!(
            "{count} of {} slices have no position: theirs are the probabilities of single slices, for \
             which calibration and thresholds may not hold",
            slices.len()
        )
    })
}

/// Replaces the weighted means by what the bundle's trees predict; a warning if they cannot read the
/// series, where there are some.
fn stack(
    info: &ModelInfo,
    members: &[MemberScore],
    z: &[Option<f64>],
    slices: &mut [SliceScore],
) -> Option<String> {
    let stacking = info.stacking.as_ref()?;
    let places = match in_order(slices, z) {
        Ok(places) => places,
        Err(reason) => {
            return Some(format!(
                "the trees of the model were not used ({reason}): the probabilities are weighted \
                 means, for which calibration and thresholds may not hold"
            ));
        }
    };
    let models: Vec<Vec<[f32; LABEL_COUNT]>> = info
        .models()
        .into_iter()
        .map(|(_, range)| {
            let members = &members[range];
            let mean = |&(_, place): &(f64, usize)| {
                let mut sums = [0.0; LABEL_COUNT];
                for member in members {
                    let predicted = member.slices[place].probabilities.to_array();
                    sums.iter_mut().zip(predicted).for_each(|(sum, it)| *sum += f64::from(it));
                }
                sums.map(|sum| (sum / members.len() as f64).clamp(0.0, 1.0) as f32)
            };
            places.iter().map(mean).collect()
        })
        .collect();
    for ((_, place), predicted) in places.into_iter().zip(stacking.apply(&models)) {
        let mut probabilities = slices[place].probabilities.to_array();
        for (value, predicted) in probabilities.iter_mut().zip(predicted) {
            *value = predicted.map_or(*value, |predicted| predicted as f32);
        }
        slices[place].probabilities = Probabilities::from_array(probabilities);
    }
    None
}
