//! The flags of the commands that make data sets: `hemora synth`, `index` and `prepare`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hemora_data::{Negatives, SplitBy, SplitInto, SplitRule};

use super::{ShardArgs, ThreadArgs};

/// Part of the images for validation, and for the test.
const DEFAULT_PART: f64 = 0.15;

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
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub patients: usize,

    /// Seed of what is drawn at random
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub seed: u64,

    /// Height and width of the images, pixels
    #[arg(long, default_value_t = 512, value_name = "PIXELS")]
    pub size: usize,

    /// Distance from slice to slice, mm, 0.1 to 20
    #[arg(long, default_value_t = 5.0, value_name = "MM")]
    pub slice_spacing: f64,

    /// How much of the head one slice averages, mm, 0.1 to 20 [default: the slice spacing]
    #[arg(long, value_name = "MM")]
    pub slice_thickness: Option<f64>,
}

/// Flags of `hemora index`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = INDEX_HELP)]
pub struct IndexArgs {
    /// What else to do.
    #[command(subcommand)]
    pub command: Option<IndexCommand>,

    /// DICOM files, NIfTI volumes, folders, zip or tar archives, s3:// URLs, in any order
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// The index to write, or to bring up to date; with --shard the folder of the shares; both also s3://
    #[arg(long, short, required = true, value_name = "PARQUET")]
    pub out: Option<PathBuf>,

    /// The share.
    #[command(flatten)]
    pub shard: ShardArgs,

    /// Label table of the competition (ID,Label); may be given several times
    #[arg(long, value_name = "CSV")]
    pub labels: Vec<PathBuf>,

    /// Write every failed, repeated or missing image to this file, not only the first ones
    #[arg(long, value_name = "FILE")]
    pub problems: Option<PathBuf>,

    /// Threads.
    #[command(flatten)]
    pub threads: ThreadArgs,
}

const INDEX_HELP: &str = "Examples:
  hemora index stage_2_train/ --labels stage_2_train.csv -o set.parquet
  hemora index stats set.parquet --page set.html
  hemora index split set.parquet --folds 5
  hemora index /archive --labels labels.csv --shard 3/8 -o shares/
  hemora merge shares/ -o set.parquet
  hemora index s3://scans/2024/ --shard 3/8 -o s3://results/shares

Run again, it brings the index up to date: files with the same size and time are not opened. A run
that was killed goes on where it was.

With --shard, for processes or machines that share the work, each file is in one share, by a hash
of its absolute path, and an archive with all of its entries: all need the same paths.

Exit codes: 0 every image was read, 1 an error, 2 wrong flags, 3 some images cannot be used (they
are in the index with their reason).";

const SPLIT_HELP: &str = "All of a patient, study or series stay in one part, and patients who share a picture too. Slices
of one folder without PatientID and UIDs of study and series count as one group.";

/// What can be done with indices.
#[derive(Debug, Subcommand)]
pub enum IndexCommand {
    /// Count slices, studies, patients, classes, windows, intercepts and spacing
    Stats(StatsArgs),
    /// Give every labelled slice its part of a split, which sets prepared later share
    #[command(after_help = SPLIT_HELP)]
    Split(SplitArgs),
}

/// Flags of `hemora index split`.
#[derive(Debug, Args)]
pub struct SplitArgs {
    /// The index, whose column `split` is written; also s3://
    #[arg(value_name = "PARQUET")]
    pub index: PathBuf,

    /// How it is split.
    #[command(flatten)]
    pub rule: SplitRuleArgs,

    /// Seed of what is drawn at random
    #[arg(long, default_value_t = 0, value_name = "N")]
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

impl SplitRuleArgs {
    /// Whether no flag asks for a split.
    pub fn is_empty(&self) -> bool {
        let Self { validation, test, folds, split_by } = self;
        validation.is_none() && test.is_none() && folds.is_none() && split_by.is_none()
    }

    /// The split that the flags ask for, with what is usual where they do not.
    pub fn rule(&self, seed: u64) -> SplitRule {
        let part = |part: Option<f64>| part.unwrap_or(DEFAULT_PART);
        let (validation, test) = (part(self.validation), part(self.test));
        SplitRule {
            into: self.folds.map_or(SplitInto::Parts { validation, test }, SplitInto::Folds),
            by: match self.split_by.as_deref() {
                Some("image") => SplitBy::Image,
                _ => SplitBy::Patient,
            },
            seed,
        }
    }
}

/// Flags of `hemora index stats`.
#[derive(Debug, Args)]
pub struct StatsArgs {
    /// An index (.parquet) or a label table (.csv), also s3://
    pub set: PathBuf,

    /// Draw the counts as one HTML page
    #[arg(long, value_name = "HTML")]
    pub page: Option<PathBuf>,
}

/// Flags of `hemora prepare`.
#[derive(Debug, Args)]
#[command(after_help = PREPARE_HELP)]
pub struct PrepareArgs {
    /// The index that `hemora index` wrote, also s3://
    #[arg(value_name = "PARQUET")]
    pub index: PathBuf,

    /// Folder of the prepared set, also s3://BUCKET/PREFIX; made if it is not there
    #[arg(long, short, value_name = "DIR")]
    pub out: PathBuf,

    /// The share.
    #[command(flatten)]
    pub shard: ShardArgs,

    /// howard, howard-100-254, winner, winner-neighbours, hu, or a TOML file
    #[arg(long, value_name = "NAME")]
    pub recipe: String,

    /// Fewest hemorrhage types of a positive slice, 0 to 5
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub min_types: usize,

    /// Slices without hemorrhage: all, a number (20000), or so many for each positive one (1.5x)
    #[arg(long, default_value = "all", value_name = "HOW MANY", value_parser = negatives)]
    pub negatives: Negatives,

    /// How it is split; without any of these flags as the index is, if it is.
    #[command(flatten)]
    pub rule: SplitRuleArgs,

    /// Seed of what is drawn at random
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub seed: u64,

    /// Threads.
    #[command(flatten)]
    pub threads: ThreadArgs,
}

const PREPARE_HELP: &str = "Examples:
  hemora prepare set.parquet -o howard --recipe howard --min-types 3 --negatives 20000
  hemora prepare set.parquet -o hu --recipe hu --folds 5
  hemora index split set.parquet && hemora prepare set.parquet -o winner --recipe winner
  hemora train run --prepared hu --input neighbours --out runs/first

Of an index that `hemora index split` has split, its split is taken unless flags ask for another.

Writes images/ (or shards/), labels.csv, splits.csv, skipped.csv, recipe.toml and set.toml. A run
that was killed goes on where it was and gives the same bytes, whatever the number of threads.

With --shard, for processes or machines that share the work, each share makes the images of its
studies (of a set in shards: its shards) in the same folder; then the command without --shard
writes the tables, and makes what a share did not:
  hemora prepare set.parquet -o hu --recipe hu --shard 3/8
  hemora prepare set.parquet -o hu --recipe hu

A set is trained on from a disk: of one in object storage make a copy first, such as with
`aws s3 cp --recursive s3://BUCKET/PREFIX hu`.";

/// `all`, a number, or a number for each positive slice.
fn negatives(text: &str) -> Result<Negatives, String> {
    let number = match text.strip_suffix('x') {
        _ if text == "all" => Some(Negatives::All),
        Some(ratio) => ratio.parse().ok().map(Negatives::Ratio),
        None => text.parse().ok().map(Negatives::Count),
    };
    number.ok_or_else(|| {
        "expected `all`, a number such as `20000`, or `1.5x` for 1.5 slices for each positive one"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negatives_are_a_number_or_a_ratio() {
        assert_eq!(negatives("all"), Ok(Negatives::All));
        assert_eq!(negatives("20000"), Ok(Negatives::Count(20000)));
        assert_eq!(negatives("1.5x"), Ok(Negatives::Ratio(1.5)));
        assert!(negatives("1.5").is_err() && negatives("many").is_err());
    }
}
