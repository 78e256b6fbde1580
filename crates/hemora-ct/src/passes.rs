//! Passes over one head within one stack: a second acquisition, or a second reconstruction, whose
//! slices lie where those of the first do.

use crate::stack::is_same_position;

/// Fewer positions with several slices are repeated slices, not a pass.
const FEWEST: usize = 3;

/// What tells the passes of a stack apart, of one slice.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PassSlice {
    /// Along the normal of the stack, mm; `None` if it is not known.
    pub position: Option<f64>,
    /// AcquisitionNumber, if any.
    pub acquisition: Option<i64>,
    /// InstanceNumber, if any.
    pub instance: Option<i64>,
}

/// The number of each slice's pass, of slices that lie in one stack (one kind, one direction).
///
/// Where at least half of the different positions, and at least three, hold several slices
/// ([`is_same_position`]), the slices of each position belong to passes 0, 1 and so on in the order
/// of AcquisitionNumber, then InstanceNumber (absent ones last), then as they are given. So pass 0
/// has a slice at every position, and no pass has two at one. Otherwise, and of slices without a
/// position, all numbers are 0: a few slices that were repeated are no second pass.
///
/// Which slice comes first decides between those with the same numbers alone.
pub fn pass_numbers(slices: &[PassSlice]) -> Vec<usize> {
    let mut numbers = vec![0; slices.len()];
    let positions = slices.iter().enumerate();
    let mut located: Vec<(f64, usize)> =
        positions.filter_map(|(index, slice)| Some((slice.position?, index))).collect();
    located.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut places: Vec<&mut [(f64, usize)]> =
        located.chunk_by_mut(|a, b| is_same_position(a.0, b.0)).collect();
    let repeated = places.iter().filter(|place| place.len() > 1).count();
    if repeated < FEWEST || 2 * repeated < places.len() {
        return numbers;
    }
    let last_if_absent = |number: Option<i64>| (number.is_none(), number);
    for place in &mut places {
        place.sort_by_key(|&(_, index)| {
            let PassSlice { acquisition, instance, .. } = slices[index];
            (last_if_absent(acquisition), last_if_absent(instance), index)
        });
        for (pass, &(_, index)) in place.iter().enumerate() {
            numbers[index] = pass;
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(position: f64, acquisition: i64, instance: i64) -> PassSlice {
        let [acquisition, instance] = [acquisition, instance].map(Some);
        PassSlice { position: Some(position), acquisition, instance }
    }

    fn without_acquisition(slices: &[PassSlice]) -> Vec<PassSlice> {
        slices.iter().map(|slice| PassSlice { acquisition: None, ..*slice }).collect()
    }

    #[test]
    fn passes_over_the_same_positions_are_told_apart_by_their_numbers() {
        // Up, then down: the second pass is numbered on, the third has positions as another
        // rounding gave them.
        let up = |at: i64| slice(at as f64 * 5.0, 1, at + 1);
        let down = |at: i64| slice(at as f64 * 5.0, 2, 20 - at);
        let rounded = |at: i64| slice(at as f64 * 5.0 - 0.004, 3, 21 + at);
        let two: Vec<PassSlice> = (0..10).flat_map(|at| [up(at), down(at)]).collect();
        assert_eq!(pass_numbers(&two), [0, 1].repeat(10));
        assert_eq!(pass_numbers(&without_acquisition(&two)), [0, 1].repeat(10));
        let three: Vec<PassSlice> =
            (0..10).flat_map(|at| [rounded(at), down(at), up(at)]).collect();
        assert_eq!(pass_numbers(&three), [2, 1, 0].repeat(10));
        // Instance numbers that begin anew tell nothing; acquisitions do.
        let anew = |at: i64| slice(at as f64 * 5.0, 2, 10 - at);
        let two: Vec<PassSlice> = (0..10).flat_map(|at| [anew(at), up(at)]).collect();
        assert_eq!(pass_numbers(&two), [1, 0].repeat(10));
        // Absent numbers come last.
        let unknown = |at: i64| PassSlice { acquisition: None, ..anew(at) };
        let two: Vec<PassSlice> = (0..10).flat_map(|at| [unknown(at), up(at)]).collect();
        assert_eq!(pass_numbers(&two), [1, 0].repeat(10));
    }

    #[test]
    fn a_few_repeated_slices_are_no_pass() {
        let stack = |count: i64, repeated: i64| -> Vec<PassSlice> {
            let first = (0..count).map(|at| slice(at as f64 * 5.0, 1, at));
            let again = (0..repeated).map(|at| slice(at as f64 * 5.0, 2, count + at));
            first.chain(again).collect()
        };
        let passes = |count, repeated| {
            let numbers = pass_numbers(&stack(count, repeated));
            numbers.iter().filter(|&&pass| pass == 1).count() as i64
        };
        assert_eq!([(10, 4), (9, 4), (2, 2), (30, 10)].map(|(all, two)| passes(all, two)), [0; 4]);
        for (all, two) in [(10, 5), (9, 5), (3, 3), (6, 3)] {
            assert_eq!(passes(all, two), two, "{two} of {all}");
            // The first pass has every position.
            assert!(pass_numbers(&stack(all, two))[..all as usize].iter().all(|&pass| pass == 0));
        }
        assert!(pass_numbers(&[]).is_empty());
    }

    #[test]
    fn slices_without_a_position_stay_in_the_first_pass() {
        let unknown = PassSlice { position: None, ..slice(0.0, 2, 40) };
        let mut slices = vec![unknown; 4];
        assert_eq!(pass_numbers(&slices), [0; 4], "they lie at no position at all");
        slices.extend((0..4).flat_map(|at| [1, 2].map(|pass| slice(at as f64, pass, at))));
        assert_eq!(pass_numbers(&slices), [0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1]);
        // They count for no position either.
        slices.truncate(4 + 4);
        slices.extend([2.0, 3.0].map(|position| slice(position, 1, 9)));
        assert_eq!(pass_numbers(&slices), [0; 10]);
    }

    #[test]
    fn the_order_of_slices_decides_nothing_but_ties() {
        let third = |at: i64| (at % 2 == 0).then(|| slice(at as f64 * 2.5, 2, 30 + at));
        let slices: Vec<PassSlice> = (0..12)
            .flat_map(|at| [slice(at as f64 * 2.5, 1, at), slice(at as f64 * 2.5, 2, 12 + at)])
            .chain((0..12).filter_map(third))
            .collect();
        let expected = pass_numbers(&slices);
        assert_eq!(
            [0, 1, 2].map(|pass| expected.iter().filter(|&&it| it == pass).count()),
            [12, 12, 6]
        );
        for shift in 0..slices.len() {
            let (mut slices, mut expected) = (slices.clone(), expected.clone());
            slices.rotate_left(shift);
            expected.rotate_left(shift);
            assert_eq!(pass_numbers(&slices), expected);
            slices.reverse();
            expected.reverse();
            assert_eq!(pass_numbers(&slices), expected);
        }
        let same: Vec<PassSlice> = (0..4).flat_map(|at| [slice(at as f64, 1, 1); 2]).collect();
        assert_eq!(pass_numbers(&same), [0, 1].repeat(4));
    }
}
