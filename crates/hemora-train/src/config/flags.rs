//! The settings of a run as they are given: each field is a flag and a key of the config file.
//! [`TrainPlan`](super::TrainPlan) is what they amount to.

use std::path::PathBuf;

use clap::{Args, Parser};
use serde::{Deserialize, Serialize};

use crate::data::By;
use crate::model::{Layout, Precision, Task};
use crate::optim::{ClassWeights, Monitor, Preset, Sampling, ScheduleName};
use crate::output::Show;

/// Settings of a run. A flag `--learning-rate` is the key `learning_rate` in a config file.
#[derive(Debug, Clone, PartialEq, Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunConfig {
    /// A prepared set to train on, instead of --images and --labels: its labels, its split or folds,
    /// its patients, and of a set of JPEGs its channels.
    #[arg(long, value_name = "DIR")]
    pub prepared: Option<PathBuf>,

    /// Folder with the images: 8-bit grey PNG that are already windowed, JPEG of a prepared set,
    /// DICOM, or the folder of a prepared set.
    #[arg(long, value_name = "DIR")]
    pub images: Option<PathBuf>,

    /// Label table in the competition's layout (`ID,Label`); with --partial-labels also one with a
    /// column of ids (`ID` or `sop`) and one for each label.
    #[arg(long, value_name = "CSV")]
    pub labels: Option<PathBuf>,

    /// Keep images of which only some labels are known: a label without a row or with an empty cell
    /// is not known, and counts neither as there nor as absent. Without it such images are left out.
    #[arg(long)]
    pub partial_labels: bool,

    /// Folder of annotations, `<image id>.png`, 8-bit RGB of the picture's shape: the bits of red are
    /// the labels that are present in a pixel, those of green the labels that are not known there, in
    /// label order from the lowest; blue is 0. May be given more than once.
    #[arg(long, value_name = "DIR")]
    pub annotations: Vec<PathBuf>,

    /// Times an epoch that a training image with annotated pixels is shown, 1 to 100: masks are few
    /// beside images that have labels alone. Boxes, in which a label lies somewhere, do not count.
    #[arg(long, value_name = "TIMES", default_value_t = 1)]
    pub repeat_masked: usize,

    /// Table with the columns ID and weight: how much an image's labels count in the loss, 0 or more;
    /// 1 for images that it does not name.
    #[arg(long, value_name = "CSV")]
    pub label_weights: Option<PathBuf>,

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
    pub split: Option<PathBuf>,

    /// What stays on one side of the split.
    #[arg(long, value_enum, default_value_t = By::Patient)]
    pub split_by: By,

    /// The network's input, of slices whose HU are known: grey (the brain window three times), windows
    /// (brain, subdural, bone), neighbours (three slices in the brain window), both (three slices in
    /// three windows), or a TOML file with `channels`, each a window and an offset. JPEGs of a
    /// prepared set have theirs. Without it grey.
    #[arg(long, value_name = "NAME")]
    pub input: Option<String>,

    /// Network to train; `hemora model summary` lists them.
    #[arg(long, default_value = "efficientnet-lite0")]
    pub network: String,

    /// Weights to start from (safetensors); without it they are drawn at random. A last layer of
    /// another size is left out.
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,

    /// Finished runs of the same images, task and input whose networks teach: their mean prediction of
    /// the same changed images is mixed into the labels. Of a cross-validation the network of the same
    /// fold is taken.
    #[arg(long, value_name = "RUN")]
    pub teacher: Vec<PathBuf>,

    /// The teachers' part of the target, above 0 and up to 1; the labels are the rest.
    #[arg(long, default_value_t = 0.5)]
    pub teacher_weight: f64,

    /// Network of series that is trained with the network, on its features: sequence-features or
    /// sequence-transformer. Batches are then windows of consecutive slices, and its predictions of
    /// whole series are validated. Needs --prepared; without it slices are learned one by one.
    #[arg(long, value_name = "NETWORK")]
    pub series_network: Option<String>,

    /// Most slices of a window, with --series-network; a batch has as many windows as fit into --batch images.
    #[arg(long, default_value_t = 24)]
    pub window: usize,

    /// Units of the recurrent layers of --series-network in each direction; half the channels of the
    /// transformer.
    #[arg(long, default_value_t = 96)]
    pub series_hidden: usize,

    /// Recurrent layers of --series-network, or blocks of the transformer.
    #[arg(long, default_value_t = 2)]
    pub series_layers: usize,

    /// Dropout of whole channels of --series-network; a fifth of it within blocks of the transformer.
    #[arg(long, default_value_t = 0.5)]
    pub series_dropout: f64,

    /// Height and width of the network's input, pixels.
    #[arg(long, default_value_t = 192)]
    pub size: usize,

    /// Height and width at which images are held in memory, pixels.
    #[arg(long, default_value_t = 256)]
    pub working_size: usize,

    /// Read JPEGs of a prepared set when they are used instead of holding all of them in memory.
    #[arg(long)]
    pub from_files: bool,

    /// Passes over the training images.
    #[arg(long, default_value_t = 12)]
    pub epochs: u64,

    /// Optimizer steps instead of epochs; the last epoch is cut short. 0 for none.
    #[arg(long)]
    pub steps: Option<u64>,

    /// Images per batch.
    #[arg(long, default_value_t = 32)]
    pub batch: usize,

    /// Batches of which the gradients are averaged for one step.
    #[arg(long, default_value_t = 1)]
    pub accumulate: usize,

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

    /// What the rate is multiplied with when the schedules `step` and `plateau` lower it.
    #[arg(long, default_value_t = 0.1)]
    pub decay: f64,

    /// Epochs after which the schedule `step` lowers the rate.
    #[arg(long, default_value_t = 4)]
    pub decay_every: u64,

    /// Epochs without a better validation score after which the schedule `plateau` lowers the rate.
    #[arg(long, default_value_t = 3)]
    pub plateau: u64,

    /// Epochs at the highest rate before the schedule `cosine` begins.
    #[arg(long, default_value_t = 0)]
    pub hold: u64,

    /// Epochs after which the schedule `cosine` starts over for the first time; without it, or with 0,
    /// never.
    #[arg(long)]
    pub restart_every: Option<u64>,

    /// How many times longer each such cosine is than the one before.
    #[arg(long, default_value_t = 1)]
    pub restart_growth: u64,

    /// Dropout before the last layer.
    #[arg(long, default_value_t = 0.2)]
    pub dropout: f64,

    /// Validates and keeps a moving average of the weights, of which this part stays at each step; 0
    /// for none.
    #[arg(long)]
    pub ema: Option<f64>,

    /// Bound on the norm of the gradient; 0 for none.
    #[arg(long, default_value_t = 5.0)]
    pub clip: f64,

    /// Exponent of the focal loss (2 in its paper), which takes weight from images that the network
    /// tells apart already; without it, or with 0, the loss is binary cross-entropy.
    #[arg(long)]
    pub focal: Option<f64>,

    /// Weight of positives in the loss: `none` for 1, `balanced` for as many times more as there
    /// are more negatives, or six numbers in label order.
    #[arg(long, default_value = "none")]
    pub class_weights: ClassWeights,

    /// Which images an epoch holds.
    #[arg(long, value_enum, default_value_t = Sampling::Shuffled)]
    pub sampling: Sampling,

    /// Weight of the label `any` in the loss; the subtypes weigh 1.
    #[arg(long, default_value_t = 2.0)]
    pub any_weight: f64,

    /// Fraction of the patients held out for validation.
    #[arg(long, default_value_t = 0.2)]
    pub validation: f64,

    /// Cross-validation with as many folds, whole patients each, instead of one validation part; 0 for
    /// none.
    #[arg(long)]
    pub folds: Option<usize>,

    /// The one fold that is held out, from 1; without it, or with 0, all in turn.
    #[arg(long)]
    pub fold: Option<usize>,

    /// The validation score by which the best weights are chosen, the run stopped and the rate
    /// lowered.
    #[arg(long, value_enum, default_value_t = Monitor::MeanAuroc)]
    pub monitor: Monitor,

    /// Epochs without a better score after which the run stops; without it, or with 0, never.
    #[arg(long)]
    pub patience: Option<u64>,

    /// How much higher a score must be to count as better for `patience` and `plateau`.
    #[arg(long, default_value_t = 0.0)]
    pub least_gain: f64,

    /// What convolutions and linear layers compute in; weights and loss are 32-bit always.
    #[arg(long, value_enum, default_value_t = Precision::F32)]
    pub precision: Precision,

    /// How images and weights lie in memory; channels-last is faster.
    #[arg(long, value_enum, default_value_t = Layout::ChannelsLast)]
    pub layout: Layout,

    /// Only operations that give the same bits every time, which some of a GPU's do not; slower.
    #[arg(long)]
    pub deterministic: bool,

    /// How training images are changed: default, winner (as the competition's winner did), none, or a
    /// TOML file of ranges and probabilities that go before those of the preset that its key `base`
    /// names, else before those of default. Its section `[blend]` blends bleeds of other slices into
    /// slices without any, and `[draw]` draws bleeds into them.
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub augment: String,

    /// Seed of the split, the weights, the order and the augmentation.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,

    /// Threads for loading and for libtorch, at most one per core; without it, or with 0, one per core.
    #[arg(long)]
    pub threads: Option<usize>,

    /// Folder of the run: config, metrics, checkpoints, predictions. A run that was stopped goes
    /// on from its last checkpoint.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// Forget what the folder holds and start over.
    #[arg(long)]
    #[serde(skip)]
    pub restart: bool,

    /// How progress is shown.
    #[arg(long, value_enum, default_value_t = Show::Auto)]
    #[serde(skip)]
    pub progress: Show,
}

impl Default for RunConfig {
    /// What no flag and no file says otherwise.
    fn default() -> Self {
        #[derive(Parser)]
        struct Nothing {
            #[command(flatten)]
            config: RunConfig,
        }
        Nothing::parse_from(["hemora-train"]).config
    }
}
