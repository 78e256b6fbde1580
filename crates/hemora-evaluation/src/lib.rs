//! Predictions against labels: the metrics document, the page and the table.
//!
//! [`Cases::load`] reads a table of predictions ([`Predictions`]), its labels and what else is known
//! of its slices, and refuses or names whatever does not fit. [`evaluate`] measures them
//! ([`Evaluation`], `schemas/metrics-1.schema.json`), [`write_html`] and [`markdown`] show that,
//! [`side_by_side`] compares several. [`calibrate`] fits a calibration and operating points for a
//! model's bundle, [`fit_ensemble`] makes several models one.

mod calibrate;
mod cases;
mod document;
mod duplicates;
mod ensemble;
mod error;
mod evaluate;
mod facts;
mod grouped;
mod labelled;
mod lookup;
mod markdown;
mod page;
mod predictions;
mod review;
mod side_by_side;
mod strata;
mod subgroups;
mod truth;

pub use calibrate::{calibrate, read_fit};
pub use cases::{CaseRequest, Cases};
pub use document::{
    Alignment, CalibrationEffect, Comparison, Evaluation, FileRef, Grouping, LabelComparison,
    LabelEffect, Lesions, LevelMetrics, Mistake, MistakeKind, SCHEMA_VERSION, Subgroup,
    SubgroupDecision, SubgroupLabel, Tool, read_evaluation, schema,
};
pub use duplicates::{DifferingLabel, Duplicate, Duplicates};
pub use ensemble::{
    DEFAULT_NEIGHBOURS, ENSEMBLE_VERSION, EnsembleFit, EnsembleLabel, EnsembleLosses,
    EnsembleMethod, EnsembleOptions, FittedModel, fit_ensemble, read_ensemble_fit,
};
pub use error::{EvaluateError, Tally};
pub use evaluate::{EvaluateOptions, evaluate};
pub use facts::Facts;
pub use lookup::Lookup;
pub use markdown::{card_section, markdown};
pub use page::write_html;
pub use predictions::{Mapping, Predictions};
pub use side_by_side::side_by_side;
