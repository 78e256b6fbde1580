//! `hemora-train`: the training program, which `hemora train` starts.

mod allocator;

use clap::{Parser, Subcommand};
use hemora_train::config::RunConfig;

/// Trains Hemora's networks on libtorch. For research use.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Trains a network on labelled slices; goes on where an earlier run of the folder stopped.
    Run(Box<RunConfig>),
}

const EXAMPLES: &str = "Examples:
  hemora-train run --images png --labels png_labels.csv --out runs/first
  hemora-train run --images png --labels png_labels.csv --out runs/lite \\
      --weights efficientnet_lite0_imagenet.safetensors --size 192 --epochs 12";

fn main() -> miette::Result<()> {
    allocator::keep_large_blocks();
    let Command::Run(config) = Cli::parse().command;
    hemora_train::run(&config)
}
