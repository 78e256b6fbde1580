//! What the engine wants to find again: scores of slices by what they were computed from.

use crate::sql::params;
use crate::{Store, StoreError};

impl Store {
    /// What was remembered under `key`.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn remembered(&self, key: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|connection| {
            connection.first("SELECT value FROM memory WHERE key = ?1", [key], |row| row.get(0))
        })
    }

    /// Remembers `value` under `key`, in place of an earlier one, until the images of the study go; of a
    /// study whose images are gone it remembers nothing. The call does not wait for the disk: it is found
    /// a moment later, and what is lost as the node ends is computed again.
    ///
    /// # Errors
    /// [`StoreError::Closed`].
    pub fn remember(
        &self,
        key: &[u8; 32],
        study_uid: &str,
        value: &[u8],
    ) -> Result<(), StoreError> {
        let (key, study_uid, value) = (*key, study_uid.to_owned(), value.to_owned());
        self.write_later(move |connection| {
            let sql = "INSERT INTO memory (key, study_uid, value)
                 SELECT ?1, study_uid, ?3 FROM study WHERE study_uid = ?2 AND bytes > 0
                 ON CONFLICT (key) DO UPDATE SET study_uid = excluded.study_uid,
                    value = excluded.value";
            connection.execute(sql, params![key, study_uid, value])?;
            Ok(())
        })
    }
}
