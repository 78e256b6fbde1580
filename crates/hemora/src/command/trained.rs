//! Weights that hemora-train wrote, and what it wrote of them.

use std::collections::HashMap;
use std::path::Path;

use hemora_nn::Weights;
use miette::{IntoDiagnostic, Result, WrapErr, miette};

/// Weights with their metadata.
pub struct Trained {
    /// The file, for errors.
    pub name: String,
    /// All tensors.
    pub weights: Weights,
    /// Free text by key.
    pub metadata: HashMap<String, String>,
}

impl Trained {
    /// Reads a safetensors file.
    ///
    /// # Errors
    /// A report that names the file.
    pub fn read(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let bytes = std::fs::read(path).into_diagnostic().wrap_err_with(|| name.clone())?;
        let weights =
            Weights::from_safetensors(&bytes).into_diagnostic().wrap_err_with(|| name.clone())?;
        let metadata =
            Weights::metadata(&bytes).into_diagnostic().wrap_err_with(|| name.clone())?;
        Ok(Self { name, weights, metadata })
    }

    /// What the training wrote under `key`.
    ///
    /// # Errors
    /// A report if it is not there.
    pub fn entry(&self, key: &str) -> Result<&str> {
        self.metadata.get(key).map(String::as_str).ok_or_else(|| {
            miette!(
                help = "give the model.safetensors that hemora-train wrote; what was trained on a \
                        prepared set in colour has no `input`, as triage cannot make it",
                "{} has no `{key}` in its metadata",
                self.name
            )
        })
    }
}
