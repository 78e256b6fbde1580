//! The flags of `hemora index` and `hemora prepare`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Flags of `hemora index`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = INDEX_HELP)]
pub struct IndexArgs {
    /// What else to do.
    #[command(subcommand)]
    pub command: Option<IndexCommand>,

    /// DICOM files, NIfTI volumes, folders or zip archives, in any order
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// The index to write, or to bring up to date
    #[arg(long, short, required = true, value_name = "PARQUET")]
    pub out: Option<PathBuf>,

    /// Label table of the competition (ID,Label); may be given several times
    #[arg(long, value_name = "CSV")]
    pub labels: Vec<PathBuf>,

    /// Write every failed, repeated or missing image to this file, not only the first ones
    #[arg(long, value_name = "FILE")]
    pub problems: Option<PathBuf>,

    /// Threads; 0 for one per core
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub threads: usize,
}

const INDEX_HELP: &str = "Examples:
  hemora index stage_2_train/ --labels stage_2_train.csv -o set.parquet
  hemora index stats set.parquet --page set.html
  hemora index split set.parquet --folds 5

Run again, it brings the index up to date: files with the same size and time are not opened. A run
that was killed goes on where it was.

Exit codes: 0 every image was read, 1 an error, 2 wrong flags, 3 some images cannot be used (they
are in the index with their reason).";

/// What can be done with indices.
#[derive(Debug, Subcommand)]
pub enum IndexCommand {
    /// Count slices, studies, patients, classes, windows, intercepts and spacing
    Stats(StatsArgs),
    /// Give every labelled slice its part of a split, which sets prepared later share
    Split(SplitArgs),
}

/// Flags of `hemora index split`.
#[derive(Debug, Args)]
pub struct SplitArgs {
    /// The index, whose column `split` is written
    #[arg(value_name = "PARQUET")]
    pub index: PathBuf,

    /// How it is split.
    #[command(flatten)]
    pub rule: SplitRuleArgs,

    /// Seed of the split
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
}

/// Into what a set is split, and by what.
#[derive(Debug, Args)]
pub struct SplitRuleArgs {
    /// Part of the images for validation [default: 0.15]
    #[arg(long, value_name = "PART")]
    pub validation: Option<f64>,

    /// Part of the images for the test [default: 0.15]
    #[arg(long, value_name = "PART")]
    pub test: Option<f64>,

    /// Split into so many folds instead
    #[arg(long, value_name = "K", conflicts_with_all = ["validation", "test"])]
    pub folds: Option<usize>,

    /// What stays on one side: patient, or image (figures are then too good) [default: patient]
    #[arg(long, value_name = "WHAT", value_parser = ["patient", "image"])]
    pub split_by: Option<String>,
}

/// Flags of `hemora index stats`.
#[derive(Debug, Args)]
pub struct StatsArgs {
    /// An index (.parquet) or a label table (.csv)
    pub set: PathBuf,

    /// Draw the counts as one HTML page
    #[arg(long, value_name = "HTML")]
    pub page: Option<PathBuf>,
}

/// Flags of `hemora prepare`.
#[derive(Debug, Args)]
#[command(after_help = PREPARE_HELP)]
pub struct PrepareArgs {
    /// The index that `hemora index` wrote
    #[arg(value_name = "PARQUET")]
    pub index: PathBuf,

    /// Folder of the prepared set; made if it is not there
    #[arg(long, short, value_name = "DIR")]
    pub out: PathBuf,

    /// howard, howard-100-254, winner, winner-neighbours, hu, or a TOML file
    #[arg(long, value_name = "NAME")]
    pub recipe: String,

    /// Fewest hemorrhage types of a positive slice, 0 to 5
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub min_types: usize,

    /// Slices without hemorrhage: all, a number (20000), or so many for each positive one (1.5x)
    #[arg(long, default_value = "all", value_name = "HOW MANY")]
    pub negatives: String,

    /// How it is split; without any of these flags as the index is, if it is.
    #[command(flatten)]
    pub rule: SplitRuleArgs,

    /// Seed of sample, split and frequency bins
    #[arg(long, default_value_t = 0)]
    pub seed: u64,

    /// Threads; 0 for one per core. The bytes are the same for any number
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub threads: usize,
}

const PREPARE_HELP: &str = "Examples:
  hemora prepare set.parquet -o howard --recipe howard --min-types 3 --negatives 20000
  hemora prepare set.parquet -o hu --recipe hu --folds 5
  hemora index split set.parquet && hemora prepare set.parquet -o winner --recipe winner
  hemora train run --prepared hu --input neighbours --out runs/first

Of an index that `hemora index split` has split, its split is taken unless flags ask for another.

Writes images/ (or shards/), labels.csv, splits.csv, skipped.csv, recipe.toml and set.toml. A run
that was killed goes on where it was and gives the same bytes.";
