//! The parts into which a prepared set was split: training, validation and test, or folds.

use std::collections::HashMap;
use std::path::Path;

use hemora_data::{Part, PreparedSet, SplitTable};
use miette::{IntoDiagnostic, Result, bail, miette};

/// The parts of a split by image.
pub(crate) enum Parts {
    /// Training, validation, test.
    Table(SplitTable),
    /// Fold of each image, from 0, and their number.
    Folds { of: HashMap<String, usize>, count: usize },
}

impl Parts {
    /// Those of a prepared set.
    ///
    /// # Errors
    /// A report if its table cannot be read, or has other parts.
    pub(crate) fn of_set(set: &PreparedSet) -> Result<Self> {
        let slices = set.slices().into_diagnostic()?;
        let fold = |part: &str| part.strip_prefix("fold").and_then(|number| number.parse().ok());
        if slices.iter().any(|slice| fold(&slice.part).is_some()) {
            let mut of = HashMap::with_capacity(slices.len());
            for slice in slices {
                let number: usize =
                    fold(&slice.part).filter(|number| *number < 1000).ok_or_else(|| {
                        miette!(
                            "splits.csv: `{}` is in `{}`, others in folds",
                            slice.id,
                            slice.part
                        )
                    })?;
                of.insert(slice.id, number);
            }
            let count = of.values().max().map_or(0, |last| last + 1);
            return Ok(Self::Folds { of, count });
        }
        let mut parts = Vec::with_capacity(slices.len());
        for slice in slices {
            let part = Part::ALL.into_iter().find(|part| part.name() == slice.part);
            let part = part.ok_or_else(|| {
                miette!("splits.csv: `{}` is in `{}`, which is no part", slice.id, slice.part)
            })?;
            parts.push((slice.id, part));
        }
        Ok(Self::Table(SplitTable::new(parts)))
    }
}

/// Opens a prepared set.
///
/// # Errors
/// A report if there is none.
pub(crate) fn open_prepared(folder: &Path) -> Result<PreparedSet> {
    if !PreparedSet::is_one(folder) {
        bail!(
            help = "`hemora prepare` makes one of an index",
            "{}: no complete prepared set, which has recipe.toml and labels.csv",
            folder.display()
        );
    }
    PreparedSet::open(folder).into_diagnostic()
}
