//! One head: its anatomy, its bleeds and how it lies.

use hemora_ct::Label;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::artefact::Scanner;
use crate::bleed::{Lesions, choose};
use crate::brain::Brain;
use crate::face::Face;
use crate::math::{Point, norm, scale};
use crate::pose::Pose;
use crate::skull::Skull;
use crate::tissue::Sample;
use crate::{Bleeds, PhantomOptions, SynthError};

/// Independent streams of randomness, so that one seed gives the same anatomy with any bleeds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stream {
    Anatomy = 0,
    Bleeds = 1,
    Scanner = 2,
    Ids = 3,
    /// The first of the slices' streams; the slice's index is added.
    Slices = 16,
}

/// The generator of one stream of a phantom.
pub(crate) fn generator(seed: u64, stream: Stream, index: u64) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(stream as u64 + index);
    random
}

/// A head drawn from a seed, ready to be imaged.
#[derive(Debug, Clone)]
pub struct HeadPhantom {
    pub(crate) seed: u64,
    pub(crate) options: PhantomOptions,
    pub(crate) pose: Pose,
    pub(crate) skull: Skull,
    pub(crate) brain: Brain,
    pub(crate) scanner: Scanner,
    face: Face,
    lesions: Lesions,
    bleeds: Vec<Label>,
}

impl HeadPhantom {
    /// Draws the head of `seed`. Another list of bleeds leaves its anatomy as it is, but for what
    /// the bleeds displace.
    ///
    /// # Errors
    /// [`SynthError::Option`] if it could not be imaged with these options.
    pub fn new(seed: u64, options: PhantomOptions) -> Result<Self, SynthError> {
        options.check()?;
        let mut random = generator(seed, Stream::Anatomy, 0);
        let pose = Pose::new(&mut random, options.tilt_degrees);
        let skull = Skull::new(&mut random);
        let mut brain = Brain::new(&mut random);
        let mut face = Face::new(&mut random);
        let scanner = Scanner::new(&mut generator(seed, Stream::Scanner, 0), &options);

        let mut random = generator(seed, Stream::Bleeds, 0);
        let mut bleeds = match &options.bleeds {
            Bleeds::These(labels) => labels.clone(),
            Bleeds::Random => choose(&mut random),
        };
        bleeds.sort();
        bleeds.dedup();
        let down = pose.head_from_patient_direction([0.0, 1.0, 0.0]);
        let lesions = Lesions::draw(&mut random, &bleeds, &mut brain, down);
        // A blow swells the scalp, often over the bleed and sometimes without any.
        let blow = lesions.epidural_direction().filter(|_| random.random_bool(0.5)).or_else(|| {
            random.random_bool(0.12).then(|| {
                let mut value = |low: f32, high: f32| random.random_range(low..high);
                [value(-1.0, 1.0), value(-1.0, 1.0), value(0.0, 0.9)]
            })
        });
        if let Some(direction) = blow {
            let surface = scale(direction, 82.0 / norm(direction).max(0.1));
            let centre: Point = [surface[0], surface[1] * 1.1, surface[2] + 18.0];
            face.swelling = Some((centre, random.random_range(3.0..11.0)));
        }
        Ok(Self { seed, options, pose, skull, brain, scanner, face, lesions, bleeds })
    }

    /// The bleeds that the head has, sorted; each may be too small to show in any slice.
    pub fn bleeds(&self) -> &[Label] {
        &self.bleeds
    }

    /// The material at a point in head coordinates: mm from the middle of the skull base, x to
    /// the left, y to the back, z to the vertex.
    pub(crate) fn sample(&self, p: Point) -> Sample {
        if p[0].abs() > 92.0 || !(-122.0..118.0).contains(&p[1]) || p[2] > 112.0 {
            return Sample::AIR;
        }
        let vault = self.skull.vault(p);
        let floor = self.skull.floor(p);
        if vault.depth > 0.0 && p[2] > floor.max(-48.0) {
            self.lesions.at(p, vault, p[2] - floor, &self.brain, &self.skull)
        } else {
            self.face.at(p, vault, floor, &self.skull, &self.brain.palette)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tissue::Tissue;

    fn phantom(seed: u64, bleeds: &[Label]) -> HeadPhantom {
        let bleeds = Bleeds::These(bleeds.to_vec());
        HeadPhantom::new(seed, PhantomOptions { bleeds, ..PhantomOptions::default() }).unwrap()
    }

    /// Points of a grid with `step` mm through the whole head.
    fn grid(step: usize) -> impl Iterator<Item = Point> {
        let axis = move |from: i32, to: i32| (from..to).step_by(step);
        axis(-50, 100).flat_map(move |z| {
            axis(-110, 100).flat_map(move |y| {
                axis(-84, 84).map(move |x| [x as f32 + 0.3, y as f32 + 0.3, z as f32 + 0.3])
            })
        })
    }

    #[test]
    fn every_tissue_is_there_and_has_its_hounsfield_units() {
        for seed in 0..4 {
            let phantom = phantom(seed, &[]);
            let mut sums = std::collections::BTreeMap::<String, (f32, u32)>::new();
            for p in grid(3) {
                let sample = phantom.sample(p);
                let (low, high) = match sample.tissue {
                    Tissue::Air => (-1000.0, -700.0),
                    Tissue::Bone => (100.0, 2600.0),
                    Tissue::Soft => (0.0, 110.0),
                    Tissue::Fat => (-120.0, 30.0),
                    Tissue::Csf | Tissue::VentricularCsf(_) => (4.0, 18.0),
                    Tissue::Grey => (28.0, 52.0),
                    Tissue::White => (16.0, 44.0),
                    Tissue::Hindbrain => (18.0, 60.0),
                    Tissue::Dura => (40.0, 68.0),
                    Tissue::Calcification => (50.0, 500.0),
                    Tissue::Blood(label) => panic!("{label} in a head without hemorrhage"),
                };
                assert!((low..=high).contains(&sample.hu), "seed {seed}: {sample:?} at {p:?}");
                let kind = format!("{:?}", sample.tissue);
                let sum = sums.entry(kind.split('(').next().unwrap().to_owned()).or_default();
                *sum = (sum.0 + sample.hu, sum.1 + 1);
            }
            let mean = |kind: &str| sums[kind].0 / sums[kind].1 as f32;
            assert!(mean("Grey") > mean("White") + 4.0, "seed {seed}");
            assert!(mean("Dura") > mean("Grey") + 5.0, "seed {seed}");
            // A brain of about 0.9 to 1.7 litres, more than a tenth of it grey.
            let litres = |kind: &str| sums[kind].1 as f32 * 27e-6;
            let brain = litres("Grey") + litres("White") + litres("Hindbrain");
            assert!((0.8..1.8).contains(&brain), "seed {seed}: {brain} litres");
            assert!(litres("Grey") > 0.1 * brain, "seed {seed}");
            assert!((0.003..0.2).contains(&litres("VentricularCsf")), "seed {seed}");
        }
    }

    #[test]
    fn anatomy_lies_where_a_reader_looks_for_it() {
        for seed in 0..12 {
            let phantom = phantom(seed, &[]);
            let tissue = |p| phantom.sample(p).tissue;
            assert!(matches!(tissue([9.0, -20.0, 20.5]), Tissue::VentricularCsf(_)), "{seed}");
            assert_eq!(tissue([24.0, -4.0, 10.5]), Tissue::Grey, "lentiform nucleus, {seed}");
            assert_eq!(tissue([30.0, 62.0, -22.0]), Tissue::Hindbrain, "cerebellum, {seed}");
            assert_eq!(tissue([0.0, 12.0, -20.0]), Tissue::Hindbrain, "pons, {seed}");
            assert_eq!(tissue([26.0, 6.8, -20.0]), Tissue::Bone, "petrous bone, {seed}");
            assert_eq!(tissue([32.0, -80.0, -17.0]), Tissue::Soft, "eye, {seed}");
            assert_eq!(tissue([89.0, 0.0, 60.0]), Tissue::Air, "{seed}");
            // Leaving the head upwards one meets bone, scalp and air.
            let mut on_the_way: Vec<Tissue> =
                (40..111).map(|z| tissue([20.0, 10.0, z as f32])).collect();
            on_the_way.dedup();
            let bone = on_the_way.iter().position(|&t| t == Tissue::Bone).unwrap();
            let air = on_the_way.iter().rposition(|&t| t == Tissue::Air).unwrap();
            assert!(bone + 1 < air, "{seed}: {on_the_way:?}");
        }
    }

    /// Every bleed drawn alone, on many seeds: `holds(phantom without blood, point)`.
    fn each_point_of(label: Label, holds: impl Fn(&HeadPhantom, Point) -> bool) {
        for seed in 0..8 {
            let (clear, bleeding) = (phantom(seed, &[]), phantom(seed, &[label]));
            let (mut blood, mut misplaced) = (0u32, 0u32);
            for p in grid(3) {
                if let Tissue::Blood(found) = bleeding.sample(p).tissue {
                    assert_eq!(found, label);
                    blood += 1;
                    misplaced += u32::from(!holds(&clear, p));
                }
            }
            // 27 mm³ a point: from a few drops to 200 ml.
            assert!((6..7_500).contains(&blood), "{label}, seed {seed}: {blood} points");
            assert!(misplaced * 50 <= blood, "{label}, seed {seed}: {misplaced} of {blood}");
        }
    }

    #[test]
    fn epidural_blood_lies_against_the_skull_on_one_side_between_sutures() {
        each_point_of(Label::Epidural, |clear, p| {
            let vault = clear.skull.vault(p);
            vault.depth > 0.0 && vault.depth < 26.0 && p[0].abs() > 1.0
        });
        for seed in 0..8 {
            let phantom = phantom(seed, &[Label::Epidural]);
            let blood: Vec<Point> = grid(3)
                .filter(|&p| phantom.sample(p).tissue == Tissue::Blood(Label::Epidural))
                .collect();
            assert!(blood.iter().all(|p| (p[0] > 0.0) == (blood[0][0] > 0.0)), "seed {seed}");
            let depth = |p: &Point| phantom.skull.vault(*p).depth;
            let mean: Point = std::array::from_fn(|axis| {
                blood.iter().map(|p| p[axis]).sum::<f32>() / blood.len() as f32
            });
            // A lens is thickest in its middle.
            let away = |p: &Point| norm(crate::math::sub(*p, mean));
            let deepest = blood.iter().max_by(|a, b| depth(a).total_cmp(&depth(b))).unwrap();
            let widest = blood.iter().map(away).fold(0.0, f32::max);
            assert!(away(deepest) < 0.75 * widest, "seed {seed}");
        }
    }

    #[test]
    fn subdural_blood_lies_against_skull_falx_or_tentorium() {
        each_point_of(Label::Subdural, |clear, p| {
            let near_falx = (p[0] - clear.brain.midline(p)).abs() < 8.0;
            let near_tentorium = (p[2] - clear.brain.hindbrain.tentorium(p)).abs() < 8.0;
            clear.skull.vault(p).depth < 20.0 || near_falx || near_tentorium
        });
    }

    #[test]
    fn intraparenchymal_blood_lies_within_the_brain() {
        each_point_of(Label::Intraparenchymal, |clear, p| {
            clear.skull.vault(p).depth > 1.0 && p[2] > clear.skull.floor(p)
        });
    }

    #[test]
    fn intraventricular_blood_lies_within_the_ventricles() {
        each_point_of(Label::Intraventricular, |clear, p| {
            // The bleed widens them, at most by half.
            let mut ventricles = clear.brain.ventricles.clone();
            ventricles.dilate(1.5);
            ventricles.at(p).is_some_and(|(_, depth)| depth > -0.1)
        });
    }

    #[test]
    fn subarachnoid_blood_lies_where_fluid_is_or_beside_it() {
        each_point_of(Label::Subarachnoid, |clear, p| {
            // Bloody spaces are up to 1.4 mm wider on either side, branches of sulci open.
            let sample = clear.sample(p);
            !matches!(
                sample.tissue,
                Tissue::Bone | Tissue::VentricularCsf(_) | Tissue::Air | Tissue::Soft
            )
        });
    }

    #[test]
    fn blood_leaves_the_rest_of_the_anatomy_of_a_seed() {
        let (clear, bleeding) = (phantom(3, &[]), phantom(3, &[Label::Intraventricular]));
        let same = grid(4)
            .filter(|p| p[2] > 50.0)
            .all(|p| clear.sample(p).tissue == bleeding.sample(p).tissue || p[0].abs() > 60.0);
        assert!(same);
        assert!(matches!(
            HeadPhantom::new(3, PhantomOptions { rows: 0, ..PhantomOptions::default() }),
            Err(SynthError::Option { name: "rows", .. })
        ));
    }
}
