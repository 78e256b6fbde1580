//! The model that comes with the program.

use std::path::Path;

use hemora_model::Bundle;
use miette::{IntoDiagnostic, Result, WrapErr};

/// `models/default.hemora`, so that one binary is all that triage needs.
static DEFAULT: &[u8] = include_bytes!("../../../models/default.hemora");

/// The model at `path`, or the built-in one.
///
/// # Errors
/// A report that names the bundle.
pub fn open(path: Option<&Path>) -> Result<Bundle> {
    match path {
        Some(path) => {
            let context = || format!("cannot use the model {}", path.display());
            Bundle::open(path).into_diagnostic().wrap_err_with(context)
        }
        None => Bundle::from_bytes(DEFAULT).into_diagnostic().wrap_err("built-in model"),
    }
}
