//! A patient is removed.

use chrono::{DateTime, Utc};

use super::trash::{drop_derived, drop_seen, trash_study};
use crate::audit::{NewAudit, append};
use crate::sql::{Connection, Row};
use crate::studies::refresh;
use crate::{Store, StoreError};

/// What was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Forgotten {
    /// Studies that are gone with all that was known of them.
    pub studies: u64,
    /// Images.
    pub instances: u64,
}

/// Tables that know a study by its UID; the audit stays.
const TABLES: [&str; 9] =
    ["instance", "revision", "job", "result", "artifact", "delivery", "memory", "reading", "study"];

fn forget(
    connection: &Connection<'_>,
    patient_id: &str,
    who: &str,
    now: DateTime<Utc>,
) -> Result<Forgotten, StoreError> {
    let text = |row: &Row<'_>| row.get::<_, String>(0);
    let sql = "SELECT study_uid FROM study WHERE patient_id = ?1";
    let studies = connection.rows(sql, [patient_id], text)?;
    let mut instances = 0;
    for study_uid in &studies {
        trash_study(connection, study_uid)?;
        drop_derived(connection, study_uid)?;
        for table in TABLES {
            let sql = format!("DELETE FROM {table} WHERE study_uid = ?1");
            let removed = connection.execute(&sql, [study_uid])?;
            instances += if table == "instance" { removed as u64 } else { 0 };
        }
    }
    // Images that name this patient within the studies of others.
    let sql = "INSERT INTO trash (path)
         SELECT path FROM instance WHERE patient_id = ?1 AND evicted = 0
         ON CONFLICT DO NOTHING";
    connection.execute(sql, [patient_id])?;
    let sql = "DELETE FROM instance WHERE patient_id = ?1 RETURNING study_uid";
    let mut others = connection.rows(sql, [patient_id], text)?;
    instances += others.len() as u64;
    others.dedup();
    for study_uid in &others {
        // What was computed of them is the other's no more than they are.
        drop_seen(connection, study_uid)?;
        let sql = "UPDATE study SET unsettled = 1 WHERE study_uid = ?1";
        connection.execute(sql, [study_uid])?;
        refresh(connection, study_uid)?;
    }
    let forgotten = Forgotten { studies: studies.len() as u64, instances };
    let detail = format!("{} studies, {instances} images", forgotten.studies);
    append(
        connection,
        NewAudit { who, what: "forgot a patient", study: None, detail: &detail },
        now,
    )?;
    Ok(forgotten)
}

impl Store {
    /// Removes everything of a patient but the audit, which notes that it was done, and not of whom.
    /// Other patients' studies lose the images that name this one, and are settled anew without them.
    ///
    /// Not removed: backups, what other systems have received, and files that recovery has put aside as
    /// unreadable.
    ///
    /// # Errors
    /// [`StoreError::BadValue`] without an ID, or of the disk or the database.
    pub fn forget(
        &self,
        patient_id: &str,
        who: &str,
        now: DateTime<Utc>,
    ) -> Result<Forgotten, StoreError> {
        if patient_id.trim().is_empty() {
            let why = "it is empty, which every patient without one has".to_owned();
            return Err(StoreError::BadValue { what: "the patient ID", why });
        }
        self.flush()?;
        let (patient_id, who) = (patient_id.to_owned(), who.to_owned());
        let forgotten =
            self.change(move |connection| forget(connection, &patient_id, &who, now))?;
        self.empty_trash()?;
        self.checkpoint()?;
        Ok(forgotten)
    }
}
