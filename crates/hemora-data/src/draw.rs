//! Bleeds that are drawn into slices without any: when, and what becomes of the slice.

use hemora_ct::{LABEL_COUNT, Label};
use hemora_synth::{DrawOptions, DrawnSlice, HeadSlice};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::augment::AugmentError;
use crate::jpeg_set::LoaderSet;

/// Bleeds drawn into slices of which all labels are known and negative, with the labels and the maps
/// of what was drawn; and things that only look like blood, which keep the slice negative. Needs a set of
/// one plane in the brain window; off unless asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Draw {
    /// Probability, for a slice without hemorrhage, that something is drawn.
    pub probability: f64,
    /// Probability that a bleed comes with something that only looks like blood; 0 draws no such
    /// thing at all.
    pub look_alike: f64,
    /// Probability that this is a bleed; else it is what only looks like blood.
    pub bleed: f64,
    /// Weight in the loss of the labels of a slice with a drawn bleed, 0 to 10.
    pub label_weight: f32,
}

impl Default for Draw {
    /// Off.
    fn default() -> Self {
        Self { probability: 0.0, look_alike: 0.3, bleed: 0.8, label_weight: 0.35 }
    }
}

impl Draw {
    /// Whether it is asked for.
    pub fn is_on(&self) -> bool {
        self.probability > 0.0
    }

    pub(crate) fn check(&self) -> Result<(), AugmentError> {
        let (probability, weight) = ("a probability, 0 to 1", f64::from(self.label_weight));
        let bounded = [
            ("draw.probability", self.probability, 1.0, probability),
            ("draw.look_alike", self.look_alike, 1.0, probability),
            ("draw.bleed", self.bleed, 1.0, probability),
            ("draw.label_weight", weight, 10.0, "0 to 10"),
        ];
        for (option, value, most, expected) in bounded {
            if !(0.0..=most).contains(&value) {
                return Err(AugmentError { option, value: value.to_string(), expected });
            }
        }
        Ok(())
    }

    /// An image of a set that [`LoaderSet::check_drawing`] took, with what was drawn into it: where all
    /// its labels are known and negative, chance wants it, and the slice shows a head that can be drawn
    /// into. Pixels with a subtype have `any` too.
    pub(crate) fn slice(
        &self,
        set: &LoaderSet,
        index: usize,
        mut random: ChaCha8Rng,
    ) -> Option<DrawnSlice> {
        let chance = random.random::<f64>() < self.probability;
        let is_negative =
            set.known(index) == [true; LABEL_COUNT] && set.labels(index) == [false; LABEL_COUNT];
        if !chance || !is_negative {
            return None;
        }
        let options = DrawOptions { bleed: self.bleed, look_alike: self.look_alike };
        let head = HeadSlice::new(&set.brain(index)?, set.side())?;
        let mut drawn = head.draw(&mut random, &options)?;
        let any = 1 << Label::Any.index();
        drawn.bleeds.iter_mut().filter(|bits| **bits != 0).for_each(|bits| *bits |= any);
        Some(drawn)
    }
}
