//! Distances between the slices of a series: gaps, unevenness, slices at one position.

use hemora_ct::stack;

use super::SeriesWarning;

/// Distances that differ by a larger fraction of the median are uneven.
const UNEVEN: f64 = 0.1;

/// A distance between neighbours, and what it should be, mm.
struct Step {
    distance: f64,
    usual: f64,
}

impl Step {
    fn is_gap(&self) -> bool {
        self.distance > 1.5 * self.usual
    }
}

/// Slices at one position, gaps of more than 1.5 times the usual distance, and distances that
/// differ without being gaps. `slices` are the positions of the slices that have one, upwards, with
/// their SliceThickness, mm.
pub(super) fn distance_warnings(slices: &[(f64, Option<f64>)]) -> Vec<SeriesWarning> {
    let positions: Vec<f64> = slices.iter().map(|slice| slice.0).collect();
    let mut warnings = Vec::new();
    let Some(median) = stack::median_spacing(&positions) else {
        let same = positions.len().saturating_sub(1);
        return if same > 0 { vec![SeriesWarning::SamePosition(same)] } else { warnings };
    };
    let steps = steps(slices, median);
    let same = positions.len() - 1 - steps.len();
    if same > 0 {
        warnings.push(SeriesWarning::SamePosition(same));
    }
    let (gaps, steps): (Vec<Step>, Vec<Step>) = steps.into_iter().partition(Step::is_gap);
    let widest = gaps.iter().max_by(|a, b| a.distance.total_cmp(&b.distance));
    if let Some(&Step { distance: largest, usual: median }) = widest {
        let missing = |gap: &Step| (gap.distance / gap.usual).round() as usize - 1;
        let (count, missing) = (gaps.len(), gaps.iter().map(missing).sum());
        warnings.push(SeriesWarning::Gaps { count, largest, median, missing });
    }
    let distances = || steps.iter().map(|step| step.distance);
    let (smallest, largest) =
        (distances().fold(f64::MAX, f64::min), distances().fold(0.0, f64::max));
    if smallest < (1.0 - UNEVEN) * median || largest > (1.0 + UNEVEN) * median {
        warnings.push(SeriesWarning::UnevenSpacing { smallest, largest });
    }
    warnings
}

/// The distances between neighbours at different positions.
///
/// Thick slices lie farther apart than thin ones of the same series, without one missing. So a
/// distance is held against those between slices as thick, unless these themselves leave more
/// room than the thickness fills; `median` is that of all.
fn steps(slices: &[(f64, Option<f64>)], median: f64) -> Vec<Step> {
    let tenths = |thickness: Option<f64>| thickness.map(|it| (it * 10.0).round() as i64);
    let thicker = |pair: &[(f64, Option<f64>)]| match (pair[0].1, pair[1].1) {
        (Some(a), Some(b)) => Some(a.max(b)),
        _ => None,
    };
    let pairs: Vec<_> = slices
        .windows(2)
        .filter(|pair| !stack::is_same_position(pair[0].0, pair[1].0))
        .map(|pair| ((pair[1].0 - pair[0].0).abs(), thicker(pair)))
        .collect();
    // Few thicknesses: a median for each.
    let mut medians = std::collections::BTreeMap::<Option<i64>, Vec<f64>>::new();
    for &(distance, thickness) in &pairs {
        medians.entry(tenths(thickness)).or_default().push(distance);
    }
    let medians: std::collections::BTreeMap<Option<i64>, f64> = medians
        .into_iter()
        .filter_map(|(thickness, distances)| Some((thickness, stack::median(distances)?)))
        .collect();
    let one_thickness = medians.len() == 1;
    let step = |(distance, thickness): (f64, Option<f64>)| {
        let usual = match thickness {
            Some(thickness) if !one_thickness => {
                medians[&tenths(Some(thickness))].min(median.max(thickness))
            }
            _ => median,
        };
        Step { distance, usual }
    };
    pairs.into_iter().map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Slices of `thickness` from `from` on, `distance` apart.
    fn run(from: f64, count: usize, distance: f64, thickness: f64) -> Vec<(f64, Option<f64>)> {
        (0..count).map(|at| (from + at as f64 * distance, Some(thickness))).collect()
    }

    fn gaps(warnings: &[SeriesWarning]) -> Option<(usize, usize)> {
        warnings.iter().find_map(|warning| match warning {
            SeriesWarning::Gaps { count, missing, .. } => Some((*count, *missing)),
            _ => None,
        })
    }

    #[test]
    fn thin_slices_below_thick_ones_leave_no_gap() {
        for (thin, thick) in [(12, 8), (8, 12), (30, 3), (10, 10)] {
            let mut slices = run(0.0, thin, 2.0, 2.0);
            slices.extend(run(2.0 * thin as f64 + 1.0, thick, 4.4, 4.0));
            let warnings = distance_warnings(&slices);
            assert_eq!(gaps(&warnings), None, "{warnings:?}");
            assert!(matches!(warnings[..], [SeriesWarning::UnevenSpacing { .. }]));
        }
    }

    #[test]
    fn missing_slices_of_either_thickness_are_counted() {
        let mut slices = run(0.0, 12, 2.0, 2.0);
        slices.extend(run(25.0, 8, 4.0, 4.0));
        slices.remove(16);
        slices.remove(5);
        assert_eq!(gaps(&distance_warnings(&slices)), Some((2, 2)));
        // Every second thick slice is missing.
        let mut slices = run(0.0, 12, 2.0, 2.0);
        slices.extend(run(26.0, 6, 8.0, 4.0));
        assert_eq!(gaps(&distance_warnings(&slices)), Some((5, 5)));
    }
}
