//! Engines that run a network on one image, or on the slices of a series.

mod blocks;
mod contract;
mod kind;
mod library;
mod memory;
mod onnxruntime;
mod python;
mod runtime;
mod sequence;
mod tract;
mod trial;
mod trust;

pub use contract::{Engine, EngineError, FeatureMap, Output};
pub use kind::{EngineKind, LoadedEngine, load_engine};
pub use library::{Finding, LibraryPlace, LibrarySearch};
pub use memory::OutputMemory;
pub(crate) use memory::RememberingEngine;
pub use onnxruntime::{OrtEngine, OrtSequence};
pub use runtime::find_onnxruntime;
pub use sequence::{SequenceEngine, load_sequence_engine, run_both_ways};
pub use tract::{TractEngine, TractSequence};
