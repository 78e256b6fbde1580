//! How much there is of what, for metrics.

use std::collections::BTreeMap;

use crate::sql::{Connection, Row, params};
use crate::studies::count;
use crate::{Store, StoreError, StudyState};

/// Deliveries of one destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutboxCounts {
    /// To be sent, or being sent.
    pub waiting: u64,
    /// Those of `waiting` that failed at least once.
    pub failing: u64,
    /// Given up until somebody has them sent again.
    pub given_up: u64,
    /// Acknowledged.
    pub delivered: u64,
}

/// How much there is of what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// Studies by state.
    pub studies: BTreeMap<StudyState, u64>,
    /// Images that are kept.
    pub instances: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Jobs that wait.
    pub jobs_waiting: u64,
    /// Jobs at work.
    pub jobs_leased: u64,
    /// Jobs that failed for good.
    pub jobs_dead: u64,
    /// Deliveries by destination.
    pub outbox: BTreeMap<String, OutboxCounts>,
    /// Instances that are acknowledged and not yet filed.
    pub unfiled: u64,
    /// Bytes that the disk has free.
    pub disk_free: u64,
}

impl Store {
    /// How much there is of what.
    ///
    /// # Errors
    /// [`StoreError`] of the database or the disk.
    pub fn counts(&self) -> Result<Counts, StoreError> {
        let mut counts = self.read(|connection| {
            let mut counts = Counts::default();
            let sql = "SELECT state, count(*) AS many, CAST(sum(instances) AS BIGINT) AS instances,
                    CAST(sum(bytes) AS BIGINT) AS bytes FROM study GROUP BY state";
            let read = |row: &Row<'_>| {
                let state: String = row.get("state")?;
                let sums = [count(row, "instances")?, count(row, "bytes")?];
                Ok((StudyState::stored(&state)?, count(row, "many")?, sums))
            };
            for (state, many, [instances, bytes]) in connection.rows(sql, params![], read)? {
                counts.studies.insert(state, many);
                counts.instances += instances;
                counts.bytes += bytes;
            }
            let sql = "SELECT count(*) FILTER (WHERE state = 'waiting') AS waiting,
                    count(*) FILTER (WHERE state = 'leased') AS leased,
                    count(*) FILTER (WHERE state = 'dead') AS dead FROM job";
            let read = |row: &Row<'_>| {
                Ok([count(row, "waiting")?, count(row, "leased")?, count(row, "dead")?])
            };
            if let Some(jobs) = connection.rows(sql, params![], read)?.pop() {
                [counts.jobs_waiting, counts.jobs_leased, counts.jobs_dead] = jobs;
            }
            counts.outbox = outbox(connection)?;
            Ok(counts)
        })?;
        counts.unfiled = self.inbox.unfiled();
        counts.disk_free = self.folder.free()?;
        Ok(counts)
    }
}

fn outbox(connection: &Connection<'_>) -> Result<BTreeMap<String, OutboxCounts>, StoreError> {
    let sql =
        "SELECT destination, count(*) FILTER (WHERE state IN ('waiting', 'sending')) AS waiting,
            count(*) FILTER (WHERE state IN ('waiting', 'sending') AND attempts > 0) AS failing,
            count(*) FILTER (WHERE state = 'given up') AS given_up,
            count(*) FILTER (WHERE state = 'delivered') AS delivered
         FROM delivery GROUP BY destination";
    let read = |row: &Row<'_>| {
        let counts = OutboxCounts {
            waiting: count(row, "waiting")?,
            failing: count(row, "failing")?,
            given_up: count(row, "given_up")?,
            delivered: count(row, "delivered")?,
        };
        Ok((row.get("destination")?, counts))
    };
    Ok(connection.rows(sql, params![], read)?.into_iter().collect())
}
