//! From a study to its result: engines, the model bundle, class-activation maps.

mod result;

pub use result::{
    Acquisition, ModelRef, SCHEMA_VERSION, SeriesResult, SkippedFile, SliceResult, StudyResult,
    ToolRef, TriageResult,
};
