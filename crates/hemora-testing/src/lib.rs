//! What tests share: the peers they compare with, real scans, and phantoms.
//!
//! A test that needs something that is not everywhere asks here for it, and returns if there is none:
//!
//! ```no_run
//! let Some(python) = hemora_testing::python() else { return };
//! ```
//!
//! A line on stderr says what was skipped and how to get it. With `HEMORA_REQUIRE_PEERS=1`, which
//! `cargo xtask ci` sets, a missing peer fails the test instead: an installation that is broken must
//! not look like success. Real scans stay optional everywhere, since no public copy of them exists.

#[cfg(feature = "bundles")]
pub mod bundles;
#[cfg(all(feature = "bundles", feature = "formulas"))]
pub mod dense;
mod files;
#[cfg(feature = "formulas")]
pub mod formula;
#[cfg(feature = "object-storage")]
mod object_storage;
mod peers;
#[cfg(feature = "phantoms")]
mod phantoms;
mod postgres;
mod required;
mod shared;
pub mod sound;

pub use files::{content, dicom_files};
#[cfg(feature = "object-storage")]
pub use object_storage::ObjectStorage;
pub use peers::{onnxruntime, program, python, run_python};
#[cfg(feature = "phantoms")]
pub use phantoms::Phantoms;
pub use postgres::{Postgres, postgres};
pub use required::require;
pub use shared::shared;
