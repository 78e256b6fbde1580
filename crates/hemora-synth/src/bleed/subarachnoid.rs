//! Blood in the fluid of sulci, fissures and cisterns.

use hemora_ct::Label;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::extra_axial::Clot;
use crate::math::{Point, lerp, norm, smoothstep, sub};
use crate::noise::Noise;
use crate::tissue::{Sample, Tissue};

/// Where the subarachnoid fluid is bloody.
#[derive(Debug, Clone)]
pub(crate) struct Subarachnoid {
    /// Middles and radii, mm.
    foci: Vec<(Point, f32)>,
    patches: Noise,
    clot: Clot,
    swell: f32,
}

impl Subarachnoid {
    pub(crate) fn draw(random: &mut ChaCha8Rng) -> Self {
        let side = if random.random_bool(0.5) { 1.0 } else { -1.0 };
        let mut range = |low: f32, high: f32| random.random_range(low..high);
        let mut foci = Vec::new();
        let pick = range(0.0, 1.0);
        if pick < 0.55 {
            // Traumatic: some sulci of the convexity.
            let centres: [Point; 4] =
                [[38.0, -38.0, 48.0], [44.0, 6.0, 54.0], [48.0, 34.0, 38.0], [46.0, -30.0, 20.0]];
            let [x, y, z] = centres[(range(0.0, 4.0) as usize).min(3)];
            foci.push(([side * x, y, z], range(17.0, 46.0)));
            if range(0.0, 1.0) < 0.3 {
                foci.push(([-side * x, y + range(-20.0, 20.0), z], range(20.0, 34.0)));
            }
        } else if pick < 0.68 {
            foci.push(([side * 42.0, -6.0, 8.0], range(22.0, 34.0)));
        } else {
            // From an aneurysm: basal cisterns, often both Sylvian fissures.
            foci.push(([0.0, range(-8.0, 4.0), -5.0], range(26.0, 44.0)));
            for side in [-1.0, 1.0] {
                if range(0.0, 1.0) < 0.6 {
                    foci.push(([side * 38.0, -10.0, 6.0], range(20.0, 40.0)));
                }
            }
            if range(0.0, 1.0) < 0.5 {
                foci.push(([0.0, -48.0, 24.0], range(20.0, 36.0)));
            }
        }
        let swell = range(0.6, 1.4);
        Self { foci, patches: Noise::new(random, 24.0), clot: Clot::new(random, 0.05), swell }
    }

    /// How bloody the fluid at `p` is, 0 to 1.
    pub(crate) fn share(&self, p: Point) -> f32 {
        let nearest = self
            .foci
            .iter()
            .map(|&(centre, radius)| 1.0 - norm(sub(p, centre)) / radius)
            .fold(f32::MIN, f32::max);
        if nearest < -0.3 {
            return 0.0;
        }
        smoothstep(0.0, 0.2, nearest + 0.12 * self.patches.at(p))
    }

    /// mm by which bloody spaces are wider.
    pub(crate) fn swell(&self, share: f32) -> f32 {
        self.swell * share
    }

    /// Fluid of `csf` HU with blood in it; nothing if it is clear.
    pub(crate) fn blood(&self, p: Point, share: f32, csf: f32) -> Option<Sample> {
        (share > 0.5).then(|| {
            let hu = lerp(csf, self.clot.hu(p), share);
            Sample::new(hu, Tissue::Blood(Label::Subarachnoid))
        })
    }
}
