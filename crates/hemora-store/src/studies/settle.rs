//! A study is complete for now: a revision of it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::refresh::{exists, refresh, warn};
use super::row::{count, hash};
use super::state::words;
use crate::audit::{NewAudit, append};
use crate::sql::{Connection, Row, params};
use crate::time::{at, millis};
use crate::work::{replace_job, run_again};
use crate::{Store, StoreError};

/// Why a study is held to be complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// The count that the source tells is reached.
    Count,
    /// The sender asked for storage commitment.
    Commitment,
    /// Every association that carried it is closed, and it was quiet.
    Quiet,
    /// It was quiet with an association still open.
    QuietOpen,
    /// The longest time is over: it may be incomplete.
    Longest,
    /// A request that stored the whole ended.
    Request,
    /// Somebody asks to score it again.
    Rescore,
}

words! { Settled, "reason for settling",
    Count = "count",
    Commitment = "commitment",
    Quiet = "quiet",
    QuietOpen = "quiet, association open",
    Longest = "longest time",
    Request = "request",
    Rescore = "rescore",
}

/// A settled state of a study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// StudyInstanceUID.
    pub study_uid: String,
    /// Number, from 1.
    pub revision: u32,
    /// Why it was settled.
    pub why: Settled,
    /// When.
    pub at: DateTime<Utc>,
    /// Instances that it includes.
    pub instances: u64,
    /// SHA-256 of which instances it includes.
    pub instance_set: [u8; 32],
    /// Whether this call made it; not if the instances are those of the revision before.
    pub is_new: bool,
}

impl Revision {
    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let why: String = row.get("why")?;
        Ok(Self {
            study_uid: row.get("study_uid")?,
            revision: row.get("revision")?,
            why: Settled::stored(&why)?,
            at: at(row.get("at")?),
            instances: count(row, "instances")?,
            instance_set: hash(row, "instance_set")?,
            is_new: false,
        })
    }
}

/// Said of a study that gets images after others of it went.
const EVICTED: &str = "images of this study were evicted before others came; the result rests on those \
     that are there";

/// Columns of a revision.
const COLUMNS: &str = "study_uid, revision, why, at, instances, instance_set";

fn last(connection: &Connection<'_>, study_uid: &str) -> Result<Option<Revision>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM revision WHERE study_uid = ?1 ORDER BY revision DESC LIMIT 1"
    );
    Ok(connection.rows(&sql, [study_uid], Revision::read)?.pop())
}

/// Which instances a study has: the newest data set of each UID. Images that were evicted count, since a
/// result may rest on them; so their coming again is nothing new.
fn present(
    connection: &Connection<'_>,
    study_uid: &str,
) -> Result<(u64, [u8; 32], i64), StoreError> {
    let sql = "SELECT sop_uid, sha256, seq FROM instance WHERE study_uid = ?1 ORDER BY seq";
    let read = |row: &Row<'_>| {
        Ok((row.get::<_, String>("sop_uid")?, hash(row, "sha256")?, row.get::<_, i64>("seq")?))
    };
    let all = connection.rows(sql, [study_uid], read)?;
    let last_seq = all.last().map_or(0, |(_, _, seq)| *seq);
    // Later ones replace earlier ones of the same UID.
    let used: BTreeMap<String, [u8; 32]> =
        all.into_iter().map(|(sop_uid, sha256, _)| (sop_uid, sha256)).collect();
    let mut set = Sha256::new();
    for (sop_uid, sha256) in &used {
        set.update(sop_uid);
        set.update([0]);
        set.update(sha256);
    }
    Ok((used.len() as u64, set.finalize().into(), last_seq))
}

/// How many images of a study were evicted.
fn evicted(connection: &Connection<'_>, study_uid: &str) -> Result<i64, StoreError> {
    let sql = "SELECT evicted FROM study WHERE study_uid = ?1";
    connection.one(sql, [study_uid], |row| row.get(0))
}

/// The next revision, with its job, unless the instances are those of the last one and nobody asked for
/// it.
fn settle(
    connection: &Connection<'_>,
    study_uid: &str,
    why: Settled,
    now: DateTime<Utc>,
) -> Result<Revision, StoreError> {
    exists(connection, study_uid)?;
    let last = last(connection, study_uid)?;
    let (instances, instance_set, last_seq) = present(connection, study_uid)?;
    let next = last.as_ref().map_or(1, |last| last.revision + 1);
    let revision = match last {
        Some(last) if last.instance_set == instance_set && why != Settled::Rescore => last,
        _ => {
            let at = now;
            let study_uid = study_uid.to_owned();
            let revision = next;
            Revision { study_uid, revision, why, at, instances, instance_set, is_new: true }
        }
    };
    if revision.is_new {
        if evicted(connection, study_uid)? > 0 {
            warn(connection, study_uid, EVICTED)?;
        }
        let sql =
            "INSERT INTO revision (study_uid, revision, why, at, instances, instance_set, last_seq)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let number = revision.revision;
        let many = revision.instances as i64;
        let parameters =
            params![study_uid, number, why.as_str(), millis(now), many, instance_set, last_seq];
        connection.execute(sql, parameters)?;
        replace_job(connection, study_uid, number, now)?;
    }
    let sql = "UPDATE study SET revision = ?2, settled = ?3, unsettled = 0 WHERE study_uid = ?1";
    let parameters = params![study_uid, revision.revision, revision.why.as_str()];
    connection.execute(sql, parameters)?;
    refresh(connection, study_uid)?;
    Ok(revision)
}

impl Store {
    /// Makes the next revision of a study from the instances that it has, with one scoring job in place
    /// of that of an earlier revision. Nothing happens if they are those of the last revision.
    ///
    /// # Errors
    /// [`StoreError::NoStudy`], [`StoreError::Filing`], or of the database.
    pub fn settle(
        &self,
        study_uid: &str,
        why: Settled,
        now: DateTime<Utc>,
    ) -> Result<Revision, StoreError> {
        self.flush()?;
        let (study_uid, now) = (study_uid.to_owned(), self.by_shared_clock(now));
        self.change(move |connection| settle(connection, &study_uid, why, now))
    }

    /// Has a study scored again: its job now if it waits or is dead, or else as a new revision of the
    /// present instances. The audit notes who asked.
    ///
    /// # Errors
    /// [`StoreError::NoStudy`], [`StoreError::BadValue`] if images were evicted, without which a result
    /// would replace one that rests on all, [`StoreError::Filing`], or of the database.
    pub fn rescore(
        &self,
        study_uid: &str,
        who: &str,
        now: DateTime<Utc>,
    ) -> Result<Revision, StoreError> {
        self.flush()?;
        let (study_uid, who) = (study_uid.to_owned(), who.to_owned());
        let now = self.by_shared_clock(now);
        self.change(move |connection| {
            exists(connection, &study_uid)?;
            let revived = run_again(connection, &study_uid, now)?;
            let revision = match last(connection, &study_uid)? {
                Some(last) if revived => last,
                _ if evicted(connection, &study_uid)? > 0 => {
                    let why = "its images were evicted; have them sent again first".to_owned();
                    return Err(StoreError::BadValue { what: "another result", why });
                }
                _ => settle(connection, &study_uid, Settled::Rescore, now)?,
            };
            refresh(connection, &study_uid)?;
            let detail = format!("revision {}", revision.revision);
            let row = NewAudit {
                who: &who,
                what: "asked to score again",
                study: Some(&study_uid),
                detail: &detail,
            };
            append(connection, row, now)?;
            Ok(revision)
        })
    }

    /// The revisions of a study, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn revisions(&self, study_uid: &str) -> Result<Vec<Revision>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM revision WHERE study_uid = ?1 ORDER BY revision");
        self.read(|connection| connection.rows(&sql, [study_uid], Revision::read))
    }
}
