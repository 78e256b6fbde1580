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
    /// At the start of a node nobody is at work on anything: the folder is held by this one alone. How
    /// many jobs and deliveries are free again.
    pub(crate) fn end_leases(&self) -> Result<u64, StoreError> {
        self.change(|connection| {
            end_associations(connection)?;
            Ok(jobs::end_leases(connection)? + outbox::end_leases(connection)?)
        })
    }
}
