//! What scoring makes of a revision.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row, params};

use super::jobs::{Job, check_probability, still_leased};
use super::outbox::{NewDelivery, supersede};
use crate::studies::{refresh, rows};
use crate::time::{at, millis};
use crate::{Class, Store, StoreError};

/// The result of a revision.
#[derive(Debug, Clone, PartialEq)]
pub struct RevisionResult {
    /// What it says.
    pub class: Class,
    /// Probability of any hemorrhage, calibrated, from 0 to 1.
    pub probability: Option<f64>,
    /// The leading label.
    pub label: Option<String>,
    /// Why it is not scored, or not sure.
    pub reason: Option<String>,
    /// The whole of it.
    pub json: String,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// SHA-256 of the model, hexadecimal.
    pub model_sha256: String,
}

impl RevisionResult {
    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let class: String = row.get("class")?;
        Ok(Self {
            class: Class::stored(&class)?,
            probability: row.get("probability")?,
            label: row.get("label")?,
            reason: row.get("reason")?,
            json: row.get("json")?,
            made_at: at(row.get("made_at")?),
            model_sha256: row.get("model_sha256")?,
        })
    }
}

fn complete(
    connection: &Connection,
    job: &Job,
    result: &RevisionResult,
    deliveries: &[NewDelivery],
) -> Result<(), StoreError> {
    still_leased(connection, job)?;
    let (study_uid, revision) = (&job.study_uid, job.revision);
    let RevisionResult { class, probability, label, reason, json, made_at, model_sha256 } = result;
    let made_at = millis(*made_at);
    let sql = "INSERT INTO result (study_uid, revision, model_sha256, instance_set, class,
            probability, label, reason, json, made_at)
         SELECT ?1, ?2, ?3, instance_set, ?4, ?5, ?6, ?7, ?8, ?9 FROM revision
         WHERE study_uid = ?1 AND revision = ?2";
    connection.prepare_cached(sql)?.execute(params![
        study_uid,
        revision,
        model_sha256,
        class.as_str(),
        probability,
        label,
        reason,
        json,
        made_at
    ])?;
    connection.prepare_cached("DELETE FROM job WHERE id = ?1")?.execute([job.id])?;
    let sql = "SELECT class FROM study WHERE study_uid = ?1";
    let before: Option<String> =
        connection.prepare_cached(sql)?.query_row([study_uid], |row| row.get(0))?;
    let before = before.as_deref().and_then(Class::from_word).map_or(0, Class::urgency);
    let sql = "UPDATE study SET result_revision = ?2, class = ?3, probability = ?4, label = ?5,
            reason = ?6, result_at = ?7, partial_probability = NULL, partial_at = NULL,
            read_at = iif(?8, NULL, read_at)
         WHERE study_uid = ?1";
    let rises = class.urgency() > before;
    connection.prepare_cached(sql)?.execute(params![
        study_uid,
        revision,
        class.as_str(),
        probability,
        label,
        reason,
        made_at,
        rises
    ])?;
    supersede(connection, study_uid, revision)?;
    for delivery in deliveries {
        delivery.insert(connection, job, made_at)?;
    }
    refresh(connection, study_uid)
}

impl Store {
    /// Ends a lease: stores the result and what is to be sent because of it, in one transaction.
    /// Deliveries of earlier revisions that are still waiting are superseded.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] if the job was lost in between, and [`StoreError::BadValue`] for a number
    /// that is no probability: nothing is stored. Else of the database.
    pub fn complete(
        &self,
        job: &Job,
        result: RevisionResult,
        deliveries: Vec<NewDelivery>,
    ) -> Result<(), StoreError> {
        result.probability.map_or(Ok(()), check_probability)?;
        let job = job.clone();
        self.change(move |connection| complete(connection, &job, &result, &deliveries))
    }

    /// The result of a revision, or the newest.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn result(
        &self,
        study_uid: &str,
        revision: Option<u32>,
    ) -> Result<Option<RevisionResult>, StoreError> {
        let sql = "SELECT study_uid, revision, class, probability, label, reason, json, made_at,
                model_sha256
             FROM result WHERE study_uid = ?1 AND (?2 IS NULL OR revision = ?2)
             ORDER BY revision DESC LIMIT 1";
        let parameters = params![study_uid, revision];
        self.read(|connection| Ok(rows(connection, sql, parameters, RevisionResult::read)?.pop()))
    }
}
