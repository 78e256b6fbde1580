//! What is judged, and why a run's maps cannot be.

use std::path::PathBuf;

use clap::Args;

use crate::config::RunConfig;
use crate::output::Show;

/// Which run's maps are judged, and on what.
#[derive(Debug, Clone, Args)]
pub struct PointingOptions {
    /// Folders of finished runs, or of cross-validations: their folds are all taken. Each is judged
    /// on the images that it held out, and `pointing.csv` is written there.
    #[arg(value_name = "RUN", required = true)]
    pub runs: Vec<PathBuf>,

    /// Folder of annotations instead of the run's; may be given more than once.
    #[arg(long, value_name = "DIR")]
    pub annotations: Vec<PathBuf>,

    /// Folder with the images instead of the run's.
    #[arg(long, value_name = "DIR")]
    pub images: Option<PathBuf>,

    /// Label table instead of the run's.
    #[arg(long, value_name = "CSV")]
    pub labels: Option<PathBuf>,

    /// Table of the split instead of the run's; given more than once, one for each run in their order.
    #[arg(long, value_name = "CSV")]
    pub split: Vec<PathBuf>,

    /// Tables of patients or series instead of the run's; may be given more than once.
    #[arg(long, value_name = "CSV:ID:GROUP")]
    pub groups: Vec<String>,

    /// Held-out slices without hemorrhage into which a bleed is drawn, in all; where it lies is then
    /// known exactly.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub drawn: usize,

    /// Seed of the drawn bleeds.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,

    /// Pixels of the working size within which a maximum is near a bleed; without it 3 % of the side,
    /// 6 to 7 mm where a head fills the picture.
    #[arg(long, value_name = "PIXELS")]
    pub near: Option<f64>,

    /// Images per batch; without it, or with 0, the run's.
    #[arg(long)]
    pub batch: Option<usize>,

    /// Threads, at most one per core; without it, or with 0, one per core.
    #[arg(long)]
    pub threads: Option<usize>,

    /// Prints JSON instead of a table.
    #[arg(long)]
    pub json: bool,

    /// How progress is shown.
    #[arg(long, value_enum, default_value_t = Show::Auto)]
    pub progress: Show,
}

/// Why a run's maps cannot be judged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PointingError {
    /// The network has no maps.
    #[error(
        "{}: --network {network} has no maps; train one with a dense head, such as \
         efficientnet-lite0-dense, with --annotations",
        run.display()
    )]
    NoMaps {
        /// Folder of the run.
        run: PathBuf,
        /// Its network.
        network: String,
    },
    /// Nothing says where bleeds lie.
    #[error(
        "{}: trained without --annotations, which say where bleeds lie; give --annotations DIR of its \
         images, or --drawn N for bleeds that are drawn",
        .0.display()
    )]
    NoAnnotations(PathBuf),
    /// Nothing to judge by.
    #[error(
        "{}: of {images} held-out images none has an annotation with a label in it, and no bleed was \
         drawn; give --annotations DIR of these images, or --drawn N",
        run.display()
    )]
    Nothing {
        /// Folder of the run.
        run: PathBuf,
        /// Images that were held out.
        images: usize,
    },
    /// Pictures of another size.
    #[error(
        "{}: pictures of {side} pixels; those of {} have {expected}: judge the runs one by one",
        run.display(),
        first.display()
    )]
    Side {
        /// Folder of the run.
        run: PathBuf,
        /// Height and width of its pictures.
        side: usize,
        /// The first run.
        first: PathBuf,
        /// Height and width of its pictures.
        expected: usize,
    },
    /// Tables of splits that are not one a run.
    #[error("{tables} tables of --split for {runs} runs; expected one for all, or one for each")]
    Splits {
        /// How many tables.
        tables: usize,
        /// How many runs.
        runs: usize,
    },
    /// A distance that is none.
    #[error("--near {0}: expected a number of pixels, 0 or more")]
    Near(f64),
}

impl PointingOptions {
    /// Refuses what cannot be meant.
    pub(super) fn check(&self) -> Result<(), PointingError> {
        let (tables, runs) = (self.split.len(), self.runs.len());
        if tables > 1 && tables != runs {
            return Err(PointingError::Splits { tables, runs });
        }
        match self.near.filter(|near| !(near.is_finite() && *near >= 0.0)) {
            Some(near) => Err(PointingError::Near(near)),
            None => Ok(()),
        }
    }

    /// The settings of run `number` with what is given here in place of its own paths, and without what
    /// training alone reads.
    pub(super) fn over(&self, config: RunConfig, number: usize) -> RunConfig {
        let or = |given: &Option<PathBuf>, own: Option<PathBuf>| given.clone().or(own);
        let split = self.split.get(number).or_else(|| self.split.first()).cloned();
        let or_all = |given: &[PathBuf], own| if given.is_empty() { own } else { given.to_vec() };
        let groups = if self.groups.is_empty() { config.groups } else { self.groups.clone() };
        RunConfig {
            images: or(&self.images, config.images),
            labels: or(&self.labels, config.labels),
            split: split.or(config.split),
            annotations: or_all(&self.annotations, config.annotations),
            groups,
            label_weights: None,
            ..config
        }
    }
}
