//! What scoring makes of a revision.

use chrono::{DateTime, Utc};

use super::jobs::Job;
use super::outbox::NewDelivery;
use crate::{Class, Store, StoreError};

/// A result, as it is made.
#[derive(Debug, Clone, PartialEq)]
pub struct NewResult {
    /// What it says.
    pub class: Class,
    /// Probability of any hemorrhage, calibrated, from 0 to 1.
    pub probability: Option<f64>,
    /// The leading label.
    pub label: Option<String>,
    /// Why it is not scored, or not sure.
    pub reason: Option<String>,
    /// The whole of it.
    pub json: String,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// SHA-256 of the model, hexadecimal.
    pub model_sha256: String,
}

/// A result, as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct ResultRow {
    /// StudyInstanceUID.
    pub study_uid: String,
    /// Revision of the study.
    pub revision: u32,
    /// What it says.
    pub class: Class,
    /// Probability of any hemorrhage, calibrated, from 0 to 1.
    pub probability: Option<f64>,
    /// The leading label.
    pub label: Option<String>,
    /// Why it is not scored, or not sure.
    pub reason: Option<String>,
    /// The whole of it.
    pub json: String,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// SHA-256 of the model, hexadecimal.
    pub model_sha256: String,
}

impl Store {
    /// Ends a lease: stores the result and what is to be sent because of it, in one transaction.
    /// Deliveries of earlier revisions that are still waiting are superseded.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] if the job was lost in between: nothing is stored. Else of the database.
    pub fn complete(
        &self,
        job: &Job,
        result: NewResult,
        deliveries: Vec<NewDelivery>,
    ) -> Result<(), StoreError> {
        let _ = (job, result, deliveries);
        todo!()
    }

    /// The result of a revision, or the newest.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn result(
        &self,
        study_uid: &str,
        revision: Option<u32>,
    ) -> Result<Option<ResultRow>, StoreError> {
        let _ = (study_uid, revision);
        todo!()
    }
}
