//! Which images a run takes, and what it holds out.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
use hemora_ct::InputRecipe;
use hemora_data::{GroupTable, PreparedSet, SplitTable};
use serde::{Deserialize, Serialize};

/// What stays on one side of a split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// All images of a patient.
    Patient,
    /// Each image alone: figures are then too good.
    Image,
}

impl std::fmt::Display for By {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Patient => "patient",
            Self::Image => "image",
        })
    }
}

/// Where the images and labels are.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// A prepared set, with its labels, patients and channels.
    Prepared {
        /// Its folder.
        folder: PathBuf,
        /// The set.
        set: Arc<PreparedSet>,
    },
    /// A folder of images and a table of their labels.
    Folder {
        /// The folder, which may be a prepared set too.
        images: PathBuf,
        /// The table.
        labels: PathBuf,
    },
}

/// Images and labels that are trained on but never validated on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraImages {
    /// The folder.
    pub images: PathBuf,
    /// The label table.
    pub labels: PathBuf,
}

/// The network's input.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkInput {
    /// How an image becomes it.
    pub recipe: InputRecipe,
    /// Whether inference can make it of a slice: not of windowed colours that somebody made.
    pub is_known: bool,
}

/// The images of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct DataPlan {
    /// Where they are.
    pub source: Source,
    /// Further ones.
    pub extra: Vec<ExtraImages>,
    /// Tables of their groups.
    pub groups: Vec<GroupTable>,
    /// What the network is given.
    pub input: NetworkInput,
    /// Height and width at which images are held in memory, pixels.
    pub working_size: usize,
    /// Whether JPEGs are read when they are used instead of being held in memory.
    pub from_files: bool,
    /// Whether images of which only some labels are known are kept.
    pub partial_labels: bool,
    /// Folders of annotations of the images.
    pub annotations: Vec<PathBuf>,
    /// Times an epoch that a training image with annotated pixels is shown, at least 1.
    pub repeat_masked: usize,
    /// Table of the weights of the images' labels.
    pub label_weights: Option<PathBuf>,
}

/// One fold of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fold {
    /// How many there are, at least 2.
    pub count: usize,
    /// The one that is held out, from 0.
    pub index: usize,
}

/// Which images are held out.
#[derive(Debug, Clone, PartialEq)]
pub enum HoldOut {
    /// A fraction, drawn by the seed.
    Fraction(f64),
    /// A fold of a cross-validation, drawn by the seed.
    Fold(Fold),
    /// A fold of the prepared set.
    SetFold {
        /// The fold.
        fold: Fold,
        /// Fold of each image by its id, from 0.
        fold_by_id: Arc<HashMap<String, usize>>,
    },
    /// What a table or the prepared set names as validation and test.
    Table(Arc<SplitTable>),
}

impl HoldOut {
    /// The fold that is held out, in a cross-validation.
    pub fn fold(&self) -> Option<Fold> {
        match self {
            Self::Fold(fold) | Self::SetFold { fold, .. } => Some(*fold),
            Self::Fraction(_) | Self::Table(_) => None,
        }
    }

    /// Whether an image takes part.
    pub fn takes(&self, id: &str) -> bool {
        match self {
            Self::Fraction(_) | Self::Fold(_) => true,
            Self::SetFold { fold_by_id, .. } => fold_by_id.contains_key(id),
            Self::Table(table) => table.part(id).is_some(),
        }
    }
}

/// How images are divided.
#[derive(Debug, Clone, PartialEq)]
pub struct SplitPlan {
    /// What is held out.
    pub hold_out: HoldOut,
    /// What stays on one side.
    pub by: By,
    /// Seed of what is drawn.
    pub seed: u64,
}
