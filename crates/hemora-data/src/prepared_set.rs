//! A prepared set on disk: where its parts lie and what is known of its images.

use std::path::{Path, PathBuf};

use crate::groups::{Groups, PATIENT, SERIES, STUDY};
use crate::prepare::{Output, PrepareRecipe, PrepareRecipeError};
use crate::table::{Table, TableError, with_file};

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

    /// Its patients, studies and series.
    ///
    /// # Errors
    /// [`TableError`] if `splits.csv` cannot be read.
    pub fn groups(&self) -> Result<Groups, TableError> {
        let splits = self.folder.join("splits.csv");
        let mut groups = Groups::from_csv(&splits, "ID", PATIENT)?;
        groups.merge(&Groups::from_csv(&splits, "ID", STUDY)?);
        groups.merge(&Groups::from_csv(&splits, "ID", SERIES)?);
        Ok(groups)
    }

    /// What is known of every image, in the order of the ids.
    ///
    /// # Errors
    /// [`TableError`] if `splits.csv` cannot be read.
    pub fn slices(&self) -> Result<Vec<SetSlice>, TableError> {
        read_slices(&self.folder.join("splits.csv"))
    }
}

/// What a prepared set knows of an image beside its pixels and labels.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SetSlice {
    /// Its id.
    pub id: String,
    /// PatientID, empty if it is not known.
    pub patient: String,
    /// StudyInstanceUID.
    pub study: String,
    /// SeriesInstanceUID.
    pub series: String,
    /// Part of the split: `train`, `validation`, `test`, or `fold0`, `fold1` …
    pub part: String,
    /// Its number among all slices of its series, from the lowest, from 0; `None` in sets that an
    /// earlier version prepared.
    pub place: Option<u32>,
    /// Place along the normal, mm.
    pub z_mm: Option<f64>,
    /// Distance to the next slice along the normal, of the highest to the one before, mm.
    pub spacing_mm: Option<f64>,
}

/// The rows of a `splits.csv`.
pub(crate) fn read_slices(path: &Path) -> Result<Vec<SetSlice>, TableError> {
    with_file(path, |file| {
        let table = Table::new(file)?;
        let [id, patient, study, series, part] =
            ["ID", PATIENT, STUDY, SERIES, "split"].map(|name| table.column(name));
        let columns = [id?, patient?, study?, series?, part?];
        let optional = ["place", "z_mm", "spacing_mm"]
            .map(|name| table.header().iter().position(|column| column == name));
        let mut slices = Vec::new();
        table.for_each(|_, fields| {
            let [id, patient, study, series, part] = columns.map(|at| fields[at].to_owned());
            let [place, z_mm, spacing_mm] =
                optional.map(|at| at.map_or("", |at| fields[at]).trim());
            let place = match place {
                "" => None,
                text => Some(text.parse().map_err(|_| format!("`{text}` is no place"))?),
            };
            let [z_mm, spacing_mm] = [z_mm, spacing_mm].map(length);
            let (z_mm, spacing_mm) = (z_mm?, spacing_mm?);
            slices.push(SetSlice { id, patient, study, series, part, place, z_mm, spacing_mm });
            Ok(())
        })?;
        Ok(slices)
    })
}

/// A length in mm; nothing where there is no text.
fn length(text: &str) -> Result<Option<f64>, String> {
    match text {
        "" => Ok(None),
        text => match text.parse::<f64>() {
            Ok(mm) if mm.is_finite() => Ok(Some(mm)),
            _ => Err(format!("`{text}` is no length in mm")),
        },
    }
}
