//! `hemora-train`: the training program, which `hemora train` starts.

use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use hemora_base::ExitStatus;
use hemora_train::TrainError;
use hemora_train::config::{Settings, commented};
use hemora_train::gather::{GatherError, GatherOptions, gather};
use hemora_train::series::{self, SequenceConfig, SequenceTime};
use hemora_train::training::{
    self, PointingOptions, PredictOptions, RateRange, allocator, find_rate, memory, point_run,
    predict_run,
};

/// Trains Hemora's networks on libtorch. For research use.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Trains a network on labelled slices, or with --series-network on windows of slices together with one that
    /// reads whole series; goes on where an earlier run of the folder stopped.
    Run(Box<Settings>),
    /// Writes what the models of a run on a prepared set predict of the images that they did not see:
    /// probabilities and pooled features of every slice.
    Predict(PredictOptions),
    /// Judges the maps of a run's network by the annotations of the images that it did not see: how often
    /// a map's maximum lies in the bleed.
    Pointing(PointingOptions),
    /// Times a few steps on random images, for a plan of what a run will take, and prints JSON.
    Time(Box<Settings>),
    /// Takes steps with a growing learning rate and suggests one, with a page of the curve.
    FindRate(Box<Search>),
    /// Trains a network that reads whole series, on what a network of single slices predicted of them.
    Sequence(Box<SequenceConfig>),
    /// Times a few steps of a network that reads whole series, on random slices, and prints JSON.
    TimeSequence(Box<SequenceTime>),
    /// Joins public sets of head CT into one folder to train on: pictures in the brain window, labels of
    /// which some may not be known, annotations of pixels, patients.
    Gather(GatherOptions),
    /// Prints a config file with every setting, what it means and its default.
    Config(Box<Settings>),
}

#[derive(Debug, Args)]
struct Search {
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    range: RateRange,
}

const EXAMPLES: &str = "Examples:
  hemora-train run --images png --labels png_labels.csv --out runs/first
  hemora-train run --images png --labels png_labels.csv --out runs/lite \\
      --weights efficientnet_lite0_imagenet.safetensors --size 192 --epochs 12
  hemora-train run --prepared set --config winner --out runs/stage1
  hemora-train predict runs/stage1 --views ten --out out
  hemora-train pointing runs/dense --drawn 200
  hemora-train sequence --slices out/slices.parquet --features out \\
      --out runs/features
  hemora-train run --prepared set --input neighbours --series-network sequence-features --batch 48 \\
      --out runs/joint
  hemora-train config --optimizer adadelta-keras > seed.toml
  hemora-train run --config seed.toml --out runs/seed";

fn main() -> ExitCode {
    allocator::keep_large_blocks();
    memory::quiet_panics();
    match start() {
        Ok(()) => ExitStatus::Success.into(),
        Err(failure) => {
            eprintln!("{:?}", failure.report);
            failure.status.into()
        }
    }
}

/// An error as it is printed, and how the program ends with it.
struct Failure {
    status: ExitStatus,
    report: miette::Report,
}

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Self {
        Self { status: error.exit_status(), report: miette::Report::msg(error.to_string()) }
    }
}

impl From<GatherError> for Failure {
    fn from(error: GatherError) -> Self {
        Self { status: ExitStatus::Failed, report: miette::Report::msg(error.to_string()) }
    }
}

fn start() -> Result<(), Failure> {
    let matches = Cli::command().get_matches();
    let command = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()).command;
    // Which flags were given and which are defaults, the matches know alone.
    let given = matches.subcommand().expect("clap asks for one").1;
    let resolved = |settings: Settings| settings.resolve(given).map_err(TrainError::from);
    match command {
        Command::Run(settings) => training::run(&resolved(*settings)?)?,
        Command::Time(settings) => training::time(&resolved(*settings)?)?,
        Command::Predict(options) => predict_run(&options)?,
        Command::Pointing(options) => point_run(&options)?,
        Command::FindRate(search) => find_rate(&resolved(search.settings)?, &search.range)?,
        Command::Sequence(config) => series::run(&config)?,
        Command::TimeSequence(asked) => series::time(&asked)?,
        Command::Gather(options) => gather(&options)?,
        Command::Config(settings) => print!("{}", commented(&resolved(*settings)?)),
    }
    Ok(())
}
