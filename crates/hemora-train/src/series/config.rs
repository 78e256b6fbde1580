//! What a run on sequences is asked to do, and whether a folder belongs to it.

use std::path::PathBuf;

use clap::Args;
use hemora_ct::Views;
use serde::Serialize;

use super::SeriesError;
use super::settings::SequenceSettings;
use crate::config::{ConfigError, NOT_OF_A_RUN};
use crate::output::{Folder, FolderError, Show, claim_settings, files};
use crate::training::{TrainError, fold_features, predicted_views};

/// A run: its files and how its networks are trained.
#[derive(Debug, Clone, PartialEq, Args, Serialize)]
pub struct SequenceConfig {
    /// Table of slices with their folds, labels and out-of-fold probabilities, Parquet or CSV.
    #[arg(long, value_name = "FILE")]
    pub slices: PathBuf,

    /// Features of the slices in the table's order, which sequence-features and
    /// sequence-transformer read: the folder of `hemora-train predict`, whose features-1.safetensors
    /// and so on are of each fold's network, or one file of a network that saw none of the slices.
    #[arg(long, value_name = "PATH")]
    pub features: Option<PathBuf>,

    /// Table that a run on features wrote, of the same slices and folds, which
    /// sequence-probabilities reads beside the slices' own probabilities.
    #[arg(long, value_name = "FILE")]
    pub first: Option<PathBuf>,

    /// Folder of the run. A run that was stopped goes on from its checkpoints.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,

    /// How its networks are trained.
    #[command(flatten)]
    #[serde(flatten)]
    pub settings: SequenceSettings,

    /// Starts over in a folder that has a run.
    #[arg(long)]
    #[serde(skip)]
    pub restart: bool,

    /// How progress is shown.
    #[arg(long, value_enum, default_value_t = Show::Auto)]
    #[serde(skip)]
    pub progress: Show,
}

impl SequenceConfig {
    /// Checks what can be checked without files.
    ///
    /// # Errors
    /// [`TrainError`] names the setting.
    pub fn check(&self) -> Result<(), TrainError> {
        let settings = &self.settings;
        settings.check()?;
        if settings.reads_features() && self.features.is_none() {
            return Err(SeriesError::NoFeatures(settings.network.clone()).into());
        }
        if settings.reads_features() && self.first.is_some() {
            return Err(SeriesError::First(settings.network.clone()).into());
        }
        Ok(())
    }

    /// The file of the features that the model of a fold, from 0, is trained on; `None` if it reads
    /// none.
    pub fn fold_features(&self, fold: u32) -> Option<PathBuf> {
        let path = self.features.as_ref().filter(|_| self.settings.reads_features())?;
        Some(match self.has_features_by_fold() {
            true => fold_features(path, fold as usize + 1),
            false => path.clone(),
        })
    }

    /// The views that were averaged in what it is trained on, where that is known.
    ///
    /// # Errors
    /// [`TrainError`] if the file with them cannot be read.
    pub fn views(&self) -> Result<Option<Views>, TrainError> {
        let features = self.features.as_ref().filter(|_| self.settings.reads_features());
        let folder = match features {
            Some(path) if path.is_dir() => Some(path.as_path()),
            Some(path) => path.parent(),
            None => self.slices.parent(),
        };
        folder.map_or(Ok(None), predicted_views)
    }

    /// Whether each fold has features of its own.
    pub fn has_features_by_fold(&self) -> bool {
        self.settings.reads_features() && self.features.as_ref().is_some_and(|path| path.is_dir())
    }

    /// The files of a fold.
    ///
    /// # Errors
    /// [`TrainError`] if its folder cannot be made.
    pub fn folder(&self, fold: u32) -> Result<Folder, TrainError> {
        let path = self.out.join(format!("fold-{}", fold + 1));
        files::create_folder(&path.join("checkpoints"))?;
        Ok(Folder::new(path))
    }

    fn settings_file(&self) -> PathBuf {
        self.out.join("config.toml")
    }

    /// Lets other settings have the folder, if no fold has a checkpoint or a network yet.
    ///
    /// # Errors
    /// [`TrainError`] names the file that cannot be removed.
    pub fn release_folder(&self, folds: u32) -> Result<(), TrainError> {
        for fold in 0..folds {
            let folder = self.folder(fold)?;
            if folder.last().exists() || folder.model().exists() {
                return Ok(());
            }
        }
        Ok(files::remove(&self.settings_file())?)
    }

    /// Makes the folder of the run, or checks that it belongs to the same run.
    ///
    /// # Errors
    /// [`TrainError`] if it belongs to a run with other settings, or cannot be written.
    pub fn prepare_folder(&self, folds: u32) -> Result<(), TrainError> {
        files::create_folder(&self.out)?;
        let path = self.settings_file();
        if self.restart {
            for fold in 0..folds {
                let folder = self.folder(fold)?;
                folder.clear()?;
                files::remove(&folder.model())?;
            }
            files::remove(&path)?;
        }
        let text = toml::to_string(self).expect("settings are numbers, texts and lists of them");
        let settings = |text: &str| -> Result<toml::Table, FolderError> {
            let mut settings: toml::Table = toml::from_str(text).map_err(|source| {
                ConfigError::Toml { path: path.clone(), source: Box::new(source) }
            })?;
            settings.retain(|name, _| !NOT_OF_A_RUN.contains(&name));
            Ok(settings)
        };
        claim_settings(&path, &text, |path| {
            let (earlier, now) = (settings(&files::read_text(path)?)?, settings(&text)?);
            let mut names: Vec<String> = earlier.keys().chain(now.keys()).cloned().collect();
            names.retain(|name| earlier.get(name) != now.get(name));
            names.sort();
            names.dedup();
            Ok(names)
        })?;
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::series::SequenceSettings;

    pub fn defaults() -> SequenceConfig {
        #[derive(clap::Parser)]
        struct Flags {
            #[command(flatten)]
            config: SequenceConfig,
        }
        let flags = ["hemora-train", "--slices=slices.parquet", "--out=out"];
        <Flags as clap::Parser>::parse_from(flags).config
    }

    #[test]
    fn settings_that_cannot_be_are_named() {
        let good = SequenceConfig { features: Some("f".into()), ..defaults() };
        good.check().unwrap();
        let refusal = |config: SequenceConfig| config.check().unwrap_err().to_string();
        let with = |change: fn(&mut SequenceSettings)| {
            let mut config = good.clone();
            change(&mut config.settings);
            refusal(config)
        };
        assert!(refusal(SequenceConfig { features: None, ..good.clone() }).contains("--features"));
        assert!(with(|settings| settings.network = "x".into()).contains("there are"));
        assert!(with(|settings| settings.window = 0).contains("--window is 0"));
        assert!(with(|settings| settings.dropout = 1.0).contains("--dropout"));
        assert!(refusal(SequenceConfig { first: Some("f".into()), ..good }).contains("--first"));
    }

    #[test]
    fn a_folder_of_other_settings_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let one = SequenceConfig { out: folder.path().into(), ..defaults() };
        one.prepare_folder(2).unwrap();
        one.prepare_folder(2).unwrap();
        let mut other = one.clone();
        (other.settings.window, other.settings.threads) = (12, Some(3));
        let error = other.prepare_folder(2).unwrap_err().to_string();
        assert!(error.contains("other settings: window;"), "{error}");
        SequenceConfig { restart: true, ..other.clone() }.prepare_folder(2).unwrap();
        other.prepare_folder(2).unwrap();
        // What holds nothing yet can be given to other settings; a checkpoint keeps its own.
        other.release_folder(2).unwrap();
        one.prepare_folder(2).unwrap();
        std::fs::write(one.folder(1).unwrap().last(), "a checkpoint").unwrap();
        one.release_folder(2).unwrap();
        assert!(other.prepare_folder(2).is_err());
        // Settings that cannot be read are not those of any run.
        std::fs::write(folder.path().join("config.toml"), "window = ").unwrap();
        let error = one.prepare_folder(2).unwrap_err().to_string();
        assert!(error.contains("config.toml") && !error.contains("other settings"), "{error}");
    }
}
