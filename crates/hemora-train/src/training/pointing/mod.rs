//! Whether the maps of a network with a dense head point at the bleeds: judged on held-out images by
//! their annotations, and by bleeds that are drawn into them.

mod judge;
mod network;
mod options;
mod run;
mod summary;

pub use options::{PointingError, PointingOptions};
pub use run::point_run;
