//! The cerebrum: falx, fissures, cortex, white matter, deep nuclei, and the choice between it and
//! its neighbours.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::cisterns::Hindbrain;
use crate::cortex::{Cortex, Fold};
use crate::math::{Point, ellipsoid, folded, lerp, smoothstep};
use crate::noise::Noise;
use crate::skull::VaultPoint;
use crate::tissue::{Palette, Sample, Tissue};
use crate::ventricles::Ventricles;

/// One brain with its fluid spaces and dura.
#[derive(Debug, Clone)]
pub(crate) struct Brain {
    pub(crate) ventricles: Ventricles,
    pub(crate) hindbrain: Hindbrain,
    cortex: Cortex,
    pub(crate) palette: Palette,
    fissure: f32,
    sylvian: [f32; 2],
    falx: Noise,
    /// Height of a plaque of lime on the falx (mm), or far away.
    falx_plaque: Point,
    /// HU that white matter loses beside the ventricles (small vessel disease).
    pale: f32,
    texture: Noise,
    cupping: f32,
}

impl Brain {
    pub(crate) fn new(random: &mut ChaCha8Rng) -> Self {
        // 0 young, 1 much atrophy; most heads lie between.
        let atrophy = (random.random_range(0.0..1.0f32) + random.random_range(0.0..1.0f32)) / 2.0;
        let mut range = |low: f32, high: f32| random.random_range(low..high);
        let white = range(26.5, 31.0);
        let palette = Palette {
            white,
            grey: white + range(6.0, 9.5),
            csf: range(5.0, 12.0),
            dura: range(48.0, 60.0),
            muscle: range(48.0, 62.0),
            fat: range(-105.0, -75.0),
        };
        let fissure = lerp(0.5, 2.3, atrophy * atrophy) * range(0.8, 1.2);
        let sylvian = lerp(0.7, 2.0, atrophy);
        let sylvian = [sylvian * range(0.8, 1.2), sylvian * range(0.8, 1.2)];
        let pale = (range(-6.0, 6.0) * (atrophy + 0.3)).max(0.0);
        let plaque = if range(0.0, 1.0) < 0.25 { range(40.0, 70.0) } else { 1e4 };
        let falx_plaque = [0.0, range(-50.0, 20.0), plaque];
        Self {
            cupping: range(1.0, 5.0),
            fissure,
            sylvian,
            falx_plaque,
            pale,
            palette,
            ventricles: Ventricles::new(random, atrophy),
            hindbrain: Hindbrain::new(random, atrophy),
            cortex: Cortex::new(random, atrophy),
            falx: Noise::new(random, 60.0),
            texture: Noise::new(random, 42.0),
        }
    }

    /// Bend of the midline at `p`, mm.
    pub(crate) fn midline(&self, p: Point) -> f32 {
        0.8 * self.falx.at([0.0, p[1], p[2]])
    }

    /// Whether the falx, rather than brain or nothing, lies in the midline at `p`.
    pub(crate) fn has_falx(&self, p: Point, vault: VaultPoint) -> bool {
        let reach = 20.0 + 26.0 * smoothstep(-45.0, 30.0, p[1]);
        vault.depth < reach && p[2] > self.hindbrain.tentorium(p).min(8.0)
    }

    /// The brain and its surroundings at `p`; `vault` and `above_floor` place it in the cavity,
    /// and fluid spaces are `swell` mm wider where blood fills them.
    pub(crate) fn at(&self, p: Point, vault: VaultPoint, above_floor: f32, swell: f32) -> Sample {
        let palette = &self.palette;
        let depth = vault.depth.min(above_floor * 0.85);
        let hardening = self.cupping * (-depth.max(0.0) / 7.0).exp();
        let mut sample = self.unhardened(p, vault, depth, swell);
        sample.hu += hardening;
        if matches!(sample.tissue, Tissue::Grey | Tissue::White | Tissue::Hindbrain) {
            sample.hu = (sample.hu + 0.7 * self.texture.at(p)).max(palette.csf);
        }
        sample
    }

    fn unhardened(&self, p: Point, vault: VaultPoint, depth: f32, swell: f32) -> Sample {
        let palette = &self.palette;
        let dura = Sample::new(palette.dura, Tissue::Dura);
        let x = p[0] - self.midline(p);
        let tentorium = self.hindbrain.tentorium(p);
        if self.sinus(p, x, vault, tentorium) {
            return dura;
        }
        if let Some(calcified) = self.ventricles.calcification(p) {
            return calcified;
        }
        let mut from_ventricle = 99.0;
        if let Some((part, inside)) = self.ventricles.at(p) {
            if inside > 0.0 {
                return if self.ventricles.plexus_tissue(p) {
                    Sample::new(palette.grey + 4.0, Tissue::Grey)
                } else {
                    Sample::new(palette.csf, Tissue::VentricularCsf(part))
                };
            }
            from_ventricle = -inside;
        }
        if let Some(basal) = self.hindbrain.basal(p, swell, palette) {
            return basal;
        }
        let behind_notch = p[1] > 18.0 || x.abs() > 20.0;
        if self.hindbrain.holds(p) {
            if behind_notch && tentorium - p[2] < 0.7 {
                return dura;
            }
            return self.hindbrain.posterior_fossa(p, depth, swell, palette);
        }
        let left = folded(p);
        let mut pial = depth - self.cortex.gap;
        let mut medial = false;
        // The hemispheres touch nowhere outside of the callosum and what lies beneath it.
        let (y, z) = ((p[1] + 2.0) / 41.0, (p[2] - 14.0) / 27.0);
        let joined = y * y + z * z < 1.0;
        if !joined {
            if x.abs() < 0.65 && self.has_falx(p, vault) {
                let plaque = crate::math::norm(crate::math::sub(p, self.falx_plaque)) < 6.0;
                return if plaque { Sample::new(260.0, Tissue::Calcification) } else { dura };
            }
            let front = smoothstep(20.0, -40.0, p[1]);
            let [_, y, z] = p;
            let uneven = 1.0 + 0.5 * self.falx.at([0.0, y * 2.5, z * 2.5]);
            let wide = self.fissure * (0.5 + 0.4 * front) * uneven;
            let from_falx = x.abs() - 0.5 - wide.max(0.2) - swell * 0.6;
            medial = from_falx < pial;
            pial = pial.min(from_falx);
        }
        if p[1] > -3.0 + 0.5 * left[0] {
            pial = pial.min(p[2] - tentorium - 0.1);
        }
        if self.sylvian_fissure(left, swell, usize::from(p[0] > 0.0)) {
            return Sample::new(palette.csf, Tissue::Csf);
        }
        match self.cortex.at(p, vault.unit, medial, pial, swell) {
            Fold::Csf => Sample::new(palette.csf, Tissue::Csf),
            Fold::Brain(mut grey) => {
                grey = grey.max(insula(left)).max(nuclei(left));
                let pale = self.pale * smoothstep(9.0, 2.0, from_ventricle);
                let hu = lerp(palette.white - pale, palette.grey, grey);
                Sample::new(hu, if grey > 0.5 { Tissue::Grey } else { Tissue::White })
            }
        }
    }

    /// The superior sagittal, straight and transverse sinuses.
    fn sinus(&self, p: Point, x: f32, vault: VaultPoint, tentorium: f32) -> bool {
        let sagittal = vault.depth < 7.0
            && x.abs() < (7.5 - vault.depth) * 0.55
            && p[2] > tentorium
            && (p[2] > 45.0 || p[1] > 0.0);
        let from_tentorium = (p[2] - tentorium).abs();
        let straight = x.abs() < 1.7 && from_tentorium < 2.0 && p[1] > 32.0;
        let transverse =
            vault.depth < 5.5 && p[1] > 22.0 && from_tentorium < 3.6 - 0.4 * vault.depth;
        sagittal || straight || transverse
    }

    fn sylvian_fissure(&self, left: Point, swell: f32, side: usize) -> bool {
        if left[0] < 33.0 || !(-32.0..34.0).contains(&left[1]) || !(-12.0..34.0).contains(&left[2])
        {
            return false;
        }
        let width = self.sylvian[side] + swell;
        let wander = 1.2 * self.falx.at([left[0] * 2.2, left[1] * 2.2, left[2] * 2.2]);
        let (y, z) = ((left[1] + 4.0) / 21.0, (left[2] - 9.0) / 13.0);
        let curved = left[0] - 39.0 + 0.006 * (left[1] + 2.0).powi(2) - 1.6 * wander;
        let insular = y * y + z * z < 1.0 && curved.abs() < width * (0.6 - 0.25 * wander).max(0.2);
        let height = 6.0 + 1.1 * (left[1] + 4.0) - 0.25 * (left[0] - 40.0) + 3.0 * wander;
        let lateral = left[0] > 38.0
            && (-22.0..24.0).contains(&left[1])
            && (left[2] - height).abs()
                < width * (1.0 - 0.35 * wander) * lerp(1.0, 0.5, (left[0] - 38.0) / 28.0);
        insular || lateral
    }
}

/// Grey matter of the insula.
fn insula(left: Point) -> f32 {
    let (y, z) = ((left[1] + 4.0) / 23.0, (left[2] - 9.0) / 15.0);
    if y * y + z * z > 1.0 {
        return 0.0;
    }
    smoothstep(3.8, 2.2, (left[0] - 37.0 + 0.006 * (left[1] + 2.0).powi(2)).abs())
}

/// Grey matter of the deep nuclei: caudate, thalamus, lentiform nucleus.
fn nuclei(left: Point) -> f32 {
    if left[0] > 36.0 || !(-34.0..26.0).contains(&left[1]) || !(-4.0..34.0).contains(&left[2]) {
        return 0.0;
    }
    let caudate = ellipsoid(left, [13.5, -19.0, 19.0], [5.5, 11.0, 9.0]);
    let thalamus = ellipsoid(left, [9.5, 8.0, 14.0], [8.0, 13.0, 9.5]);
    let bowed = [left[0] - 0.006 * (left[1] + 4.0).powi(2), left[1], left[2]];
    let lentiform = ellipsoid(bowed, [24.0, -4.0, 10.5], [6.8, 17.0, 10.0]);
    0.92 * smoothstep(-0.6, 0.9, caudate.max(thalamus).max(lentiform))
}
