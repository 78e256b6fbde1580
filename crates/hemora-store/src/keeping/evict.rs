//! Images go when their time has come; results, readings and audit stay.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::{Store, StoreError};

/// How long images are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Since the last image of the study.
    pub images: Duration,
    /// Bytes that all images may have.
    pub at_most: Option<u64>,
    /// Bytes of the disk that are to be free.
    pub reserve: u64,
}

/// What was evicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Evicted {
    /// Studies whose images are gone.
    pub studies: u64,
    /// Images.
    pub instances: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes that should have gone and did not, since what is left is pinned, unscored or undelivered.
    pub short_of: u64,
}

impl Store {
    /// Removes the images of studies that are scored, delivered and not pinned: those past their time,
    /// then the oldest until the limits are met.
    ///
    /// # Errors
    /// [`StoreError`] of the disk or the database.
    pub fn evict(&self, retention: &Retention, now: DateTime<Utc>) -> Result<Evicted, StoreError> {
        let _ = (retention, now);
        todo!()
    }

    /// Keeps the images of a study from being evicted, or no longer.
    ///
    /// # Errors
    /// [`StoreError::NoStudy`], or of the database.
    pub fn pin(
        &self,
        study_uid: &str,
        pinned: bool,
        who: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let _ = (study_uid, pinned, who, now);
        todo!()
    }
}
