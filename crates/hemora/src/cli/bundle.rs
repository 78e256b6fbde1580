//! The flags of the commands that make bundles: `hemora model bundle` and `hemora ensemble …`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use hemora_bundling::NamedPath;
use hemora_evaluation::{DEFAULT_NEIGHBOURS, EnsembleMethod};

/// What every bundle is described with.
#[derive(Debug, Clone, Args)]
pub struct DescriptionArgs {
    /// Name, version, licence, intended use and training data, as TOML
    #[arg(long, value_name = "TOML")]
    pub about: PathBuf,

    /// Calibration and operating points that `hemora calibrate` wrote
    #[arg(long, value_name = "JSON")]
    pub calibration: Option<PathBuf>,

    /// Evaluation for the card and its figures: a folder of `hemora evaluate`, or its metrics.json;
    /// may be repeated
    #[arg(long, value_name = "RUN")]
    pub evaluation: Vec<PathBuf>,

    /// The bundle to write
    #[arg(long, short, value_name = "FILE")]
    pub out: PathBuf,
}

/// Flags of `hemora model bundle`.
#[derive(Debug, Args)]
#[command(after_help = MODEL_HELP)]
pub struct BundleArgs {
    /// Weights that hemora-train wrote (model.safetensors of a run)
    pub weights: PathBuf,

    /// Views of each input that triage averages: one, flip (left to right too), or ten (both, whole
    /// and cut to each corner); each costs as much as the first [default: those that its networks of
    /// series were trained on, else one]
    #[arg(long, value_parser = hemora_ct::Views::NAMES)]
    pub views: Option<String>,

    /// Thickness of the slices that the network was trained on: triage averages thinner slices to slabs
    /// of it
    #[arg(long, value_name = "MM")]
    pub slab_mm: Option<f64>,

    /// Run of `hemora-train sequence` whose networks read whole series last
    #[arg(long, value_name = "RUN")]
    pub series_run: Vec<PathBuf>,

    /// Of networks of series on probabilities take that of the weights' fold alone, not all folds', as a
    /// member of an ensemble of folds should
    #[arg(long)]
    pub own_fold: bool,

    /// Description.
    #[command(flatten)]
    pub description: DescriptionArgs,
}

const MODEL_HELP: &str = "Examples:
  hemora model bundle runs/lite/model.safetensors --about models/default.toml --out lite.hemora
  hemora model bundle runs/slices/fold-1/model.safetensors --series-run runs/features \\
      --series-run runs/probabilities --about about.toml --out series.hemora

--series-run takes one run, or one on features and then one on probabilities.";

/// Flags of `hemora ensemble fit`.
#[derive(Debug, Args)]
#[command(after_help = FIT_HELP)]
pub struct EnsembleFitArgs {
    /// Out-of-fold predictions of each model (slices.parquet of `hemora-train predict` or `sequence`), of
    /// the same slices with the same folds; without NAME= the name is that of the run
    #[arg(required = true, value_name = "[NAME=]TABLE")]
    pub tables: Vec<NamedPath>,

    /// Folder for slices.parquet and ensemble.json
    #[arg(long, short, value_name = "DIR")]
    pub out: PathBuf,

    /// What slices.parquet has: best takes what has the least log loss out of fold
    #[arg(long, value_enum, default_value = "best")]
    pub method: Method,

    /// Also fit gradient-boosted trees on the models' probabilities of each slice and its neighbours
    #[arg(long)]
    pub stacking: bool,

    /// Neighbours on either side that the trees read
    #[arg(long, default_value_t = DEFAULT_NEIGHBOURS, value_name = "N")]
    pub neighbours: usize,
}

/// The ways to combine several models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Method {
    /// That with the least log loss out of fold
    Best,
    /// All models count the same
    Mean,
    /// Weights of each label
    WeightedMean,
    /// Boosted trees
    Stacking,
}

impl Method {
    /// The method; `None` for the best.
    pub fn chosen(self) -> Option<EnsembleMethod> {
        match self {
            Method::Best => None,
            Method::Mean => Some(EnsembleMethod::Mean),
            Method::WeightedMean => Some(EnsembleMethod::WeightedMean),
            Method::Stacking => Some(EnsembleMethod::Stacking),
        }
    }
}

const FIT_HELP: &str = "Examples:
  hemora ensemble fit a/predicted/slices.parquet b/predicted/slices.parquet --out both
  hemora ensemble fit large=a.parquet small=b.parquet --stacking --out both
  hemora evaluate both/slices.parquet --id id --column any=prob_any --index set.parquet

Weights and trees are fitted on all folds but one for the predictions of that one, so that the
figures and slices.parquet are out of fold; those in ensemble.json are fitted on all. Trees take
minutes where weights take a second.

For research use only: not for diagnosis.";

/// Flags of `hemora ensemble bundle`.
#[derive(Debug, Args)]
#[command(after_help = ENSEMBLE_HELP)]
pub struct EnsembleBundleArgs {
    /// The bundles, of one network each. Those with one NAME, as of a run's folds, are one model: their
    /// mean
    #[arg(required = true, value_name = "[NAME=]BUNDLE")]
    pub members: Vec<NamedPath>,

    /// ensemble.json of `hemora ensemble fit` on models of these names [default: all names count the
    /// same]
    #[arg(long, value_name = "JSON")]
    pub fit: Option<PathBuf>,

    /// Run of `hemora-train sequence` whose networks read whole series last
    #[arg(long, value_name = "RUN")]
    pub series_run: Option<PathBuf>,

    /// ensemble.json of the fit on single slices that --series-run was trained on [default: all names
    /// count the same]
    #[arg(long, value_name = "JSON", requires = "series_run")]
    pub slices_fit: Option<PathBuf>,

    /// Description.
    #[command(flatten)]
    pub description: DescriptionArgs,
}

const ENSEMBLE_HELP: &str = "Examples:
  hemora ensemble bundle fold-1.hemora fold-2.hemora --about about.toml --out both.hemora
  hemora ensemble bundle large=a1.hemora large=a2.hemora small=b.hemora \\
      --fit both/ensemble.json --about about.toml --out both.hemora
  hemora ensemble bundle large=a.hemora small=b.hemora --fit series/ensemble.json \\
      --series-run runs/last --slices-fit slices/ensemble.json --about about.toml --out all.hemora
  hemora triage study/ --model both.hemora

--series-run takes a run on the probabilities of all models as one: --slices of a fit on single
slices, --first of the fit that --fit names.

For research use only: not for diagnosis.";
