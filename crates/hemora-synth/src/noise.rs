//! Smooth three-dimensional noise of one wavelength, from one shared table.
//!
//! The table is a sum of plane waves of nearly equal wavelength. The surfaces where such a field
//! is zero wind about at a steady distance from each other, as sulci do.

use std::f32::consts::TAU;
use std::sync::OnceLock;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::math::Point;

/// Cells along each side of the periodic table.
const SIDE: usize = 64;
const WAVES: usize = 48;
/// Cells to one mean wavelength.
const CELLS_PER_WAVE: f32 = SIDE as f32 / 6.2;

fn table() -> &'static [f32] {
    static TABLE: OnceLock<Vec<f32>> = OnceLock::new();
    TABLE.get_or_init(|| {
        // The table is the same for every phantom; each one looks at it through its own offsets.
        let mut random = ChaCha8Rng::seed_from_u64(0x6865_6d6f_7261);
        let mut table = vec![0f32; SIDE * SIDE * SIDE];
        let mut waves = 0;
        while waves < WAVES {
            let cycles: [f32; 3] = std::array::from_fn(|_| random.random_range(-8i32..=8) as f32);
            let length = crate::math::norm(cycles);
            if !(5.2..=7.2).contains(&length) {
                continue;
            }
            waves += 1;
            let phase = random.random_range(0.0..TAU);
            let turn = |axis: usize, offset: f32| -> Vec<(f32, f32)> {
                (0..SIDE)
                    .map(|cell| (TAU * cycles[axis] * cell as f32 / SIDE as f32 + offset).sin_cos())
                    .collect()
            };
            let (xs, ys, zs) = (turn(0, phase), turn(1, 0.0), turn(2, 0.0));
            for (z, &(sin_z, cos_z)) in zs.iter().enumerate() {
                for (y, &(sin_y, cos_y)) in ys.iter().enumerate() {
                    let cos = cos_z * cos_y - sin_z * sin_y;
                    let sin = sin_z * cos_y + cos_z * sin_y;
                    let row = &mut table[(z * SIDE + y) * SIDE..][..SIDE];
                    for (value, &(sin_x, cos_x)) in row.iter_mut().zip(&xs) {
                        *value += cos * cos_x - sin * sin_x;
                    }
                }
            }
        }
        let norm = (2.0 / WAVES as f32).sqrt();
        table.iter_mut().for_each(|value| *value *= norm);
        table
    })
}

/// A noise field: mean 0, standard deviation about 1, one wavelength.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Noise {
    table: &'static [f32],
    offset: Point,
    cells_per_mm: f32,
    /// mm from one surface of zeros to its neighbour's far side.
    pub(crate) wavelength: f32,
}

impl Noise {
    /// A field with `wavelength` in mm at a random place of the table.
    pub(crate) fn new(random: &mut ChaCha8Rng, wavelength: f32) -> Self {
        Self {
            table: table(),
            offset: std::array::from_fn(|_| random.random_range(0.0..SIDE as f32)),
            cells_per_mm: CELLS_PER_WAVE / wavelength,
            wavelength,
        }
    }

    /// The value at `p` (mm).
    pub(crate) fn at(&self, p: Point) -> f32 {
        const MASK: i32 = SIDE as i32 - 1;
        let [x, y, z]: Point =
            std::array::from_fn(|axis| p[axis] * self.cells_per_mm + self.offset[axis]);
        let (x0, y0, z0) = (x.floor(), y.floor(), z.floor());
        let (fx, fy, fz) = (x - x0, y - y0, z - z0);
        let (x0, y0, z0) = (x0 as i32, y0 as i32, z0 as i32);
        let column = [(x0 & MASK) as usize, (x0.wrapping_add(1) & MASK) as usize];
        let row = |y: i32, z: i32| {
            let start = (((z & MASK) as usize) * SIDE + (y & MASK) as usize) * SIDE;
            let row = &self.table[start..start + SIDE];
            row[column[0]] + (row[column[1]] - row[column[0]]) * fx
        };
        let (y1, z1) = (y0.wrapping_add(1), z0.wrapping_add(1));
        let near = row(y0, z0) + (row(y1, z0) - row(y0, z0)) * fy;
        let far = row(y0, z1) + (row(y1, z1) - row(y0, z1)) * fy;
        near + (far - near) * fz
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_standardised_smooth_and_far_from_alike_between_offsets() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let (one, two) = (Noise::new(&mut random, 20.0), Noise::new(&mut random, 20.0));
        let points: Vec<Point> = (0..4000)
            .map(|_| std::array::from_fn(|_| random.random_range(-90.0..90.0f32)))
            .collect();
        let mean = |f: &dyn Fn(Point) -> f32| {
            points.iter().map(|&p| f(p)).sum::<f32>() / points.len() as f32
        };
        assert!(mean(&|p| one.at(p)).abs() < 0.1);
        assert!((mean(&|p| one.at(p).powi(2)) - 1.0).abs() < 0.2);
        assert!(mean(&|p| one.at(p) * two.at(p)).abs() < 0.15);
        let step = |p: Point| (one.at([p[0] + 0.5, p[1], p[2]]) - one.at(p)).abs();
        assert!(points.iter().all(|&p| step(p) < 0.7));
    }
}
