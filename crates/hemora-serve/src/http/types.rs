//! What the API says, version 1: each field is written once here, and `schemas/node-1.openapi.json` is made of
//! it.

use chrono::{DateTime, Utc};
use hemora_store::{DeliveryRow, Revision, StudyRow};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::Thresholds;

/// A page of the ranked list.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct StudyList {
    /// The studies: positive and unread by probability, then not sure, then the rest, newest first.
    pub studies: Vec<Study>,
    /// Give this as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// States that the result is for research use and not for diagnosis.
    pub notice: &'static str,
}

/// A study of the list.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Study {
    /// StudyInstanceUID.
    pub study_instance_uid: String,
    /// PatientID.
    pub patient_id: String,
    /// PatientName, with its components (`Family^Given`).
    pub patient_name: String,
    /// PatientBirthDate, `YYYYMMDD`.
    pub patient_birth_date: String,
    /// PatientSex.
    pub patient_sex: String,
    /// AccessionNumber.
    pub accession_number: String,
    /// StudyDescription.
    pub description: String,
    /// AE title of the first sender.
    pub source_ae: String,
    /// `receiving`, `queued`, `scoring`, `failed`, `not scored`, `scored`, `delivering`, `delivery failed` or
    /// `delivered`.
    pub state: String,
    /// `positive`, `not sure`, `negative` or `not scored`; absent before the first result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Probability of any hemorrhage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// The subtype with the highest probability.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leading_subtype: Option<String>,
    /// Why it is not sure or not scored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Newest revision, 0 before the first.
    pub revision: u32,
    /// Revision of the newest result; it may be older.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_revision: Option<u32>,
    /// Why the revision was held to be complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled_by: Option<String>,
    /// Images that are used.
    pub images: u64,
    /// When the first image came.
    pub first_image_at: DateTime<Utc>,
    /// When the last one did.
    pub last_image_at: DateTime<Utc>,
    /// When the result was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_at: Option<DateTime<Utc>>,
    /// Probability of what there is so far, while images arrive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partial_probability: Option<f64>,
    /// What went wrong last, in scoring or in delivering.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// What to be careful about.
    pub warnings: Vec<String>,
}

impl From<StudyRow> for Study {
    fn from(row: StudyRow) -> Self {
        Self {
            study_instance_uid: row.study_uid,
            patient_id: row.patient_id,
            patient_name: row.patient_name,
            patient_birth_date: row.patient_birth_date,
            patient_sex: row.patient_sex,
            accession_number: row.accession_number,
            description: row.description,
            source_ae: row.source_ae,
            state: row.state.as_str().to_owned(),
            class: row.class.map(|class| class.as_str().to_owned()),
            probability: row.probability,
            leading_subtype: row.label,
            reason: row.reason,
            revision: row.revision,
            result_revision: row.result_revision,
            settled_by: row.settled.map(|why| why.as_str().to_owned()),
            images: row.instances,
            first_image_at: row.first_at,
            last_image_at: row.last_at,
            result_at: row.result_at,
            partial_probability: row.partial_probability,
            last_error: row.last_error,
            warnings: row.warnings,
        }
    }
}

/// A revision of a study.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct StudyRevision {
    /// Number, from 1.
    pub revision: u32,
    /// Why the study was held to be complete.
    pub settled_by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Images that it includes.
    pub images: u64,
    /// SHA-256 of which images these are, hexadecimal.
    pub image_set_sha256: String,
}

impl From<Revision> for StudyRevision {
    fn from(revision: Revision) -> Self {
        Self {
            revision: revision.revision,
            settled_by: revision.why.as_str().to_owned(),
            at: revision.at,
            images: revision.instances,
            image_set_sha256: hemora_base::hex(&revision.instance_set),
        }
    }
}

/// Something that is sent because of a result.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct StudyDelivery {
    /// Number of the delivery.
    pub id: i64,
    /// Revision of the study.
    pub revision: u32,
    /// Name of the destination.
    pub destination: String,
    /// What is sent.
    pub kind: String,
    /// `waiting`, `sending`, `delivered`, `given up` or `superseded`.
    pub state: String,
    /// How often it failed.
    pub failures: u32,
    /// When it is tried next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_at: Option<DateTime<Utc>>,
    /// When it was acknowledged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<DateTime<Utc>>,
    /// What the destination answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// What went wrong last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Bytes that are sent.
    pub bytes: u64,
}

impl From<DeliveryRow> for StudyDelivery {
    fn from(row: DeliveryRow) -> Self {
        Self {
            id: row.id,
            revision: row.revision,
            destination: row.destination,
            kind: row.kind,
            state: row.state.as_str().to_owned(),
            failures: row.attempts,
            next_at: row.next_at,
            delivered_at: row.delivered_at,
            answer: row.remote_status,
            last_error: row.last_error,
            bytes: row.bytes,
        }
    }
}

/// Who asks, for what is written down.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Who {
    /// Name of whoever asks.
    pub who: String,
}

/// Thresholds that the site sets, or `null` for those of the configuration or the model.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewThresholds {
    /// The thresholds, with who answers for them and why.
    pub thresholds: Option<Thresholds>,
    /// Who takes those of the site back, where `thresholds` is `null`.
    #[serde(default)]
    pub who: String,
    /// Why.
    #[serde(default)]
    pub why: String,
}

/// The thresholds that hold now.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ThresholdsNow {
    /// Those of the site; `null` if those of the model hold, or where it has none the node's own.
    pub thresholds: Option<Thresholds>,
    /// Every value that they had, oldest first.
    pub history: Vec<ThresholdsThen>,
}

/// Thresholds that were set.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ThresholdsThen {
    /// When.
    pub at: DateTime<Utc>,
    /// Who set them.
    pub who: String,
    /// Why.
    pub why: String,
    /// What they became.
    pub thresholds: Option<Thresholds>,
}

/// What a request came to.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Done {
    /// What was done.
    pub done: String,
}

/// Why a request is not answered.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Problem {
    /// What is wrong and what to do.
    pub error: String,
}
