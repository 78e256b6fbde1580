//! Cubic zoom of whole images to one size, for the few that are not 512 × 512.

use crate::Plane;

/// Pole of the cubic B-spline's prefilter, √3 − 2 (Unser 1999, "Splines: a perfect fit").
const POLE: f64 = -0.267_949_192_431_122_7;

/// Resamples an image to `rows` × `columns` (all at least 1) with a cubic spline through its
/// pixels, corner pixels onto corner pixels, values rounded to whole HU as the stored values of the
/// published set were: `scipy.ndimage.zoom` of whole numbers (docs/references.md#slice-preparation,
/// step 6).
pub fn zoom(image: &Plane, rows: usize, columns: usize) -> Plane {
    if (image.rows, image.columns) == (rows, columns) {
        return image.clone();
    }
    let narrow: Vec<f64> = image
        .values
        .chunks_exact(image.columns)
        .flat_map(|row| zoom_line(row.iter().map(|&hu| f64::from(hu)), columns))
        .collect();
    let mut values = vec![0f32; rows * columns];
    for column in 0..columns {
        let line = narrow[column..].iter().step_by(columns).copied();
        for (row, value) in zoom_line(line, rows).into_iter().enumerate() {
            values[row * columns + column] = value.round() as f32;
        }
    }
    Plane { rows, columns, values }
}

/// One line at `size` positions from its first to its last value.
fn zoom_line(values: impl Iterator<Item = f64>, size: usize) -> Vec<f64> {
    let mut line: Vec<f64> = values.collect();
    filter(&mut line);
    let last = line.len() - 1;
    // Mirrored about its end values, beyond which at most two coefficients are needed.
    let coefficient = |index: isize| {
        let turned = index.unsigned_abs();
        line[if turned > last { (2 * last).saturating_sub(turned) } else { turned }.min(last)]
    };
    let step = if size > 1 { last as f64 / (size - 1) as f64 } else { 0.0 };
    let sample = |index: usize| {
        let at = (index as f64 * step).min(last as f64);
        let (base, part) = (at.floor() as isize, at.fract());
        let rest = 1.0 - part;
        let inner = |near: f64| 2.0 / 3.0 - near * near * (2.0 - near) / 2.0;
        let weights = [rest.powi(3) / 6.0, inner(part), inner(rest), part.powi(3) / 6.0];
        (-1..).zip(weights).map(|(offset, weight)| weight * coefficient(base + offset)).sum()
    };
    (0..size).map(sample).collect()
}

/// Values to B-spline coefficients, mirrored about the end values.
fn filter(line: &mut [f64]) {
    let length = line.len();
    if length < 2 {
        return;
    }
    // (1 − z)(1 − 1/z)
    line.iter_mut().for_each(|value| *value *= 6.0);
    let far = POLE.powi(length as i32 - 1);
    let mut first = line[0] + far * line[length - 1];
    let mut power = POLE;
    for index in 1..length - 1 {
        first += power * (line[index] + far * line[length - 1 - index]);
        power *= POLE;
    }
    line[0] = first / (1.0 - far * far);
    for index in 1..length {
        line[index] += POLE * line[index - 1];
    }
    line[length - 1] = (POLE * line[length - 2] + line[length - 1]) * POLE / (POLE * POLE - 1.0);
    for index in (0..length - 1).rev() {
        line[index] = POLE * (line[index + 1] - line[index]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zoom_passes_through_the_pixels_and_is_cubic_between_them() {
        let line: Vec<f64> = (0..9).map(|x| f64::from(x * x * x) - 20.0 * f64::from(x)).collect();
        let fine = zoom_line(line.iter().copied(), 17);
        for (index, value) in line.iter().enumerate() {
            assert!((fine[2 * index] - value).abs() < 1e-9);
        }
        // scipy.ndimage.zoom(line, 17 / 9)[8:11]
        let expected = [-16.0, 0.616_899_85, 25.0];
        for (found, expected) in fine[8..11].iter().zip(expected) {
            assert!((found - expected).abs() < 1e-7, "{found} {expected}");
        }
    }

    #[test]
    fn small_images_and_constants_keep_their_values() {
        for (rows, columns) in [(1, 1), (1, 5), (2, 3), (3, 2)] {
            let image = Plane { rows, columns, values: vec![-24.0; rows * columns] };
            let large = zoom(&image, 7, 4);
            assert_eq!(large.values, vec![-24.0; 28], "{rows} × {columns}");
        }
    }
}
