//! Why a configuration cannot be used.

use std::path::PathBuf;

/// Why a configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read or used.
    #[error("{}: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The text is no TOML, or a key or value in it is not known; the message has the line.
    #[error("{0}")]
    Toml(String),
    /// A value cannot be used.
    #[error("`{key}` {problem}")]
    Value {
        /// The key.
        key: String,
        /// What is wrong, and what to do.
        problem: String,
    },
}

impl ConfigError {
    pub(crate) fn value(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Value { key: key.into(), problem: problem.into() }
    }
}
