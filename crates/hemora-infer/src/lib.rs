//! From a study to its result: engines, the model bundle, class-activation maps.
//!
//! [`Model::open`] reads a model, one network or an ensemble, [`LoadedModel::load`] loads its engines,
//! [`triage`] scores a [`hemora_io::Collection`], [`key_slices`] gives the slices to look at first.
//! Only this crate knows tract and ONNX Runtime.

mod activation;
mod engine;
mod key_slices;
mod load;
mod score;
mod series;
mod stack;
mod triage;
mod view;

pub use activation::{ActivationMap, Classifier};
pub use engine::{
    Engine, EngineError, EngineKind, FeatureMap, LoadedEngine, OrtEngine, OrtSequence, Output,
    SequenceEngine, TractEngine, TractSequence, load_engine, load_sequence_engine, run_both_ways,
};
pub use key_slices::{KeySlice, key_slices};
pub use load::{LoadError, LoadedModel, Look};
pub use score::{SeriesScore, SliceScore, score_series};
pub use series::{SeriesModel, SeriesModelError};
pub use triage::{SeriesPolicy, triage};
