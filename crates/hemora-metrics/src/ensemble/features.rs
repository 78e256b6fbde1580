//! What boosted trees read of the slices of a set.

use hemora_ct::Label;

use super::data::OutOfFold;
use super::stacking::{MOST_NEIGHBOURS, feature, width};
use crate::MetricError;

/// The values of slices, of themselves and their neighbours.
pub(super) struct Features<'a> {
    data: &'a OutOfFold,
    series: &'a [Vec<usize>],
    /// The series of each slice, and its position there.
    positions: Vec<(usize, usize)>,
    neighbours: usize,
}

impl<'a> Features<'a> {
    /// Of the slices of `series`, in the order of their positions, with `neighbours` on either side.
    ///
    /// # Errors
    /// [`MetricError::Option`] if there are too many neighbours, or a slice is in no series or in two.
    pub(super) fn new(
        data: &'a OutOfFold,
        series: &'a [Vec<usize>],
        neighbours: usize,
    ) -> Result<Self, MetricError> {
        if neighbours > MOST_NEIGHBOURS {
            let (option, value) = ("neighbours", neighbours.to_string());
            return Err(MetricError::Option { option, value, expected: "0 to 8" });
        }
        Ok(Self { data, series, positions: positions(data.slices(), series)?, neighbours })
    }

    /// Values of each slice.
    pub(super) fn width(&self) -> usize {
        width(self.data.models(), self.neighbours)
    }

    /// The values of a slice.
    pub(super) fn row(&self, slice: usize) -> Vec<f64> {
        (0..self.width()).map(|at| self.value(at, slice)).collect()
    }

    /// The values of some slices, one of each slice after the other, then the next of each.
    pub(super) fn columns(&self, slices: &[usize]) -> Vec<f64> {
        let column = |at: usize| slices.iter().map(move |&slice| self.value(at, slice));
        (0..self.width()).flat_map(column).collect()
    }

    fn value(&self, at: usize, slice: usize) -> f64 {
        let (series, position) = self.positions[slice];
        let series = &self.series[series];
        let shape = (self.data.models(), self.neighbours);
        feature(at, shape, (position, series.len()), |model, position, label| {
            self.data.probability(model, series[position], Label::ALL[label])
        })
    }
}

/// The series of each slice and its position there.
fn positions(slices: usize, series: &[Vec<usize>]) -> Result<Vec<(usize, usize)>, MetricError> {
    let mut positions = vec![None; slices];
    let refuse = |slice: usize| {
        let (option, value) = ("series of the slices", format!("with slice {slice}"));
        MetricError::Option { option, value, expected: "each slice in one" }
    };
    for (at, of) in series.iter().enumerate() {
        for (position, &slice) in of.iter().enumerate() {
            match positions.get_mut(slice) {
                Some(known @ None) => *known = Some((at, position)),
                _ => return Err(refuse(slice)),
            }
        }
    }
    let found =
        positions.iter().enumerate().map(|(slice, position)| position.ok_or_else(|| refuse(slice)));
    found.collect()
}
