//! A seeded head CT phantom with bleeds, in Hounsfield units and as DICOM.
//!
//! [`HeadPhantom`] draws one head: skull, face, brain, ventricles and the bleeds asked for, each
//! with its own size, shape and pose. [`HeadPhantom::render`] images it as an axial series with
//! partial volume, noise and beam hardening, and labels every slice. [`write_study`] writes a
//! series as DICOM and [`write_dataset`] a training set in the competition's layout.
//!
//! [`HeadSlice`] draws bleeds, and what only looks like them, into 8-bit slices of real heads.
//!
//! The phantom is a function of its seed and options: the same ones give the same bytes, whatever
//! the thread count. It stands in for patients in tests, demonstrations and training; it is no
//! model of any person.

mod artefact;
mod bleed;
mod brain;
mod cisterns;
mod cortex;
mod dataset;
mod draw;
mod error;
mod face;
mod ids;
mod math;
mod noise;
mod options;
mod phantom;
mod pose;
mod render;
mod skull;
mod thick;
mod tissue;
mod ventricles;
mod write;

pub use dataset::{DatasetSummary, write_dataset};
pub use draw::{DrawOptions, DrawnSlice, HeadSlice};
pub use error::SynthError;
pub use ids::StudyIds;
pub use options::{Bleeds, PhantomOptions};
pub use phantom::HeadPhantom;
pub use render::{PhantomSlice, PhantomStudy};
pub use write::write_study;
