//! From what trainings leave to bundles that triage runs.
//!
//! [`bundle_network`] makes a bundle of one network with its networks of series, [`bundle_ensemble`] one
//! of several bundles, [`halve`] one of half the size, [`average`] one network of several networks' weights,
//! [`import_weights`] brings published weights into the names used here. [`About`] is what only a person knows of a model;
//! [`Fitted`] is what was fitted for one. No network is run here.

mod about;
mod average;
mod calibration;
mod card;
mod ensemble;
mod ensemble_card;
mod error;
mod fit_table;
mod fitted;
mod halve;
mod import;
mod named_path;
mod network;
mod network_card;
mod series_runs;
mod trained;

pub use about::About;
pub use average::{Average, average};
pub use ensemble::{EnsembleRequest, bundle_ensemble};
pub use error::BundlingError;
pub use fit_table::fit_table;
pub use fitted::{Fitted, refuse_other_model};
pub use halve::{Halved, halve};
pub use import::import_weights;
pub use named_path::NamedPath;
pub use network::{BundleRequest, Bundled, bundle_network};
