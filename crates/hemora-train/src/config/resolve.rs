//! The parts of a plan that flags and file amount to. On the command line 0 stands for "none" where a
//! number says how much; no part knows such a number.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hemora_ct::{Channel, InputRecipe, Window};
use hemora_data::{GroupTable, Output, PreparedSet, SplitTable};

use super::check::{check_folds, refuse};
use super::plan::{ComputePlan, Teaching};
use super::{ConfigError, RunConfig, text};
use crate::data::{
    By, DataPlan, ExtraImages, Fold, HoldOut, NetworkInput, Parts, Source, open_prepared,
};
use crate::model::{JointPlan, ModelError, ModelPlan, SeriesPlan, SlicePlan, Task, series_input};
use crate::optim::{
    Length, LossPlan, OptimPlan, OptimizerOptions, Sampling, ScheduleName, ScheduleOptions,
    WatchOptions,
};

/// A number that 0 turns off.
pub(crate) fn unless_zero<T: PartialOrd + Default>(value: Option<T>) -> Option<T> {
    value.filter(|value| *value > T::default())
}

impl RunConfig {
    /// The same settings with the optimizer's own in place of those that were left to it, and without
    /// numbers that turn something off.
    pub fn resolved(&self) -> Self {
        let optimizer = self.optimizer_options();
        Self {
            learning_rate: Some(optimizer.learning_rate),
            weight_decay: Some(optimizer.weight_decay),
            steps: unless_zero(self.steps),
            restart_every: unless_zero(self.restart_every),
            ema: unless_zero(self.ema),
            focal: unless_zero(self.focal),
            folds: unless_zero(self.folds),
            fold: unless_zero(self.fold),
            patience: unless_zero(self.patience),
            threads: unless_zero(self.threads),
            ..self.clone()
        }
    }

    /// The same settings without paths that are empty, as a file may say for none.
    pub(super) fn without_empty_paths(&self) -> Self {
        let is_named = |path: &&PathBuf| !path.as_os_str().is_empty();
        let named = |path: &Option<PathBuf>| path.as_ref().filter(is_named).cloned();
        let all_named = |paths: &[PathBuf]| paths.iter().filter(is_named).cloned().collect();
        Self {
            prepared: named(&self.prepared),
            images: named(&self.images),
            labels: named(&self.labels),
            annotations: all_named(&self.annotations),
            label_weights: named(&self.label_weights),
            split: named(&self.split),
            weights: named(&self.weights),
            out: named(&self.out),
            teacher: all_named(&self.teacher),
            ..self.clone()
        }
    }

    pub(super) fn optimizer_options(&self) -> OptimizerOptions {
        let defaults = self.optimizer.options();
        OptimizerOptions {
            learning_rate: self.learning_rate.unwrap_or(defaults.learning_rate),
            weight_decay: self.weight_decay.unwrap_or(defaults.weight_decay),
            ..defaults
        }
    }

    /// The fold that is held out, from 0; `None` for all in turn, or where there are none.
    pub(crate) fn held_out_fold(&self) -> Option<usize> {
        unless_zero(self.fold).map(|fold| fold - 1)
    }

    /// The network of slices.
    pub fn slice_plan(&self) -> SlicePlan {
        SlicePlan {
            network: self.network.clone(),
            task: self.task,
            size: self.size,
            dropout: self.dropout,
            weights: self.weights.clone(),
        }
    }

    /// The networks.
    ///
    /// # Errors
    /// [`ConfigError`] if the network of series cannot be trained with that of slices so.
    pub fn model_plan(&self) -> Result<ModelPlan, ConfigError> {
        let joint =
            self.series_network.as_ref().map(|network| self.joint_plan(network)).transpose()?;
        Ok(ModelPlan { slices: self.slice_plan(), joint })
    }

    fn joint_plan(&self, network: &str) -> Result<JointPlan, ConfigError> {
        let refuse_series = |expected: String| refuse("--series-network", network, expected);
        let input = match series_input(network) {
            Ok(input) if input.is_features() => input,
            Ok(_) | Err(ModelError::Unknown { .. }) => {
                let names: Vec<&str> = hemora_nn::networks::sequence_names()
                    .filter(|name| series_input(name).is_ok_and(|input| input.is_features()))
                    .collect();
                return refuse_series(format!("{}, which read features", names.join(" or ")));
            }
            Err(error) => return Err(error.into()),
        };
        if self.prepared.is_none() {
            return refuse_series(
                "--prepared; `hemora prepare` makes a set that knows the series of its slices"
                    .into(),
            );
        }
        if self.window < 2 || self.window > self.batch {
            let expected = format!("2 slices or more, and at most those of --batch {}", self.batch);
            return refuse("--window", self.window, expected);
        }
        let unfit = [
            (self.task != Task::Labels, "--task labels, all six"),
            (self.split_by != By::Patient, "--split-by patient, which keeps series whole"),
            (self.sampling != Sampling::Shuffled, "--sampling shuffled: every series once"),
            (!self.extra.is_empty(), "no --extra images, which are in no series"),
        ];
        if let Some((_, expected)) = unfit.iter().find(|(unfit, _)| *unfit) {
            return refuse_series((*expected).to_owned());
        }
        let series = SeriesPlan {
            network: network.to_owned(),
            input,
            hidden: self.series_hidden,
            layers: self.series_layers,
            dropout: self.series_dropout,
        };
        Ok(JointPlan { series, window: self.window })
    }

    /// How weights are moved.
    ///
    /// # Errors
    /// [`ConfigError`] if the augmentation cannot be read.
    pub fn optim_plan(&self) -> Result<OptimPlan, ConfigError> {
        let optimizer = self.optimizer_options();
        let lowers = self.schedule == ScheduleName::Plateau;
        Ok(OptimPlan {
            length: unless_zero(self.steps).map_or(Length::Epochs(self.epochs), Length::Steps),
            batch: self.batch,
            accumulate: self.accumulate,
            optimizer,
            schedule: ScheduleOptions {
                name: self.schedule,
                peak: optimizer.learning_rate,
                rise: self.rise,
                decay: self.decay,
                decay_every: self.decay_every,
                hold: self.hold,
                restart_every: unless_zero(self.restart_every),
                restart_growth: self.restart_growth,
            },
            watch: WatchOptions {
                least_gain: self.least_gain,
                patience: unless_zero(self.patience),
                plateau: lowers.then_some(self.plateau),
                decay: self.decay,
            },
            monitor: self.monitor,
            ema: unless_zero(self.ema),
            clip: unless_zero(Some(self.clip)),
            loss: LossPlan {
                any_weight: self.any_weight,
                class_weights: self.class_weights.clone(),
                focal: unless_zero(self.focal),
            },
            sampling: self.sampling,
            augment: text::augmentation(&self.augment)?,
        })
    }

    /// On what it is computed.
    pub fn compute_plan(&self) -> ComputePlan {
        ComputePlan {
            threads: unless_zero(self.threads),
            precision: self.precision,
            layout: self.layout,
            deterministic: self.deterministic,
        }
    }

    pub(super) fn teaching(&self) -> Result<Option<Teaching>, ConfigError> {
        if self.teacher.is_empty() {
            return Ok(None);
        }
        let weight = self.teacher_weight;
        if !(weight > 0.0 && weight <= 1.0) {
            return refuse("--teacher-weight", weight, "a number above 0 and up to 1");
        }
        let both = |second, why| ConfigError::Both { first: "--teacher", second, why };
        if unless_zero(self.focal).is_some() {
            return Err(both("--focal", "the focal loss needs certain labels"));
        }
        if self.series_network.is_some() {
            return Err(both("--series-network", "teachers read single slices"));
        }
        Ok(Some(Teaching { runs: self.teacher.clone(), weight }))
    }

    /// Where the images are.
    ///
    /// # Errors
    /// [`ConfigError`] if they are not named, or named twice, or the prepared set cannot be opened.
    pub fn source(&self) -> Result<Source, ConfigError> {
        if let Some(folder) = &self.prepared {
            let given = [("--images", &self.images), ("--labels", &self.labels)];
            if let Some((second, _)) = given.into_iter().find(|(_, path)| path.is_some()) {
                let (first, why) = ("--prepared", "both name the images");
                return Err(ConfigError::Both { first, second, why });
            }
            let set = Arc::new(open_prepared(folder)?);
            return Ok(Source::Prepared { folder: folder.clone(), set });
        }
        let named = |path: &Option<PathBuf>, flag, what| {
            path.clone().ok_or(ConfigError::Missing { flag, what })
        };
        Ok(Source::Folder {
            images: named(&self.images, "--images", "the folder with the images")?,
            labels: named(&self.labels, "--labels", "the label table")?,
        })
    }

    /// The images of `source`, and what the network is given of them.
    ///
    /// # Errors
    /// [`ConfigError`] if the input or a table cannot be used.
    pub fn data_plan(&self, source: Source) -> Result<DataPlan, ConfigError> {
        let prepared = match &source {
            Source::Prepared { folder, set } => Some((folder.as_path(), set.as_ref())),
            Source::Folder { .. } => None,
        };
        Ok(DataPlan {
            input: self.network_input(prepared)?,
            extra: self.extra.iter().map(|text| extra_images(text)).collect::<Result<_, _>>()?,
            groups: self.groups.iter().map(|text| group_table(text)).collect::<Result<_, _>>()?,
            working_size: self.working_size,
            from_files: self.from_files,
            partial_labels: self.partial_labels,
            annotations: self.annotations.clone(),
            repeat_masked: self.repeat_masked,
            label_weights: self.label_weights.clone(),
            source,
        })
    }

    /// The network's input of slices, or of the images of a prepared set and its folder.
    ///
    /// # Errors
    /// [`ConfigError`] if it cannot be used, or the images have theirs.
    pub fn network_input(
        &self,
        prepared: Option<(&Path, &PreparedSet)>,
    ) -> Result<NetworkInput, ConfigError> {
        if let Some((folder, set)) = prepared
            && let Output::Jpeg { channels, .. } = &set.recipe().output
        {
            if let Some(input) = &self.input {
                let (input, set) = (input.clone(), folder.to_owned());
                return Err(ConfigError::FixedInput { input, set });
            }
            let made = set.recipe().input(self.size);
            let is_known = made.is_some();
            // As many planes as there are, whose windows only their recipe knows.
            let planes = vec![Channel { window: Window::BRAIN, offset: 0 }; channels.len()];
            let recipe = made.unwrap_or_else(|| InputRecipe::of(self.size, planes));
            return Ok(NetworkInput { recipe, is_known });
        }
        let recipe = text::input(self.input.as_deref().unwrap_or("grey"), self.size)?;
        let Some((_, set)) = prepared else { return Ok(NetworkInput { recipe, is_known: true }) };
        let prepare = set.recipe().preparation(self.working_size);
        let recipe = InputRecipe { prepare, ..recipe };
        Ok(NetworkInput { recipe, is_known: prepare.is_some() })
    }

    /// What is held out of the images of `source`: of a cross-validation every fold in turn, or the one
    /// that is asked for.
    ///
    /// # Errors
    /// [`ConfigError`] if the folds cannot be, or the prepared set was split otherwise.
    pub fn hold_outs(&self, source: &Source) -> Result<Vec<HoldOut>, ConfigError> {
        let (asked, fold) = (unless_zero(self.folds), unless_zero(self.fold));
        if let Some(path) = &self.split {
            if asked.is_some() {
                let why = "both say what is held out";
                return Err(ConfigError::Both { first: "--split", second: "--folds", why });
            }
            check_folds(None, fold)?;
            let table = SplitTable::read(path).map_err(crate::data::LoadError::from)?;
            return Ok(vec![HoldOut::Table(Arc::new(table))]);
        }
        if let Source::Prepared { folder, set } = source {
            let wrong = |folds, found| ConfigError::SetFolds { folds, set: folder.clone(), found };
            let (by_id, count) = match (Parts::from_set(set)?, asked) {
                (Parts::Table(_), Some(folds)) => {
                    let found = "train, validation and test; prepare the set with --folds, or give \
                                 the split as a table with --split";
                    return Err(wrong(folds, found.to_owned()));
                }
                (Parts::Table(table), None) => {
                    check_folds(None, fold)?;
                    return Ok(vec![HoldOut::Table(Arc::new(table))]);
                }
                (Parts::Folds { count, .. }, Some(folds)) if folds != count => {
                    return Err(wrong(folds, format!("{count} folds")));
                }
                (Parts::Folds { by_id, count }, _) => (Arc::new(by_id), count),
            };
            if count < 2 {
                let set = folder.display();
                return refuse("--prepared", set, "a set of at least 2 folds; it has one");
            }
            check_folds(Some(count), fold)?;
            let set_fold = |fold| HoldOut::SetFold { fold, fold_by_id: by_id.clone() };
            return Ok(folds(count, fold).map(set_fold).collect());
        }
        check_folds(asked, fold)?;
        Ok(match asked {
            None => vec![HoldOut::Fraction(self.validation)],
            Some(count) => folds(count, fold).map(HoldOut::Fold).collect(),
        })
    }
}

/// The fold with this number, from 1, or all.
fn folds(count: usize, fold: Option<usize>) -> impl Iterator<Item = Fold> {
    let all = (0..count).filter(move |index| fold.is_none_or(|fold| *index == fold - 1));
    all.map(move |index| Fold { count, index })
}

fn extra_images(text: &str) -> Result<ExtraImages, ConfigError> {
    match text.split_once(':') {
        Some((images, labels)) => Ok(ExtraImages { images: images.into(), labels: labels.into() }),
        None => refuse("--extra", text, "a folder and a label table as DIR:CSV"),
    }
}

/// A table of groups.
fn group_table(text: &str) -> Result<GroupTable, ConfigError> {
    text.parse().or_else(|_| refuse("--groups", text, "CSV or CSV:ID_COLUMN:GROUP_COLUMN"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_turn_something_off_are_no_part_of_a_plan() {
        let off = RunConfig {
            steps: Some(0),
            patience: Some(0),
            ema: Some(0.0),
            focal: Some(0.0),
            clip: 0.0,
            restart_every: Some(0),
            folds: Some(0),
            fold: Some(0),
            threads: Some(0),
            ..RunConfig::default()
        };
        let plan = off.optim_plan().unwrap();
        assert_eq!(plan.length, Length::Epochs(12));
        assert_eq!((plan.ema, plan.clip, plan.loss.focal), (None, None, None));
        assert_eq!((plan.watch.patience, plan.schedule.restart_every), (None, None));
        assert_eq!(off.compute_plan().threads, None);
        let given = RunConfig { clip: 5.0, ..RunConfig::default() };
        assert_eq!(given.optim_plan().unwrap().clip, Some(5.0));
        assert_eq!(RunConfig { clip: 5.0, ..off }.resolved(), given.resolved());
    }

    #[test]
    fn every_fold_is_held_out_in_turn_or_the_one_that_is_asked_for() {
        let source = Source::Folder { images: "i".into(), labels: "l".into() };
        let hold_outs = |folds, fold| {
            let config = RunConfig { folds, fold, ..RunConfig::default() };
            config.hold_outs(&source).map_err(|error| error.to_string())
        };
        assert_eq!(hold_outs(None, None).unwrap(), [HoldOut::Fraction(0.2)]);
        let fold = |index| HoldOut::Fold(Fold { count: 3, index });
        assert_eq!(hold_outs(Some(3), Some(0)).unwrap(), [fold(0), fold(1), fold(2)]);
        assert_eq!(hold_outs(Some(3), Some(2)).unwrap(), [fold(1)]);
        // What was typed is named, and nothing else.
        let refused = |folds, fold| hold_outs(folds, fold).unwrap_err();
        assert_eq!(refused(Some(3), Some(4)), "--fold 4: expected one of the 3 folds, from 1");
        assert_eq!(refused(Some(1), None), "--folds 1: expected 2 to 1000");
        assert!(refused(None, Some(2)).starts_with("--fold 2: expected --folds too"));
        // Folds that no memory holds are refused before they are laid out.
        assert!(refused(Some(99_999_999_999), None).starts_with("--folds 99999999999:"));
    }
}
