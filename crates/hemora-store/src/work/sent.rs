//! What is known of deliveries.

use chrono::{DateTime, Utc};

use super::outbox::DeliveryState;
use crate::sql::Row;
use crate::studies::count;
use crate::time::at;
use crate::{Store, StoreError};

/// What is known of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Number of the delivery.
    pub id: i64,
    /// StudyInstanceUID.
    pub study_uid: String,
    /// Revision of the study.
    pub revision: u32,
    /// Name of the destination.
    pub destination: String,
    /// What it is.
    pub kind: String,
    /// Its state.
    pub state: DeliveryState,
    /// Times that it failed.
    pub attempts: u32,
    /// When it is tried next.
    pub next_at: Option<DateTime<Utc>>,
    /// When it was acknowledged.
    pub delivered_at: Option<DateTime<Utc>>,
    /// What the destination answered last.
    pub remote_status: Option<String>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// Bytes to send.
    pub bytes: u64,
}

/// Columns of a delivery.
const COLUMNS: &str = "id, study_uid, revision, destination, kind, state, attempts, next_at,
    acked_at, remote_status, last_error, bytes";

impl DeliveryRow {
    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let state: String = row.get("state")?;
        let state = DeliveryState::stored(&state)?;
        let next_at = (state == DeliveryState::Waiting).then(|| row.get("next_at")).transpose()?;
        Ok(Self {
            id: row.get("id")?,
            study_uid: row.get("study_uid")?,
            revision: row.get("revision")?,
            destination: row.get("destination")?,
            kind: row.get("kind")?,
            state,
            attempts: row.get("attempts")?,
            next_at: next_at.map(at),
            delivered_at: row.get::<_, Option<i64>>("acked_at")?.map(at),
            remote_status: row.get("remote_status")?,
            last_error: row.get("last_error")?,
            bytes: count(row, "bytes")?,
        })
    }
}

impl Store {
    /// The deliveries of a study, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn deliveries(&self, study_uid: &str) -> Result<Vec<DeliveryRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM delivery WHERE study_uid = ?1 ORDER BY id");
        self.read(|connection| connection.rows(&sql, [study_uid], DeliveryRow::read))
    }

    /// Deliveries of any study that were given up, or have failed and are tried again; newest first, at most
    /// `limit`.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn failing_deliveries(&self, limit: usize) -> Result<Vec<DeliveryRow>, StoreError> {
        // The condition of the index, word by word.
        let sql = format!(
            "SELECT {COLUMNS} FROM delivery
             WHERE state = 'given up' OR (state IN ('waiting', 'sending') AND attempts > 0)
             ORDER BY id DESC LIMIT ?1"
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(|connection| connection.rows(&sql, [limit], DeliveryRow::read))
    }
}
