//! Blood in the ventricles: settled in the occipital horns, or a cast.

use hemora_ct::Label;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::extra_axial::Clot;
use crate::math::{Point, dot};
use crate::noise::Noise;
use crate::tissue::{Sample, Tissue, Ventricle};
use crate::ventricles::Ventricles;

/// What fills a lateral ventricle.
#[derive(Debug, Clone, Copy)]
enum Filling {
    Clear,
    /// Blood below this level (mm along the direction of gravity).
    Level(f32),
    /// Clot wherever a noise field is above this value.
    Cast(f32),
}

/// Blood in the ventricular system.
#[derive(Debug, Clone)]
pub(crate) struct Intraventricular {
    down: Point,
    lateral: [Filling; 2],
    third: bool,
    fourth: bool,
    lumps: Noise,
    clot: Clot,
}

impl Intraventricular {
    /// `down` is the direction of gravity in the head; the patient lies on the back.
    pub(crate) fn draw(random: &mut ChaCha8Rng, ventricles: &Ventricles, down: Point) -> Self {
        let cast = random.random_range(0.0..1.0f32) < 0.4;
        let mut lateral = [Filling::Clear; 2];
        let first = usize::from(random.random_bool(0.5));
        let both = random.random_range(0.0..1.0f32) < 0.6;
        for (side, filling) in lateral.iter_mut().enumerate() {
            if side != first && !both {
                continue;
            }
            *filling = if cast && side == first {
                Filling::Cast(random.random_range(-1.6..-0.1))
            } else {
                let height = random.random_range(9.0..24.0);
                Filling::Level(ventricles.lowest(side, down) - height)
            };
        }
        let flows = if cast { 0.6 } else { 0.15 };
        Self {
            down,
            lateral,
            third: random.random_range(0.0..1.0f32) < flows,
            fourth: random.random_range(0.0..1.0f32) < flows,
            lumps: Noise::new(random, 26.0),
            clot: Clot::new(random, 0.05),
        }
    }

    /// Blood at `p` in the fluid of `part`, if any.
    pub(crate) fn blood(&self, p: Point, part: Ventricle) -> Option<Sample> {
        let filled = match part {
            Ventricle::Third => self.third,
            Ventricle::Fourth => self.fourth,
            Ventricle::Right | Ventricle::Left => {
                match self.lateral[usize::from(part == Ventricle::Left)] {
                    Filling::Clear => false,
                    Filling::Level(level) => dot(p, self.down) > level,
                    Filling::Cast(threshold) => self.lumps.at(p) > threshold,
                }
            }
        };
        filled.then(|| Sample::new(self.clot.hu(p) - 4.0, Tissue::Blood(Label::Intraventricular)))
    }
}
