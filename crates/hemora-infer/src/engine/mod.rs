//! Engines that run a network on one image, behind one trait.

mod contract;
mod kind;
mod library;
mod onnxruntime;
mod tract;

pub use contract::{Engine, EngineError, FeatureMap, Output};
pub use kind::{EngineKind, LoadedEngine, load_engine};
pub use onnxruntime::OrtEngine;
pub use tract::TractEngine;
