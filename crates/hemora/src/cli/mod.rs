//! The commands and their flags; a file for each group of commands.

mod bundle;
mod cases;
mod data;
mod doctor;
mod evaluate;
mod manual;
mod merge;
mod model;
mod recipe;
mod serve;
mod shared;
mod study;
mod train;
mod triage;
#[cfg(test)]
mod vocabulary;

use clap::{Parser, Subcommand};

pub use bundle::{BundleArgs, EnsembleBundleArgs, EnsembleFitArgs};
pub use data::{IndexArgs, IndexCommand, PrepareArgs, SplitArgs, StatsArgs, SynthArgs};
pub use doctor::DoctorArgs;
pub use manual::ManualArgs;
pub use merge::MergeArgs;
pub use model::{AverageArgs, HalveArgs, ImportArgs, InspectArgs, SummaryArgs};
pub use shared::{EngineArgs, ShardArgs, StepArgs, ThreadArgs};
pub use train::TrainArgs;
pub use triage::{DemoArgs, TriageArgs};

pub use cases::CaseArgs;
pub use evaluate::{CalibrateArgs, CompareArgs, EvaluateArgs};
pub use recipe::RecipeArgs;
pub use serve::{
    AuditCommand, BackupArgs, DataFolder, ForgetArgs, Log, RestoreArgs, ServeArgs, ServeCommand,
    VerifyArgs,
};
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
    /// Run a node beside the PACS: receive studies, score, rank and answer
    Serve(Box<ServeArgs>),
    /// Make two phantom studies, triage them and show where the report is
    Demo(DemoArgs),
    /// Say what triage would find on this machine: engines, model, memory, disk, and what would make it
    /// faster
    Doctor(DoctorArgs),
    /// Write a data set of phantom studies in the competition's layout
    Synth(SynthArgs),
    /// Index CT images and their labels, and count what an index holds
    Index(IndexArgs),
    /// Join the shares that several processes or machines made of one job
    Merge(MergeArgs),
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
    /// Write man pages, and completions of bash, zsh and fish
    Manual(ManualArgs),
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
    /// Print the card of a model bundle
    Inspect(InspectArgs),
    /// Bring weights of timm or torchvision (safetensors) into the names and shapes of a network here,
    /// to start a training from
    Import(ImportArgs),
    /// Average the weights of networks that began alike and were trained apart, into one network
    Average(AverageArgs),
    /// Make a bundle of trained weights: ONNX network, description and card
    Bundle(Box<BundleArgs>),
    /// Store a bundle's large weights in 16 bits: half of the size, the same speed
    Halve(HalveArgs),
}
