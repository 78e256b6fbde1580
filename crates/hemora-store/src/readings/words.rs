//! What readers did with a study.

use chrono::{DateTime, Utc};

use super::acknowledge::{acknowledge, unacknowledge};
use crate::audit::{NewAudit, append};
use crate::sql::{Connection, Row, params};
use crate::studies::words;
use crate::time::{at, millis};
use crate::{Class, Store, StoreError};

/// Characters of a note.
const LONGEST_NOTE: usize = 2000;

/// What a reader did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadingEvent {
    /// Opened the study.
    Opened,
    /// Said that they have seen the result: the study is read.
    Acknowledged,
    /// Took that back.
    Unacknowledged,
    /// Agreed with what the result says of a label.
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
    /// What it is about: a label, where they agree or disagree.
    pub label: Option<String>,
    /// Words of theirs.
    pub note: String,
    /// The revision that was shown to them; 0 where there was no result yet.
    pub revision: u32,
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

impl ReadingEvent {
    /// What the audit says of it.
    fn in_audit(self) -> &'static str {
        match self {
            Self::Unacknowledged => "took back",
            other => other.as_str(),
        }
    }
}

impl Reading {
    /// A reading without label and words.
    pub(super) fn new(user: &str, event: ReadingEvent, revision: u32, at: DateTime<Utc>) -> Self {
        Self { user: user.to_owned(), event, label: None, note: String::new(), revision, at }
    }

    fn check(&self) -> Result<(), StoreError> {
        let bad = |why: String| Err(StoreError::BadValue { what: "the reader's word", why });
        let long = self.note.chars().count();
        match self.event {
            _ if long > LONGEST_NOTE => {
                bad(format!("the note has {long} characters, more than {LONGEST_NOTE}"))
            }
            ReadingEvent::Agreed | ReadingEvent::Disagreed if self.label.is_none() => {
                bad(format!("it does not say of which label it is {:?}", self.event.as_str()))
            }
            ReadingEvent::Noted if self.note.trim().is_empty() => bad("it is empty".to_owned()),
            _ => Ok(()),
        }
    }

    /// Adds it. The audit, which keeps no text that could name a patient, learns of all but the opening:
    /// whoever shows a study notes each look there.
    pub(super) fn insert(
        &self,
        connection: &Connection<'_>,
        study_uid: &str,
    ) -> Result<(), StoreError> {
        let Self { user, event, label, note, revision, at } = self;
        let sql = "INSERT INTO reading (study_uid, \"user\", event, label, note, revision, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let parameters =
            params![study_uid, user, event.as_str(), label, note, revision, millis(*at)];
        connection.execute(sql, parameters)?;
        if *event == ReadingEvent::Opened {
            return Ok(());
        }
        let label = label.as_ref().map_or_else(String::new, |label| format!("{label}, "));
        let detail = format!("{label}revision {revision}");
        let (what, study) = (event.in_audit(), Some(study_uid));
        append(connection, NewAudit { who: user, what, study, detail: &detail }, *at)
    }
}

/// What a study is, for somebody to whom a revision of it was shown.
pub(super) struct Shown {
    /// When and by whom it is acknowledged.
    pub(super) acknowledged: Option<(DateTime<Utc>, String)>,
    /// Revision of the newest result; 0 without one.
    pub(super) newest: u32,
    /// Whether that is more urgent than what was shown.
    pub(super) rose: bool,
}

impl Shown {
    /// Fails if there is no such study or no such revision of it.
    pub(super) fn of(
        connection: &Connection<'_>,
        study_uid: &str,
        revision: u32,
    ) -> Result<Self, StoreError> {
        let sql = "SELECT revision, result_revision, class, read_at, COALESCE(read_by, ''),
                (SELECT class FROM result WHERE study_uid = ?1 AND revision = ?2)
             FROM study WHERE study_uid = ?1";
        let urgency = |row: &Row<'_>, column| -> Result<u8, StoreError> {
            let class: Option<String> = row.get(column)?;
            Ok(class.as_deref().and_then(Class::from_word).map_or(0, Class::urgency))
        };
        let read = |row: &Row<'_>| {
            let (read_at, read_by): (Option<i64>, String) = (row.get(3)?, row.get(4)?);
            let shown = Self {
                acknowledged: read_at.map(|millis| (at(millis), read_by)),
                newest: row.get::<_, Option<u32>>(1)?.unwrap_or(0),
                rose: urgency(row, 2)? > urgency(row, 5)?,
            };
            Ok((row.get::<_, u32>(0)?, shown))
        };
        let found = connection.first(sql, params![study_uid, revision], read)?;
        let (settled, shown) = found.ok_or_else(|| StoreError::NoStudy(study_uid.to_owned()))?;
        if revision > settled {
            let why = format!("revision {revision} was not shown, the study has {settled}");
            return Err(StoreError::BadValue { what: "the reader's word", why });
        }
        Ok(shown)
    }
}

/// Notes that a user opened a revision, the first time; whether it is that.
fn open(
    connection: &Connection<'_>,
    study_uid: &str,
    reading: &Reading,
) -> Result<bool, StoreError> {
    Shown::of(connection, study_uid, reading.revision)?;
    if has_opened(connection, study_uid, &reading.user, reading.revision)? {
        return Ok(false);
    }
    reading.insert(connection, study_uid)?;
    Ok(true)
}

fn has_opened(
    connection: &Connection<'_>,
    study_uid: &str,
    user: &str,
    revision: u32,
) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM reading
         WHERE study_uid = ?1 AND \"user\" = ?2 AND revision = ?3 AND event = 'opened'";
    connection.any(sql, params![study_uid, user, revision])
}

impl Store {
    /// Adds what a reader did. [`ReadingEvent::Opened`], [`ReadingEvent::Acknowledged`] and
    /// [`ReadingEvent::Unacknowledged`] do what [`Store::note_opened`], [`Store::acknowledge`] and
    /// [`Store::unacknowledge`] do.
    ///
    /// # Errors
    /// [`StoreError::NoStudy`]; [`StoreError::BadValue`] for a revision that there is not, a word on no
    /// label, or a note that is empty or too long; those of [`Store::acknowledge`]; or of the database.
    pub fn note_reading(&self, study_uid: &str, reading: &Reading) -> Result<(), StoreError> {
        reading.check()?;
        let (study_uid, reading) = (study_uid.to_owned(), reading.clone());
        self.change(move |connection| match reading.event {
            ReadingEvent::Opened => open(connection, &study_uid, &reading).map(drop),
            ReadingEvent::Acknowledged => acknowledge(connection, &study_uid, &reading).map(drop),
            ReadingEvent::Unacknowledged => {
                unacknowledge(connection, &study_uid, &reading).map(drop)
            }
            ReadingEvent::Agreed | ReadingEvent::Disagreed | ReadingEvent::Noted => {
                Shown::of(connection, &study_uid, reading.revision)?;
                reading.insert(connection, &study_uid)
            }
        })
    }

    /// Notes that a user opened a revision of a study (0 where it has no result yet), the first time; whether
    /// it is that. The audit is left to the caller, who notes each look there.
    ///
    /// # Errors
    /// [`StoreError::NoStudy`], [`StoreError::BadValue`] for a revision that there is not, or of the
    /// database.
    pub fn note_opened(
        &self,
        study_uid: &str,
        user: &str,
        revision: u32,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        // Whoever looks again does not wait for the writer and changes nothing in the list.
        if self.read(|connection| has_opened(connection, study_uid, user, revision))? {
            return Ok(false);
        }
        let reading = Reading::new(user, ReadingEvent::Opened, revision, now);
        let study_uid = study_uid.to_owned();
        self.change(move |connection| open(connection, &study_uid, &reading))
    }

    /// What readers did with a study, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn readings(&self, study_uid: &str) -> Result<Vec<Reading>, StoreError> {
        let sql = "SELECT \"user\", event, label, note, revision, at FROM reading
             WHERE study_uid = ?1 ORDER BY id";
        let read = |row: &Row<'_>| {
            let event: String = row.get("event")?;
            Ok(Reading {
                user: row.get("user")?,
                event: ReadingEvent::stored(&event)?,
                label: row.get("label")?,
                note: row.get("note")?,
                revision: row.get("revision")?,
                at: at(row.get("at")?),
            })
        };
        self.read(|connection| connection.rows(sql, [study_uid], read))
    }
}
