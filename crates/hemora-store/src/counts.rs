//! How much there is of what, for metrics.

use std::collections::BTreeMap;

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
        todo!()
    }
}
