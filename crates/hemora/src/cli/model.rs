//! The flags of `hemora model …`.

use std::path::PathBuf;

use clap::Args;

/// Flags of `hemora model summary`.
#[derive(Debug, Args)]
pub struct SummaryArgs {
    /// Network, for instance densenet121; an unknown name lists them all
    pub network: String,

    /// Height and width of the images, pixels
    #[arg(long, default_value_t = 256, value_name = "PIXELS")]
    pub size: usize,

    /// Values of each slice, of a network that reads whole series [default: 1024 features, 1025 with a
    /// position, or 36 of probabilities]
    #[arg(long)]
    pub columns: Option<usize>,

    /// Print JSON to standard output instead of text
    #[arg(long)]
    pub json: bool,
}

/// Flags of `hemora model import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Weights of timm or torchvision, safetensors
    pub weights: PathBuf,

    /// Network here, for instance densenet121
    #[arg(long)]
    pub network: String,

    /// File to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,

    /// Channels of the input; of other than three the first layer is made of theirs as timm does
    #[arg(long, default_value_t = 3)]
    pub channels: usize,
}

/// Flags of `hemora model average`.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  hemora model average runs/first/model.safetensors runs/second/model.safetensors --out mean.safetensors
  hemora model bundle mean.safetensors --about about.toml --out mean.hemora

The mean is a network of the same size and speed. It says something of use only where its parts
started from the same weights, such as ImageNet's, and its figures are its own: evaluate it.")]
pub struct AverageArgs {
    /// Weights that hemora-train wrote (model.safetensors), of one network, task and input
    #[arg(required = true, num_args = 2.., value_name = "WEIGHTS")]
    pub weights: Vec<PathBuf>,

    /// File to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// Flags of `hemora model halve`.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  hemora model halve large.hemora --out small.hemora

It computes in 32 bits as before, at the same speed; probabilities change in the fourth digit.")]
pub struct HalveArgs {
    /// Bundle of networks that hemora-train trained
    pub model: PathBuf,

    /// The bundle to write
    #[arg(short, long, value_name = "FILE")]
    pub out: PathBuf,
}

/// Flags of `hemora model inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The bundle [default: the built-in one]
    pub model: Option<PathBuf>,

    /// Print JSON to standard output instead of text
    #[arg(long)]
    pub json: bool,
}
