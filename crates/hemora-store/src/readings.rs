//! What readers did with a study.

use chrono::{DateTime, Utc};

use crate::{Store, StoreError};

/// What a reader did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadingEvent {
    /// Opened the study.
    Opened,
    /// Said that they have seen the result: the study is read.
    Acknowledged,
    /// Took that back.
    Unacknowledged,
    /// Agreed with the result.
    Agreed,
    /// Disagreed with it.
    Disagreed,
    /// Wrote a note.
    Noted,
}

/// Something that a reader did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Who.
    pub user: String,
    /// What.
    pub event: ReadingEvent,
    /// What it is about, such as a label.
    pub label: Option<String>,
    /// Words of theirs.
    pub note: String,
    /// When.
    pub at: DateTime<Utc>,
}

impl Store {
    /// Adds what a reader did; [`ReadingEvent::Acknowledged`] takes the study from the head of the list.
    ///
    /// # Errors
    /// [`StoreError::NoStudy`], or of the database.
    pub fn note_reading(&self, study_uid: &str, reading: &Reading) -> Result<(), StoreError> {
        let _ = (study_uid, reading);
        todo!()
    }

    /// What readers did with a study, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn readings(&self, study_uid: &str) -> Result<Vec<Reading>, StoreError> {
        let _ = study_uid;
        todo!()
    }
}
