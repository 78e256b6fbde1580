//! Square masks: growing, shrinking, connected parts and distances.

use super::field::Field;

/// A step of the distance transform: rows, columns, length in pixels.
type Step = (isize, isize, f32);
/// Steps to pixels before this one, with the lengths of Borgefors' 5 × 5 chamfer (1986), at most
/// 2 % from the Euclidean distance.
const BEFORE: [Step; 8] = [
    (0, -1, 1.0),
    (-1, -1, 1.4),
    (-1, 0, 1.0),
    (-1, 1, 1.4),
    (-2, -1, 2.1969),
    (-2, 1, 2.1969),
    (-1, -2, 2.1969),
    (-1, 2, 2.1969),
];

/// Grows a mask by `steps` pixels along rows and columns.
pub(super) fn grown(mask: &[bool], side: usize, steps: usize) -> Vec<bool> {
    let mut mask = mask.to_vec();
    for _ in 0..steps {
        let from = mask.clone();
        for row in 0..side {
            let here = &from[row * side..][..side];
            let above = &from[row.saturating_sub(1) * side..][..side];
            let below = &from[(row + 1).min(side - 1) * side..][..side];
            let to = &mut mask[row * side..][..side];
            to.iter_mut()
                .zip(above)
                .zip(below)
                .for_each(|((to, above), below)| *to |= above | below);
            to[1..].iter_mut().zip(here).for_each(|(to, left)| *to |= left);
            to.iter_mut().zip(&here[1..]).for_each(|(to, right)| *to |= right);
        }
    }
    mask
}

/// Shrinks a mask by `steps` pixels along rows and columns; the picture's border does not shrink it.
pub(super) fn shrunk(mask: &[bool], side: usize, steps: usize) -> Vec<bool> {
    inverted(&grown(&inverted(mask), side, steps))
}

/// Shrunk, then grown: without its thin parts.
pub(super) fn opened(mask: &[bool], side: usize, steps: usize) -> Vec<bool> {
    grown(&shrunk(mask, side, steps), side, steps)
}

/// Grown, then shrunk: with its small gaps closed.
pub(super) fn closed(mask: &[bool], side: usize, steps: usize) -> Vec<bool> {
    shrunk(&grown(mask, side, steps), side, steps)
}

fn inverted(mask: &[bool]) -> Vec<bool> {
    mask.iter().map(|&set| !set).collect()
}

/// The parts of a mask that hang together along rows and columns, each as its pixels.
pub(super) fn parts(mask: &[bool], side: usize) -> Vec<Vec<usize>> {
    let mut left = mask.to_vec();
    let mut parts = Vec::new();
    for start in 0..left.len() {
        if left[start] {
            parts.push(take_part(&mut left, side, start));
        }
    }
    parts
}

/// The largest part, as a mask; None of an empty mask.
pub(super) fn largest(mask: &[bool], side: usize) -> Option<Vec<bool>> {
    let part = parts(mask, side).into_iter().max_by_key(Vec::len)?;
    Some(from_pixels(&part, side))
}

pub(super) fn from_pixels(pixels: &[usize], side: usize) -> Vec<bool> {
    let mut mask = vec![false; side * side];
    pixels.iter().for_each(|&pixel| mask[pixel] = true);
    mask
}

/// The mask with what it encloses.
pub(super) fn filled(mask: &[bool], side: usize) -> Vec<bool> {
    let mut left = inverted(mask);
    for edge in 0..side {
        for start in [edge, (side - 1) * side + edge, edge * side, edge * side + side - 1] {
            if left[start] {
                take_part(&mut left, side, start);
            }
        }
    }
    left.iter().zip(mask).map(|(&enclosed, &set)| enclosed | set).collect()
}

/// Takes the part around `start` out of a mask.
fn take_part(mask: &mut [bool], side: usize, start: usize) -> Vec<usize> {
    let mut part = vec![start];
    mask[start] = false;
    let mut next = 0;
    while next < part.len() {
        let pixel = part[next];
        next += 1;
        let (row, column) = (pixel / side, pixel % side);
        let mut visit = |inside: bool, pixel: usize| {
            if inside && mask[pixel] {
                mask[pixel] = false;
                part.push(pixel);
            }
        };
        visit(column > 0, pixel.wrapping_sub(1));
        visit(column + 1 < side, pixel + 1);
        visit(row > 0, pixel.wrapping_sub(side));
        visit(row + 1 < side, pixel + side);
    }
    part
}

/// Distance of each pixel of the mask to the nearest one outside, in pixels; 0 outside.
pub(super) fn depth(mask: &[bool], side: usize) -> Field {
    // A frame of two pixels, so that no step leaves the field.
    let wide = side + 4;
    let far = (2 * wide) as f32;
    let mut framed = vec![far; wide * wide];
    for (row, mask) in mask.chunks_exact(side).enumerate() {
        for (to, &inside) in framed[(row + 2) * wide + 2..][..side].iter_mut().zip(mask) {
            *to = if inside { far } else { 0.0 };
        }
    }
    let offsets = BEFORE.map(|(rows, columns, length)| (rows * wide as isize + columns, length));
    let mut relax = |row: usize, column: usize, direction: isize| {
        let pixel = (row + 2) * wide + column + 2;
        let mut nearest = framed[pixel];
        if nearest == 0.0 {
            return;
        }
        for (offset, length) in offsets {
            let other = pixel.wrapping_add_signed(offset * direction);
            nearest = nearest.min(framed[other] + length);
        }
        framed[pixel] = nearest;
    };
    for row in 0..side {
        (0..side).for_each(|column| relax(row, column, 1));
    }
    for row in (0..side).rev() {
        (0..side).rev().for_each(|column| relax(row, column, -1));
    }
    let values = (0..side).flat_map(|row| &framed[(row + 2) * wide + 2..][..side]).copied();
    Field { side, values: values.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 61;

    /// A ring around the middle, as a closed skull.
    fn ring() -> Vec<bool> {
        (0..SIDE * SIDE)
            .map(|pixel| {
                let (row, column) = ((pixel / SIDE) as f32 - 30.0, (pixel % SIDE) as f32 - 30.0);
                (20.0..24.0).contains(&row.hypot(column))
            })
            .collect()
    }

    #[test]
    fn a_ring_is_filled_and_an_open_one_is_not() {
        let mut ring = ring();
        let full = filled(&ring, SIDE);
        assert!(full[30 * SIDE + 30] && !full[0]);
        (0..SIDE).for_each(|column| ring[30 * SIDE + column] = false);
        assert_eq!(filled(&ring, SIDE), ring);
    }

    #[test]
    fn depth_is_nearly_euclidean() {
        let disc: Vec<bool> =
            filled(&ring(), SIDE).iter().zip(ring()).map(|(&full, ring)| full && !ring).collect();
        let depth = depth(&disc, SIDE);
        assert_eq!(depth.values[0], 0.0);
        for pixel in (0..SIDE * SIDE).filter(|&pixel| disc[pixel]) {
            let (row, column) = ((pixel / SIDE) as f32 - 30.0, (pixel % SIDE) as f32 - 30.0);
            let expected = 20.0 - row.hypot(column);
            assert!((depth.values[pixel] - expected).abs() < 1.3, "{row} {column}");
        }
    }

    #[test]
    fn opening_drops_and_closing_joins_what_is_thin() {
        let mut mask = from_pixels(&[], SIDE);
        (10..20).for_each(|row| mask[row * SIDE + 10..][..10].fill(true));
        mask[30 * SIDE + 3..][..40].fill(true);
        let open = opened(&mask, SIDE, 2);
        assert!(open[15 * SIDE + 15] && !open[30 * SIDE + 20]);
        assert_eq!(parts(&mask, SIDE).len(), 2);
        (10..20).for_each(|row| mask[row * SIDE + 14..][..2].fill(false));
        assert_eq!(parts(&mask, SIDE).len(), 3);
        assert_eq!(parts(&closed(&mask, SIDE, 2), SIDE).len(), 2);
        assert_eq!(largest(&mask, SIDE).unwrap().iter().filter(|&&set| set).count(), 40);
    }
}
