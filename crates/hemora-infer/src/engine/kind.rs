//! The choice of an engine.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use super::contract::{Engine, EngineError};
use super::library::{LibraryPlace, LibrarySearch};
use super::runtime::{Runtime, find_onnxruntime, runtime};
use super::{OrtEngine, TractEngine, library};

/// Which engine to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EngineKind {
    /// ONNX Runtime where a library is found that loads and computes, else tract. Their probabilities agree
    /// to 1e-5, and a result names the engine that it is of.
    #[default]
    Auto,
    /// The built-in engine.
    Tract,
    /// ONNX Runtime, or an error.
    OnnxRuntime,
}

impl fmt::Display for EngineKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            EngineKind::Auto => "auto",
            EngineKind::Tract => "tract",
            EngineKind::OnnxRuntime => "onnxruntime",
        })
    }
}

impl FromStr for EngineKind {
    type Err = EngineError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [EngineKind::Auto, EngineKind::Tract, EngineKind::OnnxRuntime]
            .into_iter()
            .find(|kind| kind.to_string() == name)
            .ok_or_else(|| EngineError::Name(name.to_owned()))
    }
}

/// An engine with its model, and why it was chosen.
pub struct LoadedEngine {
    /// The engine.
    pub engine: Box<dyn Engine>,
    /// One line on the choice, for the log.
    pub note: String,
}

/// Loads an ONNX model for images `[channels, size, size]` into the engine of `kind`. `library` is
/// ONNX Runtime's library where the caller names one; see [`OrtEngine::load`].
///
/// # Errors
/// [`EngineError`] if the engine is not available or does not take the model. [`EngineKind::Auto`]
/// falls back on tract whatever ONNX Runtime lacks; the note then has the reason.
pub fn load_engine(
    kind: EngineKind,
    onnx: &[u8],
    channels: usize,
    size: usize,
    library: Option<&Path>,
) -> Result<LoadedEngine, EngineError> {
    let tract = |note: String| {
        let engine = Box::new(TractEngine::load(onnx, channels, size)?);
        Ok(LoadedEngine { engine, note })
    };
    let loaded = |runtime: Runtime| {
        let note = note(&runtime.search);
        let engine = OrtEngine::with_environment(runtime.environment, onnx, channels, size)?;
        Ok(LoadedEngine { engine: Box::new(engine), note })
    };
    if kind == EngineKind::Tract {
        return tract("tract, as asked".to_owned());
    }
    match runtime(library).and_then(loaded) {
        Err(error) if kind == EngineKind::Auto => {
            tract(without(&find_onnxruntime(library), &error))
        }
        other => other,
    }
}

/// Which library runs, how it was found, and what was passed over for it.
fn note(search: &LibrarySearch) -> String {
    let mut note = "onnxruntime".to_owned();
    if let Some(LibraryPlace { origin, path: Some(path), .. }) = search.working() {
        note += &format!(", {} ({origin})", path.display());
    }
    let passed_over = search.passed_over();
    if !passed_over.is_empty() {
        note += &format!("; passed over {passed_over}");
    }
    note
}

/// Why it is tract.
fn without(search: &LibrarySearch, error: &EngineError) -> String {
    if search.off {
        return format!("tract, since {} is off", library::VARIABLE);
    }
    let passed_over = search.passed_over();
    match error {
        EngineError::Library { .. } if passed_over.is_empty() => {
            "tract, since ONNX Runtime was not found; `hemora doctor` says how to get it".to_owned()
        }
        EngineError::Library { .. } => {
            format!("tract, since ONNX Runtime does not work here: {passed_over}")
        }
        error => format!("tract, since {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for kind in [EngineKind::Auto, EngineKind::Tract, EngineKind::OnnxRuntime] {
            assert_eq!(kind.to_string().parse::<EngineKind>().unwrap(), kind);
        }
        let error = "cuda".parse::<EngineKind>().unwrap_err().to_string();
        assert!(error.contains("cuda") && error.contains("onnxruntime"), "{error}");
    }
}
