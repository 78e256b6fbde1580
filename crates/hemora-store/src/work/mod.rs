//! Work that is leased, and what comes of it: scoring jobs, results, deliveries.

mod jobs;
mod outbox;
mod results;

pub use jobs::{Job, JobFate};
pub use outbox::{Delivery, DeliveryRow, DeliveryState, NewDelivery};
pub use results::{NewResult, ResultRow};
