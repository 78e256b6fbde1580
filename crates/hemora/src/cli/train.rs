//! The flags of `hemora train`.

use clap::Args;

/// Flags of `hemora train`: all of hemora-train's.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// Arguments of hemora-train
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<std::ffi::OsString>,
}
