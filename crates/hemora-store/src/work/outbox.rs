//! Deliveries: written with the result, sent until they are acknowledged.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::jobs::{Job, LONGEST_ERROR, LONGEST_LEASE};
use crate::audit::{NewAudit, append};
use crate::sql::{Connection, Row, params};
use crate::studies::{refresh, words};
use crate::time::{at, millis, millis_of};
use crate::{Store, StoreError};

/// The longest that a delivery which failed may wait.
pub const LONGEST_DELAY: Duration = Duration::from_secs(24 * 3600);

/// Something to send because of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// Name of the destination.
    pub destination: String,
    /// What it is, such as `sr`.
    pub kind: String,
    /// The bytes to send, the same whenever they are sent.
    pub payload: Vec<u8>,
}

/// What state a delivery is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeliveryState {
    /// To be sent.
    Waiting,
    /// Being sent.
    Sending,
    /// Acknowledged.
    Delivered,
    /// Given up until somebody has it sent again.
    GivenUp,
    /// Not sent, since a newer revision of the study has a result.
    Superseded,
}

words! { DeliveryState, "state of a delivery",
    Waiting = "waiting",
    Sending = "sending",
    Delivered = "delivered",
    GivenUp = "given up",
    Superseded = "superseded",
}

/// A delivery to make, leased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Number of the delivery.
    pub id: i64,
    /// StudyInstanceUID.
    pub study_uid: String,
    /// Revision of the study.
    pub revision: u32,
    /// Name of the destination.
    pub destination: String,
    /// What it is.
    pub kind: String,
    /// Times that it failed before.
    pub attempts: u32,
    /// The bytes to send.
    pub payload: Vec<u8>,
    /// When its result was made.
    pub made_at: DateTime<Utc>,
    /// Who leased it.
    pub owner: String,
    /// Number of the lease.
    pub(crate) lease: i64,
}

impl NewDelivery {
    /// Adds a delivery, and its bytes unless another has the same.
    pub(super) fn insert(
        &self,
        connection: &Connection<'_>,
        job: &Job,
        made_at: i64,
    ) -> Result<(), StoreError> {
        let sha256: [u8; 32] = Sha256::digest(&self.payload).into();
        let sql = "INSERT INTO payload (sha256, bytes) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        connection.execute(sql, params![sha256, self.payload])?;
        let sql = "INSERT INTO delivery (study_uid, revision, destination, kind, state, next_at,
                made_at, payload, bytes)
             VALUES (?1, ?2, ?3, ?4, 'waiting', ?5, ?5, ?6, ?7)";
        connection.execute(
            sql,
            params![
                job.study_uid,
                job.revision,
                self.destination,
                self.kind,
                made_at,
                sha256,
                self.payload.len() as i64
            ],
        )?;
        Ok(())
    }
}

/// What waits of revisions before this one is no longer sent.
pub(super) fn supersede(
    connection: &Connection<'_>,
    study_uid: &str,
    revision: u32,
) -> Result<(), StoreError> {
    let sql = "UPDATE delivery SET state = 'superseded'
         WHERE study_uid = ?1 AND revision < ?2 AND state IN ('waiting', 'given up')";
    connection.execute(sql, params![study_uid, revision])?;
    Ok(())
}

/// A node has ended: it sends nothing.
pub(super) fn end_leases(connection: &Connection<'_>, node: &str) -> Result<u64, StoreError> {
    let sql = "UPDATE delivery SET state = 'waiting', lease_owner = NULL, lease_until = NULL
         WHERE state = 'sending' AND node = ?1";
    connection.execute(sql, [node])
}

/// The delivery that is to be made first, without its bytes. A time that lies further ahead than any
/// delay or lease is one of a clock that has jumped back since.
fn first(
    connection: &Connection<'_>,
    destination: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Option<Delivery>, StoreError> {
    let sql =
        "SELECT delivery.id, delivery.study_uid, delivery.revision, destination, kind, attempts,
            made_at, lease
         FROM delivery LEFT JOIN study ON study.study_uid = delivery.study_uid
         WHERE delivery.state IN ('waiting', 'sending')
            AND ((delivery.state = 'waiting' AND (next_at <= ?1 OR next_at > ?1 + ?2))
                OR (delivery.state = 'sending'
                    AND (lease_until <= ?1 OR lease_until > ?1 + ?3)))
            AND (?4 IS NULL OR destination = ?4)
            AND NOT EXISTS (SELECT 1 FROM delivery AS earlier
                WHERE earlier.study_uid = delivery.study_uid
                    AND earlier.destination = delivery.destination
                    AND earlier.revision < delivery.revision AND earlier.state = 'sending')
         ORDER BY rank_group, next_at, delivery.id LIMIT 1";
    let parameters =
        params![millis(now), millis_of(LONGEST_DELAY), millis_of(LONGEST_LEASE), destination,];
    let read = |row: &Row<'_>| {
        Ok(Delivery {
            id: row.get("id")?,
            study_uid: row.get("study_uid")?,
            revision: row.get("revision")?,
            destination: row.get("destination")?,
            kind: row.get("kind")?,
            attempts: row.get("attempts")?,
            payload: Vec::new(),
            made_at: at(row.get("made_at")?),
            owner: String::new(),
            lease: row.get("lease")?,
        })
    };
    Ok(connection.rows(sql, parameters, read)?.pop())
}

fn lease(
    connection: &Connection<'_>,
    (owner, node): (&str, &str),
    destination: Option<&str>,
    now: DateTime<Utc>,
    length: Duration,
) -> Result<Option<Delivery>, StoreError> {
    let Some(mut delivery) = first(connection, destination, now)? else { return Ok(None) };
    delivery.lease += 1;
    owner.clone_into(&mut delivery.owner);
    let sql =
        "UPDATE delivery SET state = 'sending', lease = ?2, lease_owner = ?3, lease_until = ?4,
            node = ?5
         WHERE id = ?1";
    let until = millis(now) + millis_of(length.min(LONGEST_LEASE));
    connection.execute(sql, params![delivery.id, delivery.lease, owner, until, node])?;
    let sql = "SELECT payload.bytes FROM delivery JOIN payload ON payload.sha256 = delivery.payload
         WHERE delivery.id = ?1";
    let payload = connection.first(sql, [delivery.id], |row| row.get(0))?;
    delivery.payload = payload
        .ok_or_else(|| StoreError::Damaged(format!("delivery {} has no content", delivery.id)))?;
    Ok(Some(delivery))
}

/// Study of a delivery.
fn study_of(connection: &Connection<'_>, id: i64) -> Result<String, StoreError> {
    let sql = "SELECT study_uid FROM delivery WHERE id = ?1";
    let found = connection.first(sql, [id], |row| row.get(0))?;
    found.ok_or(StoreError::NoDelivery(id))
}

impl Store {
    /// Leases the delivery that is due first, to any destination or to one, for [`LONGEST_LEASE`] at
    /// most; unread positive studies come before others. While one of an earlier revision is being sent
    /// to a destination, a later one of the same study waits.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn lease_delivery(
        &self,
        owner: &str,
        destination: Option<&str>,
        now: DateTime<Utc>,
        length: Duration,
    ) -> Result<Option<Delivery>, StoreError> {
        let now = self.by_shared_clock(now);
        // Whoever asks again and again does not wait for the writer.
        if self.read(|connection| first(connection, destination, now))?.is_none() {
            return Ok(None);
        }
        let (owner, destination) = (owner.to_owned(), destination.map(str::to_owned));
        let node = self.folder.node().to_owned();
        self.change(move |connection| {
            lease(connection, (&owner, &node), destination.as_deref(), now, length)
        })
    }

    /// Prolongs the lease of a delivery to `length` from now.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or of the database.
    pub fn renew_delivery(
        &self,
        delivery: &Delivery,
        now: DateTime<Utc>,
        length: Duration,
    ) -> Result<(), StoreError> {
        let (id, lease, owner) = (delivery.id, delivery.lease, delivery.owner.clone());
        let until = millis(self.by_shared_clock(now)) + millis_of(length.min(LONGEST_LEASE));
        self.write(move |connection| {
            let sql = "UPDATE delivery SET lease_until = ?3
                 WHERE id = ?1 AND lease = ?2 AND state = 'sending'";
            match connection.execute(sql, [id, lease, until])? {
                0 => Err(StoreError::LeaseLost { what: "delivery", id, owner }),
                _ => Ok(()),
            }
        })
    }

    /// The destination acknowledged a delivery; `remote_status` is what it said.
    ///
    /// # Errors
    /// [`StoreError::NoDelivery`], or of the database.
    pub fn delivered(
        &self,
        id: i64,
        remote_status: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let status: String = remote_status.chars().take(LONGEST_ERROR).collect();
        self.change(move |connection| {
            let study_uid = study_of(connection, id)?;
            let sql = "UPDATE delivery SET state = 'delivered', acked_at = ?2, remote_status = ?3,
                    last_error = NULL, lease_owner = NULL, lease_until = NULL
                 WHERE id = ?1";
            connection.execute(sql, params![id, millis(now), status])?;
            refresh(connection, &study_uid)
        })
    }

    /// A delivery failed; it is tried again at `next_at` (a day ahead at most, see [`LONGEST_DELAY`]), or
    /// given up without one. If a newer revision has a result by now, it is superseded.
    ///
    /// # Errors
    /// [`StoreError::NoDelivery`], or of the database.
    pub fn delivery_failed(
        &self,
        id: i64,
        error: &str,
        next_at: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        let error: String = error.chars().take(LONGEST_ERROR).collect();
        let next_at = next_at.map(|at| self.by_shared_clock(at));
        self.change(move |connection| {
            let study_uid = study_of(connection, id)?;
            let sql = "UPDATE delivery SET attempts = attempts + 1, last_error = ?2,
                    next_at = COALESCE(?3, next_at), lease_owner = NULL, lease_until = NULL,
                    state = CASE
                        WHEN EXISTS (SELECT 1 FROM result WHERE result.study_uid = delivery.study_uid
                            AND result.revision > delivery.revision) THEN 'superseded'
                        WHEN ?3 IS NULL THEN 'given up'
                        ELSE 'waiting' END
                 WHERE id = ?1 AND state IN ('waiting', 'sending')";
            connection.execute(sql, params![id, error, next_at.map(millis)])?;
            refresh(connection, &study_uid)
        })
    }

    /// Has a delivery sent now, whatever its state, unless it is being sent. The audit notes who asked.
    ///
    /// # Errors
    /// [`StoreError::NoDelivery`], [`StoreError::BadValue`] if its content went with the images, or of
    /// the database.
    pub fn retry_delivery(&self, id: i64, who: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        let who = who.to_owned();
        let now = self.by_shared_clock(now);
        self.change(move |connection| {
            let study_uid = study_of(connection, id)?;
            let sql = "UPDATE delivery SET next_at = ?2,
                    state = CASE WHEN state = 'sending' THEN state ELSE 'waiting' END
                 WHERE id = ?1 AND payload IS NOT NULL";
            if connection.execute(sql, params![id, millis(now)])? == 0 {
                let why = "its content was removed with the images of the study".to_owned();
                return Err(StoreError::BadValue { what: "the delivery", why });
            }
            refresh(connection, &study_uid)?;
            let detail = format!("delivery {id}");
            let row = NewAudit {
                who: &who,
                what: "asked to send again",
                study: Some(&study_uid),
                detail: &detail,
            };
            append(connection, row, now)
        })
    }
}
