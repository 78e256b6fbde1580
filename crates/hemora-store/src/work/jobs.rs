//! Scoring jobs: leased, renewed, tried again.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::sql::{Connection, Row, params};
use crate::studies::{exists, refresh};
use crate::time::{millis, millis_of};
use crate::{Store, StoreError};

/// The longest lease: [`Store::renew`] prolongs it.
pub const LONGEST_LEASE: Duration = Duration::from_secs(3600);

/// How long a job that failed waits; each time four times as long.
const FIRST_DELAY: Duration = Duration::from_secs(5);

/// The longest that it waits.
const LONGEST_DELAY: Duration = Duration::from_secs(3600);

/// Failures after which a job is dead.
const FAILURES: u32 = 5;

/// Interruptions from which on a job comes after others.
const SUSPECT: u32 = 3;

/// Interruptions after which it is dead, so that a study which ends the node cannot keep it down.
const INTERRUPTIONS: u32 = 10;

/// Characters of an error that are kept.
pub(super) const LONGEST_ERROR: usize = 2000;

/// A revision to score, leased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Number of the job.
    pub id: i64,
    /// StudyInstanceUID.
    pub study_uid: String,
    /// The revision.
    pub revision: u32,
    /// Times that it failed before.
    pub failures: u32,
    /// Who leased it.
    pub owner: String,
    /// Number of the lease.
    pub(crate) lease: i64,
}

/// What becomes of a job that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobFate {
    /// It is tried again at this time.
    Retry(DateTime<Utc>),
    /// It has failed too often; [`Store::rescore`] runs it again.
    Dead,
}

/// A revision has one job; those of earlier revisions are no longer wanted, whoever works on them.
pub(crate) fn replace_job(
    connection: &Connection<'_>,
    study_uid: &str,
    revision: u32,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    connection.execute("DELETE FROM job WHERE study_uid = ?1", [study_uid])?;
    let sql = "INSERT INTO job (kind, study_uid, revision, state, due_at)
         VALUES ('score', ?1, ?2, 'waiting', ?3)";
    connection.execute(sql, params![study_uid, revision, millis(now)])?;
    Ok(())
}

/// Makes the job of a settled study due now, as if it had never failed. False if there is none, or the
/// study has instances that the job would leave out.
pub(crate) fn run_again(
    connection: &Connection<'_>,
    study_uid: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let sql = "UPDATE job SET due_at = CASE WHEN state = 'leased' THEN due_at ELSE ?2 END,
            failures = 0, interruptions = 0,
            state = CASE WHEN state = 'leased' THEN state ELSE 'waiting' END
         WHERE study_uid = ?1
            AND EXISTS (SELECT 1 FROM study WHERE study_uid = ?1 AND unsettled = 0)";
    Ok(connection.execute(sql, params![study_uid, millis(now)])? > 0)
}

/// Whether somebody may take a job: it is due, or its lease is over. A time that lies further ahead than
/// any delay or lease is one of a clock that has jumped back since.
const FREE: &str = "((job.state = 'waiting' AND (due_at <= ?1 OR due_at > ?1 + ?2))
    OR (job.state = 'leased' AND (lease_until <= ?1 OR lease_until > ?1 + ?3)))";

/// The job that comes first, with its state.
fn first(
    connection: &Connection<'_>,
    partial_positive: f64,
    now: DateTime<Utc>,
) -> Result<Option<(Job, bool)>, StoreError> {
    let sql = format!(
        "SELECT id, job.study_uid, job.revision, failures, lease, job.state = 'leased' AS expired
         FROM job JOIN study ON study.study_uid = job.study_uid WHERE {FREE}
         ORDER BY interruptions >= ?4, stat DESC,
            COALESCE(partial_probability, 0) >= ?5 DESC, first_at, id
         LIMIT 1"
    );
    let parameters = params![
        millis(now),
        millis_of(LONGEST_DELAY),
        millis_of(LONGEST_LEASE),
        SUSPECT,
        partial_positive,
    ];
    let read = |row: &Row<'_>| {
        let job = Job {
            id: row.get("id")?,
            study_uid: row.get("study_uid")?,
            revision: row.get("revision")?,
            failures: row.get("failures")?,
            owner: String::new(),
            lease: row.get("lease")?,
        };
        Ok((job, row.get("expired")?))
    };
    Ok(connection.rows(&sql, parameters, read)?.pop())
}

/// Leases the first job that may be run; those that have failed too often die on the way.
fn lease(
    connection: &Connection<'_>,
    (owner, node): (&str, &str),
    partial_positive: f64,
    now: DateTime<Utc>,
    length: Duration,
) -> Result<Option<Job>, StoreError> {
    while let Some((mut job, expired)) = first(connection, partial_positive, now)? {
        if expired {
            let error = "its lease ended without an answer";
            if let JobFate::Dead = failed(connection, &job, error, now)? {
                continue;
            }
            job.failures += 1;
        }
        job.lease += 1;
        owner.clone_into(&mut job.owner);
        let sql = "UPDATE job SET state = 'leased', lease = ?2, lease_owner = ?3, lease_until = ?4, node = ?5
             WHERE id = ?1";
        let until = millis(now) + millis_of(length.min(LONGEST_LEASE));
        connection.execute(sql, params![job.id, job.lease, owner, until, node])?;
        refresh(connection, &job.study_uid)?;
        return Ok(Some(job));
    }
    Ok(None)
}

/// Notes a failure of a job.
fn failed(
    connection: &Connection<'_>,
    job: &Job,
    error: &str,
    now: DateTime<Utc>,
) -> Result<JobFate, StoreError> {
    let failures = job.failures + 1;
    let delay = FIRST_DELAY.saturating_mul(4_u32.saturating_pow(failures - 1));
    let at = now + delay.min(LONGEST_DELAY);
    let fate = if failures >= FAILURES { JobFate::Dead } else { JobFate::Retry(at) };
    let state = if fate == JobFate::Dead { "dead" } else { "waiting" };
    let sql = "UPDATE job SET state = ?2, failures = ?3, due_at = ?4, last_error = ?5,
            lease_owner = NULL, lease_until = NULL
         WHERE id = ?1";
    let error: String = error.chars().take(LONGEST_ERROR).collect();
    connection.execute(sql, params![job.id, state, failures, millis(at), error])?;
    refresh(connection, &job.study_uid)?;
    Ok(fate)
}

/// Fails if the job is leased by others, or is no longer wanted.
pub(super) fn still_leased(connection: &Connection<'_>, job: &Job) -> Result<(), StoreError> {
    let sql = "SELECT 1 FROM job WHERE id = ?1 AND lease = ?2 AND state = 'leased'";
    match connection.any(sql, [job.id, job.lease])? {
        true => Ok(()),
        false => {
            let (id, owner) = (job.id, job.owner.clone());
            Err(StoreError::LeaseLost { what: "job", id, owner })
        }
    }
}

/// A node has ended: it is not at work on anything.
pub(super) fn end_leases(connection: &Connection<'_>, node: &str) -> Result<u64, StoreError> {
    let sql =
        "UPDATE job SET state = CASE WHEN interruptions + 1 >= ?1 THEN 'dead' ELSE 'waiting' END,
            interruptions = interruptions + 1, lease_owner = NULL, lease_until = NULL,
            last_error = CASE WHEN interruptions + 1 >= ?1 THEN ?2 ELSE last_error END
         WHERE state = 'leased' AND node = ?3 RETURNING study_uid";
    let error = format!("the node ended {INTERRUPTIONS} times while it scored this study");
    let read = |row: &Row<'_>| row.get::<_, String>(0);
    let studies = connection.rows(sql, params![INTERRUPTIONS, error, node], read)?;
    for study_uid in &studies {
        refresh(connection, study_uid)?;
    }
    Ok(studies.len() as u64)
}

impl Store {
    /// Leases the job that comes first, for [`LONGEST_LEASE`] at most: urgent orders, then those that a
    /// partial score predicts to be positive, then the oldest. A study during which the node ended several
    /// times comes last, since it may be the cause.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn lease(
        &self,
        owner: &str,
        now: DateTime<Utc>,
        length: Duration,
    ) -> Result<Option<Job>, StoreError> {
        let positive = self.options.partial_positive;
        let now = self.by_shared_clock(now);
        // Whoever asks again and again does not wait for the writer.
        if self.read(|connection| first(connection, positive, now))?.is_none() {
            return Ok(None);
        }
        let (owner, node) = (owner.to_owned(), self.folder.node().to_owned());
        self.change(move |connection| lease(connection, (&owner, &node), positive, now, length))
    }

    /// Prolongs a lease to `length` from now.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or of the database.
    pub fn renew(&self, job: &Job, now: DateTime<Utc>, length: Duration) -> Result<(), StoreError> {
        let job = job.clone();
        let until = millis(self.by_shared_clock(now)) + millis_of(length.min(LONGEST_LEASE));
        self.write(move |connection| {
            still_leased(connection, &job)?;
            let sql = "UPDATE job SET lease_until = ?2 WHERE id = ?1";
            connection.execute(sql, params![job.id, until])?;
            Ok(())
        })
    }

    /// Ends a lease: scoring failed.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or of the database.
    pub fn fail(&self, job: &Job, error: &str, now: DateTime<Utc>) -> Result<JobFate, StoreError> {
        let (job, error) = (job.clone(), error.to_owned());
        let now = self.by_shared_clock(now);
        self.change(move |connection| {
            still_leased(connection, &job)?;
            failed(connection, &job, &error, now)
        })
    }

    /// Ends a lease without a word against the job: it is free again, as when a node is stopped.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or of the database.
    pub fn release(&self, job: &Job) -> Result<(), StoreError> {
        let job = job.clone();
        self.change(move |connection| {
            still_leased(connection, &job)?;
            let sql = "UPDATE job SET state = 'waiting', lease_owner = NULL, lease_until = NULL
                 WHERE id = ?1";
            connection.execute(sql, [job.id])?;
            refresh(connection, &job.study_uid)
        })
    }

    /// Notes the probability that the slices so far give, while a study is received or waits.
    ///
    /// # Errors
    /// [`StoreError::NoStudy`], [`StoreError::BadValue`], or of the database.
    pub fn note_partial(
        &self,
        study_uid: &str,
        probability: f64,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        check_probability(probability)?;
        self.flush()?;
        let study_uid = study_uid.to_owned();
        self.change(move |connection| {
            exists(connection, &study_uid)?;
            let sql = "UPDATE study SET partial_probability = ?2, partial_at = ?3
                 WHERE study_uid = ?1";
            let parameters = params![study_uid, probability, millis(now)];
            connection.execute(sql, parameters)?;
            Ok(())
        })
    }
}

/// Fails unless a number is a probability.
pub(super) fn check_probability(probability: f64) -> Result<(), StoreError> {
    if (0.0..=1.0).contains(&probability) {
        return Ok(());
    }
    Err(StoreError::BadValue { what: "the probability", why: format!("{probability}") })
}
