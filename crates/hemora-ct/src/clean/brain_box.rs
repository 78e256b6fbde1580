//! The box around the brain: where a wide blur of the brain window says that tissue is.
//!
//! The mask is the blur, 77 × 77 taps wide, above a threshold
//! (docs/references.md#slice-preparation, step 7). Only its box is needed, so the blur is never
//! computed as a whole: a plain sum over the same 77 × 77 pixels bounds it from both sides, which
//! decides nearly every row and column; the few that are left are blurred exactly.

use crate::{Plane, Window, widest};

/// Sigma of the blur, pixels: 0.3 of an image of 512 (docs/references.md#slice-preparation, step
/// 7).
const SIGMA: f64 = 153.6;
/// Pixels on either side of the kernel's centre: 77 taps in all.
const REACH: usize = 38;
/// The mask is where the blur is above this.
const THRESHOLD: f64 = 0.05;
/// Steps of a value 0–1 in the sums: 77 times as many fit into 16 bits.
const STEPS: f32 = 800.0;

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
/// 153.6 truncated to 77 taps a side with replicated borders, above 0.05
/// (docs/references.md#slice-preparation, step 7).
pub fn brain_box(image: &Plane) -> Option<PixelBox> {
    let tissue = Tissue(image);
    let kernel = kernel();
    let steps: Vec<u16> = widest(
        #[inline(always)]
        || image.values.iter().map(|&hu| steps(hu)).collect(),
    );
    let lines = Lines { values: &steps, length: image.columns, kernel: &kernel };
    let rows = lines.ends(|row| tissue.blurred_row(row, &kernel))?;
    let turned = transposed(&steps, image.columns);
    let lines = Lines { values: &turned, length: image.rows, kernel: &kernel };
    let columns = lines.ends(|column| tissue.blurred_column(column, &kernel))?;
    Some(PixelBox { rows, columns })
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

/// The value of one pixel.
fn tissue(hu: f32) -> f32 {
    let (black, white) = (Window::BRAIN.low(), Window::BRAIN.high());
    if hu > black && hu < white { (hu - black) / Window::BRAIN.width } else { 0.0 }
}

/// The value of one pixel in whole steps, to nearest.
#[inline(always)]
fn steps(hu: f32) -> u16 {
    // From here on single precision holds whole numbers alone, in its last bits: conversions
    // proper are slower, as they ask for what is out of range.
    const WHOLE: f32 = (1 << 23) as f32;
    let (black, white) = (Window::BRAIN.low(), Window::BRAIN.high());
    let value = if hu > black && hu < white { hu - black } else { 0.0 };
    (value * (STEPS / Window::BRAIN.width) + WHOLE).to_bits() as u16
}

/// Columns as rows. `columns` is the length of a row.
fn transposed(values: &[u16], columns: usize) -> Vec<u16> {
    const TILE: usize = 16;
    let rows = values.len() / columns;
    let mut turned = vec![0; values.len()];
    // Tile by tile: both sides of a whole line would not fit into the nearest cache.
    for top in (0..rows).step_by(TILE) {
        let height = TILE.min(rows - top);
        for (column, target) in turned.chunks_exact_mut(rows).enumerate() {
            let source = values[top * columns + column..].iter().step_by(columns);
            target[top..top + height].iter_mut().zip(source).for_each(|(to, from)| *to = *from);
        }
    }
    turned
}

/// The rows or columns of an image in steps, one after the other.
struct Lines<'a> {
    values: &'a [u16],
    length: usize,
    kernel: &'a [f64; 2 * REACH + 1],
}

impl Lines<'_> {
    /// The first and the last line that reaches into the mask; `blurred` gives the largest blurred
    /// value of a line.
    fn ends(&self, blurred: impl Fn(usize) -> f64) -> Option<[usize; 2]> {
        let lines = self.values.len() / self.length;
        let mut sums = Sums::default();
        let first = (0..lines).find(|&line| self.reaches(&mut sums, line, &blurred))?;
        // Found at the latest where the first one is.
        let mut sums = Sums::default();
        let last = (first..lines).rfind(|&line| self.reaches(&mut sums, line, &blurred))?;
        Some([first, last])
    }

    /// Whether a line reaches into the mask, by the largest sum of its pixels or, where that does
    /// not decide, by its largest blurred value.
    fn reaches(&self, sums: &mut Sums, line: usize, blurred: &impl Fn(usize) -> f64) -> bool {
        let taps = self.kernel.len() as f64;
        let sum = f64::from(self.largest_sum(sums, line));
        // A little more than the error of single precision.
        let margin = 1.0 + 1e-6;
        let least = self.kernel[0] * self.kernel[0] / margin;
        let most = self.kernel[REACH] * self.kernel[REACH] * margin;
        // Each pixel was rounded by at most half a step.
        let lower = (sum - taps * taps / 2.0) / f64::from(STEPS) * least;
        let upper = (sum + taps * taps / 2.0) / f64::from(STEPS) * most;
        lower > THRESHOLD || (upper > THRESHOLD && blurred(line) > THRESHOLD)
    }

    /// The largest sum, in steps, over 77 × 77 pixels about one of a line's. `sums` are those of a
    /// line beside it, if any.
    fn largest_sum(&self, sums: &mut Sums, line: usize) -> i32 {
        widest(
            #[inline(always)]
            || {
                let Sums { of, across_lines, running } = sums;
                match of.replace(line) {
                    Some(before) if before + 1 == line => self.shift(across_lines, line, 1),
                    Some(after) if line + 1 == after => self.shift(across_lines, line, -1),
                    _ => {
                        across_lines.clear();
                        across_lines.resize(self.length, 0);
                        for tap in 0..=2 * REACH as isize {
                            let values = self.line(line as isize + tap - REACH as isize);
                            across_lines
                                .iter_mut()
                                .zip(values)
                                .for_each(|(sum, value)| *sum += value);
                        }
                    }
                }
                // Running sums from 38 pixels before the first to 38 after the last: the ends are repeated.
                running.resize(self.length + 2 * REACH + 1, 0);
                let (before, rest) = running[1..].split_at_mut(REACH);
                let (within, after) = rest.split_at_mut(self.length);
                let mut total = 0;
                let mut add = |sum: &mut i32, value: u16| {
                    total += i32::from(value);
                    *sum = total;
                };
                let (first, last) = (across_lines[0], across_lines[self.length - 1]);
                before.iter_mut().for_each(|sum| add(sum, first));
                within.iter_mut().zip(&*across_lines).for_each(|(sum, value)| add(sum, *value));
                after.iter_mut().for_each(|sum| add(sum, last));
                let ends = running[2 * REACH + 1..].iter().zip(&*running);
                ends.fold(0, |largest, (end, start)| largest.max(end - start))
            },
        )
    }

    /// Moves sums across 77 lines to `line` from the one before (1) or after it (−1).
    #[inline(always)]
    fn shift(&self, sums: &mut [u16], line: usize, step: isize) {
        let (line, reach) = (line as isize, REACH as isize * step);
        let (entering, leaving) = (self.line(line + reach), self.line(line - step - reach));
        for ((sum, entering), leaving) in sums.iter_mut().zip(entering).zip(leaving) {
            *sum = *sum - leaving + entering;
        }
    }

    /// A line; the first and last are repeated beyond the ends.
    #[inline(always)]
    fn line(&self, line: isize) -> &[u16] {
        let last = self.values.len() / self.length - 1;
        &self.values[line.clamp(0, last as isize) as usize * self.length..][..self.length]
    }
}

/// Sums about one line.
#[derive(Default)]
struct Sums {
    of: Option<usize>,
    /// Over 77 lines, one a pixel.
    across_lines: Vec<u16>,
    running: Vec<i32>,
}

/// The brain window of an image as 0–1, white set to 0.
struct Tissue<'a>(&'a Plane);

impl Tissue<'_> {
    fn row(&self, row: usize) -> impl ExactSizeIterator<Item = f32> + '_ {
        self.hu(row).iter().map(|&hu| tissue(hu))
    }

    fn hu(&self, row: usize) -> &[f32] {
        &self.0.values[row * self.0.columns..][..self.0.columns]
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
    let taps = 0..line.len() + 2 * REACH;
    let padded: Vec<f64> = taps.map(|tap| line[near(0, tap, line.len())]).collect();
    let mut blurred = vec![0f64; line.len()];
    // Tap by tap, as the places do not wait for each other.
    for (tap, weight) in kernel.iter().enumerate() {
        for (sum, value) in blurred.iter_mut().zip(&padded[tap..]) {
            *sum += value * weight;
        }
    }
    blurred.into_iter().fold(0.0, f64::max)
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
