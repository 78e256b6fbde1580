//! What networks that read whole series are shown of each slice beside its features. Training and
//! inference share it.
//!
//! Slices are given in the order in which they are read, upward or downward, perhaps with gaps:
//! neighbours are those in that order.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::LABEL_COUNT;

/// Distances along the normal are given in units of this many mm, so that those of neighbours are
/// near 1.
pub const SEQUENCE_UNIT_MM: f64 = 10.0;

/// What networks of series read of each slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SeriesInput {
    /// The pooled features of the network of single slices: what its last linear layer reads.
    Features,
    /// The same, and the position along the normal in units of 10 mm in the last column.
    FeaturesAndPositions,
    /// Probabilities of the network of single slices, their differences to the neighbours, rank and
    /// distance, and in a second stage the probabilities of the first: six columns of each.
    Probabilities,
}

impl SeriesInput {
    /// Whether it is read from the feature maps of the network of single slices.
    pub fn is_features(self) -> bool {
        self != Self::Probabilities
    }
}

/// What is known of a slice of a series.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SequenceSlice {
    /// Place along the slice normal, mm.
    pub z_mm: Option<f64>,
    /// Distance to the next slice, mm: used where a place is not known.
    pub spacing_mm: Option<f64>,
    /// Place among the slices of the series, from 0 at the lowest to 1 at the highest; ½ for a
    /// single slice.
    pub rank: f32,
    /// What the network of single slices says, 0 to 1 in label order.
    pub probabilities: [f32; LABEL_COUNT],
    /// What a first network of sequences says, where there is one.
    pub first: Option<[f32; LABEL_COUNT]>,
}

impl SequenceSlice {
    /// Rank of the slice `index`, from 0 at the lowest, of `count` slices.
    pub fn rank_of(index: usize, count: usize) -> f32 {
        if count > 1 { index as f32 / (count - 1) as f32 } else { 0.5 }
    }

    /// From this slice to the next that is read, mm; 0 if nothing is known.
    fn distance_mm(&self, next: Option<&Self>) -> f64 {
        let places = next.and_then(|next| self.z_mm.zip(next.z_mm));
        let apart = places.map(|(a, b)| (a - b).abs());
        apart.or(self.spacing_mm.map(f64::abs)).unwrap_or(0.0)
    }
}

/// Number of columns that [`probability_columns`] makes, with or without what a first network says.
pub const fn probability_column_count(has_first: bool) -> usize {
    LABEL_COUNT * if has_first { 6 } else { 5 }
}

/// The columns of `sequence-probabilities`, `[slices, columns]`: of each kind six values, one a
/// label. The kinds are the probability, its differences to the slice before and to the slice
/// after, the rank, the distance to the next slice in units of [`SEQUENCE_UNIT_MM`], and, where
/// all slices have it, what the first network of sequences says: 36 columns, or 30 without.
pub fn probability_columns(slices: &[SequenceSlice]) -> Vec<f32> {
    let with_first = slices.iter().all(|slice| slice.first.is_some());
    let mut values = Vec::with_capacity(probability_column_count(with_first) * slices.len());
    for (at, slice) in slices.iter().enumerate() {
        let own = slice.probabilities;
        // At the ends there is nobody to differ from.
        let before = at.checked_sub(1).map_or(own, |at| slices[at].probabilities);
        let after = slices.get(at + 1).map_or(own, |slice| slice.probabilities);
        values.extend(own);
        values.extend((0..LABEL_COUNT).map(|label| own[label] - before[label]));
        values.extend((0..LABEL_COUNT).map(|label| own[label] - after[label]));
        values.extend([slice.rank; LABEL_COUNT]);
        // The last slice has the distance of the one before it.
        let pair = if at + 1 < slices.len() { at } else { at.saturating_sub(1) };
        let distance = slices[pair].distance_mm(slices.get(pair + 1)) / SEQUENCE_UNIT_MM;
        values.extend([distance as f32; LABEL_COUNT]);
        values.extend(slice.first.filter(|_| with_first).iter().flatten());
    }
    values
}

/// Of each slice the position along the normal in units of [`SEQUENCE_UNIT_MM`], from the first that
/// is read: the last column of `sequence-transformer`. Up where ranks go up. Where z is unknown,
/// slices are as far apart as their spacing says, or stay in one place.
pub fn places_along(slices: &[SequenceSlice]) -> Vec<f32> {
    let mut place = 0.0;
    let mut before: Option<&SequenceSlice> = None;
    let along = slices.iter().map(|slice| {
        if let Some(before) = before {
            let distance = before.distance_mm(Some(slice));
            place += if slice.rank >= before.rank { distance } else { -distance };
        }
        before = Some(slice);
        (place / SEQUENCE_UNIT_MM) as f32
    });
    along.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Slices 5 mm apart with probabilities 0, .01, .02 …, in the order of `read`.
    fn slices(count: usize, read: &[usize]) -> Vec<SequenceSlice> {
        let slice = |&index: &usize| SequenceSlice {
            z_mm: Some(5.0 * index as f64),
            spacing_mm: Some(5.0),
            rank: SequenceSlice::rank_of(index, count),
            probabilities: [index as f32 / 100.0; LABEL_COUNT],
            first: None,
        };
        read.iter().map(slice).collect()
    }

    fn near(found: &[f32], expected: [f32; 5]) {
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
        }
    }

    #[test]
    fn columns_are_of_the_order_in_which_slices_are_read() {
        let columns = |read: &[usize]| -> Vec<Vec<f32>> {
            let values = probability_columns(&slices(5, read));
            values.chunks(30).map(|slice| (0..5).map(|kind| slice[6 * kind]).collect()).collect()
        };
        let forward = columns(&[0, 1, 2, 3, 4]);
        near(&forward[0], [0.0, 0.0, -0.01, 0.0, 0.5]);
        near(&forward[2], [0.02, 0.01, -0.01, 0.5, 0.5]);
        near(&forward[4], [0.04, 0.01, 0.0, 1.0, 0.5]);
        // Backward the neighbours change sides; every second slice is twice as far.
        let backward = columns(&[4, 2, 0]);
        near(&backward[1], [0.02, -0.02, 0.02, 0.5, 1.0]);
        near(&backward[2], [0.0, -0.02, 0.0, 0.0, 1.0]);
        near(&columns(&[3])[0], [0.03, 0.0, 0.0, 0.75, 0.5]);
        assert!(probability_columns(&[]).is_empty());
    }

    #[test]
    fn what_a_first_network_says_comes_last() {
        let mut slices = slices(2, &[0, 1]);
        slices[0].first = Some([0.25; LABEL_COUNT]);
        assert_eq!(probability_columns(&slices).len(), 60, "not all have it");
        slices[1].first = Some([0.75; LABEL_COUNT]);
        let values = probability_columns(&slices);
        assert_eq!((values.len(), values[30], values[71]), (72, 0.25, 0.75));
        assert_eq!([false, true].map(probability_column_count), [30, 36]);
    }

    #[test]
    fn places_go_up_and_down_with_the_slices() {
        assert_eq!(places_along(&slices(4, &[0, 1, 3])), [0.0, 0.5, 1.5]);
        assert_eq!(places_along(&slices(4, &[3, 1, 0])), [0.0, -1.0, -1.5]);
        let mut unknown = slices(4, &[0, 1, 2]);
        unknown[1].z_mm = None;
        assert_eq!(places_along(&unknown), [0.0, 0.5, 1.0]);
        unknown[0].spacing_mm = None;
        assert_eq!(places_along(&unknown), [0.0, 0.0, 0.5]);
    }
}
