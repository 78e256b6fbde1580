//! The flags of `hemora study`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use hemora_experiment::study::{Phantoms, SetRequest, SplitKind, StudyOptions};

use super::StepArgs;

/// Flags of `hemora study`.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct StudyArgs {
    /// Where the settings start: quick (minutes on two cores) or seed (as the study was)
    #[arg(long, value_enum, default_value = "quick")]
    pub preset: StudyPreset,

    /// A prepared set, or a folder of windowed PNG or prepared JPEG; phantoms are made without it
    #[arg(long, value_name = "DIR")]
    pub images: Option<PathBuf>,

    /// Label table of the competition (ID,Label); a prepared set has its own
    #[arg(long, value_name = "CSV", requires = "images")]
    pub labels: Option<PathBuf>,

    /// Tables of patients or series: CSV:ID_COLUMN:GROUP_COLUMN, or CSV alone for one row a series;
    /// may be repeated
    #[arg(long, value_name = "CSV", requires = "images")]
    pub groups: Vec<String>,

    /// Positions along the body axis, for a baseline: an index (.parquet) or CSV:ID_COLUMN:Z_COLUMN
    #[arg(long, value_name = "FILE", requires = "images")]
    pub z: Option<String>,

    /// Take the parts from this table (columns ID and split), such as splits.csv of a prepared set
    #[arg(long, value_name = "CSV")]
    pub split: Option<PathBuf>,

    /// Folder for study.json, study.md, report.html, the splits and the cells. A study that was
    /// stopped goes on there
    #[arg(long, short, default_value = "hemora-study", value_name = "DIR")]
    pub out: PathBuf,

    /// Phantom patients that are made without --images
    #[arg(long, default_value_t = 200, value_name = "N")]
    pub phantoms: usize,

    /// Networks, separated by commas [default: simple-nn,deep-cnn,resnet50]
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub networks: Vec<String>,

    /// Subsets: fewest hemorrhage types of a positive slice [default: 1,2,3]
    #[arg(long, value_delimiter = ',', value_name = "TYPES")]
    pub subsets: Vec<usize>,

    /// Leave out the five subtypes as a multi-label problem
    #[arg(long)]
    pub no_subtypes: bool,

    /// How images are split; by image a patient stands in several parts and figures are too good
    /// [default: patient,image]
    #[arg(long, value_delimiter = ',', value_name = "KINDS")]
    pub splits: Vec<SplitKind>,

    /// Repeat everything so often, each with another sample, split and other first weights
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub repeats: u64,

    /// Seed of what is drawn at random
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub seed: u64,

    /// Most positive slices of a cell [default: 200 with quick, all with seed]
    #[arg(long, value_name = "N")]
    pub positives: Option<usize>,

    /// Most slices without hemorrhage of a cell [default: 200 with quick, 20000 with seed]
    #[arg(long, value_name = "N")]
    pub negatives: Option<usize>,

    /// Height and width of the images, pixels [default: 64 with quick, 256 with seed]
    #[arg(long, value_name = "PIXELS")]
    pub size: Option<usize>,

    /// Images a step
    #[arg(long, value_name = "N")]
    pub batch: Option<usize>,

    /// Epochs, of all networks (10) or of one (resnet50=10); may be repeated
    #[arg(long, value_name = "N", value_parser = epochs)]
    pub epochs: Vec<(Option<String>, u64)>,

    /// Optimizer, as `hemora train run --help` lists them [default: adadelta-keras]
    #[arg(long, value_name = "NAME")]
    pub optimizer: Option<String>,

    /// Learning rate [default: 1.0, or with another optimizer its own]
    #[arg(long, value_name = "RATE")]
    pub learning_rate: Option<f64>,

    /// How its steps are run.
    #[command(flatten)]
    pub steps: StepArgs,
}

/// The presets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StudyPreset {
    /// Minutes on two cores: 64 pixels, some hundred slices a cell
    Quick,
    /// As the study was: 20,000 slices without hemorrhage, 256 pixels
    Seed,
}

const HELP: &str = "Examples:
  hemora study                                   phantoms, every cell, a page in minutes
  hemora study --plan                            what it would run and cost
  hemora study --images png --labels png_labels.csv --groups slices.csv:Image:PatientID \\
      --out sample
  hemora index stage_2_train/ --labels stage_2_train.csv -o set.parquet
  hemora prepare set.parquet -o howard --recipe howard
  hemora study --preset seed --images howard --z set.parquet --repeats 3 --out seed

Each cell is a run of hemora-train, which is found beside hemora, in PATH, or by HEMORA_TRAIN. A
study that was stopped goes on with the same command: cells that are finished are not run again.

Exit codes: 0 every cell was run or has too few images, 1 an error, 2 wrong flags, 3 some cells
failed (they are named in the results).

For research use only: not for diagnosis.";

impl StudyArgs {
    /// The preset with what the flags change.
    pub fn options(&self) -> StudyOptions {
        let mut options = match self.preset {
            StudyPreset::Quick => StudyOptions::quick(),
            StudyPreset::Seed => StudyOptions::seed(),
        };
        if !self.networks.is_empty() {
            options.networks = self.networks.clone();
        }
        if !self.subsets.is_empty() {
            options.subsets = self.subsets.clone();
        }
        if !self.splits.is_empty() {
            options.splits = self.splits.clone();
        }
        options.subtypes = !self.no_subtypes;
        options.repeats = self.repeats;
        options.seed = self.seed;
        options.positives = self.positives.or(options.positives);
        options.negatives = self.negatives.unwrap_or(options.negatives);
        let training = &mut options.training;
        training.size = self.size.unwrap_or(training.size);
        training.batch = self.batch.unwrap_or(training.batch);
        if let Some(optimizer) = &self.optimizer {
            training.optimizer = optimizer.clone();
            training.learning_rate = None;
        }
        training.learning_rate = self.learning_rate.or(training.learning_rate);
        training.flags = self.steps.flags.clone();
        for (network, epochs) in &self.epochs {
            match network {
                Some(network) => {
                    training.epochs.insert(network.clone(), *epochs);
                }
                None => {
                    let all =
                        training.epochs.keys().cloned().chain(options.networks.iter().cloned());
                    training.epochs = all.map(|name| (name, *epochs)).collect();
                }
            }
        }
        options
    }

    /// The images that were named; `None` where phantoms are made.
    pub fn request(&self) -> Option<SetRequest> {
        Some(SetRequest {
            images: self.images.clone()?,
            labels: self.labels.clone(),
            groups: self.groups.clone(),
            z: self.z.clone(),
            name: None,
        })
    }

    /// The phantoms that are made without images: twice the size of the input, so that resizing has
    /// something to average.
    pub fn wanted_phantoms(&self) -> Phantoms {
        let size = 2 * self.size.unwrap_or(StudyOptions::quick().training.size);
        Phantoms { patients: self.phantoms, seed: self.seed, size }
    }
}

/// `10`, or `resnet50=10`.
fn epochs(text: &str) -> Result<(Option<String>, u64), String> {
    let (network, number) = match text.split_once('=') {
        Some((network, number)) => (Some(network.to_owned()), number),
        None => (None, text),
    };
    match number.parse() {
        Ok(epochs) if epochs > 0 => Ok((network, epochs)),
        _ => Err(format!("`{text}`: expected a number above 0, or one such as resnet50=10")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_are_of_all_networks_or_of_one() {
        assert_eq!(epochs("12").unwrap(), (None, 12));
        assert_eq!(epochs("resnet50=3").unwrap(), (Some("resnet50".to_owned()), 3));
        assert!(epochs("0").is_err() && epochs("resnet50=").is_err());
    }
}
