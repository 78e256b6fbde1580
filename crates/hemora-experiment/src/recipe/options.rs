//! What can be chosen of a recipe, and its presets.

use std::path::Path;

use hemora_ct::Views;

use crate::recipe::RecipeError;
use crate::recipe::error::in_path;

/// Which recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The competition's winner (docs/references.md#winner).
    Winner,
    /// One small network on three slices in three windows.
    Fast,
}

/// How large everything is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// Minutes on two cores, for phantoms and small samples: shows that everything works, not more.
    Quick,
    /// As it is meant, for a GPU.
    Full,
}

/// A network of single slices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage1 {
    /// Name of its folder.
    pub name: String,
    /// The network, by the trainer's name of it.
    pub network: String,
    /// Its input by name; of a set of JPEGs that of the set.
    pub input: String,
    /// More flags for `hemora-train run`.
    pub flags: Vec<String>,
}

/// What can be chosen of a recipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipeOptions {
    /// Which recipe.
    pub kind: Kind,
    /// How large.
    pub preset: Preset,
    /// Folds, whole patients each.
    pub folds: usize,
    /// Height and width of the inputs, pixels.
    pub size: usize,
    /// Passes over the training images.
    pub epochs: u64,
    /// Images a step.
    pub batch: usize,
    /// The networks of stage 1.
    pub stage1: Vec<Stage1>,
    /// Flags of `hemora-train sequence`, the networks of stage 2.
    pub stage2: Vec<String>,
    /// Views that are averaged in predictions.
    pub views: Views,
    /// Seed of folds, weights and augmentation.
    pub seed: u64,
    /// Resamples of the evaluation's intervals.
    pub resamples: usize,
    /// Whether the bundle has the first fold of the first network alone, not all of all.
    pub one_fold: bool,
}

impl RecipeOptions {
    /// A recipe by its preset.
    pub fn new(kind: Kind, preset: Preset) -> Self {
        let stage1 = |network: &str, input: &str, flags: &[&str]| Stage1 {
            name: format!("{network}-{input}"),
            network: network.to_owned(),
            input: input.to_owned(),
            flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
        };
        // Two epochs of a network from random weights: the winner's schedule would not get far.
        let quick = ["--optimizer=adamw", "--schedule=one-cycle", "--monitor=loss"];
        let of_preset = match kind {
            Kind::Winner => "--config=winner",
            Kind::Fast => "--config=fast",
        };
        match (kind, preset) {
            (Kind::Winner, Preset::Quick) => {
                Self { stage1: vec![stage1("resnet18", "neighbours", &quick)], ..Self::quick(kind) }
            }
            (Kind::Fast, Preset::Quick) => Self {
                stage1: vec![stage1("efficientnet-lite0", "both", &quick)],
                ..Self::quick(kind)
            },
            (Kind::Winner, Preset::Full) => Self {
                epochs: 25,
                batch: 32,
                size: 256,
                views: Views::Ten,
                stage1: vec![
                    stage1("densenet121", "windows", &[of_preset]),
                    stage1("densenet169", "neighbours", &[of_preset]),
                    stage1("se-resnext101-32x4d", "both", &[of_preset]),
                ],
                ..Self::full(kind)
            },
            (Kind::Fast, Preset::Full) => Self {
                stage1: vec![stage1("efficientnet-lite0", "both", &[of_preset])],
                ..Self::full(kind)
            },
        }
    }

    fn quick(kind: Kind) -> Self {
        Self {
            kind,
            preset: Preset::Quick,
            folds: 2,
            size: 64,
            epochs: 2,
            batch: 16,
            stage1: Vec::new(),
            // Of few series an epoch has few steps: small batches and larger steps than the winner's, and
            // no skipped slices, which would leave too few for a batch.
            stage2: [
                "--epochs=15",
                "--decay-at=8,12",
                "--batch=4",
                "--stride=1",
                "--hidden=32",
                "--dropout=0.2",
                "--learning-rate=0.002",
            ]
            .map(str::to_owned)
            .to_vec(),
            views: Views::Flip,
            seed: 0,
            resamples: 200,
            one_fold: false,
        }
    }

    fn full(kind: Kind) -> Self {
        Self {
            preset: Preset::Full,
            folds: 5,
            size: 224,
            epochs: 6,
            batch: 64,
            resamples: 1000,
            // Their defaults are the winner's.
            stage2: Vec::new(),
            ..Self::quick(kind)
        }
    }

    /// Height and width at which HU are held, pixels: somewhat more than the input, so that crops
    /// and turns have something to take from.
    pub fn working_size(&self) -> usize {
        match self.preset {
            Preset::Quick => self.size,
            Preset::Full => self.size.max(256),
        }
    }

    /// Lets a network start from weights in a file.
    ///
    /// # Errors
    /// [`RecipeError`] if the recipe has no such network, or the file is not there.
    pub fn start_from(&mut self, network: &str, file: &Path) -> Result<(), RecipeError> {
        let file = std::fs::canonicalize(file).map_err(in_path(file))?;
        let mut found = false;
        for stage1 in self.stage1.iter_mut().filter(|stage1| stage1.network == network) {
            stage1.flags.push(format!("--weights={}", file.display()));
            found = true;
        }
        if !found {
            let found = network.to_owned();
            let expected = "a network of the recipe's stage 1";
            return Err(RecipeError::Option { name: "weights", found, expected });
        }
        Ok(())
    }

    /// Checks values that came from flags.
    ///
    /// # Errors
    /// [`RecipeError::Option`] names what cannot be.
    pub fn check(&self) -> Result<(), RecipeError> {
        let refuse =
            |name, found: String, expected| Err(RecipeError::Option { name, found, expected });
        if !(2..=100).contains(&self.folds) {
            return refuse("folds", self.folds.to_string(), "2 to 100");
        }
        if !(16..=2048).contains(&self.size) {
            return refuse("size", self.size.to_string(), "16 to 2048 pixels");
        }
        if self.epochs == 0 || self.batch == 0 {
            let found = format!("{} and {}", self.epochs, self.batch);
            return refuse("epochs and batch", found, "at least 1 each");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_can_be_run() {
        for kind in [Kind::Winner, Kind::Fast] {
            for preset in [Preset::Quick, Preset::Full] {
                let options = RecipeOptions::new(kind, preset);
                options.check().unwrap();
                assert!(!options.stage1.is_empty());
                assert!(options.working_size() >= options.size);
            }
        }
        let mut winner = RecipeOptions::new(Kind::Winner, Preset::Full);
        let file = tempfile::NamedTempFile::new().unwrap();
        winner.start_from("densenet169", file.path()).unwrap();
        assert!(winner.stage1[1].flags.iter().any(|flag| flag.starts_with("--weights=/")));
        assert!(!winner.stage1[0].flags.iter().any(|flag| flag.starts_with("--weights")));
        let wrong = winner.start_from("vgg", file.path()).unwrap_err().to_string();
        assert!(wrong.contains("found vgg"), "{wrong}");
        assert!(winner.start_from("densenet169", Path::new("no-such-file")).is_err());
        let one = RecipeOptions { folds: 1, ..RecipeOptions::new(Kind::Fast, Preset::Quick) };
        assert!(one.check().unwrap_err().to_string().contains("folds"));
    }
}
