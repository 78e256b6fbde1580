//! All bleeds of one head, and the brain as they leave it.

use hemora_ct::Label;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::extra_axial::{Collection, Sheet};
use super::intraparenchymal::Haematoma;
use super::intraventricular::Intraventricular;
use super::subarachnoid::Subarachnoid;
use crate::brain::Brain;
use crate::math::{Point, add, norm, scale, sub};
use crate::skull::{Skull, VaultPoint};
use crate::tissue::{Sample, Tissue};

/// mm from the skull over which brain is squeezed by what lies against it.
const SQUEEZED: f32 = 76.0;
/// HU of oedema.
const OEDEMA: f32 = 20.0;

/// The bleeds of one head.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lesions {
    collections: Vec<Collection>,
    sheets: Vec<Sheet>,
    haematomas: Vec<Haematoma>,
    subarachnoid: Option<Subarachnoid>,
    intraventricular: Option<Intraventricular>,
}

impl Lesions {
    /// Draws the bleeds `labels`; blood in the ventricles widens those of `brain`. `down` is the
    /// direction of gravity in the head.
    pub(crate) fn draw(
        random: &mut ChaCha8Rng,
        labels: &[Label],
        brain: &mut Brain,
        down: Point,
    ) -> Self {
        let mut lesions = Self::default();
        for label in labels {
            match label {
                Label::Epidural => lesions.collections.push(Collection::epidural(random)),
                Label::Subdural => {
                    let form = random.random_range(0.0..1.0f32);
                    if form < 0.84 {
                        lesions.collections.push(Collection::subdural(random));
                    }
                    if form > 0.7 {
                        lesions.sheets.push(Sheet::new(random));
                    }
                    if form < 0.1 {
                        lesions.collections.push(Collection::subdural(random));
                    }
                }
                Label::Intraparenchymal => lesions.haematomas.extend(Haematoma::draw(random)),
                Label::Subarachnoid => lesions.subarachnoid = Some(Subarachnoid::draw(random)),
                Label::Intraventricular => {
                    brain.ventricles.dilate(random.random_range(1.0..1.5));
                    let blood = Intraventricular::draw(random, &brain.ventricles, down);
                    lesions.intraventricular = Some(blood);
                }
                Label::Any => {}
            }
        }
        lesions
    }

    /// Direction of the epidural blood, under which the scalp is often swollen.
    pub(crate) fn epidural_direction(&self) -> Option<Point> {
        self.collections.first().map(Collection::direction)
    }

    fn is_empty(&self) -> bool {
        self.collections.is_empty()
            && self.sheets.is_empty()
            && self.haematomas.is_empty()
            && self.subarachnoid.is_none()
            && self.intraventricular.is_none()
    }

    /// The contents of the cavity at `p` with the bleeds in place.
    pub(crate) fn at(
        &self,
        p: Point,
        vault: VaultPoint,
        above_floor: f32,
        brain: &Brain,
        skull: &Skull,
    ) -> Sample {
        if self.is_empty() {
            return brain.at(p, vault, above_floor, 0.0);
        }
        let mut displacement = [0f32; 3];
        let above_tentorium = if p[1] > -3.0 + 0.5 * p[0].abs() {
            p[2] - brain.hindbrain.tentorium(p)
        } else {
            f32::MAX
        };
        for collection in &self.collections {
            let thickness = collection.thickness(p, vault, above_floor, above_tentorium);
            if thickness == 0.0 {
                continue;
            }
            if vault.depth < thickness {
                return collection.blood(p);
            }
            if vault.depth < SQUEEZED {
                let original = (vault.depth - thickness) * SQUEEZED / (SQUEEZED - thickness);
                let from_centre = sub(p, [0.0, 0.0, 18.0]);
                let outwards = scale(from_centre, 1.0 / norm(from_centre).max(1.0));
                displacement = add(displacement, scale(outwards, vault.depth - original));
            }
        }
        let from_midline = p[0] - brain.midline(p);
        for sheet in &self.sheets {
            let falx = brain.has_falx(p, vault);
            if let Some(blood) = sheet.blood(p, from_midline, above_tentorium, falx) {
                return blood;
            }
            let moved = sheet.displacement(p, from_midline, above_tentorium);
            displacement = sub(displacement, moved);
        }
        let mut oedema = 0f32;
        for haematoma in &self.haematomas {
            let depth = haematoma.depth(p);
            let home = haematoma.centre;
            let same_side = home[0].abs() < 6.0 || (p[0] > 0.0) == (home[0] > 0.0);
            let same_fossa = brain.hindbrain.holds(p) == brain.hindbrain.holds(home);
            if depth > 0.0 && same_side && same_fossa && vault.depth.min(above_floor) > 1.5 {
                return haematoma.blood(p);
            }
            if same_side && same_fossa {
                oedema = oedema.max(haematoma.oedema(depth));
            }
            displacement = sub(displacement, haematoma.displacement(p));
        }
        let share = self.subarachnoid.as_ref().map_or(0.0, |blood| blood.share(p));
        let swell = self.subarachnoid.as_ref().map_or(0.0, |blood| blood.swell(share));
        let mut sample = if displacement == [0.0; 3] {
            brain.at(p, vault, above_floor, swell)
        } else {
            let q = add(p, displacement);
            // What was pushed out of the cavity is not brain any more: stay just inside of it.
            let mut moved = skull.vault(q);
            moved.depth = moved.depth.max(0.2);
            brain.at(q, moved, (q[2] - skull.floor(q)).max(0.2), swell)
        };
        match sample.tissue {
            Tissue::Csf => {
                if let Some(blood) = &self.subarachnoid {
                    sample = blood.blood(p, share, sample.hu).unwrap_or(sample);
                }
            }
            Tissue::VentricularCsf(part) => {
                if let Some(blood) = &self.intraventricular {
                    sample = blood.blood(p, part).unwrap_or(sample);
                }
            }
            Tissue::White | Tissue::Hindbrain => sample.hu += (OEDEMA - sample.hu) * oedema,
            Tissue::Grey => sample.hu += (OEDEMA + 8.0 - sample.hu) * oedema * 0.7,
            _ => {}
        }
        sample
    }
}
