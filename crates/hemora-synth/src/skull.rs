//! The cranial cavity and the bone around it.
//!
//! The cavity is a vault, nearly an ellipsoid, above a floor: a height field with the anterior,
//! middle and posterior fossae between the sphenoid and petrous ridges.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::math::{Point, bell, segment, smoothstep};
use crate::noise::Noise;
use crate::tissue::{Sample, Tissue};

/// Where a point lies with respect to the vault.
#[derive(Debug, Clone, Copy)]
pub(crate) struct VaultPoint {
    /// mm inwards from the inner table, negative outside.
    pub(crate) depth: f32,
    /// Direction from the centre, with the vault scaled to a unit sphere.
    pub(crate) unit: Point,
}

/// The bony container of the brain.
#[derive(Debug, Clone)]
pub(crate) struct Skull {
    /// Half width, half length, height above and below the centre, mm.
    half_width: f32,
    half_length: f32,
    half_heights: [f32; 2],
    /// How much wider the back is than the front, per unit of half length.
    taper: f32,
    /// How much the sections bulge beyond ellipses.
    boxiness: f32,
    /// mm that the vertex lies behind the centre per mm of height.
    lean: f32,
    asymmetry: f32,
    bumps: Noise,
    thickness: f32,
    thickness_noise: Noise,
    diploe: Noise,
    frontal_sinus: f32,
    floor: Vec<f32>,
}

/// Height of the vault's centre above the origin, mm.
const CENTRE: f32 = 18.0;
/// The petrous ridge on the left, from its apex to the mastoid, seen from above, mm.
pub(crate) const PETROUS: [Point; 2] = [[13.0, -2.0, 0.0], [56.0, 27.0, 0.0]];
const FLOOR_HALF: [i32; 2] = [100, 110];
const FLOOR_STEP: f32 = 2.0;
/// A floor so low that nothing of the head reaches it: the foramen magnum.
const NO_FLOOR: f32 = -400.0;

impl Skull {
    pub(crate) fn new(random: &mut ChaCha8Rng) -> Self {
        let size = random.random_range(0.94..1.05f32);
        let mut skull = Self {
            half_width: size * random.random_range(64.0..71.0),
            half_length: size * random.random_range(80.0..88.0),
            half_heights: [
                size * random.random_range(62.0..70.0),
                size * random.random_range(84.0..92.0),
            ],
            taper: random.random_range(0.07..0.16),
            boxiness: random.random_range(0.12..0.32),
            lean: random.random_range(0.05..0.2),
            asymmetry: random.random_range(-0.04..0.04),
            bumps: Noise::new(random, 75.0),
            thickness: random.random_range(4.8..8.0),
            thickness_noise: Noise::new(random, 55.0),
            diploe: Noise::new(random, 5.0),
            frontal_sinus: random.random_range(-3.0f32..5.5).max(0.0),
            floor: Vec::new(),
        };
        skull.floor = floor_table(random, size);
        skull
    }

    /// Where `p` lies with respect to the vault.
    pub(crate) fn vault(&self, p: Point) -> VaultPoint {
        let z = p[2] - CENTRE;
        let y = p[1] - self.lean * z.max(0.0);
        let along = y / self.half_length;
        let side = if p[0] * along > 0.0 { self.asymmetry } else { -self.asymmetry };
        let half_width = self.half_width
            * (1.0 + self.taper * along.clamp(-1.2, 1.2) - 0.05 * along * along
                + side * along.abs());
        let x = p[0] / half_width;
        let half_height = if z > 0.0 { self.half_heights[0] } else { self.half_heights[1] };
        let up = z / half_height;
        let (xx, yy, zz) = (x * x, along * along, up * up);
        let level2 = (xx + yy + zz).max(1e-6);
        let level = level2.sqrt();
        let diagonal = (xx * yy + yy * zz + zz * xx) / (level2 * level2);
        let surface = level * (1.0 - self.boxiness * diagonal);
        let length = (p[0] * p[0] + y * y + z * z).sqrt();
        let depth = length * (1.0 / surface - 1.0) + 0.9 * self.bumps.at(p);
        VaultPoint { depth, unit: [x / level, along / level, up / level] }
    }

    /// Height of the cavity's floor below or above `p`, mm.
    pub(crate) fn floor(&self, p: Point) -> f32 {
        let [half_x, half_y] = FLOOR_HALF.map(|half| half as f32);
        let x = ((p[0] + half_x) / FLOOR_STEP).clamp(0.0, half_x - 1e-3);
        let y = ((p[1] + half_y) / FLOOR_STEP).clamp(0.0, half_y - 1e-3);
        let (x0, y0) = (x as usize, y as usize);
        let (fx, fy) = (x - x0 as f32, y - y0 as f32);
        let width = FLOOR_HALF[0] as usize + 1;
        let row = |y: usize| {
            let row = &self.floor[y * width + x0..][..2];
            row[0] + (row[1] - row[0]) * fx
        };
        let near = row(y0);
        near + (row(y0 + 1) - near) * fy
    }

    /// Thickness of the vault's bone at `p`, mm.
    pub(crate) fn bone_thickness(&self, p: Point, unit: Point) -> f32 {
        // The temporal squama is thin, the occiput and the frontal midline are thick.
        let squama = smoothstep(0.6, 0.95, unit[0].abs()) * smoothstep(35.0, 0.0, p[2]);
        let back = smoothstep(0.7, 1.0, unit[1]) * smoothstep(40.0, 0.0, p[2]);
        let base = self.thickness * (1.0 + 0.16 * self.thickness_noise.at(p));
        base * (1.0 - 0.45 * squama + 0.5 * back) + self.frontal_bulge(p)
    }

    fn frontal_bulge(&self, p: Point) -> f32 {
        if p[1] > -50.0 || self.frontal_sinus == 0.0 {
            return 0.0;
        }
        let width = bell((p[0].abs() - 11.0).max(0.0), 12.0);
        self.frontal_sinus * width * smoothstep(26.0, 8.0, p[2]) * smoothstep(-22.0, -6.0, p[2])
    }

    /// The vault's bone at `outward` mm from the inner table, `thickness` mm thick.
    pub(crate) fn vault_bone(&self, p: Point, outward: f32, thickness: f32) -> Sample {
        let bulge = self.frontal_bulge(p);
        if bulge > 2.5
            && outward > 2.2
            && outward < thickness - 2.2
            && p[0].abs() > 0.8
            && self.thickness_noise.at([p[0] * 3.0, p[1], p[2] * 2.0]) > -1.2
        {
            return Sample::AIR;
        }
        let across = outward / thickness;
        // Two dense tables with spongy bone between them.
        let spongy = smoothstep(0.18, 0.34, across) * smoothstep(0.86, 0.7, across);
        let spongy_hu = (700.0 + 220.0 * self.diploe.at(p)).max(250.0);
        let dense_hu = 1500.0 + 120.0 * self.thickness_noise.at(p);
        let thick = smoothstep(3.0, 5.5, thickness);
        let hu = dense_hu + (spongy_hu - dense_hu) * spongy * thick;
        Sample::new(hu, Tissue::Bone)
    }
}

/// One fossa: an elliptic bowl in the floor, given on the patient's left.
struct Bowl {
    centre: [f32; 2],
    radii: [f32; 2],
    degrees: f32,
    floor: f32,
    rim: f32,
}

impl Bowl {
    fn height(&self, x: f32, y: f32) -> f32 {
        let (sin, cos) = self.degrees.to_radians().sin_cos();
        let (dx, dy) = (x - self.centre[0], y - self.centre[1]);
        let u = (dx * cos + dy * sin) / self.radii[0];
        let v = (dy * cos - dx * sin) / self.radii[1];
        let level2 = u * u + v * v;
        self.floor + (self.rim - self.floor) * level2 * level2
    }
}

fn floor_table(random: &mut ChaCha8Rng, size: f32) -> Vec<f32> {
    let roughness = Noise::new(random, 22.0);
    let mut vary = |spread: f32| random.random_range(-spread..spread);
    let bowl = |centre, radii, degrees, floor, rim| Bowl { centre, radii, degrees, floor, rim };
    let mut shifted =
        |x: f32, y: f32, height: f32| [x + vary(1.5), y + vary(2.0), height + vary(2.5)];
    let mut sides = Vec::new();
    for _ in 0..2 {
        let [x, y, height] = shifted(38.0, -12.0, -25.0);
        sides.push(bowl([x, y], [31.0, 24.5], 24.0, height, 3.0));
    }
    let [_, y, height] = shifted(0.0, -9.0, -11.0);
    let sella = bowl([0.0, y], [13.0, 12.0], 0.0, height, -1.0);
    let [_, y, height] = shifted(0.0, -27.0, -1.0);
    let planum = bowl([0.0, y], [17.0, 22.0], 0.0, height, 8.0);
    let [_, y, height] = shifted(0.0, -57.0, 1.0);
    let anterior = bowl([0.0, y], [64.0, 36.0], 0.0, height, 13.0);
    let [_, y, height] = shifted(0.0, 45.0, -46.0);
    let posterior = bowl([0.0, y], [62.0, 42.0], 0.0, height, 0.0);
    let foramen = 13.5 + vary(1.5);

    let mut table = Vec::new();
    for row in 0..=FLOOR_HALF[1] {
        for column in 0..=FLOOR_HALF[0] {
            let x = (column as f32 * FLOOR_STEP - FLOOR_HALF[0] as f32) / size;
            let y = (row as f32 * FLOOR_STEP - FLOOR_HALF[1] as f32) / size;
            let left = x.abs();
            let roof = 6.0 * bell(left - 27.0, 13.0) * bell(y + 58.0, 22.0) - 4.0 * bell(x, 7.0);
            let middle = sides[usize::from(x > 0.0)].height(left, y);
            let mut height = (anterior.height(x, y) + roof)
                .min(middle)
                .min(sella.height(x, y))
                .min(planum.height(x, y))
                .min(posterior.height(x, y))
                .min(3.0 - 7.0 * smoothstep(-24.0, 4.0, y));
            // The petrous pyramids stand between the middle and the posterior fossa.
            let (away, along) = segment([left, y, 0.0], PETROUS[0], PETROUS[1]);
            height = height.max(-8.0 + 3.0 * along - 1.5 * away);
            height += 0.8 * roughness.at([x, y, 0.0]);
            let from_foramen = (x * x + (y - 27.0) * (y - 27.0)).sqrt();
            if from_foramen < foramen {
                height = NO_FLOOR;
            }
            table.push(height * size);
        }
    }
    table
}

/// Bone of the skull's base at `p`, `below` mm under the floor, or nothing if the bone ends above.
pub(crate) fn base_thickness(p: Point) -> f32 {
    let left = [p[0].abs(), p[1], 0.0];
    // The petrous ridge, from its apex to the mastoid, is bone to its bottom.
    let (from_ridge, along) = segment(left, PETROUS[0], PETROUS[1]);
    let petrous = smoothstep(15.0, 9.0, from_ridge) * (28.0 - 6.0 * along);
    let clivus = 14.0 * smoothstep(17.0, 11.0, left[0]) * smoothstep(20.0, 8.0, (p[1] - 4.0).abs());
    let front = smoothstep(-25.0, -40.0, p[1]);
    (5.0 - 2.5 * front).max(petrous).max(clivus)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn the_cavity_holds_the_brain_and_the_fossae_step_down_to_the_back() {
        for seed in 0..20 {
            let skull = Skull::new(&mut ChaCha8Rng::seed_from_u64(seed));
            for p in [[0.0, 0.0, 40.0], [50.0, 10.0, 20.0], [-20.0, -55.0, 25.0]] {
                assert!(skull.vault(p).depth > 0.0, "seed {seed}: {p:?}");
            }
            for p in [[90.0, 0.0, 20.0], [0.0, 110.0, 20.0], [0.0, 10.0, 100.0]] {
                assert!(skull.vault(p).depth < 0.0, "seed {seed}: {p:?}");
            }
            let floors =
                [[25.0, -55.0], [36.0, -12.0], [30.0, 45.0]].map(|[x, y]| skull.floor([x, y, 0.0]));
            assert!(floors[0] > floors[1] + 10.0 && floors[1] > floors[2] + 10.0, "{floors:?}");
            let ridge = skull.floor([34.0, 12.2, 0.0]);
            assert!(ridge > floors[1] + 10.0 && ridge > floors[2] + 10.0, "{ridge} {floors:?}");
            assert!(skull.floor([0.0, 27.0, 0.0]) < -100.0);
        }
    }

    #[test]
    fn outside_the_table_the_floor_is_that_of_its_edge() {
        let skull = Skull::new(&mut ChaCha8Rng::seed_from_u64(1));
        for p in [[1e6, -1e6, 0.0], [-1e6, 1e6, 0.0], [f32::NAN, 0.0, 0.0]] {
            let _ = skull.floor(p);
        }
        assert_eq!(skull.floor([1e6, 0.0, 0.0]), skull.floor([100.0, 0.0, 0.0]));
    }
}
