//! JSON schemas of the documents that Hemora writes.

use crate::{ModelInfo, TriageResult};

/// The JSON schema of the triage result, `schemas/result-1.schema.json`.
pub fn result_schema() -> serde_json::Value {
    schemars::schema_for!(TriageResult).to_value()
}

/// The JSON schema of a bundle's `model.json`, `schemas/model-1.schema.json`.
pub fn model_schema() -> serde_json::Value {
    schemars::schema_for!(ModelInfo).to_value()
}
