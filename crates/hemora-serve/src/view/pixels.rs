//! HU of a slice as whole numbers, in its own size or reduced.

use hemora_ct::{Plane, Slice};

/// An image of whole HU, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HuImage {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) values: Vec<i16>,
}

impl HuImage {
    /// A slice in HU rounded to the nearest whole number.
    pub(crate) fn new(slice: &Slice) -> Self {
        let values = slice.hu().iter().map(|&hu| whole(hu)).collect();
        Self { rows: slice.rows(), columns: slice.columns(), values }
    }

    /// The values little endian, as files and browsers have them.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }
}

/// The nearest whole number that fits.
fn whole(hu: f32) -> i16 {
    hu.round() as i16
}

/// A slice of which neither rows nor columns are more than `side`: each pixel is the mean of the area that it
/// covers, so that noise and edges are averaged and nothing is skipped.
pub(crate) fn reduced(slice: &Slice, side: usize) -> HuImage {
    let size = [slice.rows(), slice.columns()];
    let scale = side as f64 / size[0].max(size[1]) as f64;
    if scale >= 1.0 {
        return HuImage::new(slice);
    }
    let [rows, columns] = size.map(|it| ((it as f64 * scale).round() as usize).max(1));
    let narrow = across(slice.hu(), slice.columns(), columns);
    let turned = transposed(&Plane { rows: slice.rows(), columns, values: narrow });
    let low = across(&turned.values, slice.rows(), rows);
    let small = transposed(&Plane { rows: columns, columns: rows, values: low });
    let values = small.values.iter().map(|&hu| whole(hu)).collect();
    HuImage { rows, columns, values }
}

/// Rows of `from` values each as rows of `to` means.
fn across(values: &[f32], from: usize, to: usize) -> Vec<f32> {
    let scale = from as f64 / to as f64;
    // First value of each part, and the share of each value in it.
    let parts: Vec<(usize, Vec<f32>)> = (0..to)
        .map(|part| {
            let (start, end) = (part as f64 * scale, (part + 1) as f64 * scale);
            let first = start.floor() as usize;
            let last = (end.ceil() as usize).min(from);
            let share = |at: usize| (end.min(at as f64 + 1.0) - start.max(at as f64)).max(0.0);
            (first, (first..last).map(|at| (share(at) / scale) as f32).collect())
        })
        .collect();
    let mut means = Vec::with_capacity(values.len() / from * to);
    for row in values.chunks_exact(from) {
        let mean = |(first, shares): &(usize, Vec<f32>)| -> f32 {
            row[*first..].iter().zip(shares).map(|(value, share)| value * share).sum()
        };
        means.extend(parts.iter().map(mean));
    }
    means
}

fn transposed(plane: &Plane) -> Plane {
    let Plane { rows, columns, .. } = *plane;
    let mut values = Vec::with_capacity(plane.values.len());
    for column in 0..columns {
        values.extend((0..rows).map(|row| plane.values[row * columns + column]));
    }
    Plane { rows: columns, columns: rows, values }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(rows: usize, columns: usize, hu: impl Fn(usize, usize) -> f32) -> Slice {
        let all = (0..rows * columns).map(|at| hu(at / columns, at % columns)).collect();
        Slice::new(rows, columns, all, None).unwrap()
    }

    #[test]
    fn values_are_rounded_and_kept_in_range() {
        let values = [-1024.4, 39.5, 40.4, 1e9, -1e9, f32::NAN];
        let image = HuImage::new(&Slice::new(2, 3, values.to_vec(), None).unwrap());
        assert_eq!(image.values, [-1024, 40, 40, i16::MAX, i16::MIN, 0]);
        assert_eq!(image.bytes()[..4], [0x00, 0xFC, 40, 0]);
    }

    #[test]
    fn a_reduced_image_has_the_means_of_areas() {
        let slice = slice(4, 6, |row, column| (row * 100 + column * 10) as f32);
        let small = reduced(&slice, 3);
        assert_eq!((small.rows, small.columns), (2, 3));
        assert_eq!(small.values, [55, 75, 95, 255, 275, 295]);
        assert_eq!(reduced(&slice, 6), HuImage::new(&slice));
    }

    #[test]
    fn areas_that_cut_pixels_weigh_them_by_their_share() {
        let slice = slice(3, 3, |_, column| [0.0, 90.0, 300.0][column]);
        let small = reduced(&slice, 2);
        assert_eq!(small.values, [30, 230, 30, 230]);
        let strip = self::slice(1, 1000, |_, _| 7.0);
        assert_eq!(reduced(&strip, 16).values, [7; 16]);
    }
}
