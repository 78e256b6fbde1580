//! Settings that no run can start with.

use std::path::PathBuf;

use hemora_ct::RecipeError;
use hemora_data::AugmentFileError;

use crate::data::LoadError;
use crate::model::ModelError;

/// Settings that no run can start with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("{}: cannot read it: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system reports.
        source: std::io::Error,
    },
    /// A file is larger than a person writes one.
    #[error("{}: more than {most} bytes; expected a small text file", path.display())]
    Large {
        /// The file.
        path: PathBuf,
        /// Most bytes.
        most: u64,
    },
    /// An unknown key, a value of the wrong type, or no TOML at all.
    #[error("{}: {source}", path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// The line and what is wrong with it.
        source: Box<toml::de::Error>,
    },
    /// A setting that a run needs.
    #[error("{flag} is missing: name {what}, or set it in the file that --config names")]
    Missing {
        /// The flag.
        flag: &'static str,
        /// What it names.
        what: &'static str,
    },
    /// A value out of bounds.
    #[error("{flag} {value}: expected {expected}")]
    Value {
        /// The flag.
        flag: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        expected: String,
    },
    /// Two settings of which one alone may be given.
    #[error("{first} and {second}: expected one of them, as {why}")]
    Both {
        /// One flag.
        first: &'static str,
        /// The other.
        second: &'static str,
        /// Why they do not go together.
        why: &'static str,
    },
    /// The prepared set was split otherwise.
    #[error("--folds {folds}: {} was split into {found}", set.display())]
    SetFolds {
        /// How many are wanted.
        folds: usize,
        /// The set.
        set: PathBuf,
        /// What it has, and what to do.
        found: String,
    },
    /// An input for images that have theirs.
    #[error(
        "--input {input}: the JPEGs of {} have their channels already; prepare the set with the recipe \
         `hu`, of which any input can be made",
        set.display()
    )]
    FixedInput {
        /// The input.
        input: String,
        /// The set.
        set: PathBuf,
    },
    /// A file of the input cannot be used.
    #[error("--input {input}: expected {names} or a TOML file with `channels`: {source}")]
    Input {
        /// The name or file.
        input: String,
        /// The names that there are.
        names: String,
        /// What is wrong with the file.
        source: Box<ConfigError>,
    },
    /// A file of the augmentation cannot be read.
    #[error("--augment {augment}: expected {names} or a TOML file: {source}")]
    Augment {
        /// The name or file.
        augment: String,
        /// The names that there are.
        names: String,
        /// What is wrong with the file.
        source: Box<ConfigError>,
    },
    /// A file of the augmentation cannot be used.
    #[error("{}: {source}", path.display())]
    AugmentFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<AugmentFileError>,
    },
    /// The network's input cannot be made.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The network cannot be built.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The prepared set cannot be used.
    #[error(transparent)]
    Data(#[from] LoadError),
}
