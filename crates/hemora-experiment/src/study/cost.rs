//! What a cell costs, before it is run and while others are.

use hemora_nn::{Summary, networks};

use crate::study::StudyError;
use crate::study::selection::PartCounts;
use crate::study::{Cell, StudyOptions};

/// Multiply-additions a second and core: `deep-cnn` and `resnet50` took 24 and 25 thousand million a
/// second of processor time at 64 pixels and one thread, on a virtual machine with AVX-512; less is
/// assumed. A GPU does hundreds of times as many.
const RATE: f64 = 2e10;
/// Seconds of a core to read and decode one image of 512 × 512 pixels.
const READING: f64 = 0.004;
/// Seconds until the trainer has started, and to write its results.
const STARTING: f64 = 2.0;
/// What a step costs of forward passes: one forward, two backward.
const STEP: f64 = 3.0;

/// The work of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cost {
    /// Multiply-additions.
    pub multiply_adds: f64,
    /// Images read.
    pub images: f64,
    /// Cells.
    pub cells: f64,
}

impl Cost {
    /// The work of one cell.
    ///
    /// # Errors
    /// [`StudyError::Option`] if the network cannot be built at this size.
    pub fn for_cell(
        cell: &Cell,
        parts: &[PartCounts],
        options: &StudyOptions,
    ) -> Result<Self, StudyError> {
        let size = options.training.size;
        let refused = |reason: String| StudyError::Option {
            name: "network",
            found: format!("{} at {size} pixels: {reason}", cell.network),
            expected: "a network and a size that fit".to_owned(),
        };
        let build = networks::Options { size, ..networks::Options::default() };
        let graph = networks::build(&cell.network, &build)
            .ok_or_else(|| refused("unknown".to_owned()))?
            .map_err(|error| refused(error.to_string()))?;
        let images = |at: usize| parts.get(at).map_or(0.0, |part| part.images as f64);
        let epochs = options.epochs(&cell.network) as f64;
        let passes = epochs * (STEP * images(0) + images(1)) + images(1) + images(2);
        Ok(Self {
            multiply_adds: passes * Summary::new(&graph).multiply_adds as f64,
            images: images(0) + images(1) + images(2),
            cells: 1.0,
        })
    }

    /// Seconds that it takes on so many cores, roughly.
    pub fn seconds(&self, cores: usize) -> f64 {
        let work = self.multiply_adds / RATE + self.images * READING;
        work / cores.max(1) as f64 + self.cells * STARTING
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            multiply_adds: self.multiply_adds + other.multiply_adds,
            images: self.images + other.images,
            cells: self.cells + other.cells,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::{Draw, Question, SplitKind};
    use std::collections::BTreeMap;

    #[test]
    fn work_grows_with_images_and_epochs() {
        let part = |images| PartCounts {
            part: String::new(),
            images,
            positives: BTreeMap::new(),
            groups: 0,
            unknown_patients: 0,
        };
        let draw = Draw { question: Question::AtLeast(1), split: SplitKind::Image, repeat: 0 };
        let cell = |network: &str| Cell { network: network.to_owned(), draw };
        let mut options = StudyOptions::quick();
        options.training.epochs.insert("simple-nn".to_owned(), 2);
        let parts = [part(100), part(10), part(20)];
        let cost = Cost::for_cell(&cell("simple-nn"), &parts, &options).unwrap();
        // 64 × 64 × 3 inputs to 128 units to one; 2 × (3 × 100 + 10) + 10 + 20 passes.
        assert_eq!(cost.multiply_adds, 650.0 * (12288.0 * 128.0 + 128.0));
        assert_eq!(cost.images, 130.0);
        assert!(cost.seconds(1) > cost.seconds(2));
        assert!(Cost::for_cell(&cell("vgg"), &parts, &options).is_err());
    }
}
