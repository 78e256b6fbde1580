//! Why predictions cannot be evaluated.

use std::fmt;
use std::path::PathBuf;

use hemora_data::{IndexError, TableError};
use hemora_metrics::MetricError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many of something there are, and the first of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// The first five.
    pub first: Vec<String>,
}

impl Tally {
    /// Most that are named.
    const NAMED: usize = 5;

    /// Counts one more.
    pub fn add(&mut self, name: impl FnOnce() -> String) {
        self.count += 1;
        if self.first.len() < Self::NAMED {
            self.first.push(name());
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.first.join(", "))?;
        let more = self.count - self.first.len() as u64;
        if more > 0 { write!(formatter, " and {more} more") } else { Ok(()) }
    }
}

/// Why predictions cannot be evaluated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// A table cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// An index cannot be read.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// A file cannot be read.
    #[error("{}: cannot read the file: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("{}: cannot write the file: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// A folder is neither of an evaluation nor of a training run.
    #[error(
        "{} has neither metrics.json nor validation.csv; give folders that `hemora evaluate` or \
         `hemora train` wrote",
        .0.display()
    )]
    NoRun(PathBuf),
    /// Rows of a table cannot be used.
    #[error("{}: {} {what}: {tally}; {todo}", path.display(), tally.count)]
    Rows {
        /// The table.
        path: PathBuf,
        /// What is wrong with them.
        what: &'static str,
        /// How many and which.
        tally: Tally,
        /// What to do.
        todo: &'static str,
    },
    /// A table has no such columns.
    #[error("{}: no column {missing}; the header is {header}; {todo}", path.display())]
    Columns {
        /// The table.
        path: PathBuf,
        /// What is not there.
        missing: String,
        /// The header as it stands.
        header: String,
        /// What to do.
        todo: &'static str,
    },
    /// Something that was asked for cannot be had of these data.
    #[error("{0}")]
    Request(String),
    /// A metric cannot be computed.
    #[error(transparent)]
    Metric(#[from] MetricError),
    /// A document cannot be read as JSON.
    #[error("{}: {reason}; expected {expected}", path.display())]
    Document {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
        /// What it should be.
        expected: &'static str,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_names_five() {
        let mut tally = Tally::default();
        (0..7).for_each(|index| tally.add(|| format!("ID_{index}")));
        assert_eq!(tally.to_string(), "ID_0, ID_1, ID_2, ID_3, ID_4 and 2 more");
    }
}
