//! Why the images of a run cannot be used.

use std::path::PathBuf;

use hemora_ct::RecipeError;
use hemora_data::{DataError, NoStack, PrepareRecipeError, SplitError, TableError};

/// Why the images of a run cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Images or labels cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A table cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The recipe of a prepared set cannot be used.
    #[error(transparent)]
    Recipe(#[from] PrepareRecipeError),
    /// The network's input cannot be made.
    #[error(transparent)]
    Input(#[from] RecipeError),
    /// The images cannot be divided.
    #[error(transparent)]
    Split(#[from] SplitError),
    /// The series of an image is not known.
    #[error(transparent)]
    Series(#[from] NoStack),
    /// A folder that `hemora prepare` has not filled.
    #[error(
        "{}: no complete prepared set, which has recipe.toml and labels.csv; make one with `hemora \
         prepare`",
        .0.display()
    )]
    NotPrepared(PathBuf),
    /// A part that is neither a fold nor training, validation or test.
    #[error("splits.csv: `{id}` is in `{part}`; expected {expected}")]
    Part {
        /// The image.
        id: String,
        /// Its part.
        part: String,
        /// What parts there are.
        expected: &'static str,
    },
    /// JPEGs stay on disk only where a prepared set alone is trained on.
    #[error(
        "--from-files: expected --prepared, and no --extra images, --annotations or --label-weights"
    )]
    FromFiles,
    /// Extra images do not fit the others.
    #[error("--extra {}: {source}", images.display())]
    Extra {
        /// The folder.
        images: PathBuf,
        /// Why.
        source: DataError,
    },
    /// The split leaves no image.
    #[error("--split names none of the images in {}", .0.display())]
    NothingLeft(PathBuf),
    /// Patients on two sides of the split.
    #[error(
        "{patients} patients are in {first} and {second}, {example} among them; images given by \
         --extra must be of other patients (--split-by image allows it, and figures are then too good)"
    )]
    Leak {
        /// How many.
        patients: usize,
        /// One side.
        first: &'static str,
        /// The other.
        second: &'static str,
        /// One of them.
        example: String,
    },
}
