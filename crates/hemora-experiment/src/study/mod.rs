//! The seed study, reproduced: three networks on three subsets, and the subtypes beside them.
//!
//! [`StudySet`] pairs images with labels, patients and positions ([`phantoms()`] makes a set where
//! there is none). [`Study::plan`] draws and splits the images of every cell by a preset's
//! [`StudyOptions`], [`Study::run`] lets the [engine](crate::engine) start the training program for
//! each cell that an earlier run did not finish, and writes `study.json` ([`StudyDocument`],
//! `schemas/study-1.schema.json`), `study.md` and `report.html`. No network runs here.

mod baseline;
mod cell;
mod cost;
mod document;
mod error;
mod figures;
mod markdown;
mod options;
mod page;
mod phantoms;
mod plan;
mod plan_text;
mod run;
mod selection;
mod set;
mod summary;
#[cfg(test)]
mod testing;
mod warnings;
mod words;

pub use baseline::{Baseline, BaselineKind, baselines};
pub use cost::Cost;
pub use document::{
    CellResult, DrawResult, Epoch, Measured, Outcome, REPORTED_MAJORITY, Reported, SCHEMA_VERSION,
    StudyDocument, reported, schema,
};
pub use error::StudyError;
pub use figures::{LabelFigures, Predicted, THRESHOLD, figures};
pub use markdown::markdown;
pub use options::{NETWORKS, StudyOptions, Training};
pub use page::write_html;
pub use phantoms::{Phantoms, phantoms};
pub use plan::{Cell, Draw, Question, SplitKind, cells, draws};
pub use run::{Study, StudyEvent};
pub use selection::{FEW_POSITIVES, PartCounts, Selection};
pub use set::{Item, SetRequest, SetSummary, StudySet};
pub use summary::{Figure, Summary, Who, summarise};
