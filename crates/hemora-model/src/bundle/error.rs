//! Why a bundle is not used.

use std::io;

use hemora_ct::Label;

use super::FORMAT_VERSION;

/// Why a model bundle is not used; the caller names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The operating system refused.
    #[error("{action}: {source}")]
    Io {
        /// What was tried.
        action: String,
        /// The system's reason.
        source: io::Error,
    },
    /// Not a zip archive, or a damaged one.
    #[error(
        "not a usable model bundle: {0}; expected a zip archive with model.json, card.md and \
         members/0/model.onnx, fetch it again"
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
    /// `model.json` is no description.
    #[error("model.json is not a model description: {0}")]
    Description(#[from] serde_json::Error),
    /// A bundle of another format version.
    #[error(
        "model.json, `format_version`: {found}; this program reads version {FORMAT_VERSION}, {}",
        advice(.found)
    )]
    Version {
        /// Version in `model.json`.
        found: String,
    },
    /// A bundle from before the format was settled.
    #[error(
        "model.json has no `members`: the bundle is of a format from before version {FORMAT_VERSION} was \
         settled, which is not read any more; fetch a current bundle or make it again with `hemora model \
         bundle`"
    )]
    Unsettled,
    /// Labels other than the six, or in another order.
    #[error("the model's labels are {}; expected {}, in this order", names(.0), names(&Label::ALL))]
    Labels(Vec<Label>),
    /// Another value in `model.json` cannot be used.
    #[error("model.json, `{field}`: {problem}")]
    Value {
        /// The field, with the index of the member where it is one's.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A network is not the one that `model.json` describes.
    #[error(
        "{file} has SHA-256 {found}, model.json has {expected}: the file is damaged or was exchanged, \
         fetch the bundle again"
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
    pub(super) fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |source| BundleError::Io { action, source }
    }

    pub(super) fn value(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Value { field: field.into(), problem: problem.into() }
    }
}

fn names(labels: &[Label]) -> String {
    labels.iter().map(|label| label.name()).collect::<Vec<_>>().join(", ")
}

fn advice(found: &str) -> &'static str {
    let newer = found.parse::<u64>().is_ok_and(|found| found > u64::from(FORMAT_VERSION));
    if newer { "update hemora" } else { "export the model again" }
}
