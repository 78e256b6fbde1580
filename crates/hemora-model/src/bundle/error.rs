//! Why a bundle is not used.

use std::io;

use hemora_ct::{Label, RecipeError};

/// Why a model bundle is not used; the caller names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The operating system refused.
    #[error("{action}: {source}")]
    Io {
        /// What was tried.
        action: String,
        /// What the system said.
        source: io::Error,
    },
    /// Not a zip archive, or a damaged one.
    #[error(
        "not a usable model bundle: {0}; expected a zip archive with model.onnx, model.json and card.md, fetch it again"
    )]
    Archive(String),
    /// A part is too large to be believed.
    #[error("{part} is larger than {limit} bytes, the most that is read")]
    TooLarge {
        /// The part.
        part: String,
        /// The bound, bytes.
        limit: u64,
    },
    /// No description beside a plain ONNX model.
    #[error(
        "an ONNX model needs a description beside it: neither {0} nor model.json was found in its folder"
    )]
    NoDescription(String),
    /// `model.json` does not say what it must.
    #[error("model.json is not a model description: {0}")]
    Description(#[from] serde_json::Error),
    /// A bundle of another format version.
    #[error(
        "model.json, `format_version`: {found}; this program reads versions 1 to {newest}, {}",
        advice(.found)
    )]
    Version {
        /// Version in `model.json`.
        found: String,
        /// The newest version that is read.
        newest: u32,
    },
    /// Labels other than the six, or in another order.
    #[error("the model's labels are {}; expected {}, in this order", names(.0), names(&Label::ALL))]
    Labels(Vec<Label>),
    /// The input recipe cannot be used.
    #[error("model.json, `input`: {0}")]
    Recipe(#[from] RecipeError),
    /// Another value in `model.json` cannot be used.
    #[error("model.json, `{field}`: {problem}")]
    Value {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// An ensemble where one network is expected.
    #[error("it is an ensemble of bundles; expected the bundle of one network")]
    Ensemble,
    /// A member of an ensemble cannot be used.
    #[error("{file}: {source}")]
    Member {
        /// The member's file.
        file: String,
        /// Why not.
        source: Box<BundleError>,
    },
    /// A network or member is not the one that `model.json` describes.
    #[error(
        "{file} has SHA-256 {found}, model.json says {expected}: the file is damaged or was exchanged, fetch the bundle again"
    )]
    Hash {
        /// The file.
        file: String,
        /// Its hash.
        found: String,
        /// Hash in `model.json`.
        expected: String,
    },
}

impl BundleError {
    /// Whether it is the version of a format that this program does not know yet.
    pub(super) fn is_newer(&self) -> bool {
        matches!(self, Self::Version { found, .. } if is_newer(found))
    }

    pub(super) fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |source| BundleError::Io { action, source }
    }
}

fn names(labels: &[Label]) -> String {
    labels.iter().map(|label| label.name()).collect::<Vec<_>>().join(", ")
}

fn advice(found: &str) -> &'static str {
    if is_newer(found) { "update hemora" } else { "export the model again" }
}

fn is_newer(version: &str) -> bool {
    version.parse::<u64>().is_ok_and(|version| version > u64::from(super::FORMAT_VERSION))
}
