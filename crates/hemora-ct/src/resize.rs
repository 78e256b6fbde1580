//! Resampling of single-channel images.
//!
//! One filter for training and inference alike: a triangle (bilinear) filter whose support widens
//! with the reduction, so that shrinking averages instead of skipping pixels. It is what Pillow
//! calls `BILINEAR` and PyTorch `antialias=True`.

use crate::widest;

/// A single-channel image of real values, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    /// Height in pixels.
    pub rows: usize,
    /// Width in pixels.
    pub columns: usize,
    /// `rows × columns` values.
    pub values: Vec<f32>,
}

/// Rows that are narrowed side by side: as many values as the widest vectors hold.
const LANES: usize = 16;

/// Resamples `image` to `rows` × `columns` (both at least 1) with the anti-aliased triangle filter.
pub fn resize(image: &Plane, rows: usize, columns: usize) -> Plane {
    if (image.rows, image.columns) == (rows, columns) {
        return image.clone();
    }
    resize_mapped(&image.values, [image.rows, image.columns], [rows, columns], |value| value)
}

/// As [`resize`], of an image of rows × columns `from` whose values `map` changes first; mark it
/// `#[inline(always)]`.
pub(crate) fn resize_mapped(
    values: &[f32],
    from: [usize; 2],
    to: [usize; 2],
    map: impl Fn(f32) -> f32,
) -> Plane {
    let [rows, columns] = to;
    let values = widest(
        #[inline(always)]
        || match from == to {
            true => values.iter().map(|&value| map(value)).collect(),
            false => {
                let narrow = narrowed(values, from, columns, map);
                shortened(&narrow, from[0], to)
            }
        },
    );
    Plane { rows, columns, values }
}

/// Each row at `columns` values.
#[inline(always)]
fn narrowed(
    values: &[f32],
    [rows, wide]: [usize; 2],
    columns: usize,
    map: impl Fn(f32) -> f32,
) -> Vec<f32> {
    let taps = Taps::new(wide, columns);
    let mut narrow = vec![0f32; rows * columns];
    // Rows side by side: a sum along one row would wait for each of its values.
    let mut side_by_side = vec![[0f32; LANES]; wide];
    for (source, target) in values.chunks(wide * LANES).zip(narrow.chunks_mut(columns * LANES)) {
        for (lane, row) in source.chunks_exact(wide).enumerate() {
            for (values, value) in side_by_side.iter_mut().zip(row) {
                values[lane] = map(*value);
            }
        }
        for column in 0..columns {
            let (first, weights) = taps.at(column);
            // What sums of floats begin with: adding to it changes no bit.
            let mut sums = [-0.0f32; LANES];
            for (values, weight) in side_by_side[first..].iter().zip(weights) {
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum += value * weight;
                }
            }
            for (row, sum) in target.chunks_exact_mut(columns).zip(sums) {
                row[column] = sum;
            }
        }
    }
    narrow
}

/// `rows` rows, which have their width already, at another number of rows.
#[inline(always)]
fn shortened(narrow: &[f32], rows: usize, to: [usize; 2]) -> Vec<f32> {
    let [tall, columns] = to;
    let taps = Taps::new(rows, tall);
    let mut values = vec![0f32; tall * columns];
    for (row, target) in values.chunks_exact_mut(columns).enumerate() {
        let (first, weights) = taps.at(row);
        for (offset, &weight) in weights.iter().enumerate() {
            let source = &narrow[(first + offset) * columns..][..columns];
            for (value, pixel) in target.iter_mut().zip(source) {
                *value += pixel * weight;
            }
        }
    }
    values
}

/// For each output position the first input position and the weights from there on.
struct Taps {
    firsts: Vec<usize>,
    starts: Vec<usize>,
    weights: Vec<f32>,
}

impl Taps {
    fn new(input: usize, output: usize) -> Self {
        let scale = input as f64 / output as f64;
        let support = scale.max(1.0);
        let mut taps = Taps { firsts: Vec::new(), starts: vec![0], weights: Vec::new() };
        for position in 0..output {
            let centre = (position as f64 + 0.5) * scale;
            let first = ((centre - support + 0.5).floor().max(0.0)) as usize;
            let end = (((centre + support + 0.5).floor()) as usize).min(input);
            let raw: Vec<f64> = (first..end)
                .map(|index| (1.0 - ((index as f64 + 0.5 - centre) / support).abs()).max(0.0))
                .collect();
            let total: f64 = raw.iter().sum();
            taps.firsts.push(first);
            taps.weights.extend(raw.iter().map(|weight| (weight / total) as f32));
            taps.starts.push(taps.weights.len());
        }
        taps
    }

    #[inline(always)]
    fn at(&self, position: usize) -> (usize, &[f32]) {
        (self.firsts[position], &self.weights[self.starts[position]..self.starts[position + 1]])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halving_keeps_a_ramp() {
        let image =
            Plane { rows: 2, columns: 8, values: (0..16).map(|i| (i % 8) as f32).collect() };
        let small = resize(&image, 1, 4);
        // Inside, the symmetric filter keeps a linear ramp exactly.
        assert!((small.values[1] - 2.5).abs() < 1e-6);
        assert!((small.values[2] - 4.5).abs() < 1e-6);
    }

    #[test]
    fn a_constant_stays_constant_at_any_size() {
        let image = Plane { rows: 7, columns: 5, values: vec![3.0; 35] };
        for (rows, columns) in [(1, 1), (3, 9), (14, 10), (7, 5)] {
            let resized = resize(&image, rows, columns);
            assert_eq!(resized.values.len(), rows * columns);
            assert!(resized.values.iter().all(|value| (value - 3.0).abs() < 1e-5));
        }
    }

    #[test]
    fn it_is_the_filter_as_it_is_defined_whatever_the_size() {
        let defined = |image: &Plane, rows: usize, columns: usize| {
            let (across, down) = (Taps::new(image.columns, columns), Taps::new(image.rows, rows));
            let narrow = |row: usize, column: usize| -> f32 {
                let (first, weights) = across.at(column);
                let pixels = &image.values[row * image.columns + first..];
                pixels.iter().zip(weights).map(|(pixel, weight)| pixel * weight).sum()
            };
            let value = |at: usize| {
                let (first, weights) = down.at(at / columns);
                let pixels = (first..).zip(weights);
                pixels.fold(0.0, |sum, (row, weight)| sum + narrow(row, at % columns) * weight)
            };
            (0..rows * columns).map(value).collect::<Vec<f32>>()
        };
        for (rows, columns) in [(1, 1), (5, 3), (16, 16), (33, 47), (64, 20)] {
            let value = |at: usize| ((at * 7919) % 1013) as f32 / 9.7 - 41.3;
            let image = Plane { rows, columns, values: (0..rows * columns).map(value).collect() };
            for (rows, columns) in [(1, 1), (2, 5), (17, 16), (40, 40)] {
                let small = resize(&image, rows, columns);
                assert_eq!((small.rows, small.columns), (rows, columns));
                let expected = match (rows, columns) == (image.rows, image.columns) {
                    true => image.values.clone(),
                    false => defined(&image, rows, columns),
                };
                // To the bit.
                assert_eq!(small.values, expected, "{rows} × {columns}");
                let from = [image.rows, image.columns];
                let mapped = resize_mapped(&image.values, from, [rows, columns], |it| it / 2.0);
                let halves = Plane {
                    values: image.values.iter().map(|it| it / 2.0).collect(),
                    ..image.clone()
                };
                assert_eq!(mapped, resize(&halves, rows, columns));
            }
        }
    }

    #[test]
    fn enlarging_interpolates_between_pixel_centres() {
        // Reference: PIL.Image.fromarray([[0, 4]]).resize((4, 1), BILINEAR) gives 0, 1, 3, 4.
        let image = Plane { rows: 1, columns: 2, values: vec![0.0, 4.0] };
        assert_eq!(resize(&image, 1, 4).values, vec![0.0, 1.0, 3.0, 4.0]);
    }
}
