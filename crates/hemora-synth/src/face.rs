//! What lies outside the cranial cavity: scalp, skull base, orbits, sinuses, face and neck.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::math::{Point, bell, ellipsoid, folded, lerp, norm, segment, smoothstep, sub};
use crate::noise::Noise;
use crate::skull::{PETROUS, Skull, VaultPoint, base_thickness};
use crate::tissue::{Palette, Sample, Tissue};

/// Scalp, face and neck.
#[derive(Debug, Clone)]
pub(crate) struct Face {
    scalp: f32,
    scalp_noise: Noise,
    muscles: Noise,
    cells: Noise,
    /// Share of the mastoid that is air cells, as a noise threshold; right, then left.
    mastoid_threshold: [f32; 2],
    sphenoid_sinus: f32,
    /// Height of the fluid in the maxillary sinuses above their centre, mm.
    sinus_fluid: [f32; 2],
    petrous_hu: f32,
    /// Centre and height (mm) of a swelling of the scalp.
    pub(crate) swelling: Option<(Point, f32)>,
}

const BONE: f32 = 900.0;

impl Face {
    pub(crate) fn new(random: &mut ChaCha8Rng) -> Self {
        let mut pair =
            |low: f32, high: f32| [random.random_range(low..high), random.random_range(low..high)];
        let mastoid_threshold = pair(-0.8, 0.9);
        let sinus_fluid = pair(-60.0, 2.0);
        Self {
            scalp: random.random_range(3.0..7.0),
            scalp_noise: Noise::new(random, 34.0),
            muscles: Noise::new(random, 26.0),
            cells: Noise::new(random, 8.5),
            mastoid_threshold,
            sphenoid_sinus: random.random_range(0.5..1.1),
            sinus_fluid,
            petrous_hu: random.random_range(1300.0..1900.0),
            swelling: None,
        }
    }

    /// mm of temporal muscle over the vault at `p`, in front of and above the ear.
    fn temporal_muscle(p: Point, unit: Point) -> f32 {
        let squama = smoothstep(0.55, 0.95, unit[0].abs()) * smoothstep(44.0, 0.0, p[2]);
        7.0 * squama * bell(p[1] + 26.0, 30.0)
    }

    /// mm of scalp over the vault at `p`.
    fn scalp_thickness(&self, p: Point, unit: Point) -> f32 {
        let mut thickness =
            self.scalp * (1.0 + 0.15 * self.scalp_noise.at(p)) + Self::temporal_muscle(p, unit);
        if let Some((centre, height)) = self.swelling {
            let away = norm(sub(p, centre)) / 34.0;
            thickness += height * (1.0 - away * away).max(0.0);
        }
        thickness.max(2.0)
    }

    /// The material at a point outside of the cavity.
    pub(crate) fn at(
        &self,
        p: Point,
        vault: VaultPoint,
        floor: f32,
        skull: &Skull,
        palette: &Palette,
    ) -> Sample {
        let below = floor - p[2];
        if vault.depth > 0.0 {
            return if below < base_thickness(p) {
                self.base_bone(p)
            } else {
                self.viscera(p, palette)
            };
        }
        let outward = -vault.depth;
        let lowest = match p[1] {
            y if y < -30.0 => -4.0,
            y if y < 6.0 => -28.0,
            _ => -47.0,
        };
        if p[2] > lowest {
            let thickness = skull.bone_thickness(p, vault.unit);
            if outward < thickness {
                return if p[2] < -8.0 && p[1] > -5.0 && p[1] < 45.0 {
                    self.base_bone(p)
                } else {
                    skull.vault_bone(p, outward, thickness)
                };
            }
            let over = outward - thickness;
            let scalp = self.scalp_thickness(p, vault.unit);
            if over < scalp {
                return self.scalp_at(p, vault.unit, over, scalp, palette);
            }
        }
        let contour = self.contour(p);
        if contour > 0.0 {
            if contour < 1.8 {
                return Sample::new(palette.muscle - 15.0, Tissue::Soft);
            }
            return self.viscera(p, palette);
        }
        self.outer_parts(p, palette)
    }

    /// mm inwards from the skin of face and neck, negative outside.
    fn contour(&self, p: Point) -> f32 {
        if p[2] > 6.0 {
            return -1.0;
        }
        let face = ellipsoid(p, [0.0, -17.0, -46.0], [67.0, 86.0, 76.0]);
        let lids = 14.5 - norm(sub(folded(p), [32.0, -80.0, -17.0]));
        let neck = ellipsoid([p[0], p[1], p[2].max(-70.0)], [0.0, 34.0, -70.0], [62.0, 52.0, 70.0]);
        face.max(neck).max(lids) + 0.8 * self.scalp_noise.at(p)
    }

    fn scalp_at(&self, p: Point, unit: Point, over: f32, scalp: f32, palette: &Palette) -> Sample {
        if let Some((centre, height)) = self.swelling
            && norm(sub(p, centre)) < 32.0
            && over < scalp - 2.5
            && over > 0.8
            && height > 4.0
        {
            // Blood beneath the galea: swelling without hemorrhage inside the skull.
            return Sample::new(58.0 + 8.0 * self.muscles.at(p), Tissue::Soft);
        }
        if over > scalp - 1.6 {
            return Sample::new(palette.muscle - 10.0, Tissue::Soft);
        }
        if over < Self::temporal_muscle(p, unit) - 0.8 {
            return Sample::new(palette.muscle, Tissue::Soft);
        }
        let galea = smoothstep(1.3, 0.6, (over - 1.0).abs());
        Sample::new(lerp(palette.fat, 10.0, galea), Tissue::Fat)
    }

    fn base_bone(&self, p: Point) -> Sample {
        let left = folded(p);
        let cells = self.cells.at(p);
        let mastoid = ellipsoid(left, [54.0, 27.0, -24.0], [15.0, 17.0, 22.0]);
        let threshold = self.mastoid_threshold[usize::from(p[0] > 0.0)];
        if mastoid > 0.0 && cells > threshold {
            return Sample::new(-900.0, Tissue::Air);
        }
        if ellipsoid(left, [38.0, 16.0, -19.0], [6.0, 4.0, 4.0]) > 0.0 {
            // Middle ear and ear canal.
            return Sample::new(-700.0, Tissue::Air);
        }
        if let Some(air) = self.sphenoid_air(p) {
            return air;
        }
        let (from_ridge, _) = segment([left[0], left[1], 0.0], PETROUS[0], PETROUS[1]);
        if from_ridge < 11.0 {
            let labyrinth = smoothstep(0.9, 1.4, cells) * 800.0;
            return Sample::new(self.petrous_hu - labyrinth, Tissue::Bone);
        }
        Sample::new((BONE + 180.0 * cells).max(250.0), Tissue::Bone)
    }

    fn sphenoid_air(&self, p: Point) -> Option<Sample> {
        let size = self.sphenoid_sinus;
        let air = ellipsoid(folded(p), [6.0, -16.0, -21.0], [9.0 * size, 12.0 * size, 8.0 * size]);
        (air > 0.0 && p[0].abs() > 0.6).then_some(Sample::AIR)
    }

    /// The contents of face and neck.
    fn viscera(&self, p: Point, palette: &Palette) -> Sample {
        let left = folded(p);
        let bone = |hu: f32| Sample::new(hu, Tissue::Bone);
        if let Some(air) = self.sphenoid_air(p) {
            return air;
        }
        if ellipsoid(p, [0.0, -15.0, -20.0], [22.0, 19.0, 15.0]) > 0.0 {
            return bone(BONE - 200.0);
        }
        if let Some(sample) = self.spine(p, palette) {
            return sample;
        }
        if let Some(sample) = orbit(left, palette) {
            return sample;
        }
        if let Some(sample) = self.airways(p, left) {
            return sample;
        }
        if ellipsoid(left, [54.0, 27.0, -30.0], [13.0, 15.0, 20.0]) > 0.0 {
            return self.base_bone(p);
        }
        let arch = segment(left, [48.0, -72.0, -38.0], [66.0, -36.0, -39.0])
            .0
            .min(segment(left, [66.0, -36.0, -39.0], [63.0, 0.0, -34.0]).0);
        let ramus = segment(left, [51.0, 0.0, -37.0], [49.0, -18.0, -85.0]).0;
        let plate = segment(left, [15.0, -34.0, -33.0], [20.0, -35.0, -68.0]).0;
        if arch < 3.6 || ramus < 4.2 || plate < 2.4 {
            return bone(BONE + 200.0);
        }
        // Muscles with planes of fat between them.
        let fibres = self.muscles.at(p);
        if fibres.abs() < 0.32 {
            Sample::new(palette.fat, Tissue::Fat)
        } else {
            Sample::new(palette.muscle + 4.0 * fibres, Tissue::Soft)
        }
    }

    fn airways(&self, p: Point, left: Point) -> Option<Sample> {
        let septa = self.cells.at([p[0] * 0.8, p[1] * 0.6, p[2] * 0.6]);
        let wall = Sample::new(420.0, Tissue::Bone);
        let mucosa = Sample::new(45.0, Tissue::Soft);
        let ethmoid =
            left[0] < 13.0 && (-72.0..-30.0).contains(&p[1]) && (-34.0..2.0).contains(&p[2]);
        if ethmoid {
            let thin = left[0] < 0.9 || left[0] > 11.8 || septa.abs() < 0.2;
            return Some(if thin { wall } else { Sample::AIR });
        }
        let sinus =
            ellipsoid(left, [30.0, -58.0, -51.0], [15.0, 18.0, 15.0]) + 1.6 * self.muscles.at(p);
        if sinus > -1.1 {
            if sinus < 0.0 {
                return Some(Sample::new(520.0, Tissue::Bone));
            }
            let level = self.sinus_fluid[usize::from(p[0] > 0.0)];
            let fluid = p[1] + 58.0 > -level || sinus < 0.8;
            return Some(if fluid { Sample::new(22.0, Tissue::Soft) } else { Sample::AIR });
        }
        let nose =
            left[0] < 15.0 && (-92.0..-34.0).contains(&p[1]) && (-75.0..-34.0).contains(&p[2]);
        if nose {
            let narrow = 15.0 * smoothstep(-92.0, -74.0, p[1]);
            if left[0] > narrow.max(3.0) {
                return None;
            }
            if left[0] < 1.1 {
                return Some(wall);
            }
            return Some(if septa > 0.35 { mucosa } else { Sample::AIR });
        }
        (ellipsoid(p, [0.0, -26.0, -62.0], [14.0, 9.0, 22.0]) > 0.0).then_some(Sample::AIR)
    }

    fn spine(&self, p: Point, palette: &Palette) -> Option<Sample> {
        if p[2] > -42.0 {
            return None;
        }
        let from_axis = (p[0] * p[0] + (p[1] - 27.0) * (p[1] - 27.0)).sqrt();
        if from_axis < 12.5 {
            let cord = ((p[0] / 6.5).powi(2) + ((p[1] - 26.0) / 5.0).powi(2)) < 1.0;
            return Some(if cord {
                Sample::new(palette.white + 3.0, Tissue::Hindbrain)
            } else {
                Sample::new(palette.csf + 4.0, Tissue::Csf)
            });
        }
        let dens = segment(p, [0.0, 9.0, -54.0], [0.0, 10.0, -90.0]).0 < 5.5;
        let ring = from_axis < 20.0 && (-70.0..-58.0).contains(&p[2]);
        let mass = ellipsoid(folded(p), [20.0, 18.0, -58.0], [10.0, 10.0, 14.0]) > 0.0;
        (dens || ring || mass)
            .then_some(Sample::new((BONE + 150.0 * self.cells.at(p)).max(250.0), Tissue::Bone))
    }

    /// Nose and ears, outside of the face's contour.
    fn outer_parts(&self, p: Point, palette: &Palette) -> Sample {
        let left = folded(p);
        if ellipsoid(p, [0.0, -98.0, -44.0], [10.0, 17.0, 20.0]) > 0.0 {
            let nostril = left[0] > 1.5 && left[0] < 6.0 && p[2] < -48.0;
            return if nostril {
                Sample::AIR
            } else {
                Sample::new(palette.muscle - 20.0, Tissue::Soft)
            };
        }
        let ear = ellipsoid(left, [74.0, 20.0, -20.0], [9.0, 17.0, 26.0]);
        if ear > 0.0 && self.cells.at([left[0] * 0.5, left[1] * 0.5, left[2] * 0.4]).abs() < 0.42 {
            return Sample::new(palette.muscle - 20.0, Tissue::Soft);
        }
        Sample::AIR
    }
}

fn orbit(left: Point, palette: &Palette) -> Option<Sample> {
    // A cone that narrows to the optic canal.
    let back = smoothstep(-84.0, -34.0, left[1]);
    let centre = [lerp(33.0, 14.0, back), left[1], lerp(-17.0, -11.0, back)];
    let radius = lerp(19.5, 4.0, back);
    let from_axis = norm(sub(left, centre));
    if !(-97.0..-32.0).contains(&left[1]) || from_axis > radius + 2.2 {
        return None;
    }
    if from_axis > radius {
        return (left[1] > -82.0).then_some(Sample::new(700.0, Tissue::Bone));
    }
    let globe = 12.2 - norm(sub(left, [32.0, -80.0, -17.0]));
    if globe > 0.0 {
        let lens = ellipsoid(left, [32.0, -89.5, -17.0], [4.5, 2.0, 4.5]) > 0.0;
        let hu = if lens { 85.0 } else { lerp(45.0, 9.0, smoothstep(0.6, 1.6, globe)) };
        return Some(Sample::new(hu, Tissue::Soft));
    }
    if left[1] < -88.0 {
        return Some(Sample::new(palette.muscle - 20.0, Tissue::Soft));
    }
    let nerve = segment(left, [32.0, -68.0, -17.0], [13.0, -33.0, -11.0]).0 < 2.0;
    let ring = (from_axis - radius * 0.68).abs() < 1.5 && left[1] > -78.0;
    let axis_like = |a: f32, b: f32| a.abs() < 0.38 * b.abs();
    let (dx, dz) = (left[0] - centre[0], left[2] - centre[2]);
    let muscle = ring && (axis_like(dx, dz) || axis_like(dz, dx));
    Some(if nerve || muscle {
        Sample::new(palette.muscle - 8.0, Tissue::Soft)
    } else {
        Sample::new(palette.fat - 8.0, Tissue::Fat)
    })
}
