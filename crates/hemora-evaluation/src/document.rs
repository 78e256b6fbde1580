//! The metrics document, `metrics.json` (`schemas/metrics-1.schema.json`).

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use hemora_ct::Label;
use hemora_metrics::{
    BootstrapOptions, CalibrationMethod, Difference, Interval, LearnedAggregation, LesionMetrics,
    Level, Origin, ProbabilityScores, SetMetrics,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Duplicates, EvaluateError, Tally};

/// Version of the document; raised when a reader of the old one could misread the new.
pub const SCHEMA_VERSION: u32 = 1;

/// Longest metrics document that is read, bytes.
const LONGEST: u64 = 1 << 28;

/// What a model's predictions are worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// Version of this document's schema, 1.
    pub schema_version: u32,
    /// States that the result is for research use and not for diagnosis.
    pub notice: String,
    /// The program that made it.
    pub tool: Tool,
    /// Name of the run or model.
    pub name: String,
    /// The predictions.
    pub predictions: FileRef,
    /// The labels; absent if they stand in the predictions.
    pub labels: Option<FileRef>,
    /// The index of the slices, if one was given.
    #[serde(default)]
    pub index: Option<FileRef>,
    /// SHA-256 of the sorted ids of the predictions, each with a line feed: tells the same cases in
    /// another file.
    #[serde(default)]
    pub ids_sha256: String,
    /// What predictions and labels have in common.
    pub alignment: Alignment,
    /// What is resampled.
    pub grouping: Grouping,
    /// How intervals are made.
    pub bootstrap: BootstrapOptions,
    /// How slices make a series: `run-3`, `max`, `top-3` …, `noisy-or` or `learned`.
    pub aggregation: String,
    /// The fitted rule for that, and what it was fitted on.
    #[serde(default)]
    pub learned_aggregation: Option<LearnedAggregation>,
    /// The calibration that was applied, and what it did.
    pub calibration: Option<CalibrationEffect>,
    /// Whether a threshold was chosen, or a calibration fitted, on these very cases: such figures
    /// are too good.
    pub tuned_on_these_cases: bool,
    /// Slices and, where known, series and studies.
    pub levels: Vec<LevelMetrics>,
    /// Runs of consecutive positive slices, where the order of slices is known.
    #[serde(default)]
    pub lesions: Option<Lesions>,
    /// Against another model on the same cases.
    pub comparison: Option<Comparison>,
    /// Parts of the slices.
    pub subgroups: Vec<Subgroup>,
    /// Columns of the index that part nothing, with what they hold.
    #[serde(default)]
    pub undivided: Vec<String>,
    /// The worst mistakes for any hemorrhage, or for the only label.
    pub mistakes: Vec<Mistake>,
    /// File with pictures of them, beside this one.
    #[serde(default)]
    pub contact_sheet: Option<String>,
    /// Slices that look alike, where something is known of their pixels.
    #[serde(default)]
    pub duplicates: Option<Duplicates>,
    /// What a reader must know.
    pub warnings: Vec<String>,
}

/// A program and its version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
}

/// A file by name and content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileRef {
    /// Name without its folder.
    pub file: String,
    /// SHA-256, lower-case hexadecimal.
    pub sha256: String,
    /// Slices in it.
    pub rows: u64,
}

/// What predictions and labels have in common.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alignment {
    /// Slices with predictions.
    pub predicted: u64,
    /// Slices with labels.
    pub labelled: u64,
    /// Slices with both, which are evaluated.
    pub evaluated: u64,
    /// Slices with predictions and no labels.
    pub unlabelled: Tally,
    /// Slices with labels and no predictions.
    pub unpredicted: Tally,
}

/// What is resampled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grouping {
    /// What a group is, for instance `PatientID` or `study`; `slice` if nothing is known.
    pub kind: String,
    /// Groups.
    pub groups: u64,
    /// Slices of which no group is known; each stands alone.
    pub alone: u64,
}

/// What calibration did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CalibrationEffect {
    /// How it was fitted.
    pub method: CalibrationMethod,
    /// The data it was fitted on.
    pub origin: Origin,
    /// What it did to each label.
    pub labels: Vec<LabelEffect>,
}

/// What calibration did to a label's slices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelEffect {
    /// The label.
    pub label: Label,
    /// As the model gave them.
    pub before: ProbabilityScores,
    /// As they are evaluated.
    pub after: ProbabilityScores,
}

/// The figures of a level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LevelMetrics {
    /// The level.
    pub level: Level,
    /// Its figures.
    pub metrics: SetMetrics,
}

/// Lesions: runs of consecutive positive slices of a series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lesions {
    /// Series whose slices have positions.
    pub series: u64,
    /// Series left out for want of them.
    pub unordered_series: u64,
    /// The labels.
    pub labels: Vec<LesionMetrics>,
}

/// Against another model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// The other model's predictions.
    pub other: FileRef,
    /// Every level and label.
    pub labels: Vec<LabelComparison>,
}

/// The difference of two models for a label at a level, this one minus the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelComparison {
    /// The level.
    pub level: Level,
    /// The label.
    pub label: Label,
    /// The differences.
    pub difference: Difference,
    /// The p-value of the resampled AUROC difference, adjusted for the labels of the level (Holm).
    pub auroc_p_value_holm: Option<f64>,
    /// The p-value of the paired DeLong test, adjusted likewise.
    pub delong_p_value_holm: Option<f64>,
}

/// A part of the slices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subgroup {
    /// The column it comes from.
    pub column: String,
    /// The value in that column; `(unknown)` where there is none. A number of types stands with all
    /// slices without hemorrhage.
    pub value: String,
    /// Slices.
    pub items: u64,
    /// Groups (patients) among them.
    pub groups: u64,
    /// The labels.
    pub labels: Vec<SubgroupLabel>,
}

/// A label in a part of the slices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubgroupLabel {
    /// The label.
    pub label: Label,
    /// Positives.
    pub positives: u64,
    /// Fewer than ten positives or negatives, or fewer than five groups: the figures say little.
    pub small: bool,
    /// Area under the receiver operating characteristic.
    pub auroc: Interval,
    /// At the operating points.
    pub decisions: Vec<SubgroupDecision>,
}

/// An operating point in a part of the slices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubgroupDecision {
    /// Name of the operating point.
    pub name: String,
    /// Sensitivity.
    pub sensitivity: Interval,
    /// Specificity.
    pub specificity: Interval,
}

/// How a slice was mistaken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MistakeKind {
    /// Positive with a low probability.
    FalseNegative,
    /// Negative with a high probability.
    FalsePositive,
}

/// A slice that the model mistook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mistake {
    /// Which way.
    pub kind: MistakeKind,
    /// The slice.
    pub id: String,
    /// Its group (patient), where known.
    pub group: Option<String>,
    /// The label.
    pub label: Label,
    /// The probability that the model gave it.
    pub probability: f64,
    /// The subtypes that the slice has.
    pub truth: Vec<Label>,
}

impl FileRef {
    /// Names and hashes a file; rows are 0 until somebody counts them.
    ///
    /// # Errors
    /// [`EvaluateError::Read`] if the file cannot be read.
    pub fn read(path: &Path) -> Result<Self, EvaluateError> {
        let error = |source| EvaluateError::Read { path: path.to_owned(), source };
        let mut file = hemora_data::open_table(path).map_err(error)?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => hash.update(&buffer[..count]),
                Err(source) if source.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(error(source)),
            }
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { file: name, sha256: hemora_base::hex(&hash.finalize()), rows: 0 })
    }
}

/// Reads a metrics document.
///
/// # Errors
/// [`EvaluateError`] names the file and why it is none.
pub fn read_evaluation(path: &Path) -> Result<Evaluation, EvaluateError> {
    const EXPECTED: &str = "a metrics.json that `hemora evaluate` of this version wrote";
    let evaluation: Evaluation = read_json(path, EXPECTED)?;
    if evaluation.schema_version != SCHEMA_VERSION {
        return Err(EvaluateError::Document {
            path: path.to_owned(),
            reason: format!("its schema version is {}", evaluation.schema_version),
            expected: EXPECTED,
        });
    }
    Ok(evaluation)
}

/// Reads a JSON document of bounded length.
pub(crate) fn read_json<T: serde::de::DeserializeOwned>(
    path: &Path,
    expected: &'static str,
) -> Result<T, EvaluateError> {
    let error = |source| EvaluateError::Read { path: path.to_owned(), source };
    let mut text = Vec::new();
    let mut file = File::open(path).map_err(error)?.take(LONGEST + 1);
    file.read_to_end(&mut text).map_err(error)?;
    let wrong =
        |reason: String| EvaluateError::Document { path: PathBuf::from(path), reason, expected };
    if text.len() as u64 > LONGEST {
        return Err(wrong(format!("it is longer than {LONGEST} bytes")));
    }
    serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))
}

/// The JSON schema of the metrics document, `schemas/metrics-1.schema.json`.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Evaluation).to_value()
}
