//! The flags of every command.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use hemora_infer::EngineKind;

use crate::command::calibrate::CalibrateArgs;
use crate::command::compare::CompareArgs;
use crate::command::evaluate::EvaluateArgs;

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
    Triage(TriageArgs),
    /// Make two phantom studies, triage them and show where the report is
    Demo(DemoArgs),
    /// Write a data set of phantom studies in the competition's layout
    Synth(SynthArgs),
    /// Train a network: starts hemora-train with the same arguments
    #[command(disable_help_flag = true)]
    Train(TrainArgs),
    /// Measure predictions against labels: a page, a table and metrics.json
    Evaluate(Box<EvaluateArgs>),
    /// Show several evaluations side by side
    Compare(CompareArgs),
    /// Fit a calibration and choose operating points on validation predictions
    Calibrate(Box<CalibrateArgs>),
    /// Networks and model bundles
    Model {
        /// What to do.
        #[command(subcommand)]
        command: ModelCommand,
    },
}

/// What can be done with models.
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Print the layers and parameter counts of a network
    Summary(SummaryArgs),
    /// Print what a model bundle says of itself
    Inspect(InspectArgs),
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
    /// DICOM files, folders or zip archives, in any order
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,

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
#[command(after_help = "Example:
  hemora synth phantoms --patients 26 --seed 1000 --size 256")]
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
    /// Network: simple-nn, deep-cnn, resnet50 or efficientnet-lite0
    pub network: String,

    /// Height and width of the input, pixels
    #[arg(long, default_value_t = 256)]
    pub size: usize,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
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

    /// The bundle to write
    #[arg(long, short, value_name = "FILE")]
    pub out: PathBuf,
}
