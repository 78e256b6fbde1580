//! What a study's row says of its instances, job, result and deliveries: worked out anew after each
//! change, in one place, so that it cannot drift from them.

use super::state::{Class, StudyState};
use crate::StoreError;
use crate::sql::{Connection, params};

/// Warnings that one study may have.
const WARNINGS: usize = 20;

/// What the state of a study follows from.
struct Facts {
    unsettled: bool,
    revision: i64,
    result_revision: Option<i64>,
    class: Option<Class>,
    probability: f64,
    read: bool,
    first_at: i64,
}

/// Deliveries of a study that are still wanted, or were made.
#[derive(Default)]
struct Deliveries {
    waiting: i64,
    failing: i64,
    delivered: i64,
    error: Option<String>,
}

/// Brings the row of a study up to date. That there is none is no failure: it was forgotten.
pub(crate) fn refresh(connection: &Connection<'_>, study_uid: &str) -> Result<(), StoreError> {
    let Some(facts) = facts(connection, study_uid)? else { return Ok(()) };
    let sql = "SELECT state, last_error FROM job WHERE study_uid = ?1 AND revision = ?2";
    let job: Option<(String, Option<String>)> =
        connection
            .first(sql, params![study_uid, facts.revision], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let deliveries = deliveries(connection, study_uid)?;
    let state = state(&facts, job.as_ref().map(|(state, _)| state.as_str()), &deliveries);
    let error = job.and_then(|(_, error)| error).or(deliveries.error);
    let (group, value) = rank(&facts);
    let sql = "UPDATE study SET state = ?2, last_error = ?3, rank_group = ?4,
            rank_value = ?5,
            instances = (SELECT count(DISTINCT sop_uid) FROM instance
                WHERE study_uid = ?1 AND evicted = 0),
            evicted = (SELECT count(*) FROM instance WHERE study_uid = ?1 AND evicted = 1),
            bytes = (SELECT CAST(COALESCE(sum(bytes), 0) AS BIGINT) FROM instance
                WHERE study_uid = ?1 AND evicted = 0)
         WHERE study_uid = ?1";
    connection.execute(sql, params![study_uid, state.as_str(), error, group, value])?;
    Ok(())
}

fn facts(connection: &Connection<'_>, study_uid: &str) -> Result<Option<Facts>, StoreError> {
    let sql = "SELECT unsettled, revision, result_revision, class, COALESCE(probability, 0),
            read_at IS NOT NULL, first_at
         FROM study WHERE study_uid = ?1";
    let row = |row: &crate::sql::Row<'_>| {
        let class: Option<String> = row.get(3)?;
        Ok(Facts {
            unsettled: row.get(0)?,
            revision: row.get(1)?,
            result_revision: row.get(2)?,
            class: class.as_deref().and_then(Class::from_word),
            probability: row.get(4)?,
            read: row.get(5)?,
            first_at: row.get(6)?,
        })
    };
    connection.first(sql, [study_uid], row)
}

fn deliveries(connection: &Connection<'_>, study_uid: &str) -> Result<Deliveries, StoreError> {
    let sql = "SELECT count(*) FILTER (WHERE state IN ('waiting', 'sending')),
            count(*) FILTER (WHERE state = 'given up'
                OR (state IN ('waiting', 'sending') AND last_error IS NOT NULL)),
            count(*) FILTER (WHERE state = 'delivered'),
            max(last_error) FILTER (WHERE state IN ('waiting', 'sending', 'given up'))
         FROM delivery WHERE study_uid = ?1";
    let row = |row: &crate::sql::Row<'_>| {
        Ok(Deliveries {
            waiting: row.get(0)?,
            failing: row.get(1)?,
            delivered: row.get(2)?,
            error: row.get(3)?,
        })
    };
    connection.one(sql, [study_uid], row)
}

fn state(facts: &Facts, job: Option<&str>, deliveries: &Deliveries) -> StudyState {
    match job {
        _ if facts.unsettled || facts.revision == 0 => StudyState::Receiving,
        Some("dead") => StudyState::Failed,
        Some("leased") => StudyState::Scoring,
        Some(_) => StudyState::Queued,
        None if facts.result_revision != Some(facts.revision) => StudyState::Queued,
        None if deliveries.failing > 0 => StudyState::DeliveryFailed,
        None if deliveries.waiting > 0 => StudyState::Delivering,
        None if facts.class == Some(Class::NotScored) => StudyState::NotScored,
        None if deliveries.delivered > 0 => StudyState::Delivered,
        None => StudyState::Scored,
    }
}

/// Place in the list, lower first: positive and unread by probability, not sure and unread by
/// probability, the rest with the newest first.
fn rank(facts: &Facts) -> (i64, f64) {
    match facts.class {
        Some(Class::Positive) if !facts.read => (0, -facts.probability),
        Some(Class::NotSure) if !facts.read => (1, -facts.probability),
        _ => (2, -(facts.first_at as f64)),
    }
}

/// Adds a warning to a study, once.
pub(crate) fn warn(
    connection: &Connection<'_>,
    study_uid: &str,
    warning: &str,
) -> Result<(), StoreError> {
    let sql = "SELECT warnings FROM study WHERE study_uid = ?1";
    let stored: Option<String> = connection.first(sql, [study_uid], |row| row.get(0))?;
    let stored = stored.ok_or_else(|| StoreError::NoStudy(study_uid.to_owned()))?;
    let mut warnings = parse_warnings(&stored)?;
    if warnings.len() >= WARNINGS || warnings.iter().any(|it| it == warning) {
        return Ok(());
    }
    warnings.push(warning.to_owned());
    let sql = "UPDATE study SET warnings = ?2 WHERE study_uid = ?1";
    let stored = serde_json::Value::from(warnings).to_string();
    connection.execute(sql, params![study_uid, stored])?;
    Ok(())
}

/// Warnings as they are stored.
pub(super) fn parse_warnings(stored: &str) -> Result<Vec<String>, StoreError> {
    serde_json::from_str(stored).map_err(|error| StoreError::Damaged(format!("warnings: {error}")))
}

/// Fails if there is no such study.
pub(crate) fn exists(connection: &Connection<'_>, study_uid: &str) -> Result<(), StoreError> {
    let sql = "SELECT 1 FROM study WHERE study_uid = ?1";
    let found = connection.first(sql, [study_uid], |_| Ok(()))?;
    found.ok_or_else(|| StoreError::NoStudy(study_uid.to_owned()))
}
