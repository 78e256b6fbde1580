//! What a run on sequences is asked to do, and whether a folder belongs to it.

use std::path::{Path, PathBuf};

use clap::Args;
use hemora_ct::Views;
use miette::{IntoDiagnostic, Result, bail, miette};
use serde::Serialize;

use super::settings::SequenceSettings;
use crate::files::write_whole;
use crate::folder::Folder;
use crate::predict::{features_of_fold, views_of};

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
}

impl SequenceConfig {
    /// Checks what can be checked without files.
    ///
    /// # Errors
    /// A report that names the setting.
    pub fn check(&self) -> Result<()> {
        let settings = &self.settings;
        settings.check()?;
        if settings.reads_features() && self.features.is_none() {
            bail!("{} reads features: name them with --features", settings.network);
        }
        if settings.reads_features() && self.first.is_some() {
            bail!("{} reads features alone: leave out --first", settings.network);
        }
        Ok(())
    }

    /// The file of the features that the model of a fold, from 0, is trained on; `None` if it reads
    /// none.
    pub fn features_of(&self, fold: u32) -> Option<PathBuf> {
        let path = self.features.as_ref().filter(|_| self.settings.reads_features())?;
        Some(match self.has_features_by_fold() {
            true => features_of_fold(path, fold as usize + 1),
            false => path.clone(),
        })
    }

    /// The views that were averaged in what it is trained on, where that is known.
    ///
    /// # Errors
    /// A report if the file that says so cannot be read.
    pub fn views(&self) -> Result<Option<Views>> {
        let features = self.features.as_ref().filter(|_| self.settings.reads_features());
        let folder = match features {
            Some(path) if path.is_dir() => Some(path.as_path()),
            Some(path) => path.parent(),
            None => self.slices.parent(),
        };
        folder.map_or(Ok(None), views_of)
    }

    /// Whether each fold has features of its own.
    pub fn has_features_by_fold(&self) -> bool {
        self.settings.reads_features() && self.features.as_ref().is_some_and(|path| path.is_dir())
    }

    /// The files of a fold.
    ///
    /// # Errors
    /// A report if its folder cannot be made.
    pub fn folder(&self, fold: u32) -> Result<Folder> {
        let path = self.out.join(format!("fold-{}", fold + 1));
        std::fs::create_dir_all(path.join("checkpoints")).into_diagnostic()?;
        Ok(Folder::at(path))
    }

    /// Makes the folder of the run, or checks that it belongs to the same run.
    ///
    /// # Errors
    /// A report if it belongs to a run with other settings, or cannot be written.
    pub fn prepare_folder(&self, folds: u32) -> Result<()> {
        std::fs::create_dir_all(&self.out).into_diagnostic()?;
        let path = self.out.join("config.toml");
        if self.restart {
            for fold in 0..folds {
                let folder = self.folder(fold)?;
                for file in [folder.last(), folder.best(), folder.metrics(), folder.model()] {
                    remove(&file)?;
                }
                crate::events::remove(&folder.events()).into_diagnostic()?;
            }
            remove(&path)?;
        }
        let text = toml::to_string(self).into_diagnostic()?;
        if !path.exists() {
            return write_whole(&path, text.as_bytes()).into_diagnostic();
        }
        let earlier = std::fs::read_to_string(&path).into_diagnostic()?;
        let [mut one, mut other] = [toml::from_str(&earlier), toml::from_str(&text)]
            .map(|table| table.unwrap_or_else(|_| toml::Table::new()));
        for name in ["out", "threads"] {
            one.remove(name);
            other.remove(name);
        }
        let mut names: Vec<String> = one.keys().chain(other.keys()).cloned().collect();
        names.retain(|name| one.get(name) != other.get(name));
        names.sort();
        names.dedup();
        if !names.is_empty() {
            bail!(
                help = "give another --out, the earlier settings, or --restart to start over",
                "{} belongs to a run with other settings: {}",
                path.display(),
                names.join(", ")
            );
        }
        Ok(())
    }
}

fn remove(file: &Path) -> Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(miette!("cannot remove {}: {error}", file.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::sequence::SequenceSettings;

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
        let said = |config: SequenceConfig| config.check().unwrap_err().to_string();
        let with = |change: fn(&mut SequenceSettings)| {
            let mut config = good.clone();
            change(&mut config.settings);
            said(config)
        };
        assert!(said(SequenceConfig { features: None, ..good.clone() }).contains("--features"));
        assert!(with(|settings| settings.network = "x".into()).contains("there are"));
        assert!(with(|settings| settings.window = 0).contains("--window is 0"));
        assert!(with(|settings| settings.dropout = 1.0).contains("--dropout"));
        assert!(said(SequenceConfig { first: Some("f".into()), ..good }).contains("--first"));
    }

    #[test]
    fn a_folder_of_other_settings_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let one = SequenceConfig { out: folder.path().into(), ..defaults() };
        one.prepare_folder(2).unwrap();
        one.prepare_folder(2).unwrap();
        let mut other = one.clone();
        (other.settings.window, other.settings.threads) = (12, 3);
        let error = other.prepare_folder(2).unwrap_err().to_string();
        assert!(error.ends_with("other settings: window"), "{error}");
        SequenceConfig { restart: true, ..other.clone() }.prepare_folder(2).unwrap();
        other.prepare_folder(2).unwrap();
    }
}
