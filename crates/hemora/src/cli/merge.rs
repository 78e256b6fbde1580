//! The flags of `hemora merge`.

use std::path::PathBuf;

use clap::Args;

/// Flags of `hemora merge`.
#[derive(Debug, Args)]
#[command(after_help = MERGE_HELP)]
pub struct MergeArgs {
    /// Folders of the shares of one job, or s3://BUCKET/PREFIX
    #[arg(required = true, value_name = "DIR")]
    pub folders: Vec<PathBuf>,

    /// Folder for what the shares make together, or s3://BUCKET/PREFIX
    #[arg(long, short, value_name = "DIR")]
    pub out: PathBuf,

    /// Print JSON to standard output instead of text
    #[arg(long)]
    pub json: bool,
}

const MERGE_HELP: &str = "Examples:
  hemora index archive/ -o set.parquet
  hemora triage --index set.parquet --shard 1/2 --out shares     on one machine
  hemora triage --index set.parquet --shard 2/2 --out shares     on another
  hemora merge shares --out result

All shares must be there, whole, and of one job: index, model, options and version of the program. Of triage,
writes studies.parquet (the most suspicious first), slices.parquet, skipped.parquet, worklist.csv (the first
1,000 studies), report.html (the pictured studies) and merged.json.

Exit codes: 0 every image was read, 1 shares are missing or not of one job, or an error, 2 wrong flags, 3 some
images failed (skipped.parquet names them).

For research use only: not for diagnosis.";
