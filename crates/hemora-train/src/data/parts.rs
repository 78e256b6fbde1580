//! Prepared sets, and the parts into which one was split: training, validation and test, or folds.

use std::collections::HashMap;
use std::path::Path;

use hemora_data::{Part, PreparedSet, SetSlice, SplitTable};

use super::LoadError;

/// Most folds of a set or a run.
pub const MOST_FOLDS: usize = 1000;

/// The parts of a prepared set.
pub enum Parts {
    /// Training, validation, test.
    Table(SplitTable),
    /// Folds.
    Folds {
        /// Fold of each image by its id, from 0.
        by_id: HashMap<String, usize>,
        /// How many there are.
        count: usize,
    },
}

impl Parts {
    /// Those of a prepared set.
    ///
    /// # Errors
    /// [`LoadError`] if its table cannot be read, or has other parts.
    pub fn from_set(set: &PreparedSet) -> Result<Self, LoadError> {
        Self::from_slices(set.slices()?)
    }

    fn from_slices(slices: Vec<SetSlice>) -> Result<Self, LoadError> {
        let number = |part: &str| -> Option<usize> {
            let number = part.strip_prefix("fold")?.parse().ok()?;
            Some(number).filter(|number| *number < MOST_FOLDS)
        };
        let has_folds = slices.iter().any(|slice| number(&slice.part).is_some());
        let wrong = |SetSlice { id, part, .. }, expected| LoadError::Part { id, part, expected };
        if has_folds {
            let mut by_id = HashMap::with_capacity(slices.len());
            for slice in slices {
                let Some(fold) = number(&slice.part) else {
                    return Err(wrong(slice, "fold0, fold1 and so on, as of others"));
                };
                by_id.insert(slice.id, fold);
            }
            let count = by_id.values().max().map_or(0, |last| last + 1);
            return Ok(Self::Folds { by_id, count });
        }
        let mut parts = Vec::with_capacity(slices.len());
        for slice in slices {
            let part = Part::ALL.into_iter().find(|part| part.name() == slice.part);
            let Some(part) = part else {
                return Err(wrong(slice, "train, validation, test or a fold"));
            };
            parts.push((slice.id, part));
        }
        Ok(Self::Table(SplitTable::new(parts)))
    }
}

/// Opens a prepared set.
///
/// # Errors
/// [`LoadError`] if there is none.
pub fn open_prepared(folder: &Path) -> Result<PreparedSet, LoadError> {
    if !PreparedSet::is_one(folder) {
        return Err(LoadError::NotPrepared(folder.to_owned()));
    }
    Ok(PreparedSet::open(folder)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_folds_or_sides_and_nothing_else() {
        let slices = |parts: [&str; 2]| {
            let slice = |part: &str| SetSlice {
                id: format!("in {part}"),
                part: part.to_owned(),
                ..SetSlice::default()
            };
            Parts::from_slices(parts.map(slice).to_vec())
        };
        let folds = slices(["fold0", "fold2"]).unwrap();
        assert!(matches!(folds, Parts::Folds { count: 3, by_id } if by_id["in fold2"] == 2));
        assert!(matches!(slices(["train", "test"]).unwrap(), Parts::Table(_)));
        for parts in [["fold0", "train"], ["train", "elsewhere"], ["train", "fold1000"]] {
            let error = slices(parts).err().unwrap().to_string();
            assert!(error.contains(&format!("`{}`", parts[1])), "{error}");
        }
    }
}
