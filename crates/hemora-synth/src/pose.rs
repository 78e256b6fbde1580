//! How the head lies in the scanner.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::math::{Point, dot, sub};

/// A rotation and shift between head and patient coordinates (mm).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pose {
    /// Rows of the rotation that takes patient directions to head directions.
    rotation: [Point; 3],
    /// Where the head's origin lies in the patient.
    origin: Point,
}

impl Pose {
    /// A lying head: its base is roughly parallel to a gantry tilted by `tilt_degrees`.
    pub(crate) fn new(random: &mut ChaCha8Rng, tilt_degrees: f64) -> Self {
        let mut degrees = |spread: f32| random.random_range(-spread..spread).to_radians();
        let (yaw, roll) = (degrees(11.0), degrees(5.0));
        let pitch = tilt_degrees as f32 * std::f32::consts::PI / 180.0 + degrees(8.0);
        let mut shift = |spread: f32| random.random_range(-spread..spread);
        let origin = [shift(7.0), shift(6.0), 0.0];
        let (sy, cy) = yaw.sin_cos();
        let (sr, cr) = roll.sin_cos();
        let (sp, cp) = pitch.sin_cos();
        // Turn about z (yaw), then about y (roll), then about x (pitch: vertex to the back).
        let about_z = [[cy, sy, 0.0], [-sy, cy, 0.0], [0.0, 0.0, 1.0]];
        let about_y = [[cr, 0.0, -sr], [0.0, 1.0, 0.0], [sr, 0.0, cr]];
        let about_x = [[1.0, 0.0, 0.0], [0.0, cp, -sp], [0.0, sp, cp]];
        Self { rotation: product(product(about_z, about_y), about_x), origin }
    }

    /// A patient direction in head coordinates.
    pub(crate) fn head_from_patient_direction(&self, direction: Point) -> Point {
        self.rotation.map(|row| dot(row, direction))
    }

    /// A patient point in head coordinates.
    pub(crate) fn head_from_patient(&self, point: Point) -> Point {
        self.head_from_patient_direction(sub(point, self.origin))
    }
}

fn product(a: [Point; 3], b: [Point; 3]) -> [Point; 3] {
    std::array::from_fn(|row| {
        std::array::from_fn(|column| (0..3).map(|k| a[row][k] * b[k][column]).sum())
    })
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::math::norm;

    #[test]
    fn a_pose_is_rigid_and_follows_the_gantry() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let pose = Pose::new(&mut random, 20.0);
        let (a, b) = ([10.0, 20.0, 30.0], [-5.0, 60.0, 11.0]);
        let distance = norm(sub(pose.head_from_patient(a), pose.head_from_patient(b)));
        assert!((distance - norm(sub(a, b))).abs() < 1e-3);
        // The normal of a gantry tilted by 20° is near the head's axis.
        let tilt = 20f32.to_radians();
        let normal = pose.head_from_patient_direction([0.0, tilt.sin(), tilt.cos()]);
        assert!(normal[2] > 0.97, "{normal:?}");
    }
}
