//! What a run does: flags over a file over defaults, resolved and checked once. A part that is off is
//! `None`, and each function takes the part that it needs.

use std::path::PathBuf;

use super::{ConfigError, RunConfig};
use crate::data::{DataPlan, Fold, SplitPlan};
use crate::model::{Layout, ModelPlan, Precision};
use crate::optim::OptimPlan;

/// Networks of finished runs that teach.
#[derive(Debug, Clone, PartialEq)]
pub struct Teaching {
    /// Folders of the runs.
    pub runs: Vec<PathBuf>,
    /// Their part of the target, above 0 and up to 1.
    pub weight: f64,
}

/// On what a run is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ComputePlan {
    /// Threads; `None` for one per core.
    pub threads: Option<usize>,
    /// What convolutions and linear layers compute in.
    pub precision: Precision,
    /// How images and weights lie in memory.
    pub layout: Layout,
    /// Whether only operations are used that give the same bits every time.
    pub deterministic: bool,
}

/// One training.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainPlan {
    /// The images.
    pub data: DataPlan,
    /// What is held out.
    pub split: SplitPlan,
    /// The networks.
    pub model: ModelPlan,
    /// How weights are moved.
    pub optim: OptimPlan,
    /// On what it is computed.
    pub compute: ComputePlan,
    /// Who teaches beside the labels.
    pub teaching: Option<Teaching>,
    /// Seed of the weights, the order and the augmentation.
    pub seed: u64,
    /// Its folder.
    pub out: PathBuf,
    /// Whether it forgets what the folder holds.
    pub restart: bool,
    /// The settings, as the folder keeps them.
    pub record: RunConfig,
}

impl TrainPlan {
    /// The fold that is held out, in a cross-validation.
    pub fn fold(&self) -> Option<Fold> {
        self.split.hold_out.fold()
    }
}

/// What a run does: one training, or one for every fold.
#[derive(Debug, Clone, PartialEq)]
pub enum RunPlan {
    /// One training.
    One(Box<TrainPlan>),
    /// A training for every fold, in folders of their own.
    CrossValidation {
        /// The folder of all.
        out: PathBuf,
        /// The trainings, at least 2.
        folds: Vec<TrainPlan>,
    },
}

impl RunPlan {
    /// What settings amount to.
    ///
    /// # Errors
    /// [`ConfigError`] names the flag or file, what was found and what was expected.
    pub fn from_config(config: &RunConfig) -> Result<Self, ConfigError> {
        let config = &config.without_empty_paths();
        let source = config.source()?;
        let (flag, what) = ("--out", "the folder of the run");
        let out = config.out.clone().ok_or(ConfigError::Missing { flag, what })?;
        config.check_numbers()?;
        let teaching = config.teaching()?;
        let (model, optim) = (config.model_plan()?, config.optim_plan()?);
        let hold_outs = config.hold_outs(&source)?;
        let data = config.data_plan(source)?;
        let plan = |hold_out, out: PathBuf, record| TrainPlan {
            data: data.clone(),
            split: SplitPlan { hold_out, by: config.split_by, seed: config.seed },
            model: model.clone(),
            optim: optim.clone(),
            compute: config.compute_plan(),
            teaching: teaching.clone(),
            seed: config.seed,
            out,
            restart: config.restart,
            record,
        };
        let count = hold_outs[0].fold().map(|fold| fold.count);
        let record = RunConfig { folds: count, ..config.clone() };
        if count.is_none() || config.held_out_fold().is_some() {
            let hold_out = hold_outs.into_iter().next().expect("there is one");
            return Ok(Self::One(Box::new(plan(hold_out, out, record))));
        }
        let folds = hold_outs.into_iter().enumerate().map(|(index, hold_out)| {
            let fold = index + 1;
            let out = out.join(format!("fold-{fold}"));
            let record = RunConfig { fold: Some(fold), out: Some(out.clone()), ..record.clone() };
            plan(hold_out, out, record)
        });
        let folds = folds.collect();
        Ok(Self::CrossValidation { out, folds })
    }

    /// The first training.
    pub fn first(&self) -> &TrainPlan {
        match self {
            Self::One(plan) => plan,
            Self::CrossValidation { folds, .. } => &folds[0],
        }
    }

    /// The folder of all.
    pub fn out(&self) -> &PathBuf {
        match self {
            Self::One(plan) => &plan.out,
            Self::CrossValidation { out, .. } => out,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(config: &RunConfig) -> Result<RunPlan, String> {
        RunPlan::from_config(config).map_err(|error| error.to_string())
    }

    fn good() -> RunConfig {
        RunConfig {
            images: Some("i".into()),
            labels: Some("l".into()),
            out: Some("o".into()),
            ..RunConfig::default()
        }
    }

    #[test]
    fn settings_out_of_bounds_are_named() {
        plan(&good()).unwrap();
        let wrong = |config: RunConfig| plan(&config).unwrap_err();
        assert!(wrong(RunConfig::default()).contains("--images is missing"));
        assert!(wrong(RunConfig { out: None, ..good() }).contains("--out is missing"));
        // An empty path in a file names nothing.
        let empty = RunConfig { out: Some("".into()), ..good() };
        assert!(wrong(empty).contains("--out is missing"));
        assert!(wrong(RunConfig { labels: Some("".into()), ..good() }).contains("--labels is"));
        let empty = RunConfig {
            prepared: Some("".into()),
            split: Some("".into()),
            weights: Some("".into()),
            teacher: vec!["".into()],
            annotations: vec!["".into()],
            label_weights: Some("".into()),
            ..good()
        };
        assert_eq!(plan(&empty), plan(&good()));
        let both = RunConfig { prepared: Some("p".into()), ..good() };
        assert!(wrong(both).contains("--prepared and --images"));
        for times in [0, 101] {
            let repeated = RunConfig { repeat_masked: times, ..good() };
            assert_eq!(wrong(repeated), format!("--repeat-masked {times}: expected 1 to 100"));
        }
        let rate = RunConfig { learning_rate: Some(-1.0), ..good() };
        assert_eq!(wrong(rate), "--learning-rate -1: expected a number above 0");
        let clip = RunConfig { clip: f64::NAN, ..good() };
        assert!(wrong(clip).starts_with("--clip NaN"));
        let folds = RunConfig { folds: Some(3), fold: Some(4), ..good() };
        assert!(wrong(folds).contains("--fold 4"));
        assert!(wrong(RunConfig { accumulate: 0, ..good() }).contains("--accumulate 0"));
        let taught = RunConfig { teacher: vec!["t".into()], ..good() };
        assert_eq!(plan(&taught).unwrap().first().teaching.as_ref().unwrap().weight, 0.5);
        let none = RunConfig { teacher_weight: 0.0, ..taught.clone() };
        assert!(wrong(none).contains("--teacher-weight 0"));
        assert!(wrong(RunConfig { focal: Some(2.0), ..taught }).contains("--teacher and --focal"));
    }

    #[test]
    fn a_cross_validation_has_a_training_and_a_folder_for_every_fold() {
        let all = plan(&RunConfig { folds: Some(3), ..good() }).unwrap();
        let RunPlan::CrossValidation { out, folds } = &all else { panic!("{all:?}") };
        assert_eq!(out, &PathBuf::from("o"));
        for (index, training) in folds.iter().enumerate() {
            assert_eq!(training.fold(), Some(Fold { count: 3, index }));
            assert_eq!(training.out, out.join(format!("fold-{}", index + 1)));
            assert_eq!(training.record.fold, Some(index + 1));
            // What a folder keeps says the same again.
            let again = plan(&training.record).unwrap();
            assert_eq!(again, RunPlan::One(Box::new(training.clone())));
        }
        assert!(matches!(plan(&good()).unwrap(), RunPlan::One(one) if one.fold().is_none()));
    }
}
