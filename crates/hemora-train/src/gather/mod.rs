//! Public sets of head CT joined into one folder to train on: pictures in the brain window, labels of
//! which some may not be known, what is known of single pixels, and which slices share a patient.

mod annotation;
mod collect;
mod error;
mod item;
mod options;
mod picture;
mod report;
mod run;
mod tables;

pub use annotation::{Annotation, BoxInPixels, mask_of_sample, mbh_seg, phe_sich};
pub use error::GatherError;
pub use item::{Set, SliceLabels};
pub use options::GatherOptions;
pub use run::gather;
