//! A result was seen: whoever says so first stays, until it is taken back.

use chrono::{DateTime, Utc};

use super::words::{Reading, ReadingEvent, Shown};
use crate::sql::{Connection, params};
use crate::studies::refresh;
use crate::time::{at, millis};
use crate::{Store, StoreError};

/// Who acknowledged a study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Who was first.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Whether it was this call.
    pub now: bool,
}

/// Acknowledges a study, unless somebody has.
pub(super) fn acknowledge(
    connection: &Connection<'_>,
    study_uid: &str,
    reading: &Reading,
) -> Result<Acknowledgement, StoreError> {
    let shown = Shown::of(connection, study_uid, reading.revision)?;
    if let Some((at, by)) = shown.acknowledged {
        return Ok(Acknowledgement { by, at, now: false });
    }
    if shown.rose {
        return Err(StoreError::NewerResult { shown: reading.revision, newest: shown.newest });
    }
    reading.insert(connection, study_uid)?;
    let sql = "UPDATE study SET read_at = ?2, read_by = ?3 WHERE study_uid = ?1";
    let parameters = params![study_uid, millis(reading.at), reading.user];
    connection.execute(sql, parameters)?;
    refresh(connection, study_uid)?;
    // As others will read it.
    let at = at(millis(reading.at));
    Ok(Acknowledgement { by: reading.user.clone(), at, now: true })
}

/// Takes an acknowledgement back; whether there was one.
pub(super) fn unacknowledge(
    connection: &Connection<'_>,
    study_uid: &str,
    reading: &Reading,
) -> Result<bool, StoreError> {
    if Shown::of(connection, study_uid, reading.revision)?.acknowledged.is_none() {
        return Ok(false);
    }
    reading.insert(connection, study_uid)?;
    let sql = "UPDATE study SET read_at = NULL WHERE study_uid = ?1";
    connection.execute(sql, [study_uid])?;
    refresh(connection, study_uid)?;
    Ok(true)
}

impl Store {
    /// Says that the result of a revision was seen, which takes the study from the head of the list. If
    /// somebody has said so, that stays, and the answer names them. A result of a higher class puts the study
    /// back to the head.
    ///
    /// # Errors
    /// [`StoreError::NewerResult`] if a more urgent result came than the one that was shown;
    /// [`StoreError::NoStudy`], [`StoreError::BadValue`] for a revision that there is not, or of the
    /// database.
    pub fn acknowledge(
        &self,
        study_uid: &str,
        user: &str,
        revision: u32,
        now: DateTime<Utc>,
    ) -> Result<Acknowledgement, StoreError> {
        let reading = Reading::new(user, ReadingEvent::Acknowledged, revision, now);
        let study_uid = study_uid.to_owned();
        self.change(move |connection| acknowledge(connection, &study_uid, &reading))
    }

    /// Takes the acknowledgement of a study back, whoever gave it; whether there was one.
    ///
    /// # Errors
    /// [`StoreError::NoStudy`], [`StoreError::BadValue`] for a revision that there is not, or of the
    /// database.
    pub fn unacknowledge(
        &self,
        study_uid: &str,
        user: &str,
        revision: u32,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let reading = Reading::new(user, ReadingEvent::Unacknowledged, revision, now);
        let study_uid = study_uid.to_owned();
        self.change(move |connection| unacknowledge(connection, &study_uid, &reading))
    }
}
