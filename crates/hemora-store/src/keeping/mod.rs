//! How long things are kept: retention, removal of a patient, backups.

mod backup;
mod evict;
mod forget;
mod trash;

pub use backup::{BackedUp, BackupImages, Restored};
pub use evict::{Evicted, Retention};
pub use forget::Forgotten;
