//! The flags of `hemora triage` and `hemora demo`.

use std::path::PathBuf;

use clap::Args;
use hemora_io::PictureWindow;

use super::{EngineArgs, ShardArgs};

/// Flags of `hemora triage`.
#[derive(Debug, Args)]
#[command(after_help = TRIAGE_HELP)]
pub struct TriageArgs {
    /// DICOM files, NIfTI volumes, pictures, folders, zip or tar archives, s3:// URLs, in any order
    #[arg(required_unless_present = "index", value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Score the studies of this index of `hemora index` (also s3://) instead: DIR gets the tables of a share,
    /// of which `hemora merge` makes the result
    #[arg(long, value_name = "PARQUET", conflicts_with_all = ["paths", "window", "maps", "timings"])]
    pub index: Option<PathBuf>,

    /// Which share of the index.
    #[command(flatten)]
    pub shard: ShardArgs,

    /// Window that PNG and JPEG pictures were made with, in HU; without it they are not used
    #[arg(long, value_name = "LEVEL/WIDTH")]
    pub window: Option<PictureWindow>,

    /// Folder for result.json, result.csv and report.html, or for a share's tables (also s3://BUCKET/PREFIX);
    /// made if it is not there
    #[arg(long, short, default_value = "hemora-triage", value_name = "DIR")]
    pub out: PathBuf,

    /// Print JSON to standard output instead of text
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

    /// Folder for volumes of where the networks see each label, STUDY/SERIES-LABEL.nii.gz, to lay over the
    /// images; of models that were trained to say where bleeds are
    #[arg(long, value_name = "DIR")]
    pub maps: Option<PathBuf>,

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
  hemora triage study/ --maps maps          NIfTI volumes of where bleeds are
  hemora triage --index set.parquet --shard 3/8 --out shares

A share that was killed goes on where it was; one that is done is left as it is.

Exit codes: 0 every file was read, 1 nothing could be used or an error, 2 wrong flags, 3 some
files failed (they are named in the result) and the rest was scored.

For research use only: not for diagnosis.";

/// Flags of `hemora demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Folder for the phantom's DICOM files and the results
    #[arg(long, short, default_value = "hemora-demo", value_name = "DIR")]
    pub out: PathBuf,

    /// Seed of what is drawn at random
    #[arg(long, default_value_t = 7, value_name = "N")]
    pub seed: u64,

    /// Model and engine.
    #[command(flatten)]
    pub engine: EngineArgs,
}
