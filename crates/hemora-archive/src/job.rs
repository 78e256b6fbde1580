//! What all shares of a job have in common, and what differs between two jobs.

use std::fs::File;
use std::path::Path;

use hemora_base::sha256_hex;
use hemora_data::{IndexError, IndexReader};
use hemora_infer::{LoadedModel, Pictures, SeriesPolicy};
use hemora_model::ModelRef;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ArchiveError;
use crate::store::sha256_of;

/// Longest text of a value that differs, characters.
const LONGEST: usize = 24;

/// What decides the results of a share, besides its number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// Version of the program.
    pub tool_version: String,
    /// The model.
    pub model: ModelRef,
    /// SHA-256 of the model's description: its calibration, thresholds and rules.
    pub model_info_sha256: String,
    /// Engine that ran the model. Shares of one job may have different ones: they agree to 10⁻⁵.
    pub engine: String,
    /// SHA-256 of the index.
    pub index_sha256: String,
    /// Rows of the index.
    pub index_rows: u64,
    /// Options that change results.
    pub options: JobOptions,
}

/// Options that change results.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobOptions {
    /// Whether every axial series of a study is scored.
    pub all_series: bool,
    /// Slices shown of each pictured study.
    pub key_slices: usize,
    /// Most suspicious studies that are pictured.
    pub pictured_studies: usize,
}

impl Job {
    /// The job of these inputs; reads the index once for its hash.
    pub(crate) fn new(
        model: &LoadedModel,
        index: &Path,
        policy: SeriesPolicy,
        pictures: Pictures,
    ) -> Result<Self, ArchiveError> {
        let rows = IndexReader::open(index)?.len();
        let failed = |source| IndexError::Io { path: index.to_owned(), source };
        let file = File::open(index).map_err(failed)?;
        let index_sha256 = sha256_of(file).map_err(failed)?;
        let info = serde_json::to_vec(model.model().info())
            .map_err(|error| ArchiveError::document("the model's description", error))?;
        Ok(Self {
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            model: model.model().model_ref(),
            model_info_sha256: sha256_hex(&info),
            engine: model.engine().to_owned(),
            index_sha256,
            index_rows: rows as u64,
            options: JobOptions {
                all_series: policy == SeriesPolicy::AllAxial,
                key_slices: pictures.slices,
                pictured_studies: pictures.studies,
            },
        })
    }

    /// What differs, each as `name: VALUE there, VALUE here`.
    pub(crate) fn differences(&self, other: &Self, [there, here]: [&str; 2]) -> Vec<String> {
        let mut differs = Vec::new();
        let values = [self, other].map(|job| serde_json::to_value(job).unwrap_or_default());
        let mut name = |path: &str, one: &Value, other: &Value| {
            let [one, other] = [one, other].map(shown);
            differs.push(format!("{path}: {one} {there}, {other} {here}"));
        };
        compare("", &values[0], &values[1], &mut name);
        differs
    }

    /// The same job, whatever its engine.
    pub(crate) fn without_engine(&self) -> Self {
        Self { engine: String::new(), ..self.clone() }
    }
}

/// Calls `differs` with the name and the values of each field in which two documents differ.
fn compare(path: &str, one: &Value, other: &Value, differs: &mut dyn FnMut(&str, &Value, &Value)) {
    match (one, other) {
        (Value::Object(fields), Value::Object(others)) => {
            let names = fields.keys().chain(others.keys().filter(|it| !fields.contains_key(*it)));
            for name in names {
                let value = |of: &'_ serde_json::Map<String, Value>| of.get(name).cloned();
                let [one, other] = [fields, others].map(|it| value(it).unwrap_or_default());
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                compare(&path, &one, &other, differs);
            }
        }
        (one, other) if one != other => differs(path, one, other),
        _ => {}
    }
}

/// A value in a message; of hashes the first digits.
fn shown(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named_with_both_values() {
        let job = Job {
            tool_version: "1".to_owned(),
            model: ModelRef {
                name: "m".to_owned(),
                version: "1".to_owned(),
                sha256: "0".repeat(64),
                series_sha256: Vec::new(),
                member_sha256: Vec::new(),
            },
            model_info_sha256: "1".to_owned(),
            engine: "tract".to_owned(),
            index_sha256: "2".to_owned(),
            index_rows: 7,
            options: JobOptions { all_series: false, key_slices: 3, pictured_studies: 50 },
        };
        let ends = ["there", "here"];
        assert!(job.differences(&job, ends).is_empty());
        let mut other = job.clone();
        other.options.all_series = true;
        other.model.series_sha256.push("f".to_owned());
        other.engine = "onnxruntime".to_owned();
        let differs = job.without_engine().differences(&other.without_engine(), ends);
        assert_eq!(
            differs,
            [
                "model.series_sha256: null there, [\"f\"] here",
                "options.all_series: false there, true here"
            ]
        );
        other.model.sha256 = "a".repeat(64);
        let differs = job.differences(&other, ends);
        assert!(
            differs.contains(&"engine: tract there, onnxruntime here".to_owned()),
            "{differs:?}"
        );
        let hash = format!("model.sha256: {}… there, {}… here", "0".repeat(24), "a".repeat(24));
        assert!(differs.contains(&hash), "{differs:?}");
    }
}
