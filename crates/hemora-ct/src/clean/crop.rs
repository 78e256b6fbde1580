//! The part of a slice that is kept: how much of it shows brain, and a square of it resampled.

use crate::{PixelBox, Plane, Window, widest};

/// The part (0–1) of pixels whose HU lie within a window, its ends excluded; of the brain window,
/// what the seed study calls `pct_in_window` (docs/references.md#slice-preparation, step 2). 0
/// without pixels.
pub fn part_in_window(hu: &[f32], window: Window) -> f64 {
    let (low, high) = (window.low(), window.high());
    let [within] = count_each(
        hu,
        #[inline(always)]
        |hu| [hu > low && hu < high],
    );
    f64::from(within) / hu.len().max(1) as f64
}

/// The lowest and the highest HU; infinite the other way round without pixels. Not a number is
/// passed over.
pub fn hu_range(hu: &[f32]) -> [f32; 2] {
    // Several of each, so that no comparison waits for the one before.
    let (mut low, mut high) = ([f32::INFINITY; RANGES], [f32::NEG_INFINITY; RANGES]);
    let (chunks, rest) = hu.as_chunks::<RANGES>();
    widest(
        #[inline(always)]
        || {
            for chunk in chunks {
                for ((low, high), hu) in low.iter_mut().zip(&mut high).zip(chunk) {
                    *low = low.min(*hu);
                    *high = high.max(*hu);
                }
            }
        },
    );
    let lowest = low.iter().chain(rest).copied().fold(f32::INFINITY, f32::min);
    [lowest, high.iter().chain(rest).copied().fold(f32::NEG_INFINITY, f32::max)]
}

/// Ranges that are looked for side by side.
const RANGES: usize = 32;

/// How many pixels are so, for each of several questions, which are asked in one pass over the image; the
/// numbers fit into 32 bits. Mark `are_so` `#[inline(always)]`.
pub(crate) fn count_each<const N: usize>(
    hu: &[f32],
    are_so: impl Fn(f32) -> [bool; N],
) -> [u32; N] {
    widest(
        #[inline(always)]
        || {
            let mut counts = [0u32; N];
            for &hu in hu {
                for (count, is_so) in counts.iter_mut().zip(are_so(hu)) {
                    *count += u32::from(is_so);
                }
            }
            counts
        },
    )
}

/// A square of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Square {
    /// First row.
    pub top: usize,
    /// First column.
    pub left: usize,
    /// Rows and columns.
    pub side: usize,
}

impl PixelBox {
    /// The box made square on its larger side within an image of `rows` × `columns`: its low corner
    /// is kept, and a square that would leave the image is shifted back
    /// (docs/references.md#slice-preparation, step 8).
    pub fn square(self, rows: usize, columns: usize) -> Square {
        let length = |[first, last]: [usize; 2]| last + 1 - first;
        let side = length(self.rows).max(length(self.columns));
        Square {
            top: self.rows[0].min(rows.saturating_sub(side)),
            left: self.columns[0].min(columns.saturating_sub(side)),
            side,
        }
    }
}

/// Samples a square of an image at `size` × `size` pixels: bilinear between pixel centres and
/// without smoothing, as the published set was made (docs/references.md#slice-preparation, step 9).
/// Beyond the image its borders are repeated.
pub fn resize_square(image: &Plane, square: Square, size: usize) -> Plane {
    let rows = Positions::new(square.top, square.side, size, image.rows);
    let columns = Positions::new(square.left, square.side, size, image.columns);
    let (first, end) = columns.span();
    let mut line = vec![0f32; end - first];
    let mut values = Vec::with_capacity(size * size);
    for &(upper, lower, down) in &rows.0 {
        let row = |row: usize| &image.values[row * image.columns..][first..end];
        // Between the rows first: that is done for several pixels at once.
        for ((value, upper), lower) in line.iter_mut().zip(row(upper)).zip(row(lower)) {
            *value = upper + (lower - upper) * down;
        }
        values.extend(columns.0.iter().map(|&(left, right, across)| {
            let (left, right) = (line[left - first], line[right - first]);
            left + (right - left) * across
        }));
    }
    Plane { rows: size, columns: size, values }
}

/// For each output position the two pixels beside it and how far it lies from the first.
struct Positions(Vec<(usize, usize, f32)>);

impl Positions {
    fn new(start: usize, side: usize, size: usize, length: usize) -> Self {
        let scale = side as f64 / size as f64;
        let last = length - 1;
        let position = |index: usize| {
            let at = (start as f64 + (index as f64 + 0.5) * scale - 0.5).clamp(0.0, last as f64);
            let before = at as usize;
            (before, (before + 1).min(last), (at - before as f64) as f32)
        };
        Self((0..size).map(position).collect())
    }

    /// The first position and the one behind the last.
    fn span(&self) -> (usize, usize) {
        let first = self.0.first().map_or(0, |&(before, _, _)| before);
        (first, self.0.last().map_or(first, |&(_, after, _)| after + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_a_window_do_not_count() {
        assert_eq!(part_in_window(&[0.0, 0.5, 79.0, 80.0], Window::BRAIN), 0.5);
        assert_eq!(part_in_window(&[f32::NAN, 40.0], Window::BRAIN), 0.5);
        assert_eq!(part_in_window(&[], Window::BRAIN), 0.0);
    }

    #[test]
    fn the_range_is_that_of_all_pixels() {
        let hu: Vec<f32> = (0..21).map(|at| ((at * 8) % 21) as f32 - 3.5).collect();
        assert_eq!(hu_range(&hu), [-3.5, 16.5]);
        assert_eq!(hu_range(&hu[..5]), [-3.5, 12.5]);
        assert_eq!(hu_range(&[f32::NAN, 2.0]), [2.0, 2.0]);
    }

    #[test]
    fn a_square_keeps_its_low_corner_and_stays_inside() {
        let square = |rows, columns| PixelBox { rows, columns }.square(100, 120);
        assert_eq!(square([10, 29], [40, 44]), Square { top: 10, left: 40, side: 20 });
        assert_eq!(square([90, 99], [20, 69]), Square { top: 50, left: 20, side: 50 });
        assert_eq!(square([0, 99], [110, 119]), Square { top: 0, left: 20, side: 100 });
        // Wider than the image is high: nothing to shift to.
        assert_eq!(square([30, 40], [5, 114]), Square { top: 0, left: 5, side: 110 });
    }

    #[test]
    fn resampling_interpolates_between_pixel_centres() {
        let values = (0..64).map(|at| (at / 8 * 10 + at % 8) as f32).collect();
        let ramp = Plane { rows: 8, columns: 8, values };
        let half = resize_square(&ramp, Square { top: 2, left: 4, side: 4 }, 2);
        // Centres at 2.5 and 4.5 (rows), 4.5 and 6.5 (columns).
        assert_eq!(half.values, [29.5, 31.5, 49.5, 51.5]);
        let same = resize_square(&ramp, Square { top: 0, left: 0, side: 8 }, 8);
        assert_eq!(same, ramp);
        let beyond = resize_square(&ramp, Square { top: 4, left: 4, side: 8 }, 8);
        assert_eq!(beyond.values[63], 77.0);
    }
}
