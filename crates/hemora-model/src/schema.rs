//! JSON schemas of the documents that Hemora writes.

use crate::{EnsembleInfo, ModelInfo, TriageResult};

/// The JSON schema of the triage result, `schemas/result-1.schema.json`.
pub fn result_schema() -> serde_json::Value {
    schemars::schema_for!(TriageResult).to_value()
}

/// The JSON schema of a bundle's `model.json`, `schemas/model-1.schema.json`.
pub fn model_schema() -> serde_json::Value {
    schemars::schema_for!(ModelInfo).to_value()
}

/// The JSON schema of an ensemble's `model.json`, `schemas/model-ensemble-1.schema.json`.
pub fn ensemble_schema() -> serde_json::Value {
    schemars::schema_for!(EnsembleInfo).to_value()
}
