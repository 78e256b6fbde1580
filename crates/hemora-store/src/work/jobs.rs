//! Scoring jobs: leased, renewed, tried again.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::{Store, StoreError};

/// A revision to score, leased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Number of the job.
    pub id: i64,
    /// StudyInstanceUID.
    pub study_uid: String,
    /// The revision.
    pub revision: u32,
    /// Times that it failed before.
    pub failures: u32,
    /// Who leased it.
    pub owner: String,
    /// Number of the lease.
    pub(crate) lease: i64,
}

/// What becomes of a job that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobFate {
    /// It is tried again at this time.
    Retry(DateTime<Utc>),
    /// It has failed too often; [`Store::rescore`] runs it again.
    Dead,
}

impl Store {
    /// Leases the job that comes first: urgent orders, then those that a partial score predicts to be
    /// positive, then the oldest.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn lease(
        &self,
        owner: &str,
        now: DateTime<Utc>,
        length: Duration,
    ) -> Result<Option<Job>, StoreError> {
        let _ = (owner, now, length);
        todo!()
    }

    /// Prolongs a lease to `length` from now.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or of the database.
    pub fn renew(&self, job: &Job, now: DateTime<Utc>, length: Duration) -> Result<(), StoreError> {
        let _ = (job, now, length);
        todo!()
    }

    /// Ends a lease: scoring failed.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or of the database.
    pub fn fail(&self, job: &Job, error: &str, now: DateTime<Utc>) -> Result<JobFate, StoreError> {
        let _ = (job, error, now);
        todo!()
    }

    /// Notes the probability that the slices so far give, while a study is received or waits.
    ///
    /// # Errors
    /// [`StoreError::NoStudy`], or of the database.
    pub fn note_partial(
        &self,
        study_uid: &str,
        probability: f64,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let _ = (study_uid, probability, now);
        todo!()
    }
}
