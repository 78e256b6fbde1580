//! What a training hands over beside its weights: one versioned document in the metadata of the
//! safetensors file, under the key [`KEY`].

use std::collections::HashMap;

use hemora_ct::{InputRecipe, Label, Views};
use serde::{Deserialize, Serialize};

/// Newest version of the document.
pub const TRAINED_VERSION: u32 = 1;

/// Entry of the weights' metadata that holds the document.
const KEY: &str = "hemora";

/// A trained network: what is known of it beside its weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum TrainedNetwork {
    /// A network of single slices.
    Slices(SliceNetwork),
    /// A network that reads the slices of a series.
    Series(SeriesNetwork),
}

/// A trained network of single slices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SliceNetwork {
    /// Name of the network, for instance `efficientnet-lite0`.
    pub network: String,
    /// The training task, for instance `labels`.
    pub task: String,
    /// How slices become its input; absent where triage cannot make the images that it was trained on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<InputRecipe>,
    /// The fold, from 1, that was held out in a cross-validation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold: Option<u32>,
    /// How good it is on the held-out images, a row a label; empty for an average of networks, whose
    /// parts' figures are not its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub validation: Vec<LabelValidation>,
    /// How many networks' weights it is the mean of, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub averaged: Option<u32>,
}

/// A trained network that reads the slices of a series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeriesNetwork {
    /// Name of the network, for instance `sequence-features`.
    pub network: String,
    /// Values of each slice that it reads.
    pub columns: usize,
    /// Units of its layers.
    pub hidden: usize,
    /// Its layers.
    pub layers: usize,
    /// The fold, from 1, whose network of slices makes the features that it reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features_of_fold: Option<u32>,
    /// The views that were averaged in what it was trained on, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub views: Option<Views>,
}

/// One label on the held-out images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelValidation {
    /// The label.
    pub label: Label,
    /// Held-out images.
    pub images: u64,
    /// Groups (patients or series) of images, which the interval draws as wholes.
    pub groups: u64,
    /// Images with the label.
    pub positives: u64,
    /// Area under the ROC curve.
    pub auroc: Estimate,
}

/// A figure with its 95 % interval; absent where it is undefined.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Estimate {
    /// The figure.
    pub value: Option<f64>,
    /// Lower end of the interval.
    pub low: Option<f64>,
    /// Upper end of the interval.
    pub high: Option<f64>,
}

/// The document with its version in front.
#[derive(Serialize, Deserialize)]
struct Versioned {
    version: u32,
    trained: TrainedNetwork,
}

/// Why weights cannot be used as a trained network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainedError {
    /// The metadata has no such document.
    #[error(
        "its metadata has no entry `{KEY}`, so nothing is known of its network and input; expected \
         weights that hemora-train wrote (model.safetensors of a run)"
    )]
    Absent,
    /// A newer program wrote it.
    #[error(
        "its metadata is of version {found}, and this program reads versions up to {TRAINED_VERSION}; \
         use a newer Hemora"
    )]
    Version {
        /// The version found.
        found: u64,
    },
    /// The document cannot be read.
    #[error("entry `{KEY}` of its metadata: {0}")]
    Json(#[from] serde_json::Error),
}

impl TrainedNetwork {
    /// Name of the network.
    pub fn network(&self) -> &str {
        match self {
            Self::Slices(slices) => &slices.network,
            Self::Series(series) => &series.network,
        }
    }

    /// The metadata of a safetensors file.
    pub fn to_metadata(&self) -> HashMap<String, String> {
        let document = Versioned { version: TRAINED_VERSION, trained: self.clone() };
        let text = serde_json::to_string(&document).expect("texts and numbers");
        HashMap::from([(KEY.to_owned(), text)])
    }

    /// Reads the metadata of a safetensors file.
    ///
    /// # Errors
    /// [`TrainedError`] if there is no document, or one that cannot be read.
    pub fn from_metadata(metadata: &HashMap<String, String>) -> Result<Self, TrainedError> {
        let text = metadata.get(KEY).ok_or(TrainedError::Absent)?;
        let value: serde_json::Value = serde_json::from_str(text)?;
        // The version before anything else: a newer document may have fields that this one does not know.
        match value.get("version").and_then(serde_json::Value::as_u64) {
            Some(found) if found > u64::from(TRAINED_VERSION) => {
                Err(TrainedError::Version { found })
            }
            _ => Ok(serde_json::from_value::<Versioned>(value)?.trained),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_read_back_and_newer_ones_refused() {
        let auroc = Estimate { value: Some(0.9), low: None, high: None };
        let row = LabelValidation { label: Label::Any, images: 9, groups: 3, positives: 2, auroc };
        let slices = TrainedNetwork::Slices(SliceNetwork {
            network: "resnet18".to_owned(),
            task: "labels".to_owned(),
            input: None,
            fold: Some(2),
            validation: vec![row],
            averaged: None,
        });
        let series = TrainedNetwork::Series(SeriesNetwork {
            network: "sequence-features".to_owned(),
            columns: 1280,
            hidden: 96,
            layers: 2,
            features_of_fold: Some(1),
            views: Views::named("ten"),
        });
        for trained in [slices, series] {
            let metadata = trained.to_metadata();
            assert_eq!(TrainedNetwork::from_metadata(&metadata).unwrap(), trained);
            let newer = metadata[KEY].replacen("\"version\":1", "\"version\":2", 1);
            let newer = TrainedNetwork::from_metadata(&HashMap::from([(KEY.to_owned(), newer)]));
            assert!(matches!(newer, Err(TrainedError::Version { found: 2 })));
        }
        let absent = TrainedNetwork::from_metadata(&HashMap::new()).unwrap_err();
        assert!(absent.to_string().contains("hemora-train"), "{absent}");
        let broken = HashMap::from([(KEY.to_owned(), "{\"version\":1}".to_owned())]);
        assert!(matches!(TrainedNetwork::from_metadata(&broken), Err(TrainedError::Json(_))));
    }
}
