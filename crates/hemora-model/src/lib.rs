//! The model bundle, what a training hands over to it, and the triage result.
//!
//! [`Bundle::open`] reads a model (`*.hemora`), of one network of slices or of several;
//! [`TrainedNetwork`] is what `hemora-train` writes beside weights; [`TriageResult`] is what triage
//! found, [`TriageOutput`] that with the slices to look at first. Whoever reads or writes these documents needs this crate and no engine.

mod bundle;
mod certainty;
mod key_slice;
mod output;
mod region;
mod result;
mod schema;
mod trained;

pub use bundle::{
    Bundle, BundleError, BundleNetworks, BundleSeries, FORMAT_VERSION, FeatureError, MOST_MEMBERS,
    MOST_SERIES_NETWORKS, Member, MemberNetworks, Metric, ModelInfo, NetworkRef, SeriesStage,
    check_features, member_folder, series_entry,
};
pub use certainty::Certainty;
pub use hemora_metrics::Verdict;
pub use key_slice::{KeySlice, LabelMap, MapKind};
pub use output::{ScoringWork, Timings, TriageOutput};
pub use region::Region;
pub use result::{
    Acquisition, Flag, ModelRef, SCHEMA_VERSION, SeriesResult, SkippedCount, SkippedFile,
    SliceResult, StudyResult, ToolRef, TriageResult,
};
pub use schema::{model_schema, result_schema};
pub use trained::{
    Estimate, LabelValidation, SeriesNetwork, SliceNetwork, TRAINED_VERSION, TrainedError,
    TrainedNetwork,
};
