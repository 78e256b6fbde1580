//! What can be chosen of a study, and the two presets.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::study::{SplitKind, StudyError};

/// The seed study's networks.
pub const NETWORKS: [&str; 3] = ["simple-nn", "deep-cnn", "resnet50"];

/// What can be chosen of a study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StudyOptions {
    /// Name of the preset that it started from.
    pub preset: String,
    /// Networks by name.
    pub networks: Vec<String>,
    /// Subsets: fewest subtypes of a positive slice, 1 to 5.
    pub subsets: Vec<usize>,
    /// Whether the five subtypes are learned as well, as a multi-label problem.
    pub subtypes: bool,
    /// How images are split.
    pub splits: Vec<SplitKind>,
    /// How often everything is repeated with another sample, split and other weights.
    pub repeats: u64,
    /// Seed of the first repeat.
    pub seed: u64,
    /// Most positive slices of a cell; all without it.
    pub positives: Option<usize>,
    /// Most slices without hemorrhage of a cell.
    pub negatives: usize,
    /// Part of the images for choosing the epoch.
    pub validation: f64,
    /// Part of the images for the test.
    pub test: f64,
    /// Resamples of the intervals.
    pub resamples: usize,
    /// How networks are trained.
    pub training: Training,
}

/// How networks are trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Height and width of the networks' input, pixels.
    pub size: usize,
    /// Images a step.
    pub batch: usize,
    /// Passes over the training images, by network.
    pub epochs: BTreeMap<String, u64>,
    /// Optimizer, by the trainer's name of it.
    pub optimizer: String,
    /// Learning rate; the optimizer's default without it.
    pub learning_rate: Option<f64>,
    /// How the learning rate changes, by the trainer's name of it.
    pub schedule: String,
    /// More flags for `hemora-train run`.
    pub flags: Vec<String>,
}

impl StudyOptions {
    /// Everything as in the seed study (docs/references.md#seed-networks): 20,000 slices without hemorrhage, 256 pixels,
    /// batches of 32, Keras' Adadelta with a learning rate of 1. The study does not report for how
    /// many epochs; 20 is ours, and the best of them on validation counts.
    pub fn seed() -> Self {
        Self {
            preset: "seed".to_owned(),
            networks: NETWORKS.map(str::to_owned).to_vec(),
            subsets: vec![1, 2, 3],
            subtypes: true,
            splits: vec![SplitKind::Patient, SplitKind::Image],
            repeats: 1,
            seed: 0,
            positives: None,
            negatives: 20_000,
            validation: 0.15,
            test: 0.15,
            resamples: 1000,
            training: Training {
                size: 256,
                batch: 32,
                epochs: epochs([20, 20, 20]),
                optimizer: "adadelta-keras".to_owned(),
                learning_rate: Some(1.0),
                schedule: "constant".to_owned(),
                flags: Vec::new(),
            },
        }
    }

    /// Minutes on two cores: 64 pixels and some hundred slices a cell. Epochs differ by network,
    /// since one of the ResNet costs as much as dozens of the others. Its running statistics (momentum
    /// .99) need some 200 steps before they say anything: hence the small batches.
    pub fn quick() -> Self {
        let seed = Self::seed();
        Self {
            preset: "quick".to_owned(),
            positives: Some(200),
            negatives: 200,
            validation: 0.2,
            test: 0.2,
            training: Training {
                size: 64,
                batch: 8,
                epochs: epochs([20, 15, 12]),
                ..seed.training
            },
            ..seed
        }
    }

    /// Epochs of a network; those of a network that is not named are those of the last of the seed
    /// study's.
    pub fn epochs(&self, network: &str) -> u64 {
        let epochs = &self.training.epochs;
        epochs.get(network).or_else(|| epochs.get(NETWORKS[2])).copied().unwrap_or(1)
    }

    /// Checks values that came from flags.
    ///
    /// # Errors
    /// [`StudyError::Option`] names what cannot be.
    pub fn check(&self) -> Result<(), StudyError> {
        let refuse = |name: &'static str, found: String, expected: &str| {
            Err(StudyError::Option { name, found, expected: expected.to_owned() })
        };
        let known: Vec<&str> = hemora_nn::networks::names().collect();
        for network in &self.networks {
            if !known.contains(&network.as_str()) {
                return refuse("networks", network.clone(), &known.join(", "));
            }
        }
        if let Some(types) = self.subsets.iter().find(|types| !(1..=5).contains(*types)) {
            return refuse("subsets", types.to_string(), "1 to 5");
        }
        let nothing = self.subsets.is_empty() && !self.subtypes;
        if nothing || self.networks.is_empty() || self.splits.is_empty() || self.repeats == 0 {
            return refuse("plan", "no cell".to_owned(), "a network, a subset, a split, a repeat");
        }
        for (name, part) in [("validation", self.validation), ("test", self.test)] {
            if !(part > 0.0 && part < 1.0) {
                return refuse(name, part.to_string(), "a number between 0 and 1");
            }
        }
        if self.validation + self.test >= 1.0 {
            let found = format!("{} in all", self.validation + self.test);
            return refuse("validation and test", found, "a sum below 1");
        }
        if self.training.batch == 0 || self.networks.iter().any(|name| self.epochs(name) == 0) {
            return refuse("batch and epochs", "0".to_owned(), "at least 1");
        }
        Ok(())
    }
}

fn epochs(of: [u64; 3]) -> BTreeMap<String, u64> {
    NETWORKS.map(str::to_owned).into_iter().zip(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_can_be_run() {
        StudyOptions::quick().check().unwrap();
        StudyOptions::seed().check().unwrap();
        assert_eq!(StudyOptions::seed().negatives, 20_000);
        assert_eq!(StudyOptions::quick().epochs("efficientnet-lite0"), 12);
    }

    #[test]
    fn what_cannot_be_is_named() {
        let message = |change: fn(&mut StudyOptions)| {
            let mut options = StudyOptions::quick();
            change(&mut options);
            options.check().unwrap_err().to_string()
        };
        assert!(message(|options| options.networks[0] = "vgg".into()).contains("vgg"));
        assert!(message(|options| options.subsets = vec![6]).contains("1 to 5"));
        assert!(message(|options| options.test = 0.9).contains("below 1"));
        assert!(message(|options| options.splits.clear()).contains("no cell"));
    }
}
