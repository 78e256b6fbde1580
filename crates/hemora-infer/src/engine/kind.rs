//! The choice of an engine.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use super::contract::{Engine, EngineError};
use super::{OrtEngine, TractEngine, library};

/// Which engine to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EngineKind {
    /// ONNX Runtime when HEMORA_ONNXRUNTIME or ORT_DYLIB_PATH names a library that loads, else
    /// tract.
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
/// ONNX Runtime's library where the user names one; see [`OrtEngine::load`].
///
/// # Errors
/// [`EngineError`] if the engine is not available or does not take the model. [`EngineKind::Auto`]
/// falls back on tract when ONNX Runtime's library cannot be loaded; the note then has the reason.
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
    let runtime = |note: &str| {
        let engine = Box::new(OrtEngine::load(onnx, channels, size, library)?);
        Ok(LoadedEngine { engine, note: note.to_owned() })
    };
    match kind {
        EngineKind::Tract => tract("tract, as asked".to_owned()),
        EngineKind::OnnxRuntime => runtime("onnxruntime, as asked"),
        EngineKind::Auto if library.is_some() || library::is_named() => {
            match runtime("onnxruntime, since a library is named for it") {
                Err(error @ EngineError::Library { .. }) => tract(format!("tract, since {error}")),
                other => other,
            }
        }
        EngineKind::Auto => tract(format!(
            "tract, since neither {} nor {} names ONNX Runtime",
            library::VARIABLE,
            library::ORT_VARIABLE
        )),
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
