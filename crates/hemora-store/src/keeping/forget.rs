//! A patient is removed.

use chrono::{DateTime, Utc};

use crate::{Store, StoreError};

/// What was removed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Forgotten {
    /// Studies that are gone with all that was known of them.
    pub studies: u64,
    /// Images.
    pub instances: u64,
}

impl Store {
    /// Removes everything of a patient but the audit, which notes that it was done, and not of whom.
    /// Other patients' studies lose the objects that name this one.
    ///
    /// # Errors
    /// [`StoreError`] of the disk or the database.
    pub fn forget(
        &self,
        patient_id: &str,
        who: &str,
        now: DateTime<Utc>,
    ) -> Result<Forgotten, StoreError> {
        let _ = (patient_id, who, now);
        todo!()
    }
}
