//! The line of equal activation, so that the map can be read without its colours.

use std::fmt::Write;

use hemora_ct::Plane;

/// Lines on which `plane` equals `level`, as an SVG path over a picture of `width` × `height`. Empty if
/// the level is not reached.
pub(crate) fn contour(plane: &Plane, level: f32, width: f64, height: f64) -> String {
    let mut path = String::new();
    for [from, to] in lines(plane, level, width, height) {
        // Writing to a text does not fail.
        let _ = write!(path, "M{:.1} {:.1}L{:.1} {:.1}", from[0], from[1], to[0], to[1]);
    }
    path
}

/// The same as the ends `[x, y]` of each piece (marching squares between pixel centres).
pub(crate) fn lines(plane: &Plane, level: f32, width: f64, height: f64) -> Vec<[[f64; 2]; 2]> {
    let mut pieces = Vec::new();
    let value = |row: usize, column: usize| plane.values[row * plane.columns + column];
    let x = |column: f64| (column + 0.5) / plane.columns as f64 * width;
    let y = |row: f64| (row + 0.5) / plane.rows as f64 * height;
    for row in 1..plane.rows {
        for column in 1..plane.columns {
            // Corners clockwise from the top left, each with its column and row in the grid.
            let (top, left) = ((row - 1) as f64, (column - 1) as f64);
            let corners = [
                (value(row - 1, column - 1), left, top),
                (value(row - 1, column), left + 1.0, top),
                (value(row, column), left + 1.0, top + 1.0),
                (value(row, column - 1), left, top + 1.0),
            ];
            let mut crossings = Vec::with_capacity(4);
            for side in 0..4 {
                let (from, to) = (corners[side], corners[(side + 1) % 4]);
                if (from.0 >= level) != (to.0 >= level) {
                    let part = f64::from((level - from.0) / (to.0 - from.0));
                    let crossing =
                        (from.1 + part * (to.1 - from.1), from.2 + part * (to.2 - from.2));
                    crossings.push(crossing);
                }
            }
            // At a saddle the middle decides which corners belong together: crossings 0 and 1 cut
            // off the top right corner, 3 and 0 the top left one.
            let middle = corners.iter().map(|corner| corner.0).sum::<f32>() / 4.0;
            if crossings.len() == 4 && (middle >= level) != (corners[0].0 >= level) {
                crossings.rotate_right(1);
            }
            for line in crossings.chunks_exact(2) {
                pieces.push([line[0], line[1]].map(|at| [x(at.0), y(at.1)]));
            }
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_becomes_a_line_halfway() {
        let plane = Plane { rows: 2, columns: 2, values: vec![0.0, 1.0, 0.0, 1.0] };
        assert_eq!(contour(&plane, 0.5, 4.0, 4.0), "M2.0 1.0L2.0 3.0");
    }

    #[test]
    fn a_lone_corner_is_cut_off() {
        let plane = Plane { rows: 2, columns: 2, values: vec![1.0, 0.0, 0.0, 0.0] };
        assert_eq!(contour(&plane, 0.5, 2.0, 2.0), "M1.0 0.5L0.5 1.0");
    }

    #[test]
    fn a_saddle_keeps_its_high_corners_apart_or_joined() {
        let apart = Plane { rows: 2, columns: 2, values: vec![0.6, 0.0, 0.0, 0.6] };
        // Each line cuts one high corner: top left, bottom right.
        let lines = contour(&apart, 0.5, 2.0, 2.0);
        assert_eq!(lines.matches('M').count(), 2);
        assert!(lines.contains("M0.5 0.7L0.7 0.5"), "{lines}");
        let joined = Plane { rows: 2, columns: 2, values: vec![1.0, 0.3, 0.3, 1.0] };
        // Each line cuts one low corner: top right, bottom left.
        let lines = contour(&joined, 0.5, 2.0, 2.0);
        assert!(lines.starts_with("M1.2 0.5L1.5 0.8"), "{lines}");
    }

    #[test]
    fn a_flat_plane_has_no_line() {
        let plane = Plane { rows: 3, columns: 3, values: vec![0.2; 9] };
        assert_eq!(contour(&plane, 0.5, 9.0, 9.0), "");
        let row = Plane { rows: 1, columns: 3, values: vec![0.0, 1.0, 0.0] };
        assert_eq!(contour(&row, 0.5, 9.0, 9.0), "");
    }
}
