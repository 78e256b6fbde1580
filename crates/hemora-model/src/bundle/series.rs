//! The networks of series of a bundle, as `model.json` describes them.

use hemora_ct::{SeriesInput, probability_column_count};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::BundleError;
use super::info::check_sha256;

/// Most networks of series of a bundle.
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
    /// `series/0.onnx`, `series/1.onnx` and so on.
    pub sha256: Vec<String>,
}

/// Name of a network of series in a bundle.
pub fn series_entry(index: usize) -> String {
    format!("series/{index}.onnx")
}

/// Checks the stages: one, or features and then probabilities.
pub(super) fn check_stages(stages: &[SeriesStage]) -> Result<(), BundleError> {
    let refused = |problem: String| Err(BundleError::Value { field: "series", problem });
    let reads: Vec<SeriesInput> = stages.iter().map(|stage| stage.reads).collect();
    let chained = match *reads.as_slice() {
        [] | [_] => true,
        [first, second] => first.is_features() && second == SeriesInput::Probabilities,
        _ => false,
    };
    if !chained {
        return refused(format!(
            "has {} stages that read {reads:?}; expected one, or one that reads features and then one \
             that reads probabilities",
            stages.len()
        ));
    }
    for (index, stage) in stages.iter().enumerate() {
        check_stage(stage, index + 1, index > 0)?;
    }
    check_count(stages.iter().map(|stage| stage.sha256.len()).sum())
}

/// Checks the one stage of an ensemble, which reads what others say.
pub(super) fn check_stage_of_ensemble(stage: &SeriesStage) -> Result<(), BundleError> {
    if stage.reads != SeriesInput::Probabilities {
        let problem = format!(
            "reads {:?}; an ensemble has probabilities and no features of its own",
            stage.reads
        );
        return Err(BundleError::Value { field: "series", problem });
    }
    check_stage(stage, 1, true)?;
    check_count(stage.sha256.len())
}

fn check_count(count: usize) -> Result<(), BundleError> {
    if count > MOST_SERIES_NETWORKS {
        let problem = format!("has {count} networks; expected at most {MOST_SERIES_NETWORKS}");
        return Err(BundleError::Value { field: "series", problem });
    }
    Ok(())
}

/// Checks a stage by its number; `has_first` says whether others said something before it.
fn check_stage(stage: &SeriesStage, number: usize, has_first: bool) -> Result<(), BundleError> {
    let refused = |problem: String| Err(BundleError::Value { field: "series", problem });
    let expected = match stage.reads {
        SeriesInput::Features => 1..=MOST_FEATURES,
        SeriesInput::FeaturesAndPlaces => 2..=MOST_FEATURES + 1,
        SeriesInput::Probabilities => {
            let columns = probability_column_count(has_first);
            columns..=columns
        }
    };
    if !expected.contains(&stage.columns) {
        let (found, [least, most]) = (stage.columns, [*expected.start(), *expected.end()]);
        let expected = if least == most { least.to_string() } else { format!("{least} to {most}") };
        return refused(format!(
            "stage {number} reads {found} columns of each slice; expected {expected}"
        ));
    }
    if stage.network.trim().is_empty() || stage.sha256.is_empty() {
        return refused(format!("stage {number} has no name or no network"));
    }
    stage.sha256.iter().try_for_each(|sha256| check_sha256("series.sha256", sha256))
}
