//! The flags of every command.

mod cases;
mod data;
mod evaluate;
mod recipe;
mod study;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use hemora_infer::EngineKind;
use hemora_io::PictureWindow;

pub use data::{IndexArgs, IndexCommand, PrepareArgs, SplitArgs, SplitRuleArgs, StatsArgs};

use crate::command::ensemble::{EnsembleBundleArgs, EnsembleFitArgs};
pub use cases::CaseArgs;
pub use evaluate::{CalibrateArgs, CompareArgs, EvaluateArgs};
pub use recipe::RecipeArgs;
pub use study::{StudyArgs, StudyPreset};

/// Finds intracranial hemorrhage in non-contrast head CT. For research use only.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Score DICOM studies and write a result, a table and a report
    Triage(Box<TriageArgs>),
    /// Make two phantom studies, triage them and show where the report is
    Demo(DemoArgs),
    /// Write a data set of phantom studies in the competition's layout
    Synth(SynthArgs),
    /// Index CT images and their labels, and count what an index holds
    Index(IndexArgs),
    /// Prepare a data set for training from an index
    Prepare(PrepareArgs),
    /// Train a network: starts hemora-train with the same arguments
    #[command(disable_help_flag = true)]
    Train(TrainArgs),
    /// Run the seed study: three networks, three subsets, from images to a results page
    Study(Box<StudyArgs>),
    /// Run a whole recipe, from a data set to a bundle and a submission
    Recipe(Box<RecipeArgs>),
    /// Measure predictions against labels: a page, a table and metrics.json
    Evaluate(Box<EvaluateArgs>),
    /// Show several evaluations side by side
    Compare(CompareArgs),
    /// Fit a calibration and choose operating points on validation predictions
    Calibrate(Box<CalibrateArgs>),
    /// Several models as one: weights from out-of-fold predictions, and one bundle of all
    Ensemble {
        /// What to do.
        #[command(subcommand)]
        command: EnsembleCommand,
    },
    /// Networks and model bundles
    Model {
        /// What to do.
        #[command(subcommand)]
        command: ModelCommand,
    },
}

/// What can be done with several models.
#[derive(Debug, Subcommand)]
pub enum EnsembleCommand {
    /// Fit weights, and boosted trees if asked for, on out-of-fold predictions
    Fit(EnsembleFitArgs),
    /// Make one bundle of several
    Bundle(Box<EnsembleBundleArgs>),
}

/// What can be done with models.
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Print the layers and parameter counts of a network
    Summary(SummaryArgs),
    /// Print what a model bundle says of itself
    Inspect(InspectArgs),
    /// Bring weights of timm or torchvision (safetensors) into the names and shapes of a network here,
    /// to start a training from
    Import(ImportArgs),
    /// Average the weights of networks that began alike and were trained apart, into one network
    Average(AverageArgs),
    /// Make a bundle of trained weights: ONNX network, description and card
    Bundle(BundleArgs),
}

/// Flags that choose model and engine.
#[derive(Debug, Clone, Default, Args)]
pub struct EngineArgs {
    /// Model bundle (.hemora), or an ONNX model with its description beside it [default: built in]
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,

    /// Engine: auto, tract (built in) or onnxruntime (its library is looked for at
    /// HEMORA_ONNXRUNTIME and ORT_DYLIB_PATH)
    #[arg(long, default_value_t, value_name = "NAME")]
    pub engine: EngineKind,

    /// Threads; 0 for one per core
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub threads: usize,
}

/// Flags of `hemora triage`.
#[derive(Debug, Args)]
#[command(after_help = TRIAGE_HELP)]
pub struct TriageArgs {
    /// DICOM files, NIfTI volumes, pictures, folders or zip archives, in any order
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Window that PNG and JPEG pictures were made with, in HU; without it they are not used
    #[arg(long, value_name = "LEVEL/WIDTH")]
    pub window: Option<PictureWindow>,

    /// Folder for result.json, result.csv and report.html; made if it is not there
    #[arg(long, short, default_value = "hemora-triage", value_name = "DIR")]
    pub out: PathBuf,

    /// Print result.json to standard output instead of the worklist
    #[arg(long)]
    pub json: bool,

    /// Slices shown per study in the report
    #[arg(long, default_value_t = 3, value_name = "N")]
    pub key_slices: usize,

    /// Studies, most suspicious first, whose slices are shown in the report
    #[arg(long, default_value_t = 50, value_name = "N")]
    pub pictured_studies: usize,

    /// Score every axial series of a study, not only the one that is chosen
    #[arg(long)]
    pub all_series: bool,

    /// Write the seconds of each phase to this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub timings: Option<PathBuf>,

    /// Model and engine.
    #[command(flatten)]
    pub engine: EngineArgs,
}

const TRIAGE_HELP: &str = "Examples:
  hemora triage study/                      one study, results in hemora-triage/
  hemora triage a.zip b/ c.dcm --out today  several, in any order
  hemora triage study/ --json | jq '.studies[0].probabilities'
  hemora triage head.nii.gz                 a NIfTI volume
  hemora triage slices/ --window 40/80      PNG or JPEG pictures of a brain window
  hemora triage study/ --engine onnxruntime

Exit codes: 0 every file was read, 1 nothing could be used or an error, 2 wrong flags, 3 some
files failed (they are named in the result) and the rest was scored.

For research use only: not for diagnosis.";

/// Flags of `hemora demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Folder for the phantom's DICOM files and the results
    #[arg(long, short, default_value = "hemora-demo", value_name = "DIR")]
    pub out: PathBuf,

    /// Seed of the phantoms
    #[arg(long, default_value_t = 7)]
    pub seed: u64,

    /// Model and engine.
    #[command(flatten)]
    pub engine: EngineArgs,
}

/// Flags of `hemora synth`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hemora synth phantoms --patients 26 --seed 1000 --size 256
  hemora synth thin --patients 2 --slice-spacing 0.6")]
pub struct SynthArgs {
    /// Folder to write: stage_2_train/ and stage_2_train.csv
    #[arg(value_name = "DIR")]
    pub out: PathBuf,

    /// Number of patients, one study each
    #[arg(long, default_value_t = 10)]
    pub patients: usize,

    /// Seed
    #[arg(long, default_value_t = 0)]
    pub seed: u64,

    /// Rows and columns of the images
    #[arg(long, default_value_t = 512)]
    pub size: usize,

    /// Distance from slice to slice, mm, 0.1 to 20
    #[arg(long, default_value_t = 5.0, value_name = "MM")]
    pub slice_spacing: f64,

    /// How much of the head one slice averages, mm, 0.1 to 20 [default: the slice spacing]
    #[arg(long, value_name = "MM")]
    pub slice_thickness: Option<f64>,
}

/// Flags of `hemora train`: all of hemora-train's.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// Arguments of hemora-train
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<std::ffi::OsString>,
}

/// Flags of `hemora model summary`.
#[derive(Debug, Args)]
pub struct SummaryArgs {
    /// Network, for instance densenet121; an unknown name lists them all
    pub network: String,

    /// Height and width of the input, pixels
    #[arg(long, default_value_t = 256)]
    pub size: usize,

    /// Values of each slice, of a network that reads whole series [default: 1024 features, 1025 with a
    /// place, or 36 of probabilities]
    #[arg(long)]
    pub columns: Option<usize>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Flags of `hemora model import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Weights of timm or torchvision, safetensors
    pub weights: PathBuf,

    /// Network here, for instance densenet121
    #[arg(long)]
    pub network: String,

    /// File to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,

    /// Channels of the input; of other than three the first layer is made of theirs as timm does
    #[arg(long, default_value_t = 3)]
    pub channels: usize,
}

/// Flags of `hemora model average`.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  hemora model average runs/first/model.safetensors runs/second/model.safetensors --out mean.safetensors
  hemora model bundle mean.safetensors --about about.toml --out mean.hemora

The mean is a network of the same size and speed. It says something of use only where its parts
started from the same weights, such as ImageNet's, and its figures are its own: evaluate it.")]
pub struct AverageArgs {
    /// Weights that hemora-train wrote (model.safetensors), of one network, task and input
    #[arg(required = true, num_args = 2.., value_name = "WEIGHTS")]
    pub weights: Vec<PathBuf>,

    /// File to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// Flags of `hemora model inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The bundle [default: the built-in one]
    pub model: Option<PathBuf>,

    /// Print model.json instead of the card
    #[arg(long)]
    pub json: bool,
}

/// Flags of `hemora model bundle`.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  hemora model bundle runs/lite/model.safetensors --about models/default.toml \\
      --out models/default.hemora")]
pub struct BundleArgs {
    /// Weights that hemora-train wrote (model.safetensors of a run)
    pub weights: PathBuf,

    /// Name, version, licence, intended use and training data, as TOML
    #[arg(long, value_name = "TOML")]
    pub about: PathBuf,

    /// Views of each input that triage averages: one, flip (left to right too), or ten (both, whole
    /// and cut to each corner); each costs as much as the first [default: those that its networks of
    /// series were trained on, else one]
    #[arg(long, value_parser = hemora_ct::Views::NAMES)]
    pub views: Option<String>,

    /// Calibration and operating points that `hemora calibrate` wrote
    #[arg(long, value_name = "JSON")]
    pub calibration: Option<PathBuf>,

    /// Evaluation for the card and its figures: a folder of `hemora evaluate`, or its metrics.json;
    /// may be repeated
    #[arg(long, value_name = "RUN")]
    pub evaluation: Vec<PathBuf>,

    /// Run of `hemora-train sequence` whose networks read whole series after this one: one, or one on
    /// features and then one on probabilities
    #[arg(long, value_name = "RUN")]
    pub series: Vec<PathBuf>,

    /// Of networks of series on probabilities take that of the weights' fold alone, not all folds', as a
    /// member of an ensemble of folds should
    #[arg(long)]
    pub own_fold: bool,

    /// The bundle to write
    #[arg(long, short, value_name = "FILE")]
    pub out: PathBuf,
}
