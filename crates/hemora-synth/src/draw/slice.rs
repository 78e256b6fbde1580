//! What is drawn into a slice.

use hemora_ct::{LABEL_COUNT, Label};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::canvas::Canvas;
use super::head::HeadSlice;

/// How often each subtype is drawn.
const WEIGHTS: [(Label, f32); LABEL_COUNT - 1] = [
    (Label::Epidural, 0.18),
    (Label::Intraparenchymal, 0.25),
    (Label::Intraventricular, 0.14),
    (Label::Subarachnoid, 0.16),
    (Label::Subdural, 0.27),
];
/// Share of bleeds that come with one of another subtype.
const SECOND: f64 = 0.25;
/// How often another bleed is tried where a slice has no room for the first.
const TRIES: usize = 8;

/// What may be drawn into a slice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DrawOptions {
    /// Probability of a bleed, 0 to 1; without one only what looks like blood is drawn.
    pub bleed: f64,
    /// Probability, 0 to 1, that a bleed comes with something that only looks like blood; 0 draws
    /// no such thing at all.
    pub look_alike: f64,
}

impl Default for DrawOptions {
    fn default() -> Self {
        Self { bleed: 0.8, look_alike: 0.3 }
    }
}

/// A slice with what was drawn into it.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawnSlice {
    /// Grey values in the brain window, side × side.
    pub grey: Vec<u8>,
    /// Bit `label.index()` of each pixel of which that subtype fills half or more; side × side.
    pub bleeds: Vec<u8>,
    /// Whether something was drawn that only looks like blood.
    pub look_alikes: bool,
}

impl DrawnSlice {
    /// Which labels were drawn, in label order; `any` with the others.
    pub fn labels(&self) -> [bool; LABEL_COUNT] {
        let all = self.bleeds.iter().fold(0, |all, bits| all | bits);
        let mut labels = [false; LABEL_COUNT];
        for label in Label::SUBTYPES {
            labels[label.index()] = all >> label.index() & 1 == 1;
        }
        labels[Label::Any.index()] = all != 0;
        labels
    }
}

impl HeadSlice {
    /// Draws a bleed, two, or what only looks like blood. None where the slice has room for none.
    pub fn draw(&self, rng: &mut impl Rng, options: &DrawOptions) -> Option<DrawnSlice> {
        let mut random = ChaCha8Rng::seed_from_u64(rng.next_u64());
        let mut canvas = Canvas::new(self);
        let bleeds = random.random_range(0.0..1.0) < options.bleed;
        let share = if bleeds { options.look_alike } else { f64::from(options.look_alike > 0.0) };
        let [mut objects, mut artefacts] = [false; 2];
        if random.random_range(0.0..1.0) < share {
            objects = random.random_bool(0.65);
            artefacts = !objects || random.random_bool(0.15);
        }
        objects = objects && canvas.calcium_or_vessel(&mut random);
        if bleeds {
            canvas.bleeds(&mut random);
        }
        // An artefact lies over blood as over brain.
        artefacts = artefacts && canvas.artefact(&mut random);
        let look_alikes = objects || artefacts;
        let drawn = DrawnSlice { grey: canvas.finished(), bleeds: canvas.bleeds, look_alikes };
        (look_alikes || drawn.labels()[Label::Any.index()]).then_some(drawn)
    }
}

impl Canvas<'_> {
    /// Draws one subtype, seldom two.
    fn bleeds(&mut self, random: &mut ChaCha8Rng) {
        let wanted = 1 + usize::from(random.random_bool(SECOND));
        let mut drawn = Vec::new();
        for _ in 0..TRIES {
            let label = choose(random);
            if !drawn.contains(&label) && self.subtype(random, label) {
                drawn.push(label);
            }
            if drawn.len() == wanted {
                break;
            }
        }
    }

    /// Draws one subtype; false, and all as it was, where the slice has no room for it.
    pub(super) fn subtype(&mut self, random: &mut ChaCha8Rng, label: Label) -> bool {
        let before = self.grey.clone();
        let drawn = self.try_subtype(random, label);
        if !drawn {
            self.grey = before;
        }
        drawn
    }

    fn try_subtype(&mut self, random: &mut ChaCha8Rng, label: Label) -> bool {
        match label {
            Label::Epidural => self.epidural(random),
            Label::Intraparenchymal => self.intraparenchymal(random),
            Label::Intraventricular => self.intraventricular(random),
            Label::Subarachnoid => self.subarachnoid(random),
            Label::Subdural => match random.random_range(0.0..1.0) {
                place if place < 0.1 && !self.head.vertex => self.tentorium(random),
                place if place < 0.25 && !self.head.base => self.falx(random),
                _ => self.crescent(random),
            },
            Label::Any => false,
        }
    }
}

fn choose(random: &mut ChaCha8Rng) -> Label {
    let mut left = random.random_range(0.0..WEIGHTS.iter().map(|(_, weight)| weight).sum());
    for (label, weight) in WEIGHTS {
        left -= weight;
        if left < 0.0 {
            return label;
        }
    }
    Label::Subdural
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::density::GREY_PER_HU;
    use crate::draw::mask;
    use crate::draw::testing::{head, head_picture};

    const SIDE: usize = 192;

    fn seeded(seed: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(seed)
    }

    /// Up to `count` pictures with one subtype each, from slices through the ventricles.
    fn drawn(label: Label, count: usize) -> Vec<(HeadSlice, Vec<f32>, Vec<u8>)> {
        let mut found = Vec::new();
        for (seed, index) in [(1, 20), (2, 21), (3, 22), (4, 23), (5, 24)] {
            let head = head(seed, SIDE, index);
            for seed in 0..12 {
                let mut canvas = Canvas::new(&head);
                if found.len() < count && canvas.subtype(&mut seeded(seed), label) {
                    let (grey, bleeds) = (canvas.grey.values, canvas.bleeds);
                    found.push((head.clone(), grey, bleeds));
                }
            }
        }
        found
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_another_one_others() {
        let picture = head_picture(6, SIDE, 21);
        let draw = |seed| {
            let head = HeadSlice::new(&picture, SIDE).unwrap();
            head.draw(&mut seeded(seed), &DrawOptions { bleed: 1.0, look_alike: 1.0 }).unwrap()
        };
        assert_eq!(draw(3), draw(3));
        assert_ne!(draw(3).grey, draw(4).grey);
    }

    #[test]
    fn each_subtype_is_drawn_within_the_skull_and_labelled_alone() {
        for label in Label::SUBTYPES {
            let drawn = drawn(label, 20);
            assert!(drawn.len() >= 5, "{label}: {}", drawn.len());
            for (head, _, bleeds) in drawn {
                let slice = DrawnSlice { grey: Vec::new(), bleeds, look_alikes: false };
                let mut expected = [false; LABEL_COUNT];
                expected[label.index()] = true;
                expected[Label::Any.index()] = true;
                assert_eq!(slice.labels(), expected);
                let outside = slice.bleeds.iter().zip(&head.inside);
                assert!(outside.clone().all(|(&bits, &inside)| bits == 0 || inside), "{label}");
            }
        }
    }

    #[test]
    fn fresh_blood_is_as_bright_as_blood_and_brighter_than_what_it_covers() {
        for (label, low, high) in [
            (Label::Epidural, 40.0, 78.0),
            (Label::Intraparenchymal, 40.0, 78.0),
            (Label::Intraventricular, 40.0, 78.0),
            (Label::Subarachnoid, 36.0, 72.0),
        ] {
            for (head, grey, bleeds) in drawn(label, 20) {
                let mean = |values: &[f32]| {
                    let within = values.iter().zip(&bleeds).filter(|(_, bits)| **bits != 0);
                    let count = within.clone().count() as f32;
                    within.map(|(value, _)| value).sum::<f32>() / count / GREY_PER_HU
                };
                let after = mean(&grey);
                // The edge of bone is bright before.
                let before = mean(&head.grey.values).min(head.brain / GREY_PER_HU);
                assert!((low..high).contains(&after), "{label}: {after} HU");
                assert!(after > before + 5.0, "{label}: {before} to {after} HU");
            }
        }
    }

    #[test]
    fn extra_axial_blood_leaves_the_picture_beyond_its_mass_effect_as_it_was() {
        for label in [Label::Epidural, Label::Subdural] {
            for (head, grey, bleeds) in drawn(label, 20) {
                let free: Vec<bool> = bleeds.iter().map(|&bits| bits == 0).collect();
                let away = mask::depth(&free, SIDE);
                let within = (0..free.len()).filter(|&pixel| !free[pixel]);
                let thickest = within.map(|pixel| head.depth.values[pixel]).fold(0f32, f32::max);
                let far =
                    (0..free.len()).filter(|&pixel| away.values[pixel] > 3.0 * thickest + 20.0);
                for pixel in far {
                    assert_eq!(grey[pixel], head.grey.values[pixel], "{label}, {pixel}");
                }
            }
        }
    }

    #[test]
    fn options_decide_between_bleeds_and_what_looks_like_them() {
        let head = head(2, SIDE, 21);
        let draw = |seed, bleed, look_alike| {
            head.draw(&mut seeded(seed), &DrawOptions { bleed, look_alike })
        };
        for seed in 0..20 {
            let likeness = draw(seed, 0.0, 1.0).expect("some look-alike fits");
            assert_eq!(likeness.labels(), [false; LABEL_COUNT]);
            assert!(likeness.look_alikes && likeness.grey.len() == SIDE * SIDE);
            let bleed = draw(seed, 1.0, 0.0).expect("some bleed fits");
            assert!(bleed.labels()[Label::Any.index()] && !bleed.look_alikes);
            assert_eq!(draw(seed, 0.0, 0.0), None);
        }
        let labelled = (0..200).filter_map(|seed| draw(seed, 0.5, 0.3));
        let labelled = labelled.filter(|slice| slice.labels()[Label::Any.index()]).count();
        assert!((75..125).contains(&labelled), "{labelled}");
    }
}
