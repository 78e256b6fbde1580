//! What the engine wants to find again: scores of slices by what they were computed from.

use crate::{Store, StoreError};

impl Store {
    /// What was remembered under `key`.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn remembered(&self, key: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
        let _ = key;
        todo!()
    }

    /// Remembers `value` under `key`, in place of an earlier one, until the images of the study go.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn remember(
        &self,
        key: &[u8; 32],
        study_uid: &str,
        value: &[u8],
    ) -> Result<(), StoreError> {
        let _ = (key, study_uid, value);
        todo!()
    }
}
