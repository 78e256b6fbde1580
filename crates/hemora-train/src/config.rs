//! What a run is asked to do: flags, resolved once, written to `config.toml`.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::optimizer::{OptimizerOptions, Preset};
use crate::{ScheduleName, Task};

/// Flags of `hemora-train run`.
#[derive(Debug, Clone, Args, Serialize)]
pub struct RunConfig {
    /// Folder with the images: 8-bit grey PNG that are already windowed, JPEG of a prepared set,
    /// DICOM, or the folder of a prepared set.
    #[arg(long, value_name = "DIR")]
    pub images: PathBuf,

    /// Label table in the competition's layout (`ID,Label`).
    #[arg(long, value_name = "CSV")]
    pub labels: PathBuf,

    /// Further images and labels that are trained on but never validated on, as `DIR:CSV`.
    #[arg(long, value_name = "DIR:CSV")]
    pub extra: Vec<String>,

    /// Tables that tell which images share a patient or series: `CSV:ID_COLUMN:GROUP_COLUMN`, or
    /// `CSV` alone for one row a series with columns scan_id, image_0, image_1, …
    #[arg(long, value_name = "CSV")]
    pub groups: Vec<String>,

    /// Table with the columns ID and split (train, validation or test). Images that it does not
    /// name are left out; the test images are predicted once, at the end, with the kept weights.
    #[arg(long, value_name = "CSV")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<PathBuf>,

    /// What stays on one side of the split: patient, or image (figures are then too good).
    #[arg(long, default_value = "patient", value_parser = ["patient", "image"])]
    pub split_by: String,

    /// Network to train; `hemora model summary` lists them.
    #[arg(long, default_value = "efficientnet-lite0")]
    pub network: String,

    /// Weights to start from (safetensors); without it they are drawn at random. A last layer of
    /// another size is left out.
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,

    /// Height and width of the network's input, pixels.
    #[arg(long, default_value_t = 192)]
    pub size: usize,

    /// Height and width at which images are held in memory, pixels.
    #[arg(long, default_value_t = 256)]
    pub working_size: usize,

    /// Passes over the training images.
    #[arg(long, default_value_t = 12)]
    pub epochs: u64,

    /// Images per step.
    #[arg(long, default_value_t = 32)]
    pub batch: usize,

    /// What is learned: the six labels, any hemorrhage, or the five subtypes.
    #[arg(long, value_enum, default_value_t = Task::Labels)]
    pub task: Task,

    /// Optimizer, with the defaults of the library that it is named for.
    #[arg(long, value_enum, default_value_t = Preset::AdamW)]
    pub optimizer: Preset,

    /// Learning rate, the highest of the schedule; without it the optimizer's default.
    #[arg(long)]
    pub learning_rate: Option<f64>,

    /// Decay of the weights; without it the optimizer's default.
    #[arg(long)]
    pub weight_decay: Option<f64>,

    /// How the learning rate changes.
    #[arg(long, value_enum, default_value_t = ScheduleName::OneCycle)]
    pub schedule: ScheduleName,

    /// Fraction of the steps in which the rate of one cycle rises.
    #[arg(long, default_value_t = 0.2)]
    pub rise: f64,

    /// Dropout before the last layer.
    #[arg(long, default_value_t = 0.2)]
    pub dropout: f64,

    /// Validates and keeps a moving average of the weights, of which this part stays at each step;
    /// 0 for none.
    #[arg(long, default_value_t = 0.0)]
    pub ema: f64,

    /// Bound on the norm of the gradient.
    #[arg(long, default_value_t = 5.0)]
    pub clip: f64,

    /// Weight of the label `any` in the loss; the subtypes weigh 1.
    #[arg(long, default_value_t = 2.0)]
    pub any_weight: f64,

    /// Fraction of the patients held out for validation.
    #[arg(long, default_value_t = 0.2)]
    pub validation: f64,

    /// Seed of the split, the weights, the order and the augmentation.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,

    /// Threads for loading and for libtorch; 0 for one per core.
    #[arg(long, default_value_t = 0)]
    pub threads: usize,

    /// Folder of the run: config, metrics, checkpoints, predictions. A run that was stopped goes
    /// on from its last checkpoint.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,

    /// Forget what the folder holds and start over.
    #[arg(long)]
    #[serde(skip)]
    pub restart: bool,
}

impl RunConfig {
    /// The optimizer's settings, its defaults where no flag says otherwise.
    pub fn optimizer(&self) -> OptimizerOptions {
        let defaults = self.optimizer.options();
        OptimizerOptions {
            learning_rate: self.learning_rate.unwrap_or(defaults.learning_rate),
            weight_decay: self.weight_decay.unwrap_or(defaults.weight_decay),
            ..defaults
        }
    }
}
