//! What is taken of an index and how it is split: the choice that a user makes.

use serde::{Deserialize, Serialize};

/// Which slices are taken and how they are split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Selection {
    /// Fewest subtypes of a positive slice, 0 to 5; with 0, `any` alone will do.
    pub min_types: usize,
    /// Slices without hemorrhage.
    pub negatives: Negatives,
    /// The parts of the set.
    pub split: SplitInto,
    /// What stays on one side.
    pub split_by: SplitBy,
    /// Seed of the sample, the split and the images whose frequencies are counted.
    pub seed: u64,
}

impl Selection {
    /// How the selected slices are dealt.
    pub(super) fn rule(&self) -> SplitRule {
        SplitRule { into: self.split, by: self.split_by, seed: self.seed }
    }
}

/// How slices are dealt to the parts of a split.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitRule {
    /// The parts.
    pub into: SplitInto,
    /// What stays on one side.
    pub by: SplitBy,
    /// Seed of the dealing.
    pub seed: u64,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            min_types: 0,
            negatives: Negatives::All,
            split: SplitInto::Parts { validation: 0.15, test: 0.15 },
            split_by: SplitBy::Patient,
            seed: 0,
        }
    }
}

/// How many slices without hemorrhage are taken.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Negatives {
    /// All of them.
    All,
    /// So many, or all if there are fewer.
    Count(usize),
    /// So many for each positive slice.
    Ratio(f64),
}

/// The parts of a set.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SplitInto {
    /// `train`, `validation` and `test`; the parts of the images for the latter two.
    Parts {
        /// Part for validation, 0 to below 1.
        validation: f64,
        /// Part for the test, 0 to below 1.
        test: f64,
    },
    /// `fold0`, `fold1` …, of equal size.
    Folds(usize),
    /// The parts that the index has, as [`store_split`](super::store_split) wrote them.
    Stored,
}

/// What stays on one side of a split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SplitBy {
    /// All that is known to be of one patient, study or series, and those who share a picture.
    Patient,
    /// Nothing: patients stand on several sides and figures are too good
    /// (docs/references.md#seed-networks).
    Image,
}
