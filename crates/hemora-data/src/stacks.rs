//! The series of a prepared set: which of its images lie in one stack, in which order and where.

use std::collections::{BTreeMap, HashMap};

use hemora_ct::{SequenceSlice, places_along};

use crate::prepared_set::SetSlice;

/// The images of a set, series by series.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stacks {
    /// The images of each series, from the lowest.
    series: Vec<Vec<usize>>,
    /// Of each image its series.
    of: Vec<usize>,
    /// Of each image its place; the rank is that among the images of the set.
    slices: Vec<SequenceSlice>,
    /// Slices of series, below their highest image, that the set lacks.
    lacking: usize,
}

/// Why the series of a set are not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the set does not say where `{0}` lies in its series; prepare it again, of DICOM files or NIfTI \
     volumes"
)]
pub struct NoStack(pub String);

impl Stacks {
    /// The series of images with these ids, in the order of the set, from what a prepared set knows
    /// of its slices.
    ///
    /// # Errors
    /// [`NoStack`] names the first image of which the series or the place in it is not known.
    pub fn new<'a>(
        ids: impl IntoIterator<Item = &'a str>,
        known: &[SetSlice],
    ) -> Result<Self, NoStack> {
        let known: HashMap<&str, &SetSlice> =
            known.iter().map(|slice| (slice.id.as_str(), slice)).collect();
        let mut stacks: BTreeMap<&str, Vec<(u32, usize)>> = BTreeMap::new();
        let mut slices = Vec::new();
        for (image, id) in ids.into_iter().enumerate() {
            let found = known.get(id).filter(|slice| !slice.series.is_empty());
            let found = found.and_then(|slice| Some((*slice, slice.place?)));
            let (slice, place) = found.ok_or_else(|| NoStack(id.to_owned()))?;
            stacks.entry(&slice.series).or_default().push((place, image));
            slices.push(SequenceSlice { z_mm: slice.z_mm, ..SequenceSlice::default() });
        }
        let mut all = Self { of: vec![0; slices.len()], slices, ..Self::default() };
        for (number, mut stack) in stacks.into_values().enumerate() {
            stack.sort_unstable();
            // Counted from the lowest slice, which the set may lack as well.
            all.lacking += (stack[stack.len() - 1].0 as usize + 1).saturating_sub(stack.len());
            for (rank, (_, image)) in stack.iter().enumerate() {
                all.of[*image] = number;
                all.slices[*image].rank = SequenceSlice::rank_of(rank, stack.len());
            }
            all.series.push(stack.into_iter().map(|(_, image)| image).collect());
        }
        Ok(all)
    }

    /// The series of an image, from 0.
    pub fn series_of(&self, image: usize) -> usize {
        self.of[image]
    }

    /// Those of `images` in each series that has some, from the lowest.
    pub fn among(&self, images: &[usize]) -> Vec<Vec<usize>> {
        let mut wanted = vec![false; self.of.len()];
        images.iter().for_each(|image| wanted[*image] = true);
        let of = |series: &Vec<usize>| -> Vec<usize> {
            series.iter().copied().filter(|image| wanted[*image]).collect()
        };
        self.series.iter().map(of).filter(|images| !images.is_empty()).collect()
    }

    /// The places along the normal of images of one series that are read in this order, in units of
    /// 10 mm from the first.
    pub fn places(&self, images: &[usize]) -> Vec<f32> {
        places_along(&images.iter().map(|image| self.slices[*image]).collect::<Vec<_>>())
    }

    /// How many slices below the highest image of their series the set lacks.
    pub fn lacking(&self) -> usize {
        self.lacking
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(series: &str, id: &str, place: Option<u32>) -> SetSlice {
        let z_mm = place.map(|place| 5.0 * f64::from(place));
        SetSlice { id: id.into(), series: series.into(), place, z_mm, ..SetSlice::default() }
    }

    #[test]
    fn images_of_a_series_stand_in_the_order_of_their_places() {
        let known = [("b", "b0", 0), ("a", "a2", 2), ("a", "a0", 0), ("b", "b3", 3)]
            .map(|(series, id, place)| slice(series, id, Some(place)));
        let stacks = Stacks::new(["a2", "b3", "a0", "b0"], &known).unwrap();
        assert_eq!(stacks.among(&[0, 1, 2, 3]), [[2, 0], [3, 1]]);
        assert_eq!(stacks.among(&[1, 0]), [[0], [1]]);
        assert_eq!([0, 1, 2, 3].map(|image| stacks.series_of(image)), [0, 1, 0, 1]);
        assert_eq!(stacks.places(&[2, 0]), [0.0, 1.0]);
        assert_eq!(stacks.places(&[1, 3]), [0.0, -1.5]);
        assert_eq!(stacks.lacking(), 3);
    }

    #[test]
    fn images_without_a_series_or_a_place_are_named() {
        let known = [slice("a", "a0", Some(0)), slice("", "b", Some(1)), slice("a", "c", None)];
        for id in ["b", "c", "unknown"] {
            assert_eq!(Stacks::new(["a0", id], &known).unwrap_err(), NoStack(id.to_owned()));
        }
    }
}
