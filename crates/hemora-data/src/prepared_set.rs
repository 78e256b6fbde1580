//! A prepared set on disk: where its parts lie and what is known of its images.

use std::path::{Path, PathBuf};

use crate::groups::{Groups, PATIENT, SERIES};
use crate::prepare::{Output, PrepareRecipe, PrepareRecipeError};
use crate::table::TableError;

/// The folder that [`prepare`](crate::prepare()) wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct PreparedSet {
    folder: PathBuf,
    recipe: PrepareRecipe,
}

impl PreparedSet {
    /// Whether `folder` is a complete prepared set: it has a recipe and, written last, labels.
    pub fn is_one(folder: &Path) -> bool {
        ["recipe.toml", "labels.csv"].iter().all(|name| folder.join(name).is_file())
    }

    /// Opens a folder.
    ///
    /// # Errors
    /// [`PrepareRecipeError`] if its recipe cannot be used.
    pub fn open(folder: &Path) -> Result<Self, PrepareRecipeError> {
        let recipe = PrepareRecipe::read(&folder.join("recipe.toml"))?;
        Ok(Self { folder: folder.to_owned(), recipe })
    }

    /// The recipe, with its frequency bins.
    pub fn recipe(&self) -> &PrepareRecipe {
        &self.recipe
    }

    /// Whether its images are shards of HU, which [`InMemorySet::open_hu`] reads, and not files.
    ///
    /// [`InMemorySet::open_hu`]: crate::InMemorySet::open_hu
    pub fn is_hu(&self) -> bool {
        matches!(self.recipe.output, Output::Hu { .. })
    }

    /// The folder of its image files.
    pub fn images(&self) -> PathBuf {
        self.folder.join("images")
    }

    /// Its label table.
    pub fn labels(&self) -> PathBuf {
        self.folder.join("labels.csv")
    }

    /// Its patients and series.
    ///
    /// # Errors
    /// [`TableError`] if `splits.csv` cannot be read.
    pub fn groups(&self) -> Result<Groups, TableError> {
        let splits = self.folder.join("splits.csv");
        let mut groups = Groups::from_csv(&splits, "ID", PATIENT)?;
        groups.merge(&Groups::from_csv(&splits, "ID", SERIES)?);
        Ok(groups)
    }
}
