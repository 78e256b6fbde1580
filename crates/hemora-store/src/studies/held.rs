//! Whether an instance is held, by its name alone.

use super::InstanceRow;
use super::row::INSTANCE_COLUMNS;
use crate::sql::params;
use crate::{Store, StoreError};

impl Store {
    /// The instance of a SOPInstanceUID whose image is there, with its StudyInstanceUID; of several the one
    /// that came last.
    ///
    /// # Errors
    /// [`StoreError`] of the database, or [`StoreError::Filing`].
    pub fn instance(&self, sop_uid: &str) -> Result<Option<(String, InstanceRow)>, StoreError> {
        self.flush()?;
        let sql = format!(
            "SELECT {INSTANCE_COLUMNS} FROM instance
             WHERE sop_uid = ?1 AND evicted = 0 ORDER BY seq DESC LIMIT 1"
        );
        let root = self.folder.root();
        let found = self.read(|connection| {
            connection.rows(&sql, params![sop_uid], |row| {
                Ok((row.get("study_uid")?, InstanceRow::read(row, root)?))
            })
        })?;
        Ok(found.into_iter().next())
    }
}
