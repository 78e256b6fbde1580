//! Predictions against labels: the metrics document, the page and the table.
//!
//! [`Cases::load`] reads a table of predictions ([`Predictions`]), its labels and what else is known
//! of its slices, and refuses or names whatever does not fit. [`evaluate`] measures them
//! ([`Evaluation`], `schemas/metrics-1.schema.json`), [`write_evaluation`] writes that as document,
//! page and table, [`write_mistakes`] draws the worst mistakes, [`read_runs`] and [`side_by_side`]
//! compare several. [`calibrate`] fits a calibration and operating points for a
//! model's bundle, [`fit_ensemble`] makes several models one.

mod calibrate;
mod cases;
mod document;
mod duplicates;
mod ensemble;
mod error;
mod evaluate;
mod facts;
mod fit_text;
mod grouped;
mod labelled;
mod lookup;
mod markdown;
mod page;
mod pictures;
mod predictions;
mod review;
mod runs;
mod side_by_side;
mod strata;
mod subgroups;
mod truth;
mod write;

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
pub use fit_text::fit_text;
pub use markdown::{card_section, markdown};
pub use page::write_html;
pub use pictures::{Pixels, SheetModel, SliceImage, SliceView, write_mistakes};
pub use predictions::{Mapping, Predictions};
pub use runs::{evaluation_file, read_runs};
pub use side_by_side::side_by_side;
pub use write::{write_document, write_evaluation};
