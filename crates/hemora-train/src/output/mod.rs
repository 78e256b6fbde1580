//! What a run leaves and shows: its folder, tables, networks, events and progress.

mod display;
pub mod files;
mod folder;
pub mod metrics;
mod predictions;
mod reporter;
mod series_network;
pub mod tensorboard;

pub use display::{Display, Step};
pub use files::FileError;
pub use folder::{Folder, FolderError, claim_settings};
pub use metrics::EpochMetrics;
pub use predictions::{PredictedRow, join_predictions, not_predicted, write_predictions};
pub use reporter::{Counter, Reporter, Show};
pub use series_network::{NetworkFileError, write_series_network};
pub use tensorboard::EventWriter;
