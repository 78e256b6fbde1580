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
const TRIES: usize = 5;

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
        let drawn =
            DrawnSlice { grey: canvas.finished(), bleeds: canvas.bleeds, look_alikes };
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

    /// Draws one subtype; false where the slice has no room for it.
    pub(super) fn subtype(&mut self, random: &mut ChaCha8Rng, label: Label) -> bool {
        match label {
            Label::Epidural => self.epidural(random),
            Label::Intraparenchymal => self.intraparenchymal(random),
            Label::Intraventricular => self.intraventricular(random),
            Label::Subarachnoid => self.subarachnoid(random),
            Label::Subdural => match random.random_range(0.0..1.0) {
                place if place < 0.1 => self.tentorium(random),
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
