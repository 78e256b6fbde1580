//! How a stored axial image is turned upright, and where a pixel of the one lies in the other.

use std::ops::Sub;

use crate::ImagePlane;

/// How the pixels of an image are transposed and flipped to make it upright; never resampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Turn {
    /// Whether rows and columns change places.
    transpose: bool,
    /// Whether left and right change places, after that.
    mirror: bool,
    /// Whether top and bottom change places, after that.
    upend: bool,
}

impl Turn {
    /// What turns a stored image of this plane upright: nothing where the plane is unknown, or
    /// nearer to sagittal or coronal than to axial.
    pub fn upright(stored: Option<ImagePlane>) -> Self {
        let Some(plane) = stored else { return Self::default() };
        let normal = plane.normal().map(f64::abs);
        if normal[2] < normal[0].max(normal[1]) {
            return Self::default();
        }
        let (row, column) = (plane.row_direction, plane.column_direction);
        let transpose = row[1].abs() + column[0].abs() > row[0].abs() + column[1].abs();
        let (right, down) = if transpose { (column, row) } else { (row, column) };
        Self { transpose, mirror: right[0] < 0.0, upend: down[1] < 0.0 }
    }

    /// Rows and columns after the turn of an image of these.
    pub fn size(self, [rows, columns]: [usize; 2]) -> [usize; 2] {
        if self.transpose { [columns, rows] } else { [rows, columns] }
    }

    /// Row and column in the stored image of what the upright one shows at `at`. `last` are the last row
    /// and column of the upright image. Works on parts of pixels too.
    pub fn stored<T: Copy + Sub<Output = T>>(self, last: [T; 2], at: [T; 2]) -> [T; 2] {
        let [row, column] = self.flipped(last, at);
        if self.transpose { [column, row] } else { [row, column] }
    }

    /// The way back: row and column in the upright image of what the stored one shows at `at`.
    pub fn turned<T: Copy + Sub<Output = T>>(self, last: [T; 2], [row, column]: [T; 2]) -> [T; 2] {
        self.flipped(last, if self.transpose { [column, row] } else { [row, column] })
    }

    /// Where the upright image lies, which has `size` rows and columns; `stored` is the plane of the stored
    /// one. Without a spacing the place of its first voxel is unknown; that of the stored one stands for it.
    pub fn plane(self, stored: ImagePlane, size: [usize; 2]) -> ImagePlane {
        let corner = self.stored(size.map(|side| side.saturating_sub(1)), [0, 0]);
        let (row, column) = (stored.row_direction, stored.column_direction);
        let (right, down) = if self.transpose { (column, row) } else { (row, column) };
        let along =
            |direction: [f64; 3], back| if back { direction.map(|it| -it) } else { direction };
        let corner = corner.map(|index| index as f64);
        ImagePlane {
            position: stored.patient_from_voxel(corner).unwrap_or(stored.position),
            row_direction: along(right, self.mirror),
            column_direction: along(down, self.upend),
            spacing: stored.spacing.map(|[a, b]| if self.transpose { [b, a] } else { [a, b] }),
        }
    }

    fn flipped<T: Copy + Sub<Output = T>>(self, last: [T; 2], [row, column]: [T; 2]) -> [T; 2] {
        let row = if self.upend { last[0] - row } else { row };
        [row, if self.mirror { last[1] - column } else { column }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_turned_is_turned_back() {
        for bits in 0..8 {
            let [transpose, mirror, upend] = [1, 2, 4].map(|bit| bits & bit != 0);
            let turn = Turn { transpose, mirror, upend };
            let [rows, columns] = turn.size([2, 3]);
            let mut seen = Vec::new();
            for row in 0..rows {
                for column in 0..columns {
                    let (last, at) = ([rows - 1, columns - 1], [row, column]);
                    let stored = turn.stored(last, at);
                    assert!(stored[0] < 2 && stored[1] < 3, "{turn:?}: {stored:?}");
                    assert_eq!(turn.turned(last, stored), at, "{turn:?}");
                    assert!(!seen.contains(&stored), "{turn:?}: {stored:?} twice");
                    seen.push(stored);
                }
            }
        }
        let upend = Turn { upend: true, ..Turn::default() };
        assert_eq!(upend.stored([9.0, 9.0], [2.5, 4.0]), [6.5, 4.0]);
    }
}
