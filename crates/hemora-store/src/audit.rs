//! Who did what: rows that are only ever added, each of which holds the hash of the one before.

use chrono::{DateTime, Utc};

use crate::{Store, StoreError};

/// What is to be noted. No text of it names a patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewAudit<'a> {
    /// User, AE title or part of the program.
    pub who: &'a str,
    /// What was done, one word such as `rescored`.
    pub what: &'a str,
    /// StudyInstanceUID, if it was done to a study.
    pub study: Option<&'a str>,
    /// More of it.
    pub detail: &'a str,
}

/// A row of the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Number, from 1 without gaps.
    pub n: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// User, AE title or part of the program.
    pub who: String,
    /// What was done.
    pub what: String,
    /// StudyInstanceUID.
    pub study: Option<String>,
    /// More of it.
    pub detail: String,
    /// SHA-256 of the hash before and this row.
    pub hash: [u8; 32],
}

/// Why the audit is not what was written.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// A row was changed, added or removed by others.
    #[error("row {row} of the audit is not what was written after row {}; keep a copy of the database and find out who changed it", row - 1)]
    Changed {
        /// The first row that does not follow from those before.
        row: i64,
    },
    /// The audit cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Adds a row.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn audit(&self, row: NewAudit<'_>, now: DateTime<Utc>) -> Result<(), StoreError> {
        let _ = (row, now);
        todo!()
    }

    /// Checks every row; their number. That rows are missing at the end shows only to who knows how many
    /// there were.
    ///
    /// # Errors
    /// [`AuditError`] names the first row that does not follow.
    pub fn verify_audit(&self) -> Result<u64, AuditError> {
        todo!()
    }

    /// Rows after number `after`, at most `limit`, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn audit_rows(&self, after: i64, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        let _ = (after, limit);
        todo!()
    }
}
