//! The flags of `hemora manual`.

use std::path::PathBuf;

use clap::Args;

/// Flags of `hemora manual`.
#[derive(Debug, Args)]
#[command(after_help = MANUAL_HELP)]
pub struct ManualArgs {
    /// Folder for man/, bash-completion/, zsh/ and fish/; made if it is not there
    #[arg(long, short, value_name = "DIR")]
    pub out: PathBuf,
}

const MANUAL_HELP: &str = "Examples:
  hemora manual --out ~/.local/share        for this user: `man hemora`, completions of bash
  hemora manual --out /usr/local/share      for everybody, as root

Packages bring these files with them.";
