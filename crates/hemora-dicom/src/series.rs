//! Slices grouped into series and studies, ordered along the slice normal.

use crate::SliceHeader;

/// Something about a series that a reader should know.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SeriesWarning {
    /// The slices have no positions: kept in the order of InstanceNumber, then of the source.
    #[error("{0} slices have no position; they keep the order of their instance numbers")]
    NoPosition(usize),
}

/// The CT images of one SeriesInstanceUID, ordered along the slice normal (feet to head for an
/// axial head CT).
#[derive(Debug, Clone)]
pub struct Series {
    /// SeriesInstanceUID.
    pub uid: String,
    /// SeriesDescription of the first slice that has one.
    pub description: Option<String>,
    /// The slices in order.
    pub slices: Vec<SliceHeader>,
    /// What a reader should know of the series.
    pub warnings: Vec<SeriesWarning>,
}

/// The series of one StudyInstanceUID.
#[derive(Debug, Clone)]
pub struct Study {
    /// StudyInstanceUID.
    pub uid: String,
    /// PatientID, empty if absent.
    pub patient_id: String,
    /// The series, largest first, then by UID.
    pub series: Vec<Series>,
}
