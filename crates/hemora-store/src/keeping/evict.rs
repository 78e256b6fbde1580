//! Images go when their time has come; results, readings and audit stay.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::trash::{drop_derived, trash_study};
use crate::audit::{NewAudit, append};
use crate::sql::{Connection, Row, params};
use crate::studies::{count, exists, refresh};
use crate::time::{millis, millis_of};
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

/// A study whose images may go: all of it is scored, everything is delivered, nobody pinned it.
const MAY_GO: &str = "state IN ('not scored', 'scored', 'delivered') AND unsettled = 0
    AND pinned = 0 AND bytes > 0";

/// A study that may go.
struct Candidate {
    study_uid: String,
    last_at: i64,
    bytes: u64,
}

fn candidates(connection: &Connection<'_>) -> Result<(Vec<Candidate>, u64), StoreError> {
    let sql = format!(
        "SELECT study_uid, last_at, bytes FROM study WHERE {MAY_GO} ORDER BY last_at, study_uid"
    );
    let read = |row: &Row<'_>| {
        Ok(Candidate {
            study_uid: row.get("study_uid")?,
            last_at: row.get("last_at")?,
            bytes: count(row, "bytes")?,
        })
    };
    let candidates = connection.rows(&sql, params![], read)?;
    let sql = "SELECT CAST(COALESCE(sum(bytes), 0) AS BIGINT) AS bytes FROM study";
    let bytes = connection.rows(sql, params![], |row| count(row, "bytes"))?.pop();
    Ok((candidates, bytes.unwrap_or(0)))
}

/// Takes the images of a study out of the database; how many, and their bytes. None if it may not go
/// any more.
fn evict(
    connection: &Connection<'_>,
    study_uid: &str,
    now: DateTime<Utc>,
) -> Result<Option<(u64, u64)>, StoreError> {
    let sql = format!(
        "SELECT (SELECT count(*) FROM instance WHERE instance.study_uid = ?1 AND evicted = 0), bytes
         FROM study WHERE study_uid = ?1 AND {MAY_GO}"
    );
    let found: Option<(i64, i64)> =
        connection.first(&sql, [study_uid], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let Some((instances, bytes)) = found else { return Ok(None) };
    trash_study(connection, study_uid)?;
    let sql = "UPDATE instance SET evicted = 1 WHERE study_uid = ?1";
    connection.execute(sql, [study_uid])?;
    drop_derived(connection, study_uid)?;
    let detail = format!("{instances} images, {bytes} bytes");
    let row =
        NewAudit { who: "retention", what: "evicted", study: Some(study_uid), detail: &detail };
    append(connection, row, now)?;
    refresh(connection, study_uid)?;
    Ok(Some((instances.unsigned_abs(), bytes.unsigned_abs())))
}

/// Whether a study has no images any more.
fn is_gone(connection: &Connection<'_>, study_uid: &str) -> Result<bool, StoreError> {
    connection.any("SELECT 1 FROM study WHERE study_uid = ?1 AND bytes = 0", [study_uid])
}

impl Store {
    /// Removes the images of studies that are scored, delivered and not pinned: those past their time,
    /// then the oldest until the limits are met.
    ///
    /// # Errors
    /// [`StoreError`] of the disk or the database.
    pub fn evict(&self, retention: &Retention, now: DateTime<Utc>) -> Result<Evicted, StoreError> {
        self.flush()?;
        let (candidates, total) = self.read(candidates)?;
        let over = retention.at_most.map_or(0, |limit| total.saturating_sub(limit));
        let wanted = over.max(retention.reserve.saturating_sub(self.folder.free()?));
        let past = millis(now).saturating_sub(millis_of(retention.images));
        let mut evicted = Evicted::default();
        // Bytes that other nodes of the database evicted meanwhile, who want the same gone.
        let mut elsewhere = 0;
        for candidate in candidates {
            if candidate.last_at > past && evicted.bytes + elsewhere >= wanted {
                break;
            }
            let study_uid = candidate.study_uid.clone();
            let gone = self.change(move |connection| evict(connection, &study_uid, now))?;
            if let Some((instances, bytes)) = gone {
                evicted.studies += 1;
                evicted.instances += instances;
                evicted.bytes += bytes;
            } else if self.read(|connection| is_gone(connection, &candidate.study_uid))? {
                elsewhere += candidate.bytes;
            }
            self.empty_trash()?;
        }
        evicted.short_of = wanted.saturating_sub(evicted.bytes + elsewhere);
        Ok(evicted)
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
        let (study_uid, who) = (study_uid.to_owned(), who.to_owned());
        self.change(move |connection| {
            exists(connection, &study_uid)?;
            let sql = "UPDATE study SET pinned = ?2 WHERE study_uid = ?1";
            connection.execute(sql, params![study_uid, pinned])?;
            let what = if pinned { "pinned" } else { "unpinned" };
            let row = NewAudit { who: &who, what, study: Some(&study_uid), detail: "" };
            append(connection, row, now)
        })
    }
}
