//! Why networks of series cannot be trained, beside what can go wrong in any training.

use std::path::PathBuf;

/// Why networks of series cannot be trained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SeriesError {
    /// A setting out of bounds.
    #[error("{flag} is {value}; expected {expected}")]
    Value {
        /// The flag.
        flag: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        expected: &'static str,
    },
    /// A network of features without any.
    #[error("{0} reads features: name them with --features")]
    NoFeatures(String),
    /// A network of features with probabilities of a first model.
    #[error("{0} reads features alone: leave out --first")]
    First(String),
    /// Nothing to hold out.
    #[error("{} has one fold; expected 2 or more", .0.display())]
    OneFold(PathBuf),
    /// Features of other slices.
    #[error("{} has the features of {rows} slices, {} has {slices}", features.display(), table.display())]
    Rows {
        /// The file of features.
        features: PathBuf,
        /// Its slices.
        rows: usize,
        /// The table.
        table: PathBuf,
        /// Its slices.
        slices: usize,
    },
    /// Features of another network.
    #[error("the features of fold {fold} have {found} columns; expected {expected}, as of fold 1")]
    Columns {
        /// The fold, from 1.
        fold: u32,
        /// Its columns.
        found: usize,
        /// Those of fold 1.
        expected: usize,
    },
    /// The first model's table is of other slices.
    #[error("{}: {problem}", path.display())]
    FirstTable {
        /// The table.
        path: PathBuf,
        /// What does not fit.
        problem: String,
    },
    /// A series in several folds.
    #[error("the slices of series `{0}` are in several folds: of several patients?")]
    Torn(String),
    /// Nothing to learn from.
    #[error("no series outside fold {0} has labels")]
    NoLabels(u32),
    /// Too little to learn from.
    #[error("fold {0}: too few slices with labels outside it for a batch")]
    TooFew(u32),
}
