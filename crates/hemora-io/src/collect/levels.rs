//! At which levels of the patient a series lies, and which of them another covers.

use hemora_ct::stack;

use crate::{Series, SliceHeader};

/// The levels of a series: z of the centres of its slices in the patient, upwards, mm.
#[derive(Debug, Clone, Default)]
pub(super) struct Levels {
    centres: Vec<f64>,
    /// How far from its centre a slice is held to show the patient, mm.
    reach: f64,
}

impl Levels {
    pub(super) fn from_series(series: &Series) -> Self {
        let mut centres: Vec<f64> = series.slices.iter().filter_map(centre).collect();
        centres.sort_by(f64::total_cmp);
        let thickness = series.slices.iter().find_map(|slice| slice.slice_thickness);
        let spacing = stack::median_spacing(&centres).or(thickness).unwrap_or(0.0);
        // Slices that are farther apart than this leave something out.
        const FARTHEST: f64 = 10.0;
        let reach = spacing.max(thickness.unwrap_or(0.0)).min(FARTHEST);
        Self { centres, reach }
    }

    pub(super) fn is_known(&self) -> bool {
        !self.centres.is_empty()
    }

    /// The lowest and the highest level, mm.
    pub(super) fn ends(&self) -> Option<[f64; 2]> {
        Some([*self.centres.first()?, *self.centres.last()?])
    }

    /// Whether the slices lie at more than one level.
    pub(super) fn are_several(&self) -> bool {
        self.ends().is_some_and(|[low, high]| !stack::is_same_position(low, high))
    }

    fn covers(&self, level: f64) -> bool {
        let above = self.centres.partition_point(|&centre| centre < level);
        let near = [above.checked_sub(1), Some(above)].into_iter().flatten();
        let mut near = near.filter_map(|at| self.centres.get(at));
        near.any(|centre| (centre - level).abs() <= self.reach)
    }

    /// The levels that none of `others` covers: how many slices, and the runs of them from end to
    /// end, mm.
    pub(super) fn beyond(&self, others: &[&Levels]) -> (usize, Vec<[f64; 2]>) {
        let mut runs: Vec<[f64; 2]> = Vec::new();
        let (mut count, mut open) = (0, false);
        for &level in &self.centres {
            if others.iter().any(|other| other.covers(level)) {
                open = false;
                continue;
            }
            count += 1;
            match runs.last_mut() {
                Some(run) if open => run[1] = level,
                _ => runs.push([level, level]),
            }
            open = true;
        }
        (count, runs)
    }

    /// Slices with a known level.
    pub(super) fn len(&self) -> usize {
        self.centres.len()
    }
}

/// z of the centre of a slice: tilted slices of one head have it in common with straight ones, and
/// not the corner that ImagePositionPatient gives.
fn centre(slice: &SliceHeader) -> Option<f64> {
    let plane = slice.plane?;
    let middle = [slice.rows, slice.columns].map(|count| (count as f64 - 1.0) / 2.0);
    Some(plane.patient_from_voxel(middle).unwrap_or(plane.position)[2])
}
