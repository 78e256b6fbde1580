//! Blood within the brain: deep, lobar, contusional, cerebellar and pontine.

use hemora_ct::Label;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::extra_axial::Clot;
use crate::math::{Point, add, ellipsoid, norm, scale, smoothstep, sub};
use crate::noise::Noise;
use crate::tissue::{Sample, Tissue};

/// One clot in the brain.
#[derive(Debug, Clone)]
pub(crate) struct Haematoma {
    pub(crate) centre: Point,
    radii: Point,
    outline: Noise,
    ragged: Noise,
    roughness: f32,
    /// Width of the oedema around it, mm.
    oedema: f32,
    /// Share of its volume that pushes brain aside instead of replacing it.
    push: f32,
    clot: Clot,
}

impl Haematoma {
    /// The clots of one intraparenchymal bleed: one, or several contusions.
    pub(crate) fn draw(random: &mut ChaCha8Rng) -> Vec<Self> {
        let side = if random.random_bool(0.5) { 1.0 } else { -1.0 };
        let mut range = |low: f32, high: f32| random.random_range(low..high);
        let pick = range(0.0, 1.0);
        // Small clots are common: square the draw.
        let large = range(0.0, 1.0).powi(2);
        let size = |low: f32, high: f32| low + (high - low) * large;
        let mut sites: Vec<(Point, f32)> = Vec::new();
        if pick < 0.28 {
            sites.push((
                [side * range(22.0, 28.0), range(-8.0, 6.0), range(6.0, 15.0)],
                size(6.0, 25.0),
            ));
        } else if pick < 0.42 {
            sites.push((
                [side * range(9.0, 13.0), range(3.0, 12.0), range(10.0, 16.0)],
                size(5.0, 16.0),
            ));
        } else if pick < 0.74 {
            let lobes: [Point; 5] = [
                [30.0, -45.0, 28.0],
                [34.0, 4.0, 52.0],
                [40.0, 38.0, 38.0],
                [26.0, 62.0, 16.0],
                [48.0, -4.0, -4.0],
            ];
            let [x, y, z] = lobes[(range(0.0, 5.0) as usize).min(4)];
            let moved = [x + range(-6.0, 6.0), y + range(-8.0, 8.0), z + range(-6.0, 8.0)];
            sites.push(([side * moved[0], moved[1], moved[2]], size(6.0, 26.0)));
        } else if pick < 0.9 {
            let poles: [Point; 3] = [[16.0, -58.0, 11.0], [40.0, -24.0, -11.0], [50.0, -2.0, -6.0]];
            let pole = poles[(range(0.0, 3.0) as usize).min(2)];
            for _ in 0..range(2.0, 6.0) as usize {
                let spread = [range(-9.0, 9.0), range(-10.0, 10.0), range(-4.0, 9.0)];
                let at = add([side * pole[0], pole[1], pole[2]], spread);
                sites.push((at, range(3.5, 8.5)));
            }
        } else if pick < 0.97 {
            sites.push((
                [side * range(15.0, 26.0), range(44.0, 54.0), range(-28.0, -16.0)],
                size(6.0, 18.0),
            ));
        } else {
            sites
                .push(([range(-3.0, 3.0), range(10.0, 14.0), range(-22.0, -16.0)], size(5.0, 9.0)));
        }
        sites.into_iter().map(|(centre, radius)| Self::new(random, centre, radius)).collect()
    }

    fn new(random: &mut ChaCha8Rng, centre: Point, radius: f32) -> Self {
        let radii = std::array::from_fn(|axis| {
            // Clots of the basal ganglia and lobes are longest from front to back.
            let long = if axis == 1 { 1.15 } else { 1.0 };
            radius * long * random.random_range(0.78..1.18f32)
        });
        let young = random.random_range(0.0..1.0f32);
        Self {
            centre,
            radii,
            outline: Noise::new(random, 1.9 * radius),
            ragged: Noise::new(random, 5.5),
            roughness: random.random_range(0.06..0.2),
            oedema: (2.0 + 0.3 * radius) * young,
            push: random.random_range(0.3..0.9),
            clot: Clot::new(random, 0.12),
        }
    }

    fn radius(&self) -> f32 {
        (self.radii[0] * self.radii[1] * self.radii[2]).cbrt()
    }

    /// Depth inside the clot, mm, negative outside; only near its edge it is exact.
    pub(crate) fn depth(&self, p: Point) -> f32 {
        let far = self.radii[0].max(self.radii[1]).max(self.radii[2]) * 1.6 + self.oedema + 4.0;
        let q = sub(p, self.centre);
        if q[0].abs() > far || q[1].abs() > far || q[2].abs() > far {
            return -99.0;
        }
        let smooth = ellipsoid(p, self.centre, self.radii);
        let radius = self.radius();
        smooth + self.roughness * radius * self.outline.at(p) + 0.5 * self.ragged.at(p)
    }

    pub(crate) fn blood(&self, p: Point) -> Sample {
        Sample::new(self.clot.hu(p), Tissue::Blood(Label::Intraparenchymal))
    }

    /// Oedema at `depth`, 0 to 1.
    pub(crate) fn oedema(&self, depth: f32) -> f32 {
        if self.oedema < 0.5 {
            0.0
        } else {
            smoothstep(-self.oedema - 1.5, -self.oedema + 1.0, depth)
        }
    }

    /// How far brain at `p` was pushed outwards.
    pub(crate) fn displacement(&self, p: Point) -> Point {
        let q = sub(p, self.centre);
        let distance = norm(q);
        let radius = self.radius();
        if !(1e-3..=70.0).contains(&distance) {
            return [0.0; 3];
        }
        // Volume is kept close by and the push dies away towards the skull.
        let pushed = (radius * self.push).powi(3);
        let original = (distance.powi(3) - pushed).max(0.0).cbrt();
        let moved = (distance - original) * smoothstep(70.0, 15.0, distance);
        scale(q, moved / distance)
    }
}
