//! Studies, their revisions and what is sent of them.

use chrono::{DateTime, Utc};
use hemora_store::{DeliveryRow, Revision, StudyExtras, StudyRow};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// What readers did with it.
    pub reading: ReadingState,
    /// How far the answers to the newest result are.
    pub sent: Sent,
    /// The slice to look at first; absent where there is no image to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_slice: Option<SliceRef>,
}

/// What readers did with a study.
#[derive(Debug, Clone, PartialEq, Default, Serialize, JsonSchema)]
pub struct ReadingState {
    /// Who opened its newest result first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opened_by: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<DateTime<Utc>>,
    /// Who acknowledged it, if somebody has and no result of a higher class came since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged_by: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// How many labels readers agree with, of each reader the newest feedback.
    pub agreed: u64,
    /// How many they disagree with.
    pub disagreed: u64,
}

/// How far the answers to a result are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Sent {
    /// Not yet sent and not failed.
    pub waiting: u64,
    /// Acknowledged.
    pub delivered: u64,
    /// Failed at least once and tried again.
    pub failing: u64,
    /// Given up.
    pub given_up: u64,
}

/// A slice of a study: indices in [`StudyView`](super::StudyView).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SliceRef {
    /// Index of the series.
    pub series: usize,
    /// Index of the slice in it.
    pub slice: usize,
}

impl Study {
    pub(crate) fn new(row: StudyRow, extras: StudyExtras) -> Self {
        let key_slice = extras
            .key_slice
            .map(|(series, slice)| SliceRef { series: series as usize, slice: slice as usize });
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
            reading: ReadingState {
                opened_by: extras.opened_by,
                opened_at: extras.opened_at,
                acknowledged_by: extras.acknowledged_by,
                acknowledged_at: extras.acknowledged_at,
                agreed: extras.agreed.len() as u64,
                disagreed: extras.disagreed.len() as u64,
            },
            sent: Sent {
                waiting: extras.waiting,
                delivered: extras.delivered,
                failing: extras.failing,
                given_up: extras.given_up,
            },
            key_slice,
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
