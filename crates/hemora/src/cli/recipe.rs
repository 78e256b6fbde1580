//! The flags of `hemora recipe`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use hemora_experiment::recipe::{Dataset, Kind, Preset, RecipeError, RecipeOptions};

use super::StepArgs;

/// Flags of `hemora recipe`.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct RecipeArgs {
    /// winner (the competition's winner, step by step) or fast (one small network)
    #[arg(value_enum, value_name = "RECIPE")]
    pub recipe: RecipeName,

    /// Folder with stage_2_train/ and stage_2_train.csv, and stage_2_test/ if there is one; or with
    /// DICOM files and --labels
    #[arg(value_name = "DATASET")]
    pub dataset: PathBuf,

    /// Folder for everything that is made. A recipe that was stopped goes on there
    #[arg(long, short, value_name = "DIR")]
    pub out: PathBuf,

    /// How large everything is
    #[arg(long, value_enum, default_value = "full")]
    pub preset: RecipePreset,

    /// Label table of the competition (ID,Label), where it does not lie beside the images
    #[arg(long, value_name = "CSV")]
    pub labels: Option<PathBuf>,

    /// Images without labels that a submission is made of [default: stage_2_test of the data set; of
    /// the training images there is always a table, out of fold]
    #[arg(long, value_name = "DIR")]
    pub test_images: Option<PathBuf>,

    /// Folds, whole patients each [default: 2 with quick, 5 with full]
    #[arg(long, value_name = "N")]
    pub folds: Option<usize>,

    /// Passes over the training images [default: of the recipe]
    #[arg(long, value_name = "N")]
    pub epochs: Option<u64>,

    /// Images a step [default: of the recipe]
    #[arg(long, value_name = "N")]
    pub batch: Option<usize>,

    /// Height and width of the images, pixels [default: of the recipe]
    #[arg(long, value_name = "PIXELS")]
    pub size: Option<usize>,

    /// Weights that a network starts from, as densenet121=FILE (safetensors; `hemora model import`
    /// makes them of ImageNet weights); may be repeated. Without them they are drawn
    #[arg(long, value_name = "NETWORK=FILE", value_parser = weights)]
    pub weights: Vec<(String, PathBuf)>,

    /// Bundle the first fold of the first network alone, not all folds of all networks: less space, and
    /// less time in triage, by as many times
    #[arg(long)]
    pub one_fold: bool,

    /// Seed of what is drawn at random
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub seed: u64,

    /// How its steps are run.
    #[command(flatten)]
    pub steps: StepArgs,
}

/// The recipes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RecipeName {
    /// The competition's winner
    Winner,
    /// One small network on three slices in three windows
    Fast,
}

/// The presets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RecipePreset {
    /// Minutes on two cores: shows that every step works, not how good the recipe is
    Quick,
    /// As it is meant, for a GPU
    Full,
}

const HELP: &str = "Examples:
  hemora synth phantoms --patients 24 --size 128
  hemora recipe winner phantoms --out tried --preset quick
  hemora recipe winner rsna --out winner --plan       what it would do and cost
  hemora recipe fast rsna --out fast --weights efficientnet-lite0=lite0.safetensors \\
      -- --precision bf16

Steps that are complete are not run again: the same command goes on where it was stopped.
hemora-train is found beside hemora, in PATH, or by HEMORA_TRAIN.

Exit codes: 0 everything was made, 1 an error, 2 wrong flags.

For research use only: not for diagnosis.";

impl RecipeArgs {
    /// The images and labels.
    ///
    /// # Errors
    /// [`RecipeError`] says what is not there.
    pub fn dataset(&self) -> Result<Dataset, RecipeError> {
        Dataset::find(&self.dataset, self.labels.as_deref(), self.test_images.as_deref())
    }

    /// The preset with what the flags change.
    ///
    /// # Errors
    /// [`RecipeError`] names a network of `--weights` that the recipe does not have.
    pub fn options(&self) -> Result<RecipeOptions, RecipeError> {
        let kind = match self.recipe {
            RecipeName::Winner => Kind::Winner,
            RecipeName::Fast => Kind::Fast,
        };
        let preset = match self.preset {
            RecipePreset::Quick => Preset::Quick,
            RecipePreset::Full => Preset::Full,
        };
        let mut options = RecipeOptions::new(kind, preset);
        options.folds = self.folds.unwrap_or(options.folds);
        options.epochs = self.epochs.unwrap_or(options.epochs);
        options.batch = self.batch.unwrap_or(options.batch);
        options.size = self.size.unwrap_or(options.size);
        options.seed = self.seed;
        options.one_fold = self.one_fold;
        for stage1 in &mut options.stage1 {
            stage1.flags.extend(self.steps.flags.iter().cloned());
        }
        for (network, file) in &self.weights {
            options.start_from(network, file)?;
        }
        Ok(options)
    }
}

/// `densenet121=FILE`.
fn weights(text: &str) -> Result<(String, PathBuf), String> {
    let parts =
        text.split_once('=').filter(|(network, file)| !network.is_empty() && !file.is_empty());
    let (network, file) = parts.ok_or_else(|| format!("`{text}` is not NETWORK=FILE"))?;
    Ok((network.to_owned(), file.into()))
}
