//! Work that is leased, and what comes of it: scoring jobs, results with their artifacts, deliveries.

mod artifacts;
mod jobs;
mod outbox;
mod results;
mod sent;

pub use artifacts::Artifact;
pub use jobs::{Job, JobFate, LONGEST_LEASE};
pub(crate) use jobs::{replace_job, run_again};
pub use outbox::{Delivery, DeliveryState, LONGEST_DELAY, NewDelivery};
pub use results::RevisionResult;
pub(crate) use results::key_slice;
pub use sent::DeliveryRow;

use crate::associations::end_associations;
use crate::{Store, StoreError};

impl Store {
    /// A node is not at work on anything: it has just started, or has ended; whoever asks holds its lock. How
    /// many jobs and deliveries are free again.
    pub(crate) fn end_leases(&self, node: &str) -> Result<u64, StoreError> {
        let node = node.to_owned();
        self.change(move |connection| {
            end_associations(connection, &node)?;
            Ok(jobs::end_leases(connection, &node)? + outbox::end_leases(connection, &node)?)
        })
    }
}
