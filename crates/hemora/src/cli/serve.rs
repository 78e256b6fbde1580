//! The flags of `hemora serve`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Flags of `hemora serve`.
#[derive(Debug, Args)]
#[command(after_help = SERVE_HELP, args_conflicts_with_subcommands = true)]
pub struct ServeArgs {
    /// What to do with a data folder instead of running a node on it.
    #[command(subcommand)]
    pub command: Option<ServeCommand>,

    /// Which data folder.
    #[command(flatten)]
    pub folder: DataFolder,

    /// Print this configuration with every default, call every destination, and stop
    #[arg(long, value_name = "FILE", conflicts_with_all = ["config", "data"])]
    pub check: Option<PathBuf>,

    /// Lines of the log
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub log: Log,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Log {
    /// For people
    #[default]
    Text,
    /// A JSON object a line
    Json,
}

/// What can be done with a data folder.
#[derive(Debug, Subcommand)]
pub enum ServeCommand {
    /// Remove all images and results of a patient; the audit notes that it was done
    Forget(ForgetArgs),
    /// Write a backup of the database, while the node runs or not
    Backup(BackupArgs),
    /// Make a data folder of a backup
    Restore(RestoreArgs),
    /// Check that nobody changed what the audit says
    #[command(subcommand)]
    Audit(AuditCommand),
}

/// What can be done with the audit.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Check its chain of hashes, while the node runs or not; ends with 1 and names the first changed row
    Verify(VerifyArgs),
}

/// Which data folder.
#[derive(Debug, Args)]
pub struct DataFolder {
    /// Configuration of the node (TOML); without it the node listens on this machine only and sends
    /// nothing
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Folder of images and database, in place of the configuration's [default: hemora-node]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// Flags of `hemora serve forget`.
#[derive(Debug, Args)]
pub struct ForgetArgs {
    /// PatientID
    #[arg(long, value_name = "ID")]
    pub patient: String,

    /// Who asks for it, for the audit [default: the name of the user]
    #[arg(long, value_name = "NAME")]
    pub who: Option<String>,

    /// Which data folder.
    #[command(flatten)]
    pub folder: DataFolder,
}

/// Flags of `hemora serve audit verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Which data folder.
    #[command(flatten)]
    pub folder: DataFolder,
}

/// Flags of `hemora serve backup`.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// Folder for the backup, new or empty
    #[arg(value_name = "DIR")]
    pub out: PathBuf,

    /// Copy the images too, and not only a list of them with their hashes
    #[arg(long)]
    pub images: bool,

    /// Which data folder.
    #[command(flatten)]
    pub folder: DataFolder,
}

/// Flags of `hemora serve restore`.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The backup
    #[arg(value_name = "DIR")]
    pub backup: PathBuf,

    /// Which data folder.
    #[command(flatten)]
    pub folder: DataFolder,
}

const SERVE_HELP: &str = "Examples:
  hemora serve                             the list: http://127.0.0.1:8050
  storescu 127.0.0.1 11112 +sd +r study/   send a study to it
  hemora serve --config hemora.toml        every setting: docs/serve.md
  hemora serve --check hemora.toml         does the PACS answer?
  hemora serve backup /backup/today --config hemora.toml
  hemora serve forget --patient 4711 --config hemora.toml
  hemora serve audit verify --config hemora.toml

The first start prints a link with which you make the first administrator.
Ends with Ctrl-C or SIGTERM; what was not scored or sent then is after the next start.
HEMORA_LOG=debug makes the log longer.

For research use only: not for diagnosis.";
