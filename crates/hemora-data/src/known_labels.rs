//! What the rows of a label table say about one image, and what that implies.

use hemora_ct::{LABEL_COUNT, Label};

/// Every label of an image is known.
pub(crate) const COMPLETE: u8 = (1 << LABEL_COUNT) - 1;

/// What the rows so far say about an image: one bit a label.
#[derive(Default, Clone, Copy)]
pub(crate) struct Known {
    pub(crate) present: u8,
    pub(crate) positive: u8,
    /// Whether a row repeats an earlier one.
    pub(crate) repeated: bool,
    /// Whether a row contradicts an earlier one.
    pub(crate) conflict: bool,
}

impl Known {
    /// Takes in a label; whether an earlier row said the same.
    pub(crate) fn add(&mut self, label: Label, positive: bool) -> bool {
        let bit = 1u8 << label.index();
        if self.present & bit == 0 {
            self.present |= bit;
            self.positive |= if positive { bit } else { 0 };
            return false;
        }
        let same = (self.positive & bit != 0) == positive;
        self.conflict |= !same;
        same
    }

    /// Takes in what the known labels imply of the others: a subtype makes `any` known, no hemorrhage
    /// at all makes the subtypes known, and no subtype makes `any` known.
    pub(crate) fn infer(&mut self) {
        let any = 1 << Label::Any.index();
        let (subtypes, unknown_any) = (COMPLETE & !any, self.present & any == 0);
        if self.positive & subtypes != 0 && unknown_any {
            self.present |= any;
            self.positive |= any;
        } else if self.positive == 0 && (!unknown_any || self.present == subtypes) {
            self.present = COMPLETE;
        }
    }

    /// Whether `any` is known and not what the subtypes say.
    pub(crate) fn is_inconsistent(self) -> bool {
        let any = 1 << Label::Any.index();
        if self.present & any == 0 {
            return false;
        }
        match self.positive & any != 0 {
            true => self.present == COMPLETE && self.positive == any,
            false => self.positive != 0,
        }
    }
}
