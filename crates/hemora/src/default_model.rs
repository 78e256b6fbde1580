//! The model that comes with the program, or another, with its engines.

use std::path::Path;

use hemora_infer::LoadedModel;
use hemora_model::Model;
use miette::{IntoDiagnostic, Result, WrapErr};

use crate::cli::EngineArgs;

/// `models/default.hemora`, so that one binary is all that triage needs.
static DEFAULT: &[u8] = include_bytes!("../../../models/default.hemora");

/// The model at `path`, or the built-in one.
///
/// # Errors
/// A report that names the bundle.
pub fn open(path: Option<&Path>) -> Result<Model> {
    match path {
        Some(path) => {
            let context = || format!("cannot use the model {}", path.display());
            Model::open(path).into_diagnostic().wrap_err_with(context)
        }
        None => Model::from_bytes(DEFAULT).into_diagnostic().wrap_err("built-in model"),
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
    match loaded.model() {
        Model::Network(bundle) => {
            for stage in &bundle.info().series {
                eprintln!("networks of series: {} × {}", stage.sha256.len(), stage.network);
            }
        }
        Model::Ensemble(ensemble) => {
            for model in &ensemble.info().models {
                eprintln!("ensemble: {} × {}", model.sha256.len(), model.name);
            }
        }
    }
    Ok(loaded)
}
