//! Where an image lies in the patient.

use serde::{Deserialize, Serialize};

/// The plane of one image in the DICOM patient coordinate system (mm; x to the patient's left,
/// y to the back, z to the head), PS3.3 C.7.6.2.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ImagePlane {
    /// Centre of the first voxel, mm (ImagePositionPatient).
    pub position: [f64; 3],
    /// Unit vector along a row, the direction in which the column index grows
    /// (first half of ImageOrientationPatient).
    pub row_direction: [f64; 3],
    /// Unit vector along a column, the direction in which the row index grows
    /// (second half of ImageOrientationPatient).
    pub column_direction: [f64; 3],
    /// Distance between rows and between columns, mm (PixelSpacing), if known.
    pub spacing: Option<[f64; 2]>,
}

/// Why an orientation cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum GeometryError {
    /// A coordinate is infinite or not a number.
    #[error("image position or orientation has a value that is not finite")]
    NotFinite,
    /// The two directions are not perpendicular unit vectors.
    #[error("image orientation is not two perpendicular unit vectors")]
    NotOrthonormal,
    /// A spacing is not a positive number.
    #[error("pixel spacing {0} × {1} mm is not positive")]
    Spacing(f64, f64),
}

impl ImagePlane {
    /// Checks the values and re-normalises the directions (headers round them to 6 digits).
    ///
    /// `orientation` is ImageOrientationPatient: row direction, then column direction.
    ///
    /// # Errors
    /// [`GeometryError`] if a value is not finite, the directions are more than 1 % away from
    /// perpendicular unit vectors, or a spacing is not positive.
    pub fn new(
        position: [f64; 3],
        orientation: [f64; 6],
        spacing: Option<[f64; 2]>,
    ) -> Result<Self, GeometryError> {
        if position.iter().chain(&orientation).any(|value| !value.is_finite()) {
            return Err(GeometryError::NotFinite);
        }
        let [a, b, c, d, e, f] = orientation;
        let (row, column) = ([a, b, c], [d, e, f]);
        let lengths = [norm(row), norm(column)];
        if lengths.iter().any(|length| (length - 1.0).abs() > 0.01) || dot(row, column).abs() > 0.01
        {
            return Err(GeometryError::NotOrthonormal);
        }
        if let Some([rows, columns]) = spacing
            && !(rows > 0.0 && columns > 0.0 && rows.is_finite() && columns.is_finite())
        {
            return Err(GeometryError::Spacing(rows, columns));
        }
        Ok(Self {
            position,
            row_direction: row.map(|value| value / lengths[0]),
            column_direction: column.map(|value| value / lengths[1]),
            spacing,
        })
    }

    /// Unit normal: row direction × column direction. For a usual axial head CT it points to the
    /// head, (0, 0, 1).
    pub fn normal(&self) -> [f64; 3] {
        cross(self.row_direction, self.column_direction)
    }

    /// Row direction, then column direction, as ImageOrientationPatient has them.
    pub fn orientation(&self) -> [f64; 6] {
        let ([a, b, c], [d, e, f]) = (self.row_direction, self.column_direction);
        [a, b, c, d, e, f]
    }

    /// Signed distance of the image from the origin along `normal`, mm: the key by which slices
    /// are ordered.
    pub fn distance_along(&self, normal: [f64; 3]) -> f64 {
        dot(self.position, normal)
    }

    /// Angle between the image and the patient's transverse plane, degrees, 0 to 90. For an axial
    /// series this is the gantry tilt without its sign.
    pub fn tilt_degrees(&self) -> f64 {
        self.normal()[2].abs().clamp(0.0, 1.0).acos().to_degrees()
    }

    /// The patient's directions at the left, right, top and bottom edge of the image, each by its largest
    /// component: L and R, P and A (posterior, anterior), H and F (PS3.3 C.7.6.1.1.1); `None` if a
    /// direction has no length.
    pub fn edges(&self) -> Option<[char; 4]> {
        let (right, left) = letters(self.row_direction)?;
        let (bottom, top) = letters(self.column_direction)?;
        Some([left, right, top, bottom])
    }

    /// Patient coordinates (mm) of the voxel at `[row, column]`; `None` without a spacing.
    pub fn patient_from_voxel(&self, voxel: [f64; 2]) -> Option<[f64; 3]> {
        let [row_spacing, column_spacing] = self.spacing?;
        Some(std::array::from_fn(|axis| {
            self.position[axis]
                + self.column_direction[axis] * voxel[0] * row_spacing
                + self.row_direction[axis] * voxel[1] * column_spacing
        }))
    }
}

/// Letter of a direction, and of its opposite.
fn letters(direction: [f64; 3]) -> Option<(char, char)> {
    let axis = (0..3).max_by(|&a, &b| direction[a].abs().total_cmp(&direction[b].abs()))?;
    let (positive, negative) = [('L', 'R'), ('P', 'A'), ('H', 'F')][axis];
    match direction[axis] {
        value if value > 0.0 => Some((positive, negative)),
        value if value < 0.0 => Some((negative, positive)),
        _ => None,
    }
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

fn norm(a: [f64; 3]) -> f64 {
    dot(a, a).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AXIAL: [f64; 6] = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];

    #[test]
    fn tilted_gantry_keeps_its_angle_and_voxel_positions() {
        let tilt = 20f64.to_radians();
        let orientation = [1.0, 0.0, 0.0, 0.0, tilt.cos(), -tilt.sin()];
        let plane = ImagePlane::new([-125.0, -110.0, 30.0], orientation, Some([0.5, 0.4])).unwrap();
        assert!((plane.tilt_degrees() - 20.0).abs() < 1e-9);
        let corner = plane.patient_from_voxel([10.0, 5.0]).unwrap();
        let expected = [-123.0, -110.0 + 5.0 * tilt.cos(), 30.0 - 5.0 * tilt.sin()];
        for axis in 0..3 {
            assert!((corner[axis] - expected[axis]).abs() < 1e-9);
        }
    }

    #[test]
    fn edges_follow_the_orientation() {
        let edges = |orientation| ImagePlane::new([0.0; 3], orientation, None).unwrap().edges();
        let tilt = 20f64.to_radians();
        let tilted = [1.0, 0.0, 0.0, 0.0, tilt.cos(), -tilt.sin()];
        assert_eq!(edges(AXIAL), Some(['R', 'L', 'A', 'P']));
        assert_eq!(edges(tilted), Some(['R', 'L', 'A', 'P']));
        assert_eq!(edges([-1.0, 0.0, 0.0, 0.0, 1.0, 0.0]), Some(['L', 'R', 'A', 'P']));
        assert_eq!(edges([0.0, 1.0, 0.0, 0.0, 0.0, -1.0]), Some(['A', 'P', 'H', 'F']));
    }

    #[test]
    fn impossible_geometry_is_refused() {
        let refused = |orientation, spacing| ImagePlane::new([0.0; 3], orientation, spacing);
        assert_eq!(refused([0.0; 6], None), Err(GeometryError::NotOrthonormal));
        assert_eq!(
            refused([f64::NAN, 0.0, 0.0, 0.0, 1.0, 0.0], None),
            Err(GeometryError::NotFinite)
        );
        assert_eq!(refused(AXIAL, Some([0.0, 1.0])), Err(GeometryError::Spacing(0.0, 1.0)));
    }
}
