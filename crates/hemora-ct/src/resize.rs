//! Resampling of single-channel images.
//!
//! One filter for training and inference alike: a triangle (bilinear) filter whose support widens
//! with the reduction, so that shrinking averages instead of skipping pixels. It is what Pillow
//! calls `BILINEAR` and PyTorch `antialias=True`.

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

/// Resamples `image` to `rows` × `columns` (both at least 1) with the anti-aliased triangle filter.
pub fn resize(image: &Plane, rows: usize, columns: usize) -> Plane {
    if (image.rows, image.columns) == (rows, columns) {
        return image.clone();
    }
    let across = Taps::new(image.columns, columns);
    let mut narrow = vec![0f32; image.rows * columns];
    for (source, target) in
        image.values.chunks_exact(image.columns).zip(narrow.chunks_exact_mut(columns))
    {
        for (column, value) in target.iter_mut().enumerate() {
            let (first, weights) = across.at(column);
            *value = source[first..first + weights.len()]
                .iter()
                .zip(weights)
                .map(|(pixel, weight)| pixel * weight)
                .sum();
        }
    }
    let down = Taps::new(image.rows, rows);
    let mut values = vec![0f32; rows * columns];
    for (row, target) in values.chunks_exact_mut(columns).enumerate() {
        let (first, weights) = down.at(row);
        for (offset, &weight) in weights.iter().enumerate() {
            let source = &narrow[(first + offset) * columns..][..columns];
            for (value, pixel) in target.iter_mut().zip(source) {
                *value += pixel * weight;
            }
        }
    }
    Plane { rows, columns, values }
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
    fn enlarging_interpolates_between_pixel_centres() {
        // Reference: PIL.Image.fromarray([[0, 4]]).resize((4, 1), BILINEAR) gives 0, 1, 3, 4.
        let image = Plane { rows: 1, columns: 2, values: vec![0.0, 4.0] };
        assert_eq!(resize(&image, 1, 4).values, vec![0.0, 1.0, 3.0, 4.0]);
    }
}
