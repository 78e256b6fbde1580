//! The model that comes with the program, or another, with its engines.

use std::path::Path;

use hemora_infer::LoadedModel;
use hemora_model::Bundle;
use miette::{IntoDiagnostic, Result, WrapErr};

use crate::cli::EngineArgs;

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

/// Opens the model and loads its engines.
///
/// # Errors
/// A report that names the model or the engine's library.
pub fn load(arguments: &EngineArgs) -> Result<LoadedModel> {
    let model = open(arguments.model.as_deref())?;
    let loaded = LoadedModel::load(arguments.engine, model, None).into_diagnostic()?;
    eprintln!("engine: {}", loaded.note());
    let info = loaded.model().info();
    if let [member] = info.members.as_slice() {
        for stage in &member.series {
            eprintln!("networks of series: {} × {}", stage.sha256.len(), stage.network);
        }
    } else {
        for (name, members) in info.models() {
            eprintln!("ensemble: {} × {name}", members.len());
        }
    }
    Ok(loaded)
}
