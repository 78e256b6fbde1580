//! Metrics and confidence intervals. No I/O, no engine.
//!
//! Ranking: [`auroc`], [`average_precision`]. Probabilities: [`log_loss`],
//! [`competition_log_loss`], [`brier`]. Decisions at a threshold: [`Confusion`].
//! [`cluster_bootstrap`] gives any of them an interval that respects that the slices of a patient
//! are not independent.

mod bootstrap;
mod confusion;
mod error;
mod probability;
mod ranking;

pub use bootstrap::{BootstrapOptions, Interval, cluster_bootstrap};
pub use confusion::Confusion;
pub use error::MetricError;
pub use probability::{LABEL_COUNT, LABEL_WEIGHTS, brier, competition_log_loss, log_loss};
pub use ranking::{auroc, auroc_weighted, average_precision, average_precision_weighted};
