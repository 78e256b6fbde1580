//! What only a person, or a recipe, can tell of a model.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::BundlingError;
use crate::error::read;

/// The description of a model that its bundle and card take over, a TOML file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Name of the model.
    pub name: String,
    /// Its version.
    pub version: String,
    /// When it was made.
    pub created: String,
    /// Terms of the weights.
    pub licence: String,
    /// What it may be used for, and what not.
    pub intended_use: String,
    /// What it was trained on, and how.
    pub training_data: String,
    /// How slices become its input, in words.
    pub input: String,
    /// What it was validated on, and what was chosen there.
    pub validation: String,
    /// What a user should not expect of it.
    pub limits: Vec<String>,
}

impl About {
    /// Reads a description.
    ///
    /// # Errors
    /// [`BundlingError`] names the file and the field that cannot be used.
    pub fn read(path: &Path) -> Result<Self, BundlingError> {
        toml::from_slice(&read(path)?)
            .map_err(|source| BundlingError::Toml { path: path.to_owned(), source: source.into() })
    }
}
