//! The members of a bundle, as `model.json` describes them.

use std::ops::{Range, RangeInclusive};

use hemora_ct::{InputRecipe, LABEL_COUNT, Label, Views};
use hemora_metrics::{Calibration, are_weights};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::BundleError;
use super::info::check_sha256;
use super::series::{SeriesStage, check_stages};

/// Most members of a bundle.
pub const MOST_MEMBERS: usize = 32;

/// Slices are so thick, mm.
const SLAB_MM: RangeInclusive<f64> = 0.5..=50.0;

/// One network of slices with its networks of series. It scores every slice as it would alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Name of the model that it belongs to: members that follow each other with one name, such as
    /// the folds of a run, are one model.
    pub model: String,
    /// The network of slices.
    pub network: NetworkRef,
    /// How slices become the network's input.
    pub input: InputRecipe,
    /// Views of each input whose probabilities are averaged.
    #[serde(default, skip_serializing_if = "Views::is_one")]
    pub views: Views,
    /// Thickness of the slices that it was trained on, mm: a series of much thinner slices is averaged to
    /// slabs of it first. Without it every slice is scored as it is. The same for all members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slab_mm: Option<f64>,
    /// Networks that read the slices of a whole series, and whose probabilities then replace those of
    /// the network of slices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<SeriesStage>,
    /// How the member's probabilities are calibrated before they are combined with those of others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// Its weight in the mean for each label, in label order. Over all members those of a label sum to 1.
    pub weights: [f64; LABEL_COUNT],
    /// SHA-256 of its `model.onnx`, lower-case hexadecimal.
    pub sha256: String,
}

/// A network by name and size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkRef {
    /// Name, for instance `efficientnet-lite0`.
    pub name: String,
    /// Number of trainable parameters.
    pub trainable_parameters: u64,
}

/// Folder of a member's networks in the archive: `members/0`, `members/1` and so on.
pub fn member_folder(index: usize) -> String {
    format!("members/{index}")
}

impl Member {
    /// Hashes of its networks of series, in the order of their files.
    pub(super) fn series_sha256(&self) -> impl Iterator<Item = &String> {
        self.series.iter().flat_map(|stage| &stage.sha256)
    }

    fn check(&self, index: usize) -> Result<(), BundleError> {
        let field = |name: &str| format!("members[{index}].{name}");
        if self.model.trim().is_empty() {
            return Err(BundleError::value(field("model"), "is empty"));
        }
        if let Err(error) = self.input.check() {
            return Err(BundleError::value(field("input"), error.to_string()));
        }
        if let Some(slab) = self.slab_mm.filter(|slab| !SLAB_MM.contains(slab)) {
            let [low, high] = [SLAB_MM.start(), SLAB_MM.end()];
            let problem = format!("is {slab}; expected {low} to {high} mm");
            return Err(BundleError::value(field("slab_mm"), problem));
        }
        if let Some(Err(error)) = self.calibration.as_ref().map(Calibration::check) {
            return Err(BundleError::value(field("calibration"), error.to_string()));
        }
        check_sha256(&field("sha256"), &self.sha256)?;
        check_stages(&field("series"), &self.series)
    }
}

/// Checks the members: at least one, at most [`MOST_MEMBERS`], those of a model side by side.
pub(super) fn check_members(members: &[Member]) -> Result<(), BundleError> {
    let count = members.len();
    if !(1..=MOST_MEMBERS).contains(&count) {
        let problem = format!("has {count} members; expected 1 to {MOST_MEMBERS}");
        return Err(BundleError::value("members", problem));
    }
    for (index, member) in members.iter().enumerate() {
        member.check(index)?;
    }
    if let Some(other) = members.iter().find(|member| member.slab_mm != members[0].slab_mm) {
        let shown = |slab: Option<f64>| slab.map_or("none".to_owned(), |slab| format!("{slab} mm"));
        let problem = format!(
            "have different `slab_mm`, {} and {}; expected one for all, since all score the same slabs",
            shown(members[0].slab_mm),
            shown(other.slab_mm)
        );
        return Err(BundleError::value("members", problem));
    }
    let models = models(members);
    for (index, (name, _)) in models.iter().enumerate() {
        if models[..index].iter().any(|(earlier, _)| earlier == name) {
            let problem =
                format!("has members of the model `{name}` apart; expected them in a row");
            return Err(BundleError::value("members", problem));
        }
    }
    let weights: Vec<_> = members.iter().map(|member| member.weights).collect();
    check_weights("members", &weights)
}

/// Checks the weights of all members.
pub(super) fn check_weights(
    field: &str,
    weights: &[[f64; LABEL_COUNT]],
) -> Result<(), BundleError> {
    for label in Label::ALL {
        let weights: Vec<f64> = weights.iter().map(|member| member[label.index()]).collect();
        if !are_weights(&weights) {
            let problem = format!(
                "has the weights {weights:?} for {label}; expected numbers of at least 0 that sum to 1"
            );
            return Err(BundleError::value(field, problem));
        }
    }
    Ok(())
}

/// Each model with the range of its members.
pub(super) fn models(members: &[Member]) -> Vec<(&str, Range<usize>)> {
    let runs = members.chunk_by(|a, b| a.model == b.model);
    runs.scan(0, |begin, run| {
        let range = *begin..*begin + run.len();
        *begin = range.end;
        Some((run[0].model.as_str(), range))
    })
    .collect()
}
