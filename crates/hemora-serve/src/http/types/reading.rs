//! What readers do with studies.

use chrono::{DateTime, Utc};
use hemora_ct::Label;
use hemora_store::Reading;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something that a reader did with a study.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct StudyReading {
    /// Who.
    pub user: String,
    /// `opened`, `acknowledged`, `unacknowledged`, `agreed`, `disagreed` or `noted`.
    pub event: String,
    /// The label that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Words of theirs.
    pub note: String,
    /// The revision that was shown to them.
    pub revision: u32,
    /// When.
    pub at: DateTime<Utc>,
}

impl From<Reading> for StudyReading {
    fn from(reading: Reading) -> Self {
        Self {
            user: reading.user,
            event: reading.event.as_str().to_owned(),
            label: reading.label,
            note: reading.note,
            revision: reading.revision,
            at: reading.at,
        }
    }
}

/// Who acknowledged a study: whoever was first.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Acknowledged {
    /// Who.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Whether it was this request.
    pub now: bool,
}

/// The revision that is shown to a reader who does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShownRevision {
    /// Its number.
    pub revision: u32,
}

/// What a reader holds of a label.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Feedback {
    /// The revision that is shown.
    pub revision: u32,
    /// The label.
    pub label: Label,
    /// Whether the reader agrees with what is said of it.
    pub agrees: bool,
    /// Why, if they say so; at most 2,000 characters.
    #[serde(default)]
    pub note: String,
}

/// A note of a reader.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewNote {
    /// The revision that is shown.
    pub revision: u32,
    /// The note, 1 to 2,000 characters.
    pub note: String,
}
