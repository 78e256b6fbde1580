//! The slices of a plan, read: one, or a sample whose HU are counted.

use hemora_ct::{HuCounts, Plane};
use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::error::PrepareError;
use super::plan::{Plan, Planned, Purpose, generator};
use super::recipe::{Output, PrepareRecipe};
use crate::index::FileStamp;

/// Frequencies of HU in a sample of the plan's slices.
///
/// # Errors
/// [`PrepareError::NoneSampled`] if none of the sample can be read.
pub(super) fn frequencies(
    plan: &Plan,
    recipe: &PrepareRecipe,
    seed: u64,
) -> Result<HuCounts, PrepareError> {
    let Output::Jpeg { bin_images, .. } = recipe.output else { return Ok(HuCounts::default()) };
    let mut slices: Vec<&Planned> = plan.slices.iter().collect();
    slices.shuffle(&mut generator(seed, Purpose::Bins));
    slices.truncate(bin_images);
    let add = |mut sampled: Sampled, (number, slice): (usize, &&Planned)| {
        match read(plan, slice.slot) {
            Ok(image) => {
                sampled.counts.add(&image.values);
                sampled.read += 1;
            }
            // One that cannot be read is reported when its turn comes.
            Err(reason) => sampled.fail((number, reason)),
        }
        sampled
    };
    let numbered = slices.par_iter().enumerate();
    let sampled = numbered.fold(Sampled::default, add).reduce(Sampled::default, Sampled::merge);
    match sampled.first_failed {
        Some((_, reason)) if sampled.read == 0 => {
            Err(PrepareError::NoneSampled { count: slices.len(), reason })
        }
        _ => Ok(sampled.counts),
    }
}

/// What reading a sample gave.
#[derive(Default)]
struct Sampled {
    counts: HuCounts,
    read: usize,
    /// Number of the first slice that could not be read, and why.
    first_failed: Option<(usize, String)>,
}

impl Sampled {
    fn fail(&mut self, failed: (usize, String)) {
        if self.first_failed.as_ref().is_none_or(|(number, _)| failed.0 < *number) {
            self.first_failed = Some(failed);
        }
    }

    fn merge(mut self, other: Self) -> Self {
        self.counts.merge(&other.counts);
        self.read += other.read;
        other.first_failed.into_iter().for_each(|failed| self.fail(failed));
        self
    }
}

/// Reads a slice, upright, unless its file changed since the index was made.
pub(super) fn read(plan: &Plan, slot: u32) -> Result<Plane, String> {
    let (source, indexed) = plan.source(slot);
    let path = source.file();
    let size = FileStamp::of(path).map_err(|error| format!("{}: {error}", path.display()))?.size;
    if size != indexed {
        return Err(format!(
            "{}: has {size} bytes, had {indexed} when it was indexed; run `hemora index` again",
            path.display(),
        ));
    }
    let (_, slice) =
        plan.reader.read_slice(&source).map_err(|error| format!("{source}: {error}"))?;
    Ok(slice.into_upright().into_plane())
}
