//! The networks of series of a member or of a whole bundle, as `model.json` describes them.

use hemora_ct::{LABEL_COUNT, SeriesInput, probability_column_count};
use hemora_nn::onnx::{OnnxError, pooled_features};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::info::check_sha256;
use super::member::check_weights;
use super::{BundleError, Member, member_folder};

/// Most networks of series of a member, and of a bundle beside those of its members.
pub const MOST_SERIES_NETWORKS: usize = 32;
/// Most features of a slice.
const MOST_FEATURES: usize = 1 << 16;

/// Some networks of one kind, of whose probabilities the mean is taken: those of a run's folds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeriesStage {
    /// Name of the networks, for instance `sequence-features`.
    pub network: String,
    /// What they read of each slice.
    pub reads: SeriesInput,
    /// Values of each slice that they read.
    pub columns: usize,
    /// Trainable parameters of each.
    pub trainable_parameters: u64,
    /// SHA-256 of each network, lower-case hexadecimal. Over all stages the networks are
    /// `series/0.onnx`, `series/1.onnx` and so on, in the folder of their member.
    pub sha256: Vec<String>,
}

/// Networks of series that read the members as one: of each slice the weighted mean of their
/// probabilities of single slices, and in the last six columns that of what their own networks of
/// series make of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BundleSeries {
    /// The networks, of whose probabilities the mean is taken: `series/0.onnx` and so on.
    pub stage: SeriesStage,
    /// Weight of each member's probability of single slices for each label, member by member. Over all
    /// members those of a label sum to 1.
    pub slice_weights: Vec<[f64; LABEL_COUNT]>,
}

/// Why networks of series cannot read what a network of slices gives.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeatureError {
    /// The network of slices is not an ONNX model.
    #[error("model.onnx: {0}")]
    Onnx(#[from] OnnxError),
    /// The network of slices does not give what its classifier reads.
    #[error(
        "the networks of series read pooled features, which model.onnx does not give: expected a last \
         linear layer that reads the mean of the second output, the last feature map; put networks \
         that read probabilities into the bundle"
    )]
    None,
    /// The networks of series read other features.
    #[error(
        "{file} reads {expected} features of each slice, model.onnx gives {found}: they were not \
         trained together"
    )]
    Count {
        /// The network of series.
        file: String,
        /// Features that it reads.
        expected: usize,
        /// Features that there are.
        found: usize,
    },
}

/// Checks that a network of slices, an ONNX model, gives the features that `stages` read.
///
/// # Errors
/// [`FeatureError`] if it gives none, or another number.
pub fn check_features(onnx: &[u8], stages: &[SeriesStage]) -> Result<(), FeatureError> {
    let mut first = 0;
    for stage in stages {
        let file = series_entry(first);
        first += stage.sha256.len();
        let expected = match stage.reads {
            SeriesInput::Probabilities => continue,
            SeriesInput::Features => stage.columns,
            SeriesInput::FeaturesAndPositions => stage.columns.saturating_sub(1),
        };
        let found = pooled_features(onnx)?.ok_or(FeatureError::None)?;
        if found != expected {
            return Err(FeatureError::Count { file, expected, found });
        }
    }
    Ok(())
}

/// Name of a network of series in the archive, or in the folder of its member.
pub fn series_entry(index: usize) -> String {
    format!("series/{index}.onnx")
}

/// Checks a member's stages: one, or features and then probabilities.
pub(super) fn check_stages(field: &str, stages: &[SeriesStage]) -> Result<(), BundleError> {
    let reads: Vec<SeriesInput> = stages.iter().map(|stage| stage.reads).collect();
    let chained = match *reads.as_slice() {
        [] | [_] => true,
        [first, second] => first.is_features() && second == SeriesInput::Probabilities,
        _ => false,
    };
    if !chained {
        let problem = format!(
            "has {} stages that read {reads:?}; expected one, or one that reads features and then one \
             that reads probabilities",
            stages.len()
        );
        return Err(BundleError::value(field, problem));
    }
    for (index, stage) in stages.iter().enumerate() {
        check_stage(field, stage, index + 1, index > 0)?;
    }
    check_count(field, stages.iter().map(|stage| stage.sha256.len()).sum())
}

/// Checks the networks of series of a bundle. They read what the members' own predict, as it was when
/// they were trained: every member must have some, and no calibration behind them.
pub(super) fn check_bundle_series(
    series: &BundleSeries,
    members: &[Member],
) -> Result<(), BundleError> {
    const FIELD: &str = "series";
    let (found, expected) = (series.slice_weights.len(), members.len());
    if found != expected {
        let problem = format!("has weights of {found} members; expected {expected}");
        return Err(BundleError::value(FIELD, problem));
    }
    check_weights(FIELD, &series.slice_weights)?;
    if series.stage.reads != SeriesInput::Probabilities {
        let problem = format!(
            "reads {:?}; a bundle has probabilities and no features of its own",
            series.stage.reads
        );
        return Err(BundleError::value(FIELD, problem));
    }
    check_stage(FIELD, &series.stage, 1, true)?;
    check_count(FIELD, series.stage.sha256.len())?;
    for (index, member) in members.iter().enumerate() {
        let problem = match member {
            member if member.series.is_empty() => "has no networks of series, and those read them",
            member if member.calibration.is_some() => {
                "is calibrated, and they were trained without"
            }
            _ => continue,
        };
        return Err(BundleError::value(FIELD, format!("{} {problem}", member_folder(index))));
    }
    Ok(())
}

fn check_count(field: &str, count: usize) -> Result<(), BundleError> {
    if count > MOST_SERIES_NETWORKS {
        let problem = format!("has {count} networks; expected at most {MOST_SERIES_NETWORKS}");
        return Err(BundleError::value(field, problem));
    }
    Ok(())
}

/// Checks a stage by its number; `has_first` says whether other networks of series ran before it.
fn check_stage(
    field: &str,
    stage: &SeriesStage,
    number: usize,
    has_first: bool,
) -> Result<(), BundleError> {
    let expected = match stage.reads {
        SeriesInput::Features => 1..=MOST_FEATURES,
        SeriesInput::FeaturesAndPositions => 2..=MOST_FEATURES + 1,
        SeriesInput::Probabilities => {
            let columns = probability_column_count(has_first);
            columns..=columns
        }
    };
    if !expected.contains(&stage.columns) {
        let (found, [least, most]) = (stage.columns, [*expected.start(), *expected.end()]);
        let expected = if least == most { least.to_string() } else { format!("{least} to {most}") };
        let problem =
            format!("stage {number} reads {found} columns of each slice; expected {expected}");
        return Err(BundleError::value(field, problem));
    }
    if stage.network.trim().is_empty() || stage.sha256.is_empty() {
        let problem = format!("stage {number} has no name or no network");
        return Err(BundleError::value(field, problem));
    }
    let field = format!("{field}.sha256");
    stage.sha256.iter().try_for_each(|sha256| check_sha256(&field, sha256))
}
