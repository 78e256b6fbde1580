//! Where on a slice a network sees a label, in numbers.

use hemora_ct::Label;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The place where a network with maps sees a label most clearly on a slice.
///
/// Rows and columns are pixels of the image as it is stored, counted from 0 at the centre of the first
/// pixel; the report may show the image turned upright.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// The label.
    pub label: Label,
    /// Probability (0 to 1) that the map has at its maximum.
    pub peak: f32,
    /// Row of the maximum, between the centres of the map's parts: the vertex of the parabola through the log odds
    /// of the highest part and its neighbours.
    pub peak_row: f64,
    /// Column of the maximum.
    pub peak_column: f64,
    /// Patient coordinates of the maximum, mm (to the left, to the back, to the head); absent without
    /// the slice's position or spacing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_mm: Option<[f64; 3]>,
    /// Area of the connected pixels around the maximum where the map is at least 0.5, mm²; absent
    /// without a spacing, and where the maximum does not reach 0.5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area_mm2: Option<f64>,
    /// First row and column, last row and column of these pixels; of the pixel at the maximum where it
    /// does not reach 0.5.
    pub bounds: [usize; 4],
}
