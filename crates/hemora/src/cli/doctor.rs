//! The flags of `hemora doctor`.

use clap::Args;

/// Flags of `hemora doctor`.
#[derive(Debug, Args)]
#[command(
    after_help = "It runs a few images through each engine, two seconds at most, and changes nothing.
It exits with 0 if `hemora triage` would work, and with 1 if not."
)]
pub struct DoctorArgs {
    /// Print JSON to standard output instead of text
    #[arg(long)]
    pub json: bool,
}
