//! What scoring makes of a revision.

use chrono::{DateTime, Utc};

use super::artifacts::{Artifact, check_names, drop_older};
use super::jobs::{Job, check_probability, still_leased};
use super::outbox::{NewDelivery, supersede};
use crate::sql::{Connection, Row, params};
use crate::studies::refresh;
use crate::time::{at, millis};
use crate::{Class, Store, StoreError};

/// The result of a revision.
#[derive(Debug, Clone, PartialEq)]
pub struct RevisionResult {
    /// The revision; what is stored has that of its job.
    pub revision: u32,
    /// What it says.
    pub class: Class,
    /// Probability of any hemorrhage, calibrated, from 0 to 1.
    pub probability: Option<f64>,
    /// The leading label.
    pub label: Option<String>,
    /// Why it is not scored, or not sure.
    pub reason: Option<String>,
    /// Of these reasons the commonest, alone, by which studies that are not scored can be counted.
    pub cause: Option<String>,
    /// The whole of it.
    pub json: String,
    /// What a reader is told of it, as JSON; `null` where there is nothing.
    pub findings: String,
    /// The slice to look at first, as indices of its series and of the slice in it; `None` where there is
    /// none, or the images are gone.
    pub key_slice: Option<(u32, u32)>,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// SHA-256 of the model, hexadecimal.
    pub model_sha256: String,
}

impl RevisionResult {
    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let class: String = row.get("class")?;
        Ok(Self {
            revision: row.get("revision")?,
            class: Class::stored(&class)?,
            probability: row.get("probability")?,
            label: row.get("label")?,
            reason: row.get("reason")?,
            cause: row.get("cause")?,
            json: row.get("json")?,
            findings: row.get("findings")?,
            key_slice: key_slice(row)?,
            made_at: at(row.get("made_at")?),
            model_sha256: row.get("model_sha256")?,
        })
    }
}

/// The key slice of a result or of a study.
pub(crate) fn key_slice(row: &Row<'_>) -> Result<Option<(u32, u32)>, StoreError> {
    let (series, slice): (Option<u32>, Option<u32>) =
        (row.get("key_series")?, row.get("key_slice")?);
    Ok(series.zip(slice))
}

fn insert(
    connection: &Connection<'_>,
    job: &Job,
    result: &RevisionResult,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO result (study_uid, revision, model_sha256, instance_set, class,
            probability, label, reason, json, made_at, findings, key_series, key_slice, cause)
         SELECT ?1, ?2, ?3, instance_set, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13 FROM revision
         WHERE study_uid = ?1 AND revision = ?2";
    connection.execute(
        sql,
        params![
            job.study_uid,
            job.revision,
            result.model_sha256,
            result.class.as_str(),
            result.probability,
            result.label,
            result.reason,
            result.json,
            millis(result.made_at),
            result.findings,
            result.key_slice.map(|(series, _)| series),
            result.key_slice.map(|(_, slice)| slice),
            result.cause,
        ],
    )?;
    Ok(())
}

fn complete(
    connection: &Connection<'_>,
    job: &Job,
    result: &RevisionResult,
    deliveries: &[NewDelivery],
    artifacts: &[Artifact],
) -> Result<(), StoreError> {
    still_leased(connection, job)?;
    let (study_uid, revision) = (&job.study_uid, job.revision);
    insert(connection, job, result)?;
    let RevisionResult { class, probability, label, reason, made_at, .. } = result;
    let made_at = millis(*made_at);
    connection.execute("DELETE FROM job WHERE id = ?1", [job.id])?;
    let sql = "SELECT class FROM study WHERE study_uid = ?1";
    let before: Option<String> = connection.one(sql, [study_uid], |row| row.get(0))?;
    let before = before.as_deref().and_then(Class::from_word).map_or(0, Class::urgency);
    let sql = "UPDATE study SET result_revision = ?2, class = ?3, probability = ?4, label = ?5,
            reason = ?6, result_at = ?7, partial_probability = NULL, partial_at = NULL,
            read_at = CASE WHEN ?8 = 1 THEN NULL ELSE read_at END, key_series = ?9, key_slice = ?10
         WHERE study_uid = ?1";
    let rises = class.urgency() > before;
    connection.execute(
        sql,
        params![
            study_uid,
            revision,
            class.as_str(),
            probability,
            label,
            reason,
            made_at,
            rises,
            result.key_slice.map(|(series, _)| series),
            result.key_slice.map(|(_, slice)| slice),
        ],
    )?;
    supersede(connection, study_uid, revision)?;
    for delivery in deliveries {
        delivery.insert(connection, job, made_at)?;
    }
    for artifact in artifacts {
        artifact.insert(connection, job)?;
    }
    drop_older(connection, study_uid)?;
    refresh(connection, study_uid)
}

impl Store {
    /// Ends a lease: stores the result, what is to be sent because of it and its artifacts, in one
    /// transaction. Deliveries of earlier revisions that are still waiting are superseded; artifacts stay
    /// with the two newest results. A class that rises takes an acknowledgement back.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] if the job was lost in between, and [`StoreError::BadValue`] for a number
    /// that is no probability, findings that are no JSON, or two artifacts of one name: nothing is stored.
    /// Else of the database.
    pub fn complete(
        &self,
        job: &Job,
        result: RevisionResult,
        deliveries: Vec<NewDelivery>,
        artifacts: Vec<Artifact>,
    ) -> Result<(), StoreError> {
        result.probability.map_or(Ok(()), check_probability)?;
        if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&result.findings) {
            let why = format!("they are no JSON: {error}");
            return Err(StoreError::BadValue { what: "the findings", why });
        }
        check_names(&artifacts)?;
        let mut result = result;
        result.made_at = self.by_shared_clock(result.made_at);
        let job = job.clone();
        self.change(move |connection| complete(connection, &job, &result, &deliveries, &artifacts))
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
        let sql =
            "SELECT study_uid, revision, class, probability, label, reason, cause, json, made_at,
                model_sha256, findings, key_series, key_slice
             FROM result WHERE study_uid = ?1 AND (?2 IS NULL OR revision = ?2)
             ORDER BY revision DESC LIMIT 1";
        let parameters = params![study_uid, revision];
        self.read(|connection| Ok(connection.rows(sql, parameters, RevisionResult::read)?.pop()))
    }
}
