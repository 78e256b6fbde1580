//! A study as a reader sees it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use hemora_ct::{Label, Probabilities};
use hemora_model::Region;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{SliceRef, Study, StudyDelivery, StudyReading, StudyRevision};

/// A study with the result of one revision, as a reader sees it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct StudyView {
    /// The study.
    pub study: Study,
    /// The revision that is shown; 0 where there is no result yet.
    pub revision: u32,
    /// All revisions, oldest first.
    pub revisions: Vec<StudyRevision>,
    /// What the result says; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub findings: Option<StudyFindings>,
    /// The scored series, most suspicious first; empty where the images are gone.
    pub series: Vec<ViewSeries>,
    /// The slices to look at first, most suspicious first.
    pub key_slices: Vec<SliceRef>,
    /// Images that were left out, with the reason, the commonest first.
    pub left_out: Vec<LeftOut>,
    /// Whether images were removed because their time had come.
    pub images_removed: bool,
    /// What is sent of the study, oldest first.
    pub deliveries: Vec<StudyDelivery>,
    /// What readers did with the study, oldest first.
    pub readings: Vec<StudyReading>,
    /// Address of the study in another viewer, where `[http] ohif_url` is configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ohif_url: Option<String>,
    /// States that the result is for research use and not for diagnosis.
    pub notice: &'static str,
}

/// What a result says. Kept with the result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StudyFindings {
    /// Any hemorrhage first, then the subtypes.
    pub findings: Vec<StudyFinding>,
    /// Whose thresholds were applied, in words.
    pub thresholds: String,
    /// The result in plain sentences, to be copied into a report; it names no patient.
    pub sentence: String,
    /// What a reader should know of the study and its series.
    pub warnings: Vec<String>,
    /// Whether images may have been missing.
    pub may_be_incomplete: bool,
    /// Name of the model.
    pub model: String,
    /// Version of the model.
    pub model_version: String,
    /// Engine that ran it.
    pub engine: String,
    /// When the result was made.
    pub made_at: DateTime<Utc>,
}

/// What is said of a label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StudyFinding {
    /// The label.
    pub label: Label,
    /// Calibrated probability, 0 to 1.
    pub probability: f64,
    /// `present`, `absent` or `not sure`.
    pub verdict: String,
    /// Absent below this probability.
    pub absent_below: f64,
    /// Present from this probability on.
    pub present_from: f64,
    /// Why nothing sure is said.
    pub reasons: Vec<String>,
}

/// A scored series. Kept with the result until the images go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ViewSeries {
    /// SeriesInstanceUID.
    pub series_instance_uid: String,
    /// SeriesDescription, empty if absent.
    pub description: String,
    /// Median distance between slices along the normal, mm; absent if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice_spacing_mm: Option<f64>,
    /// Gantry tilt without its sign, degrees; absent if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tilt_degrees: Option<f64>,
    /// How far a slice lies downwards and to the right in its own plane for each mm that it lies further
    /// along the normal, mm, as a tilted gantry makes them; absent where slices lie straight over each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift: Option<[f64; 2]>,
    /// The six probabilities of the series.
    pub probabilities: Probabilities,
    /// What a reader should know of the acquisition.
    pub warnings: Vec<String>,
    /// Why no coronal and sagittal images can be made of it; absent if they can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_volume: Option<String>,
    /// The slices in the order of their position, from the feet to the head where it is known.
    pub slices: Vec<ViewSlice>,
}

/// A slice as it is shown: upright, which the pixels of `/series/{series}/slices/{slice}` are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ViewSlice {
    /// SOPInstanceUID; of frame N of an object of several, with `-frameN` behind it.
    pub sop_instance_uid: String,
    /// Position along the slice normal, mm; absent if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub z_mm: Option<f64>,
    /// Rows of the upright image.
    pub rows: usize,
    /// Columns of the upright image.
    pub columns: usize,
    /// Distance between rows and between columns of the upright image, mm; absent if unknown, and then no
    /// length can be measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spacing_mm: Option<[f64; 2]>,
    /// Letters of the patient's directions (L, R, A, P, H, F) at the left, right, top and bottom edge; absent
    /// if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edges: Option<[char; 4]>,
    /// The six probabilities.
    pub probabilities: Probabilities,
    /// Where labels are seen; rows and columns are those of the upright image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<Region>,
}

/// Images that were left out for one reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LeftOut {
    /// Why.
    pub reason: String,
    /// How many images.
    pub images: usize,
    /// Whether they are broken (true), or simply not what is scored (false).
    pub failed: bool,
}

/// Where the networks see what they see, slice by slice. Kept with the result until the images go.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct StudyMaps {
    /// The maps of each series of the view, by the index of the slice.
    pub series: Vec<BTreeMap<usize, Vec<SliceMap>>>,
}

/// A map over a whole upright slice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SliceMap {
    /// The label.
    pub label: Label,
    /// `probability` (of a network that was trained to say where bleeds are) or `activation` (what spoke for
    /// the label, which need not be where it is).
    pub kind: String,
    /// Rows of the map.
    pub rows: usize,
    /// Columns of the map.
    pub columns: usize,
    /// The values in 255ths, row by row, in base64.
    pub values: String,
}
