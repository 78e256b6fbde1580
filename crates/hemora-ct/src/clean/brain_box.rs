//! The box around the brain: where a wide blur of the brain window says that tissue is.
//!
//! The mask is the blur, 77 × 77 taps wide, above a threshold (facts §2, step 7). Only its box is
//! needed, so the blur is never computed as a whole: a plain sum over the same 77 × 77 pixels
//! bounds it from both sides, which decides nearly every row and column; the few that are left are
//! blurred exactly.

use crate::{Plane, Window};

/// Sigma of the blur, pixels: 0.3 of an image of 512 (facts §2, step 7).
const SIGMA: f64 = 153.6;
/// Pixels on either side of the kernel's centre: 77 taps in all.
const REACH: usize = 38;
/// The mask is where the blur is above this.
const THRESHOLD: f64 = 0.05;
/// Steps of a value 0–1 in the sums: 77 × 77 of them fit into 32 bits.
const STEPS: f32 = 65535.0;

/// Rows and columns from a first to a last one, both within the box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelBox {
    /// First and last row.
    pub rows: [usize; 2],
    /// First and last column.
    pub columns: [usize; 2],
}

/// The rows and columns that the brain mask of an image in HU spans; `None` if the mask is empty.
///
/// The mask is defined for images of 512 × 512 pixels ([`zoom`](crate::zoom()) others first): the
/// brain window as 0–1, white (80 HU and more: bone) set to 0, blurred with a Gaussian of sigma
/// 153.6 truncated to 77 taps a side with replicated borders, above 0.05 (facts §2, step 7).
pub fn brain_box(image: &Plane) -> Option<PixelBox> {
    let tissue = Tissue(image);
    let (row_sums, column_sums) = tissue.largest_sums();
    let kernel = kernel();
    let row = |&row: &usize| decide(row_sums[row], &kernel, || tissue.blurred_row(row, &kernel));
    let column = |&column: &usize| {
        decide(column_sums[column], &kernel, || tissue.blurred_column(column, &kernel))
    };
    Some(PixelBox {
        rows: [(0..image.rows).find(row)?, (0..image.rows).rfind(row)?],
        columns: [(0..image.columns).find(column)?, (0..image.columns).rfind(column)?],
    })
}

/// The weights of one side of the kernel, which add up to 1.
fn kernel() -> [f64; 2 * REACH + 1] {
    let weight = |tap: usize| {
        let distance = tap as f64 - REACH as f64;
        (-distance * distance / (2.0 * SIGMA * SIGMA)).exp()
    };
    let weights: [f64; 2 * REACH + 1] = std::array::from_fn(weight);
    let total: f64 = weights.iter().sum();
    weights.map(|weight| weight / total)
}

/// Whether a line reaches into the mask, by the largest sum of its pixels or, where that does not
/// decide, by the line's largest blurred value.
fn decide(sum: u32, kernel: &[f64; 2 * REACH + 1], blurred: impl Fn() -> f64) -> bool {
    let taps = kernel.len() as f64;
    let (least, most) = (kernel[0] * kernel[0], kernel[REACH] * kernel[REACH]);
    // Each pixel was rounded down by less than one step.
    let lower = f64::from(sum) / f64::from(STEPS) * least;
    let upper = (f64::from(sum) + taps * taps) / f64::from(STEPS) * most;
    lower > THRESHOLD || (upper > THRESHOLD && blurred() > THRESHOLD)
}

/// The brain window of an image as 0–1, white set to 0.
struct Tissue<'a>(&'a Plane);

/// The value of one pixel.
fn tissue(hu: f32) -> f32 {
    let (black, white) = (Window::BRAIN.low(), Window::BRAIN.high());
    if hu > black && hu < white { (hu - black) / Window::BRAIN.width } else { 0.0 }
}

impl Tissue<'_> {
    fn row(&self, row: usize) -> impl ExactSizeIterator<Item = f32> + '_ {
        self.hu(row).iter().map(|&hu| tissue(hu))
    }

    fn hu(&self, row: usize) -> &[f32] {
        &self.0.values[row * self.0.columns..][..self.0.columns]
    }

    /// Per row and per column, the largest sum over 77 × 77 pixels (in steps, rounded down) about
    /// one of its pixels.
    fn largest_sums(&self) -> (Vec<u32>, Vec<u32>) {
        let (rows, columns) = (self.0.rows, self.0.columns);
        // Sums across the rows that the square covers: row r in place r modulo their number, one
        // more than the square has.
        const KEPT: usize = 2 * REACH + 2;
        let mut across = vec![0u32; KEPT * columns];
        let mut working = vec![0u32; columns + 1];
        let place = |row: usize| row % KEPT * columns;
        for row in 0..rows.min(REACH + 1) {
            self.sum_row(row, &mut working, &mut across[place(row)..][..columns]);
        }
        let within = |row: isize| place(row.clamp(0, rows as isize - 1) as usize);
        let reach = REACH as isize;
        let mut square = vec![0u32; columns];
        for offset in -reach..=reach {
            add(&mut square, &across[within(offset)..][..columns]);
        }
        let mut of_rows = vec![0u32; rows];
        let mut of_columns = square.clone();
        of_rows[0] = square.iter().copied().max().unwrap_or(0);
        for (row, of_row) in of_rows.iter_mut().enumerate().skip(1) {
            if row + REACH < rows {
                let target = &mut across[place(row + REACH)..][..columns];
                self.sum_row(row + REACH, &mut working, target);
            }
            let entering = &across[within(row as isize + reach)..][..columns];
            let leaving = &across[within(row as isize - 1 - reach)..][..columns];
            let sums = square.iter_mut().zip(&mut of_columns).zip(entering.iter().zip(leaving));
            for ((sum, of_column), (entering, leaving)) in sums {
                *sum = *sum + entering - leaving;
                *of_column = (*of_column).max(*sum);
                *of_row = (*of_row).max(*sum);
            }
        }
        (of_rows, of_columns)
    }

    /// Sums over 77 pixels of a row about each of its pixels. `sums` is working memory for running
    /// sums, one longer than a row.
    fn sum_row(&self, row: usize, sums: &mut [u32], target: &mut [u32]) {
        let step = |value: f32| (value * STEPS) as u32;
        let mut sum = 0;
        for (total, value) in sums[1..].iter_mut().zip(self.row(row)) {
            sum += step(value);
            *total = sum;
        }
        let columns = target.len();
        let hu = self.hu(row);
        let (first, last) = (step(tissue(hu[0])), step(tissue(hu[columns - 1])));
        for (column, target) in target.iter_mut().enumerate() {
            let (start, end) = (column.saturating_sub(REACH), column + REACH + 1);
            let before = REACH.saturating_sub(column) as u32;
            let after = end.saturating_sub(columns) as u32;
            *target = sums[end.min(columns)] - sums[start] + before * first + after * last;
        }
    }

    /// The largest blurred value of a row.
    fn blurred_row(&self, row: usize, kernel: &[f64]) -> f64 {
        let mut line = vec![0f64; self.0.columns];
        for (tap, weight) in kernel.iter().enumerate() {
            for (sum, value) in line.iter_mut().zip(self.row(near(row, tap, self.0.rows))) {
                *sum += f64::from(value) * weight;
            }
        }
        largest_blurred(&line, kernel)
    }

    /// The largest blurred value of a column.
    fn blurred_column(&self, column: usize, kernel: &[f64]) -> f64 {
        let blur = |row: usize| -> f64 {
            let hu = self.hu(row);
            let tap = |(tap, weight): (usize, &f64)| {
                f64::from(tissue(hu[near(column, tap, hu.len())])) * weight
            };
            kernel.iter().enumerate().map(tap).sum()
        };
        let line: Vec<f64> = (0..self.0.rows).map(blur).collect();
        largest_blurred(&line, kernel)
    }
}

/// The place of a tap about `centre` in a line of `length` whose ends are repeated.
fn near(centre: usize, tap: usize, length: usize) -> usize {
    (centre + tap).saturating_sub(REACH).min(length - 1)
}

fn largest_blurred(line: &[f64], kernel: &[f64]) -> f64 {
    let blur = |centre: usize| -> f64 {
        let tap = |(tap, weight): (usize, &f64)| line[near(centre, tap, line.len())] * weight;
        kernel.iter().enumerate().map(tap).sum()
    };
    (0..line.len()).map(blur).fold(0.0, f64::max)
}

fn add(sums: &mut [u32], values: &[u32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mask as it is defined, without any short cut.
    fn defined_box(image: &Plane) -> Option<PixelBox> {
        let kernel = kernel();
        let (rows, columns) = (image.rows, image.columns);
        let blurred = |row: usize, column: usize| -> f64 {
            let tap = |down: usize, across: usize| {
                let hu =
                    image.values[near(row, down, rows) * columns + near(column, across, columns)];
                f64::from(tissue(hu)) * kernel[down] * kernel[across]
            };
            let taps = 0..kernel.len();
            taps.clone().map(|down| taps.clone().map(|across| tap(down, across)).sum::<f64>()).sum()
        };
        let mut found: Option<PixelBox> = None;
        for row in 0..rows {
            for column in (0..columns).filter(|&column| blurred(row, column) > THRESHOLD) {
                let [all_rows, all_columns] =
                    found.map_or([[row; 2], [column; 2]], |found| [found.rows, found.columns]);
                let grow = |[low, high]: [usize; 2], at: usize| [low.min(at), high.max(at)];
                let (rows, columns) = (grow(all_rows, row), grow(all_columns, column));
                found = Some(PixelBox { rows, columns });
            }
        }
        found
    }

    /// A disc of tissue with noise and a rim of bone in air.
    fn head(rows: usize, columns: usize, centre: [f64; 2], radius: f64) -> Plane {
        let mut noise = 1u32;
        let values = (0..rows * columns).map(|at| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (row, column) = ((at / columns) as f64, (at % columns) as f64);
            let distance = (row - centre[0]).hypot(column - centre[1]);
            let jitter = (noise >> 24) as f32 / 16.0;
            if distance < radius - 3.0 {
                30.0 + jitter
            } else if distance < radius {
                900.0
            } else {
                -1000.0 + jitter
            }
        });
        Plane { rows, columns, values: values.collect() }
    }

    #[test]
    fn the_box_is_that_of_the_mask_as_it_is_defined() {
        for (rows, columns, centre, radius) in [
            (96, 96, [48.0, 48.0], 20.0),
            (96, 80, [30.0, 50.0], 30.0),
            (60, 130, [59.0, 10.0], 25.0),
            (40, 40, [20.0, 20.0], 12.0),
            (100, 90, [50.0, 45.0], 10.5),
        ] {
            let image = head(rows, columns, centre, radius);
            let found = brain_box(&image);
            assert_eq!(found, defined_box(&image), "{rows} × {columns}");
        }
        assert!(brain_box(&head(96, 96, [48.0, 48.0], 20.0)).is_some());
    }

    #[test]
    fn no_tissue_is_no_box_and_all_tissue_is_the_whole_image() {
        let flat = |hu: f32| Plane { rows: 20, columns: 30, values: vec![hu; 600] };
        assert_eq!(brain_box(&flat(-1000.0)), None);
        assert_eq!(brain_box(&flat(1000.0)), None);
        assert_eq!(brain_box(&flat(f32::NAN)), None);
        let all = PixelBox { rows: [0, 19], columns: [0, 29] };
        assert_eq!(brain_box(&flat(40.0)), Some(all));
        // Just above and just below the threshold, 4 HU, where sums alone do not decide.
        assert_eq!(brain_box(&flat(4.001)), Some(all));
        assert_eq!(brain_box(&flat(3.999)), None);
    }
}
