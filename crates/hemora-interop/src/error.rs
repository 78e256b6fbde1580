//! Why a result has no form that other systems read.

use hemora_ct::Label;

/// Why a result has no form that other systems read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InteropError {
    /// A UID is missing or has no form in DICOM.
    #[error("{what} is {value:?}, expected 1 to 64 printable characters without a backslash")]
    Uid {
        /// Whose UID.
        what: &'static str,
        /// What was found.
        value: String,
    },
    /// Revisions are counted from 1.
    #[error("the revision is 0; the first result of a study is revision 1")]
    Revision,
    /// A report cannot come after itself.
    #[error("the predecessor is not an earlier revision")]
    Predecessor,
    /// A probability is not between 0 and 1.
    #[error("the probability of {label} is {value}, expected 0 to 1")]
    Probability {
        /// Of which label.
        label: Label,
        /// What was found.
        value: f64,
    },
    /// Any hemorrhage does not come first, or a label comes twice.
    #[error("the findings are {found:?}; expected `any` first and no label twice")]
    Findings {
        /// The labels found.
        found: Vec<Label>,
    },
    /// A key object selection must name at least one image.
    #[error("the result names no key image, and a key object selection cannot be empty; send none")]
    NoKeyImages,
    /// The picture does not fill its size, or is too large for DICOM.
    #[error(
        "the picture of {rows} × {columns} pixels has {bytes} bytes; expected 3 a pixel and sides of 1 to 65535"
    )]
    Picture {
        /// Rows.
        rows: usize,
        /// Columns.
        columns: usize,
        /// Bytes found.
        bytes: usize,
    },
    /// The DICOM library refused the data set.
    #[error("cannot encode the data set: {0}")]
    Encode(String),
}
