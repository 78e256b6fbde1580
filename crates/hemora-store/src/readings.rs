//! What readers did with a study.

use chrono::{DateTime, Utc};
use rusqlite::{Row, params};

use crate::studies::{exists, refresh, rows, words};
use crate::time::{at, millis};
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

words! { ReadingEvent, "event of a reading",
    Opened = "opened",
    Acknowledged = "acknowledged",
    Unacknowledged = "unacknowledged",
    Agreed = "agreed",
    Disagreed = "disagreed",
    Noted = "noted",
}

impl Store {
    /// Adds what a reader did; [`ReadingEvent::Acknowledged`] takes the study from the head of the list,
    /// and a result of a higher class puts it back there.
    ///
    /// # Errors
    /// [`StoreError::NoStudy`], or of the database.
    pub fn note_reading(&self, study_uid: &str, reading: &Reading) -> Result<(), StoreError> {
        let (study_uid, reading) = (study_uid.to_owned(), reading.clone());
        self.change(move |connection| {
            exists(connection, &study_uid)?;
            let Reading { user, event, label, note, at } = reading;
            let sql = "INSERT INTO reading (study_uid, user, event, label, note, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let parameters = params![study_uid, user, event.as_str(), label, note, millis(at)];
            connection.prepare_cached(sql)?.execute(parameters)?;
            let read_at = match event {
                ReadingEvent::Acknowledged => Some(millis(at)),
                ReadingEvent::Unacknowledged => None,
                _ => return Ok(()),
            };
            let sql = "UPDATE study SET read_at = ?2 WHERE study_uid = ?1";
            connection.prepare_cached(sql)?.execute(params![study_uid, read_at])?;
            refresh(connection, &study_uid)
        })
    }

    /// What readers did with a study, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn readings(&self, study_uid: &str) -> Result<Vec<Reading>, StoreError> {
        let sql =
            "SELECT user, event, label, note, at FROM reading WHERE study_uid = ?1 ORDER BY id";
        let read = |row: &Row<'_>| {
            let event: String = row.get("event")?;
            Ok(Reading {
                user: row.get("user")?,
                event: ReadingEvent::stored(&event)?,
                label: row.get("label")?,
                note: row.get("note")?,
                at: at(row.get("at")?),
            })
        };
        self.read(|connection| rows(connection, sql, [study_uid], read))
    }
}
