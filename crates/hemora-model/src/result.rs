//! The triage result: a versioned JSON document (`schemas/result-1.schema.json`).

use hemora_ct::{Label, Probabilities, Window};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Certainty, Region};

/// Version of the result's schema; raised when a reader of the old one could misread the new.
pub const SCHEMA_VERSION: u32 = 1;

/// What `hemora triage` found in everything it was given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TriageResult {
    /// Version of this document's schema, 1.
    pub schema_version: u32,
    /// States that the result is for research use and not for diagnosis.
    pub notice: String,
    /// The program that made the result.
    pub tool: ToolRef,
    /// The model that made it.
    pub model: ModelRef,
    /// Engine that ran the model: `tract` or `onnxruntime`.
    pub engine: String,
    /// The studies, most suspicious first (probability of any hemorrhage, then UID).
    pub studies: Vec<StudyResult>,
    /// Files that were not used, with the reason: every one that failed, and of those that are left
    /// out for one and the same reason the first 100.
    pub skipped: Vec<SkippedFile>,
    /// How many more files are left out for the reasons of which `skipped` names the first 100.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped_more: Vec<SkippedCount>,
}

impl TriageResult {
    /// How many files were not used.
    pub fn skipped_files(&self) -> usize {
        self.skipped.len() + self.skipped_more.iter().map(|more| more.files).sum::<usize>()
    }
}

/// A program and its version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ToolRef {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
}

/// A model bundle by name, version and content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelRef {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// SHA-256 of the network (`model.onnx`), lower-case hexadecimal; of several networks that of the
    /// members' descriptions, with their hashes and weights.
    pub sha256: String,
    /// SHA-256 of the networks of series in the order of their files; of several members those that
    /// read all members as one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series_sha256: Vec<String>,
    /// SHA-256 of the members' networks of slices in the order of their files, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub member_sha256: Vec<String>,
}

/// One study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StudyResult {
    /// StudyInstanceUID.
    pub study_instance_uid: String,
    /// PatientID, empty if absent.
    pub patient_id: String,
    /// Study probabilities: those of the head, which several series may show at different levels, or
    /// those of the most suspicious series.
    pub probabilities: Probabilities,
    /// How many slices reach each threshold that the model's bundle stores for slices.
    pub flags: Vec<Flag>,
    /// Of each label for which the bundle has thresholds of studies or series with promised rates:
    /// whether it is there, or that nothing can be said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certainty: Vec<Certainty>,
    /// The scored series, most suspicious first.
    pub series: Vec<SeriesResult>,
    /// What a reader should know about the study.
    pub warnings: Vec<String>,
}

/// The slices of a study at one stored threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Flag {
    /// Name of the operating point; the bundle says where it was chosen and what it achieves.
    pub operating_point: String,
    /// The label.
    pub label: Label,
    /// A slice is flagged from this probability on.
    pub threshold: f64,
    /// How many slices are.
    pub flagged_slices: usize,
}

/// One series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeriesResult {
    /// SeriesInstanceUID.
    pub series_instance_uid: String,
    /// SeriesDescription, if any.
    pub description: Option<String>,
    /// Series probabilities: what the bundle's rule makes of those of its slices.
    pub probabilities: Probabilities,
    /// How the series was acquired.
    pub acquisition: Acquisition,
    /// The scored slices in the order of their position.
    pub slices: Vec<SliceResult>,
    /// What a reader should know about the acquisition: tilt, gaps, duplicates, missing positions.
    pub warnings: Vec<String>,
}

/// How a series was acquired; absent values are unknown.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Acquisition {
    /// Rows of the images.
    pub rows: usize,
    /// Columns of the images.
    pub columns: usize,
    /// Distance between rows and columns, mm.
    pub pixel_spacing_mm: Option<[f64; 2]>,
    /// Median distance between slices along the normal, mm.
    pub slice_spacing_mm: Option<f64>,
    /// Gantry tilt without its sign, degrees.
    pub tilt_degrees: Option<f64>,
    /// Window declared by the first slice.
    pub window: Option<Window>,
    /// BitsStored.
    pub bits_stored: u16,
    /// Whether stored values are signed.
    pub signed: bool,
    /// RescaleIntercept, HU.
    pub rescale_intercept: f64,
}

/// One slice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SliceResult {
    /// SOPInstanceUID; of frame N of an object of several, with `-frameN` behind it.
    pub sop_instance_uid: String,
    /// The file or archive entry it was read from.
    pub source: String,
    /// Position along the slice normal, mm; absent without a position.
    pub z_mm: Option<f64>,
    /// The six probabilities.
    pub probabilities: Probabilities,
    /// Where the networks see each label that the slice has: whose probability reaches the lowest
    /// threshold that the model's bundle stores for slices, or 0.5 if it stores none. Only of networks
    /// that were trained to say where bleeds are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<Region>,
}

/// A file that was not used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SkippedFile {
    /// The file or archive entry.
    pub source: String,
    /// Why it was not used and what to do.
    pub reason: String,
    /// Whether the file is broken (true), or simply is not a CT image (false).
    pub failed: bool,
}

/// Files beyond those that are named for a reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SkippedCount {
    /// Why they were not used.
    pub reason: String,
    /// How many there are.
    pub files: usize,
}
