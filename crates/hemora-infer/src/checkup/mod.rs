//! What triage would find on this machine: its processor, memory and disks, the engines, and what would make
//! it faster.

mod advice;
mod engines;
mod machine;
mod text;

use hemora_model::{Bundle, ModelRef};
use serde::Serialize;

pub use advice::Advice;
pub use engines::EngineCheck;
pub use machine::{Disk, Machine, Memory};

use crate::{LibrarySearch, find_onnxruntime};

/// What triage would find on this machine.
#[derive(Debug, Clone, Serialize)]
pub struct Checkup {
    /// Version of Hemora.
    pub version: &'static str,
    /// The machine.
    pub machine: Machine,
    /// The model that was tried.
    pub model: ModelRef,
    /// The engines: tract, then ONNX Runtime.
    pub engines: [EngineCheck; 2],
    /// The engine that `--engine auto` takes; `None` if none works, and triage neither.
    pub engine: Option<&'static str>,
    /// How many times as fast as tract ONNX Runtime was just now.
    pub gain: Option<f64>,
    /// Where ONNX Runtime was looked for.
    pub search: LibrarySearch,
    /// What would make triage faster, or lets it fail.
    pub advice: Vec<Advice>,
}

impl Checkup {
    /// Looks at the machine and runs a few images through both engines, about two seconds.
    pub fn new(model: &Bundle) -> Self {
        let machine = Machine::look();
        let search = find_onnxruntime(None);
        let engines = engines::check(model, &search);
        let advice = advice::give(&machine, &engines, &search);
        let engine = engines.iter().rev().find(|engine| engine.works).map(|engine| engine.name);
        let gain = engines::gain(&engines);
        let (version, model) = (env!("CARGO_PKG_VERSION"), model.model_ref());
        Self { version, machine, model, engines, engine, gain, search, advice }
    }
}
