//! Statuses by which services refuse.

use std::fmt;

/// Why a request is not done, as the peer is told: a status (PS3.4 §B.2.3, PS3.7 annex C) and a
/// comment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Failure {
    /// Status of the response, such as 0xA700.
    pub status: u16,
    /// Error comment (0000,0902); the peer gets the first 64 characters, those that are not ASCII as
    /// question marks.
    pub comment: String,
}

impl Failure {
    /// A failure with a status of one's own.
    pub fn new(status: u16, comment: impl Into<String>) -> Self {
        Self { status, comment: comment.into() }
    }

    /// A700: out of resources, as a full disk; the peer may try again later.
    pub fn out_of_resources(comment: impl Into<String>) -> Self {
        Self::new(0xA700, comment)
    }

    /// A900: the data set does not match what the command says about it.
    pub fn mismatch(comment: impl Into<String>) -> Self {
        Self::new(0xA900, comment)
    }

    /// C000: the data set cannot be understood.
    pub fn cannot_understand(comment: impl Into<String>) -> Self {
        Self::new(0xC000, comment)
    }

    /// 0124: the peer may not do this.
    pub fn not_authorized(comment: impl Into<String>) -> Self {
        Self::new(0x0124, comment)
    }

    /// 0122: the SOP class is not supported.
    pub fn class_not_supported(comment: impl Into<String>) -> Self {
        Self::new(0x0122, comment)
    }

    /// 0110: a failure of this program.
    pub fn processing(comment: impl Into<String>) -> Self {
        Self::new(0x0110, comment)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {:04X}: {}", self.status, self.comment)
    }
}
