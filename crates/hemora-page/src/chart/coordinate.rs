//! Coordinates on a canvas, and paths through them.

use std::fmt::Write;

use maud::Render;

/// A coordinate or length on a canvas, in its units, with one decimal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coordinate(pub f64);

impl Render for Coordinate {
    fn render_to(&self, buffer: &mut String) {
        // Writing to a string cannot fail; a number needs no escaping.
        let _ = write!(buffer, "{:.1}", self.0);
    }
}

/// The `d` of a path through points on the canvas; a point with a coordinate that is not finite
/// leaves a gap. Empty if no point is left.
pub fn path(points: impl IntoIterator<Item = [f64; 2]>) -> String {
    let mut path = String::new();
    let mut pen = 'M';
    for [x, y] in points {
        if x.is_finite() && y.is_finite() {
            let _ = write!(path, "{pen}{x:.1} {y:.1}");
            pen = 'L';
        } else {
            pen = 'M';
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_finite_leaves_a_gap() {
        let points = [[0.0, 1.0], [2.0, 3.0], [f64::NAN, 0.0], [4.0, f64::INFINITY], [5.0, 6.0]];
        assert_eq!(path(points), "M0.0 1.0L2.0 3.0M5.0 6.0");
        assert_eq!(path([[f64::NAN, 0.0]]), "");
        assert_eq!(Coordinate(-1.26).render().into_string(), "-1.3");
    }
}
