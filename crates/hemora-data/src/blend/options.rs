//! When bleeds are blended, and which.

use hemora_ct::{LABEL_COUNT, Label};
use serde::{Deserialize, Serialize};

use crate::augment::AugmentError;

/// Bleeds of other slices, blended into slices without any, which take on their labels: for training
/// on few positives. Nobody marked the bleeds, so where they lie is guessed from brightness, size and
/// place, and a guess can be wrong: off unless asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Blend {
    /// Probability, for a slice without hemorrhage, that a bleed is looked for in a few slices with
    /// one; most often none is found that can be trusted.
    pub probability: f64,
    /// Least brightness of a bleed, HU, 40 to 75; the brain window ends at 80.
    pub least_hu: f64,
    /// How much brighter than the middle of the brain a bleed is on average, HU, 0 to 40.
    pub least_contrast: f64,
    /// Smallest and largest area of a bleed, as a part of the inside of the skull.
    pub area: [f64; 2],
}

impl Default for Blend {
    /// Off, with cautious limits behind it, which were chosen by looking at slices of the competition's
    /// data; `docs/models.md` says what they find.
    fn default() -> Self {
        Self { probability: 0.0, least_hu: 50.0, least_contrast: 16.0, area: [0.004, 0.3] }
    }
}

impl Blend {
    /// Whether it is asked for.
    pub fn is_on(&self) -> bool {
        self.probability > 0.0
    }

    /// The one kind of bleed of a slice that may be blended: epidural, intraparenchymal or subdural.
    /// The labels of a slice with several kinds might be of one that is not found; blood in the sulci
    /// is too thin to be told from vessels and the tentorium; and blood in a ventricle has the shape of
    /// that ventricle, where the other slice may have none.
    pub fn kind(labels: [bool; LABEL_COUNT]) -> Option<Label> {
        let is_kind = |label: &Label| *label != Label::Any && labels[label.index()];
        let mut kinds = Label::ALL.into_iter().filter(is_kind);
        match (kinds.next(), kinds.next()) {
            (Some(kind), None) => Some(kind)
                .filter(|kind| ![Label::Subarachnoid, Label::Intraventricular].contains(kind)),
            _ => None,
        }
    }

    pub(crate) fn check(&self) -> Result<(), AugmentError> {
        let bounded = [
            ("blend.probability", self.probability, 0.0..=1.0, "a probability, 0 to 1"),
            ("blend.least_hu", self.least_hu, 40.0..=75.0, "40 to 75 HU"),
            ("blend.least_contrast", self.least_contrast, 0.0..=40.0, "0 to 40 HU"),
        ];
        for (option, value, range, expected) in bounded {
            if !range.contains(&value) {
                return Err(AugmentError { option, value: value.to_string(), expected });
            }
        }
        let [low, high] = self.area;
        if !(low > 0.0 && low <= high && high <= 1.0) {
            let (option, value) = ("blend.area", format!("[{low}, {high}]"));
            let expected = "a smallest and a largest part, above 0 and at most 1";
            return Err(AugmentError { option, value, expected });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_slices_with_one_kind_of_bleed_that_can_be_found_are_used() {
        let kind = |with: &[Label]| {
            Blend::kind(Label::ALL.map(|label| with.contains(&label) || label == Label::Any))
        };
        assert_eq!(kind(&[Label::Subdural]), Some(Label::Subdural));
        assert_eq!(kind(&[Label::Subarachnoid]), None);
        assert_eq!(kind(&[Label::Intraventricular]), None);
        assert_eq!(kind(&[Label::Subdural, Label::Intraparenchymal]), None);
        assert_eq!(kind(&[]), None);
    }
}
