//! Rows of what arrived: instances, and the studies that they are of.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use hemora_io::Identity;

use super::refresh::{refresh, warn};
use crate::audit::{NewAudit, append};
use crate::folder::instance_path;
use crate::sql::{Connection, params};
use crate::time::millis;
use crate::{Arrival, StoreError};

/// Characters of one text of a header that are kept; `LO` and `PN` have 64 a component (PS3.5 §6.2).
const LONGEST_TEXT: usize = 512;

/// Said of a study in which objects name different patients.
const OTHER_PATIENT: &str =
    "objects of this study name different patients; the one that came first is shown";

/// Said of a study in which a UID stands for different data sets.
const OTHER_BYTES: &str = "different data came under the same SOPInstanceUID; the newest is used";

/// An instance that is to have a row.
#[derive(Debug, Clone)]
pub(crate) struct NewInstance {
    pub(crate) sop_uid: String,
    pub(crate) sha256: [u8; 32],
    /// Below the data folder.
    pub(crate) path: String,
    pub(crate) received_at: DateTime<Utc>,
    bytes: u64,
    association: u64,
    calling_ae: String,
    identity: Box<Identity>,
}

impl NewInstance {
    /// The row of an instance whose UIDs have been checked.
    pub(crate) fn of(arrival: &Arrival, sha256: [u8; 32], bytes: u64) -> Self {
        let identity = &arrival.identity;
        let (study_uid, sop_uid) = (&identity.study_instance_uid, &identity.sop_instance_uid);
        Self {
            sop_uid: sop_uid.clone(),
            sha256,
            path: instance_path(study_uid, sop_uid, &sha256),
            received_at: arrival.received_at,
            bytes,
            association: arrival.association,
            calling_ae: shortened(&arrival.calling_ae),
            identity: Box::new(identity.clone()),
        }
    }

    fn study_uid(&self) -> &str {
        &self.identity.study_instance_uid
    }

    /// Adds rows, each once, and brings their studies up to date.
    pub(crate) fn insert(connection: &Connection<'_>, all: &[Self]) -> Result<(), StoreError> {
        let mut studies = BTreeSet::new();
        for instance in all {
            instance.insert_study(connection)?;
            instance.insert_instance(connection)?;
            studies.insert(instance.study_uid());
        }
        studies.into_iter().try_for_each(|study_uid| refresh(connection, study_uid))
    }

    fn insert_instance(&self, connection: &Connection<'_>) -> Result<(), StoreError> {
        let sql = "SELECT count(*) FILTER (WHERE sha256 = ?2), count(*) FILTER (WHERE sha256 <> ?2)
             FROM instance WHERE sop_uid = ?1";
        let (same, others): (i64, i64) =
            connection.one(sql, params![self.sop_uid, self.sha256], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let sql =
            "INSERT INTO instance (sop_uid, sha256, series_uid, study_uid, patient_id, sop_class,
                transfer_syntax, bytes, path, received_at, association_id, seq)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,
                (SELECT COALESCE(max(seq), 0) + 1 FROM instance))
             ON CONFLICT (sop_uid, sha256) DO UPDATE SET evicted = 0, path = excluded.path,
                bytes = excluded.bytes, received_at = excluded.received_at";
        connection.execute(
            sql,
            params![
                self.sop_uid,
                self.sha256,
                shortened(&self.identity.series_instance_uid),
                self.study_uid(),
                shortened(&self.identity.patient_id),
                shortened(&self.identity.sop_class_uid),
                shortened(&self.identity.transfer_syntax),
                stored(self.bytes),
                self.path,
                millis(self.received_at),
                stored(self.association),
            ],
        )?;
        if same > 0 {
            // Its image had been evicted and is there again: nothing new to score.
            return Ok(());
        }
        self.unsettle(connection)?;
        if others > 0 {
            self.say_other_bytes(connection)?;
        }
        Ok(())
    }

    fn unsettle(&self, connection: &Connection<'_>) -> Result<(), StoreError> {
        let sql = "UPDATE study SET unsettled = 1, last_at = ?2 WHERE study_uid = ?1";
        connection.execute(sql, params![self.study_uid(), millis(self.received_at)])?;
        Ok(())
    }

    fn say_other_bytes(&self, connection: &Connection<'_>) -> Result<(), StoreError> {
        warn(connection, self.study_uid(), OTHER_BYTES)?;
        let row = NewAudit {
            who: &self.calling_ae,
            what: "other data under the same UID",
            study: Some(self.study_uid()),
            detail: &self.sop_uid,
        };
        append(connection, row, self.received_at)
    }

    fn insert_study(&self, connection: &Connection<'_>) -> Result<(), StoreError> {
        let sql = "SELECT patient_id FROM study WHERE study_uid = ?1";
        let first: Option<String> = connection.first(sql, [self.study_uid()], |row| row.get(0))?;
        let patient_id = shortened(&self.identity.patient_id);
        match first {
            None => self.insert_new_study(connection),
            Some(first) if first.is_empty() && !patient_id.is_empty() => {
                let sql = "UPDATE study SET patient_id = ?2, search = search || ?3
                     WHERE study_uid = ?1";
                let search = format!("\n{}", patient_id.to_lowercase());
                connection.execute(sql, params![self.study_uid(), patient_id, search])?;
                Ok(())
            }
            Some(first) if !patient_id.is_empty() && first != patient_id => {
                warn(connection, self.study_uid(), OTHER_PATIENT)
            }
            Some(_) => Ok(()),
        }
    }

    fn insert_new_study(&self, connection: &Connection<'_>) -> Result<(), StoreError> {
        let identity = &self.identity;
        let texts = [
            &identity.patient_name,
            &identity.patient_id,
            &identity.accession_number,
            &identity.study_description,
            &identity.study_instance_uid,
        ];
        let search = texts.map(|text| shortened(text).to_lowercase()).join("\n");
        let sql = "INSERT INTO study (study_uid, patient_id, issuer_of_patient_id, patient_name,
                patient_birth_date, patient_sex, accession_number, description, study_date,
                study_time, institution, search, source_ae, first_at, last_at, state)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?14, 'receiving')";
        connection.execute(
            sql,
            params![
                self.study_uid(),
                shortened(&identity.patient_id),
                shortened(&identity.issuer_of_patient_id),
                shortened(&identity.patient_name),
                shortened(&identity.patient_birth_date),
                shortened(&identity.patient_sex),
                shortened(&identity.accession_number),
                shortened(&identity.study_description),
                shortened(&identity.study_date),
                shortened(&identity.study_time),
                shortened(&identity.institution),
                search,
                self.calling_ae,
                millis(self.received_at),
            ],
        )?;
        Ok(())
    }
}

/// An instance came again that others of its UID have superseded: it is used from now on. False if it
/// was used already.
pub(crate) fn touch(
    connection: &Connection<'_>,
    instance: &NewInstance,
) -> Result<bool, StoreError> {
    let sql = "UPDATE instance SET seq = (SELECT max(seq) + 1 FROM instance)
         WHERE sop_uid = ?1 AND sha256 = ?2 AND EXISTS (SELECT 1 FROM instance AS newer
            WHERE newer.sop_uid = ?1 AND newer.study_uid = instance.study_uid
                AND newer.seq > instance.seq)";
    let changed = connection.execute(sql, params![instance.sop_uid, instance.sha256])? > 0;
    if changed {
        instance.unsettle(connection)?;
        instance.say_other_bytes(connection)?;
        refresh(connection, instance.study_uid())?;
    }
    Ok(changed)
}

fn shortened(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}

/// A number of which SQLite stores all that occur.
fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
