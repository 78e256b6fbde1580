//! The flags of `hemora merge`.

use std::path::PathBuf;

use clap::Args;

/// Flags of `hemora merge`.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct MergeArgs {
    /// Folders with the shares of one job, also s3://BUCKET/PREFIX
    #[arg(required = true, value_name = "DIR")]
    pub shares: Vec<PathBuf>,

    /// What one run over everything would have written: of `hemora index` the index, of `hemora triage
    /// --index` a folder; both also s3://
    #[arg(long, short, value_name = "PATH")]
    pub out: PathBuf,

    /// Write every failed, repeated or missing image to this file, not only the first ones
    #[arg(long, value_name = "FILE")]
    pub problems: Option<PathBuf>,

    /// Print JSON to standard output instead of text
    #[arg(long)]
    pub json: bool,
}

const HELP: &str = "Examples:
  hemora index /archive --labels labels.csv --shard 1/2 -o shares/
  hemora index /archive --labels labels.csv --shard 2/2 -o shares/
  hemora merge shares/ -o set.parquet
  hemora triage --index set.parquet --shard 1/2 -o triaged/
  hemora triage --index set.parquet --shard 2/2 -o triaged/
  hemora merge triaged/ -o result/
  hemora merge s3://results/shares -o s3://results/set.parquet

All shares must be there, whole and of one job; those that are not are named. An index has the
same bytes as if one run had made it. Of triage, the folder gets studies.parquet (the most
suspicious first), slices.parquet, skipped.parquet, worklist.csv (the first 1,000 studies),
report.html (the pictured studies) and merged.json, whatever the number of shares.

Exit codes: 0 every image was read, 1 an error, 2 wrong flags, 3 some images cannot be used (they
are in the index, or in skipped.parquet, with their reason).

For research use only: not for diagnosis.";
