//! Why a set cannot be prepared.

use std::path::PathBuf;

use hemora_objects::PlaceError;

use super::recipe::PrepareRecipeError;
use crate::index::IndexError;
use crate::split::SplitError;

/// Why a set cannot be prepared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// The index cannot be read.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The recipe is unusable.
    #[error(transparent)]
    Recipe(#[from] PrepareRecipeError),
    /// The set cannot be split as asked.
    #[error(transparent)]
    Split(#[from] SplitError),
    /// An option out of bounds.
    #[error("{name} is {found}; expected {expected}")]
    Option {
        /// The option.
        name: &'static str,
        /// What it is.
        found: String,
        /// What it may be.
        expected: &'static str,
    },
    /// No slice is left.
    #[error(
        "no slice of the index has labels, enough brain and enough hemorrhage types; were label \
         tables given to `hemora index`?"
    )]
    NothingSelected,
    /// The index has no part for some slices.
    #[error(
        "{without} of {slices} slices have no part in the index; `hemora index split` gives every \
         labelled slice one"
    )]
    NoStoredPart {
        /// Slices without a part.
        without: usize,
        /// Slices that were selected.
        slices: usize,
    },
    /// Another run fills the folder.
    #[error("{}: another run is at work on this set; wait until it ends", .0.display())]
    Busy(PathBuf),
    /// Not one slice of the sample whose frequencies are counted could be read.
    #[error(
        "none of the {count} slices sampled for the frequencies could be read; the first: {reason}"
    )]
    NoneSampled {
        /// Number of slices.
        count: usize,
        /// Why the first was not.
        reason: String,
    },
    /// Not one slice could be read.
    #[error("none of {count} slices could be prepared; the first: {reason}")]
    AllFailed {
        /// Number of slices.
        count: usize,
        /// Why the first was not.
        reason: String,
    },
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// Object storage failed, or a file for it.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The settings that were counted differ from those that the set was begun with.
    #[error(
        "{}: the frequencies that are counted now are not those that the set was begun with, so some of \
         the sampled images could be read then and not now, or the other way round, or on one machine and \
         not on another; see that all can be read, and give an empty folder",
        .0.display()
    )]
    OtherFrequencies(PathBuf),
    /// The folder holds something else.
    #[error(
        "{}: holds files that are not of this set (another recipe, selection, input or version of \
         Hemora); give an empty folder or prefix",
        .0.display()
    )]
    OtherSet(PathBuf),
}
