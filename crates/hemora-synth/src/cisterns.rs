//! Brain stem, cerebellum and the cisterns around them.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::math::{Point, ellipsoid, folded, lerp, segment, smoothstep};
use crate::noise::Noise;
use crate::tissue::{Palette, Sample, Tissue};

/// The structures beneath and in the notch of the tentorium.
#[derive(Debug, Clone)]
pub(crate) struct Hindbrain {
    /// Height of the tentorium's apex and its slopes sideways and backwards.
    tentorium: [f32; 3],
    /// Width of the cisterns, mm.
    cistern: f32,
    star: f32,
    folia: Noise,
    border: Noise,
    vessel_hu: f32,
    stem: f32,
}

impl Hindbrain {
    pub(crate) fn new(random: &mut ChaCha8Rng, atrophy: f32) -> Self {
        let mut range = |low: f32, high: f32| random.random_range(low..high);
        Self {
            tentorium: [range(12.0, 17.0), range(0.32, 0.42), range(0.2, 0.32)],
            cistern: lerp(1.5, 3.4, atrophy) * range(0.85, 1.15),
            star: range(0.0, 6.3),
            vessel_hu: range(42.0, 56.0),
            stem: range(0.92, 1.06),
            folia: Noise::new(random, 9.0),
            border: Noise::new(random, 26.0),
        }
    }

    /// Height of the tentorium over `p`, mm.
    pub(crate) fn tentorium(&self, p: Point) -> f32 {
        let [apex, sideways, backwards] = self.tentorium;
        apex - sideways * p[0].abs() - backwards * (p[1] - 28.0).max(0.0) + 0.8 * self.border.at(p)
    }

    /// Whether `p`, in the cavity, lies in the posterior fossa.
    pub(crate) fn holds(&self, p: Point) -> bool {
        p[1] > -3.0 + 0.5 * p[0].abs() && p[2] < self.tentorium(p)
    }

    /// mm inside the brain stem, negative outside.
    fn stem_depth(&self, p: Point) -> f32 {
        let z = p[2];
        let pons = smoothstep(-38.0, -28.0, z) * smoothstep(-6.0, -12.0, z);
        let medulla = smoothstep(-28.0, -38.0, z);
        let middle = [0.0, 11.0 + 13.0 * medulla];
        let half = [
            lerp(lerp(15.0, 17.0, pons), 8.0, medulla) * self.stem,
            lerp(lerp(11.5, 13.0, pons), 7.0, medulla) * self.stem,
        ];
        let (x, y) = ((p[0] - middle[0]) / half[0], (p[1] - middle[1]) / half[1]);
        (1.0 - (x * x + y * y).sqrt()) * half[1]
    }

    /// Arteries at the base of the brain.
    fn artery(&self, p: Point) -> Option<Sample> {
        let left = folded(p);
        let basilar = segment(p, [0.0, -4.0, -7.0], [0.5, 1.0, -34.0]).0 < 1.5;
        let carotid = segment(left, [10.0, -12.0, -11.0], [10.0, -13.0, -2.0]).0 < 1.9;
        let middle = segment(left, [10.0, -13.0, -2.0], [33.0, -19.0, 1.0]).0 < 1.1;
        (basilar || carotid || middle).then_some(Sample::new(self.vessel_hu, Tissue::Dura))
    }

    /// The contents of the posterior fossa at `p`, `depth` mm from its bone; `swell` widens the
    /// cisterns (mm).
    pub(crate) fn posterior_fossa(
        &self,
        p: Point,
        depth: f32,
        swell: f32,
        palette: &Palette,
    ) -> Sample {
        let stem = self.stem_depth(p);
        let texture = 1.1 * self.folia.at([p[0] * 0.55, p[1], p[2] * 1.6]);
        if stem > 0.0 {
            return Sample::new(palette.white + 4.5 + 0.3 * texture, Tissue::Hindbrain);
        }
        if let Some(artery) = self.artery(p) {
            return artery;
        }
        let csf = Sample::new(palette.csf, Tissue::Csf);
        let width = self.cistern + swell;
        // In front of the stem and in the angle to the petrous bone.
        let front = p[1] < 14.0 && p[0].abs() < 24.0 + 2.0 * self.border.at(p);
        let around = p[2] > -9.0 && stem > -width;
        let magna = p[2] < -30.0
            && p[0].abs() < 9.0 + 3.0 * width
            && depth < 2.0 + 2.4 * width * smoothstep(40.0, 55.0, p[1]);
        let cleft = depth < 0.35 * width || self.tentorium(p) - p[2] < 0.5 + 0.15 * width;
        let peduncle = (-32.0..-10.0).contains(&p[2]) && p[1] > 16.0 && p[0].abs() < 24.0;
        if cleft || (!peduncle && (front || around || magna)) {
            return csf;
        }
        let vermis = smoothstep(9.0, 5.0, p[0].abs()) * smoothstep(38.0, 44.0, p[1]);
        let core = smoothstep(8.0, 16.0, depth) * (1.0 - vermis);
        let hu = lerp(palette.grey - 1.0, palette.white + 4.0, core) + texture + vermis;
        Sample::new(hu, Tissue::Hindbrain)
    }

    /// The cisterns above the posterior fossa and what lies in them, if `p` is there.
    pub(crate) fn basal(&self, p: Point, swell: f32, palette: &Palette) -> Option<Sample> {
        if p[0].abs() > 44.0 || !(-34.0..40.0).contains(&p[1]) || !(-20.0..14.0).contains(&p[2]) {
            return None;
        }
        let csf = Some(Sample::new(palette.csf, Tissue::Csf));
        let width = self.cistern + swell;
        // Suprasellar cistern: a star around the chiasm.
        let (x, y) = (p[0], p[1] + 8.0);
        let angle = x.atan2(-y);
        let radius = (9.5 + width)
            * (1.0 + 0.24 * (5.0 * angle).cos() + 0.04 * (3.0 * angle + self.star).sin());
        let height = (p[2] + 5.0) / 8.5;
        let star = (x * x + y * y).sqrt() < radius * (1.0 - height * height).max(0.0).sqrt();
        // Stem of the Sylvian fissure, with the middle cerebral artery.
        let stem =
            segment(folded(p), [11.0, -14.0, -3.0], [37.0, -20.0, 2.0]).0 < 0.6 * width + 0.6;
        if star || stem {
            if let Some(artery) = self.artery(p) {
                return Some(artery);
            }
            let chiasm = ellipsoid(p, [0.0, -11.0, -2.0], [9.0, 2.8, 1.8]) > 0.0;
            let gland = ellipsoid(p, [0.0, -9.0, -11.0], [6.0, 4.5, 4.0]) > 0.0;
            if chiasm || gland {
                return Some(Sample::new(
                    palette.grey + if gland { 8.0 } else { -3.0 },
                    Tissue::Hindbrain,
                ));
            }
            return csf;
        }
        // Midbrain in the notch, with the ambient and quadrigeminal cisterns around it.
        if p[2] < 9.0 {
            let depth = self.stem_depth(p);
            if depth > 0.0 {
                return Some(Sample::new(palette.white + 4.5, Tissue::Hindbrain));
            }
            let behind = smoothstep(16.0, 23.0, p[1]) * smoothstep(16.0, 9.0, p[0].abs());
            let clear = width * (0.75 + 1.3 * behind) * smoothstep(10.0, 5.0, p[2]);
            if depth > -clear && p[1] > 2.0 {
                return csf;
            }
        } else {
            // Above it the cistern of the great cerebral vein.
            let vein = ellipsoid(p, [0.0, 29.0, 10.0], [4.0 + width, 5.0 + 0.5 * width, 4.0]);
            if vein > 0.0 {
                return csf;
            }
        }
        None
    }
}
