//! From a study to its result: engines, networks of series, class-activation maps.
//!
//! [`LoadedModel::load`] loads the engines of a model, [`Triage`] goes from files to results in one
//! call: it collects headers, scores ([`triage`]) and takes the slices to look at first
//! ([`key_slices`]).
//! [`Checkup`] says what all of that would find on a machine.
//! Only this crate knows tract and ONNX Runtime.

mod activation;
mod certainty;
mod checkup;
mod engine;
mod key_maps;
mod key_slices;
mod load;
mod map_volumes;
mod maps;
mod pipeline;
mod policy;
mod regions;
mod score;
mod scorer;
mod series;
mod skipped;
mod slabs;
mod spent;
mod stack;
mod triage;
mod view;

pub use activation::Classifier;
pub use checkup::{Advice, Checkup, Disk, EngineCheck, Machine, Memory};
pub use engine::{
    Engine, EngineError, EngineKind, FeatureMap, Finding, LibraryPlace, LibrarySearch,
    LoadedEngine, OrtEngine, OrtSequence, Output, OutputMemory, SequenceEngine, TractEngine,
    TractSequence, find_onnxruntime, load_engine, load_sequence_engine, run_both_ways,
};
pub use hemora_model::{KeySlice, LabelMap, MapKind};
pub use key_slices::key_slices;
pub use load::{LoadError, LoadedModel, Look};
pub use map_volumes::{MapSink, ScoredSliceMaps, SeriesMaps};
pub use pipeline::{Pictures, Progress, ProgressCallback, Step, Triage, TriageError, TriageInput};
pub use policy::SeriesPolicy;
pub use score::{SeriesScore, SliceScore, score_series};
pub use series::{SeriesModel, SeriesModelError};
pub use triage::triage;
