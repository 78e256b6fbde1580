//! A model of either kind: one network with its networks of series, or an ensemble of such.

use std::io::{BufReader, Cursor};
use std::path::Path;
use std::slice;

use hemora_ct::LABEL_COUNT;

use super::archive::{self, EnsembleParts, MEMBER_LIMIT, Parts, SERIES_LIMIT, TEXT_LIMIT};
use super::ensemble::{ENSEMBLE_FORMAT_VERSION, member_entry};
use super::file::{check_hash, described, hash, is_onnx, open_file, write_archive};
use super::series::series_entry;
use super::{Bundle, BundleError, Claims, EnsembleInfo, EnsembleModel};
use crate::ModelRef;

/// A model as its file has it.
#[derive(Debug, Clone)]
pub enum Model {
    /// One network.
    Network(Bundle),
    /// Several.
    Ensemble(Ensemble),
}

/// Several bundles as one model, checked.
#[derive(Debug, Clone)]
pub struct Ensemble {
    info: EnsembleInfo,
    members: Vec<Bundle>,
    series: Vec<Vec<u8>>,
    card: String,
}

impl Model {
    /// Opens a bundle of either kind, or a plain ONNX model: see [`Bundle::open`].
    ///
    /// # Errors
    /// [`BundleError`] if the file cannot be read, is damaged, or describes what cannot be used.
    pub fn open(path: &Path) -> Result<Self, BundleError> {
        if is_onnx(path) {
            return Ok(Self::Network(Bundle::open(path)?));
        }
        Self::from_parts(archive::read(BufReader::new(open_file(path)?))?)
    }

    /// Reads a bundle of either kind from memory.
    ///
    /// # Errors
    /// As [`Model::open`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BundleError> {
        Self::from_parts(archive::read(Cursor::new(bytes))?)
    }

    fn from_parts(parts: Parts) -> Result<Self, BundleError> {
        Ok(match parts {
            Parts::Network(parts) => Self::Network(Bundle::from_parts(*parts)?),
            Parts::Ensemble(parts) => Self::Ensemble(Ensemble::from_parts(*parts)?),
        })
    }

    /// The bundles of which it is made, in the order of their files.
    pub fn members(&self) -> &[Bundle] {
        match self {
            Self::Network(bundle) => slice::from_ref(bundle),
            Self::Ensemble(ensemble) => &ensemble.members,
        }
    }

    /// What it claims of itself.
    pub fn claims(&self) -> Claims<'_> {
        match self {
            Self::Network(bundle) => bundle.info().claims(),
            Self::Ensemble(ensemble) => ensemble.info.claims(),
        }
    }

    /// The model card, Markdown; empty if there is none.
    pub fn card(&self) -> &str {
        match self {
            Self::Network(bundle) => bundle.card(),
            Self::Ensemble(ensemble) => &ensemble.card,
        }
    }

    /// The model's name, version and hashes for a result.
    pub fn model_ref(&self) -> ModelRef {
        match self {
            Self::Network(bundle) => bundle.model_ref(),
            Self::Ensemble(ensemble) => ensemble.model_ref(),
        }
    }
}

impl Ensemble {
    /// Writes an ensemble without networks of series of its own: see [`Ensemble::write_with_series`].
    ///
    /// # Errors
    /// As there.
    pub fn write(
        path: &Path,
        info: &EnsembleInfo,
        members: &[Vec<u8>],
        card: &str,
    ) -> Result<Self, BundleError> {
        Self::write_with_series(path, info, members, &[], card)
    }

    /// Writes an ensemble of the bundles in `members` (the bytes of their files, of all models one after
    /// the other), with the ONNX models of `info.series` in `series`, beside `path`, syncs and renames
    /// it. Format version and hashes of `info` are replaced. The same arguments always give the same
    /// bytes.
    ///
    /// # Errors
    /// [`BundleError`] if the description or a member cannot be used, a member is an ensemble, there
    /// are fewer or more members or networks than the description says, or the file cannot be written.
    pub fn write_with_series(
        path: &Path,
        info: &EnsembleInfo,
        members: &[Vec<u8>],
        series: &[Vec<u8>],
        card: &str,
    ) -> Result<Self, BundleError> {
        let mut info = EnsembleInfo { format_version: ENSEMBLE_FORMAT_VERSION, ..info.clone() };
        let expected = info.member_sha256().count();
        if expected != members.len() {
            let problem = format!("name {expected} members, and there are {}", members.len());
            return Err(BundleError::Value { field: "models", problem });
        }
        let expected = info.series_sha256().count();
        if expected != series.len() {
            let problem = format!("names {expected} networks, and there are {}", series.len());
            return Err(BundleError::Value { field: "series", problem });
        }
        let hashes = info.models.iter_mut().flat_map(|model| &mut model.sha256);
        hashes.zip(members).for_each(|(sha256, member)| *sha256 = hash(member));
        let hashes = info.series.iter_mut().flat_map(|series| &mut series.stage.sha256);
        hashes.zip(series).for_each(|(sha256, network)| *sha256 = hash(network));
        info.check()?;
        let description = described(&info)?;
        // As a reader will have it: numbers may lose their last digit on the way.
        let info = EnsembleInfo::from_json(&description)?;
        let opened: Vec<Bundle> = members
            .iter()
            .enumerate()
            .map(|(index, bytes)| archive::member(index, bytes))
            .collect::<Result<_, _>>()?;
        check_members(&info, &opened)?;
        let names: Vec<String> = (0..members.len()).map(member_entry).collect();
        let networks: Vec<String> = (0..series.len()).map(series_entry).collect();
        let mut entries = vec![
            (archive::DESCRIPTION, description.as_slice(), TEXT_LIMIT),
            (archive::CARD, card.as_bytes(), TEXT_LIMIT),
        ];
        let of_members = names.iter().zip(members);
        entries.extend(of_members.map(|(name, bytes)| (&**name, bytes.as_slice(), MEMBER_LIMIT)));
        let of_series = networks.iter().zip(series);
        entries.extend(of_series.map(|(name, bytes)| (&**name, bytes.as_slice(), SERIES_LIMIT)));
        write_archive(path, &entries)?;
        Ok(Self { info, members: opened, series: series.to_vec(), card: card.to_owned() })
    }

    fn from_parts(parts: EnsembleParts) -> Result<Self, BundleError> {
        let EnsembleParts { info, members, series, card } = parts;
        for (index, (expected, bytes)) in info.series_sha256().zip(&series).enumerate() {
            check_hash(series_entry(index), bytes, expected)?;
        }
        check_members(&info, &members)?;
        Ok(Self { info, members, series, card })
    }

    /// Its own networks of series, ONNX models.
    pub fn series(&self) -> &[Vec<u8>] {
        &self.series
    }

    /// The description.
    pub fn info(&self) -> &EnsembleInfo {
        &self.info
    }

    /// The members of each model: where they begin in [`Model::members`], and how many.
    pub fn parts(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        self.info.models.iter().scan(0, |begin, model| {
            let range = *begin..*begin + model.sha256.len();
            *begin = range.end;
            Some(range)
        })
    }

    /// The weight of each member's probability of each label in the weighted mean, member by member:
    /// the members of a model share its weight.
    pub fn member_weights(&self) -> Vec<[f64; LABEL_COUNT]> {
        self.shared(|model| &self.info.models[model].weights)
    }

    /// The same of the members' probabilities of single slices, which its own networks of series read;
    /// `None` if it has none.
    pub fn slice_weights(&self) -> Option<Vec<[f64; LABEL_COUNT]>> {
        let series = self.info.series.as_ref()?;
        Some(self.shared(|model| &series.slice_weights[model]))
    }

    /// Weights of models as those of their members.
    fn shared<'a>(&self, weights: impl Fn(usize) -> &'a [f64]) -> Vec<[f64; LABEL_COUNT]> {
        let of = |(at, model): (usize, &EnsembleModel)| {
            let share = model.sha256.len() as f64;
            let weights = std::array::from_fn(|label| weights(at)[label] / share);
            vec![weights; model.sha256.len()]
        };
        self.info.models.iter().enumerate().flat_map(of).collect()
    }

    fn model_ref(&self) -> ModelRef {
        // What makes the probabilities, so that another calibration is the same model.
        let EnsembleInfo { models, stacking, series, .. } = &self.info;
        let made_of = serde_json::to_vec(&(models, stacking, series));
        ModelRef {
            name: self.info.name.clone(),
            version: self.info.version.clone(),
            sha256: hash(&made_of.unwrap_or_default()),
            series_sha256: self.info.series_sha256().cloned().collect(),
            member_sha256: self.info.member_sha256().cloned().collect(),
        }
    }
}

/// Networks of series of an ensemble read what the members' own say, as it was said when they were
/// trained: every member must have some, and no calibration behind them.
fn check_members(info: &EnsembleInfo, members: &[Bundle]) -> Result<(), BundleError> {
    if info.series.is_none() {
        return Ok(());
    }
    for (index, member) in members.iter().enumerate() {
        let problem = match member.info() {
            info if info.series.is_empty() => "has no networks of series, and those read them",
            info if info.calibration.is_some() => "is calibrated, and they were trained without",
            _ => continue,
        };
        let problem = format!("{} {problem}", member_entry(index));
        return Err(BundleError::Value { field: "series", problem });
    }
    Ok(())
}
