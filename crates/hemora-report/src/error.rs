//! Why a report cannot be made.

use hemora_ct::Label;

/// Why a report cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The report could not be written.
    #[error("the report could not be written: {0}")]
    Write(#[from] std::io::Error),
    /// A picture could not be encoded.
    #[error("a picture could not be encoded as PNG: {0}")]
    Picture(#[from] png::EncodingError),
    /// An activation map does not fill its declared size.
    #[error(
        "the activation map for {label} has {values} values, expected {rows} × {columns} and at least one"
    )]
    Map {
        /// Label of the map.
        label: Label,
        /// Declared rows.
        rows: usize,
        /// Declared columns.
        columns: usize,
        /// Values found.
        values: usize,
    },
    /// A key slice is not among the scored slices.
    #[error(
        "key slice {sop} of series {series} in study {study} is not in the result; give only slices that were scored"
    )]
    UnknownSlice {
        /// StudyInstanceUID of the key slice.
        study: String,
        /// SeriesInstanceUID of the key slice.
        series: String,
        /// SOPInstanceUID of the key slice.
        sop: String,
    },
}
