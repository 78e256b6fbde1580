//! Slices along the normal of their stack: direction, passes, order, spacing and neighbours.
//!
//! Every crate that orders slices or measures the distance between them does it here, so that one
//! report never shows two spacings of one series.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

use crate::ImagePlane;
pub use crate::passes::{PassSlice, pass_numbers};

/// Slices closer than this lie at the same position, mm: headers often round positions to 0.01.
pub const SAME_POSITION_MM: f64 = 0.01;

/// Cosine of 2 degrees: directions of the slices of one stack differ by rounding only.
pub const SAME_DIRECTION: f64 = 0.999_39;

/// Whether the rows of two images, and their columns, are less than 2 degrees apart
/// ([`SAME_DIRECTION`]); of each image the row direction, then the column direction.
pub fn is_same_direction(a: [f64; 6], b: [f64; 6]) -> bool {
    let cosine = |from: usize| (from..from + 3).map(|at| a[at] * b[at]).sum::<f64>();
    cosine(0) > SAME_DIRECTION && cosine(3) > SAME_DIRECTION
}

/// Decimals to which orientations are compared, as the index of a data set keeps them.
const COSINE_STEPS: f64 = 1e4;

/// Splits images of one kind into stacks by their directions: for each entry the number of its
/// stack, of which 0 has the most images. An entry is an orientation (row direction, then column
/// direction; `None` if it is not known) and how many images have it.
///
/// The orientation that most images have gathers those in [the same direction](is_same_direction),
/// then the one that most of the others have, and so on. Images without an orientation lie in the
/// largest stack. The order of the entries changes nothing.
pub fn stack_numbers(orientations: &[(Option<[f64; 6]>, usize)]) -> Vec<usize> {
    let key = |cosines: [f64; 6]| cosines.map(|cosine| (cosine * COSINE_STEPS).round() as i64);
    let mut counts: BTreeMap<[i64; 6], usize> = BTreeMap::new();
    for (orientation, count) in orientations {
        if let Some(cosines) = *orientation {
            *counts.entry(key(cosines)).or_default() += count;
        }
    }
    let mut counts: Vec<([i64; 6], usize)> = counts.into_iter().collect();
    counts.sort_by_key(|&(orientation, count)| (Reverse(count), orientation));
    let cosines = |key: [i64; 6]| key.map(|cosine| cosine as f64 / COSINE_STEPS);
    // The orientations of each stack, that of most images first, and how many images it has.
    let mut stacks: Vec<(Vec<[i64; 6]>, usize)> = Vec::new();
    for (orientation, count) in counts {
        let like = |stack: &&mut (Vec<[i64; 6]>, usize)| {
            is_same_direction(cosines(stack.0[0]), cosines(orientation))
        };
        match stacks.iter_mut().find(like) {
            Some((members, size)) => {
                members.push(orientation);
                *size += count;
            }
            None => stacks.push((vec![orientation], count)),
        }
    }
    // Of stacks of one size, the one whose first orientation is the most frequent stays first.
    stacks.sort_by_key(|stack| Reverse(stack.1));
    let numbered = stacks.into_iter().enumerate();
    let numbers: BTreeMap<[i64; 6], usize> = numbered
        .flat_map(|(number, (members, _))| members.into_iter().map(move |it| (it, number)))
        .collect();
    let number = |orientation: Option<[f64; 6]>| orientation.map_or(0, |it| numbers[&key(it)]);
    orientations.iter().map(|entry| number(entry.0)).collect()
}

/// The unit normal, turned so that its largest coordinate is positive: to the head for axial slices,
/// to the left for sagittal ones, to the back for coronal ones.
pub fn upward_normal(plane: ImagePlane) -> [f64; 3] {
    let normal = plane.normal();
    let largest = normal.into_iter().max_by(|a, b| a.abs().total_cmp(&b.abs()));
    let sign = largest.unwrap_or(1.0).signum();
    normal.map(|coordinate| coordinate * sign)
}

/// Position of a slice along its own upward normal, mm.
pub fn position(plane: ImagePlane) -> f64 {
    plane.distance_along(upward_normal(plane))
}

/// Positions of slices along the upward normal of the first that has a plane, mm; `None` for those
/// without a plane.
pub fn positions<I>(planes: I) -> Vec<Option<f64>>
where
    I: IntoIterator<Item = Option<ImagePlane>>,
{
    let planes: Vec<Option<ImagePlane>> = planes.into_iter().collect();
    let Some(normal) = planes.iter().find_map(|plane| *plane).map(upward_normal) else {
        return vec![None; planes.len()];
    };
    planes.iter().map(|plane| Some(plane.as_ref()?.distance_along(normal))).collect()
}

/// Orders slices upwards; those without a position come last.
pub fn compare_positions(a: Option<f64>, b: Option<f64>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        (a, b) => a.is_none().cmp(&b.is_none()),
    }
}

/// Whether two slices lie at the same position: less than [`SAME_POSITION_MM`] apart.
pub fn is_same_position(a: f64, b: f64) -> bool {
    (b - a).abs() < SAME_POSITION_MM
}

/// Distances between neighbours that lie at different positions, mm, in the order of `positions`,
/// which goes upwards or downwards.
pub fn spacings(positions: &[f64]) -> Vec<f64> {
    let pairs = positions.windows(2).filter(|pair| !is_same_position(pair[0], pair[1]));
    pairs.map(|pair| (pair[1] - pair[0]).abs()).collect()
}

/// [Median](median) of [`spacings`], mm; `None` where no two slices lie at different positions.
pub fn median_spacing(positions: &[f64]) -> Option<f64> {
    median(spacings(positions))
}

/// The median, in any order: the mean of the two middle values where their number is even. `None`
/// of none.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = values[(values.len() - 1) / 2];
    Some(f64::midpoint(lower, upper))
}

/// Index of the slice `offset` slices from `index` in a stack of `count` slices; the end slice
/// stands in for those beyond the ends. `index` must be below `count`.
pub fn neighbour(index: usize, offset: i32, count: usize) -> usize {
    index.saturating_add_signed(offset as isize).min(count.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plane(position: [f64; 3], orientation: [f64; 6]) -> ImagePlane {
        ImagePlane::new(position, orientation, None).unwrap()
    }

    #[test]
    fn positions_grow_upwards_whichever_way_the_normal_points() {
        let axial = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
        let from_the_head = [-1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
        let sagittal = [0.0, 1.0, 0.0, 0.0, 0.0, -1.0];
        assert_eq!(position(plane([1.0, 2.0, 30.0], axial)), 30.0);
        assert_eq!(position(plane([1.0, 2.0, 30.0], from_the_head)), 30.0);
        assert_eq!(position(plane([1.0, 2.0, 30.0], sagittal)), 1.0);
        // The first slice that has a plane gives the direction for all.
        let planes = [None, Some(plane([0.0, 0.0, 5.0], from_the_head)), None];
        assert_eq!(positions(planes), [None, Some(5.0), None]);
        assert_eq!(positions([None, None]), [None, None]);
    }

    #[test]
    fn directions_make_the_same_stacks_in_any_order() {
        let turned = |degrees: f64| {
            let (sin, cos) = degrees.to_radians().sin_cos();
            Some([1.0, 0.0, 0.0, 0.0, cos, -sin])
        };
        let sagittal = Some([0.0, 1.0, 0.0, 0.0, 0.0, -1.0]);
        // A chain of small turns: what lies 3 degrees from the most frequent is no longer of it.
        let entries = [
            (turned(1.5), 3),
            (sagittal, 6),
            (turned(0.0), 5),
            (None, 4),
            (turned(3.0), 2),
            (turned(1.500_1), 1),
        ];
        let expected = [0, 1, 0, 0, 2, 0];
        assert_eq!(stack_numbers(&entries), expected);
        for shift in 1..entries.len() {
            let (mut entries, mut expected) = (entries, expected);
            entries.rotate_left(shift);
            expected.rotate_left(shift);
            assert_eq!(stack_numbers(&entries), expected);
            entries.reverse();
            expected.reverse();
            assert_eq!(stack_numbers(&entries), expected);
        }
        // As many single images as a count says.
        let single: Vec<_> =
            entries.iter().flat_map(|&(it, count)| std::iter::repeat_n((it, 1), count)).collect();
        let numbers = stack_numbers(&single);
        assert_eq!(
            [0, 1, 2].map(|stack| numbers.iter().filter(|&&it| it == stack).count()),
            [13, 6, 2]
        );
        assert_eq!(stack_numbers(&[(None, 2)]), [0]);
        assert!(stack_numbers(&[]).is_empty());
    }

    #[test]
    fn unknown_positions_come_last() {
        let mut order = [None, Some(5.0), Some(-5.0), None, Some(0.0)];
        order.sort_by(|a, b| compare_positions(*a, *b));
        assert_eq!(order, [Some(-5.0), Some(0.0), Some(5.0), None, None]);
    }

    #[test]
    fn the_median_of_an_even_number_is_the_mean_of_the_two_in_the_middle() {
        assert_eq!(median_spacing(&[0.0, 4.0, 8.0, 14.0, 24.0]), Some(5.0));
        assert_eq!(median_spacing(&[0.0, 5.0, 10.0, 30.0]), Some(5.0));
        assert_eq!(median_spacing(&[30.0, 10.0, 5.0, 0.0]), Some(5.0), "downwards");
        // Slices at one position have no distance.
        assert_eq!(median_spacing(&[0.0, 0.005, 5.0]), Some(4.995));
        assert_eq!(median_spacing(&[1.0, 1.0]), None);
        assert_eq!(median_spacing(&[1.0]), None);
        assert_eq!(median_spacing(&[]), None);
        assert!(is_same_position(2.0, 2.009) && !is_same_position(2.0, 1.98));
    }

    #[test]
    fn end_slices_stand_in_for_neighbours_beyond_them() {
        assert_eq!([-2, -1, 0, 1, 2].map(|offset| neighbour(1, offset, 3)), [0, 0, 1, 2, 2]);
        assert_eq!(neighbour(0, i32::MAX, 1), 0);
        assert_eq!(neighbour(0, i32::MIN, 1), 0);
    }
}
