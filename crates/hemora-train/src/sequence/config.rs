//! What a run on sequences is asked to do, and whether a folder belongs to it.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use hemora_nn::Graph;
use hemora_nn::networks::{SequenceOptions, build_sequence, sequence_names};
use miette::{IntoDiagnostic, Result, bail, miette};
use serde::Serialize;

use crate::files::write_whole;
use crate::folder::Folder;
use crate::predict::features_of_fold;

/// Which weights of a fold are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// Those of the last epoch: what is out of fold then chose nothing.
    #[default]
    Last,
    /// Those of the epoch with the lowest loss on the fold, as the winner did; its out-of-fold
    /// figures are then somewhat too good.
    Best,
}

/// Settings of a run. The defaults are the winner's (facts §4).
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

    /// Network: sequence-features, sequence-transformer or sequence-probabilities.
    #[arg(long, default_value = "sequence-features")]
    pub network: String,

    /// Folder of the run. A run that was stopped goes on from its checkpoints.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,

    /// Passes over the series, of each of which one window is seen.
    #[arg(long, default_value_t = 40)]
    pub epochs: u64,

    /// Series of a batch.
    #[arg(long, default_value_t = 128)]
    pub batch: usize,

    /// Slices of a window.
    #[arg(long, default_value_t = 24)]
    pub window: usize,

    /// Longest step from slice to slice of a window; half of the windows step by more than one.
    #[arg(long, default_value_t = 2)]
    pub stride: usize,

    /// Learning rate of Adam.
    #[arg(long, default_value_t = 3e-4)]
    pub learning_rate: f64,

    /// Epochs after which the learning rate is a tenth of what it was.
    #[arg(long, value_delimiter = ',', default_values_t = [20, 30])]
    pub decay_at: Vec<u64>,

    /// Weight of the label any beside the subtypes' 1.
    #[arg(long, default_value_t = 2.0)]
    pub any_weight: f64,

    /// Dropout of whole channels; a fifth of it within blocks of the transformer.
    #[arg(long, default_value_t = 0.5)]
    pub dropout: f64,

    /// Units of the recurrent layers in each direction; half the channels of the transformer.
    #[arg(long, default_value_t = 96)]
    pub hidden: usize,

    /// Recurrent layers, or blocks of the transformer.
    #[arg(long, default_value_t = 2)]
    pub layers: usize,

    /// Which weights of each fold are kept.
    #[arg(long, value_enum, default_value_t)]
    pub keep: Keep,

    /// Seed of weights, windows and dropout.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,

    /// Threads; 0 for one a core.
    #[arg(long, default_value_t = 0)]
    pub threads: usize,

    /// Starts over in a folder that has a run.
    #[arg(long)]
    #[serde(skip)]
    pub restart: bool,
}

/// Whether a network of series reads features and not probabilities.
pub(crate) fn reads_features(network: &str) -> bool {
    network != "sequence-probabilities"
}

/// Whether a network of series reads the place of each slice behind its features.
pub(crate) fn reads_places(network: &str) -> bool {
    network == "sequence-transformer"
}

impl SequenceConfig {
    /// Checks what can be checked without files.
    ///
    /// # Errors
    /// A report that names the setting.
    pub fn check(&self) -> Result<()> {
        if !sequence_names().any(|name| name == self.network) {
            let names = sequence_names().collect::<Vec<_>>().join(", ");
            bail!("unknown network `{}`; there are {names}", self.network);
        }
        if self.reads_features() && self.features.is_none() {
            bail!("{} reads features: name them with --features", self.network);
        }
        if self.reads_features() && self.first.is_some() {
            bail!("{} reads features alone: leave out --first", self.network);
        }
        for (name, value) in [
            ("epochs", self.epochs as usize),
            ("batch", self.batch),
            ("window", self.window),
            ("stride", self.stride),
            ("hidden", self.hidden),
            ("layers", self.layers),
        ] {
            if value == 0 {
                bail!("--{name} is 0; expected 1 or more");
            }
        }
        if !(0.0..1.0).contains(&self.dropout) {
            bail!("--dropout is {}; expected 0 or more and less than 1", self.dropout);
        }
        if !(self.learning_rate > 0.0 && self.any_weight > 0.0) {
            bail!("--learning-rate and --any-weight must be above 0");
        }
        Ok(())
    }

    /// Whether the network reads features and not probabilities.
    pub fn reads_features(&self) -> bool {
        reads_features(&self.network)
    }

    /// The file of the features that the model of a fold, from 0, is trained on; `None` if it reads
    /// none.
    pub fn features_of(&self, fold: u32) -> Option<PathBuf> {
        let path = self.features.as_ref().filter(|_| self.reads_features())?;
        Some(match self.has_features_by_fold() {
            true => features_of_fold(path, fold as usize + 1),
            false => path.clone(),
        })
    }

    /// Whether each fold has features of its own.
    pub fn has_features_by_fold(&self) -> bool {
        self.reads_features() && self.features.as_ref().is_some_and(|path| path.is_dir())
    }

    /// Whether the network reads the place of each slice behind its features.
    pub fn reads_places(&self) -> bool {
        reads_places(&self.network)
    }

    /// The network for slices of `columns` values each.
    ///
    /// # Errors
    /// A report if it does not take them.
    pub fn graph(&self, columns: usize) -> Result<Graph> {
        let options = SequenceOptions {
            columns,
            hidden: self.hidden,
            layers: self.layers,
            dropout: self.dropout,
        };
        build_sequence(&self.network, &options)
            .ok_or_else(|| miette!("unknown network `{}`", self.network))?
            .into_diagnostic()
    }

    /// What the rate is multiplied with in an epoch, counted from 0.
    pub fn rate_factor(&self, epoch: u64) -> f64 {
        let falls = self.decay_at.iter().filter(|at| **at <= epoch).count();
        0.1f64.powi(i32::try_from(falls).unwrap_or(i32::MAX))
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
mod tests {
    use super::*;

    fn defaults() -> SequenceConfig {
        #[derive(clap::Parser)]
        struct Flags {
            #[command(flatten)]
            config: SequenceConfig,
        }
        let flags = ["hemora-train", "--slices=slices.parquet", "--out=out"];
        <Flags as clap::Parser>::parse_from(flags).config
    }

    #[test]
    fn the_rate_falls_to_a_tenth_at_each_mark() {
        let config = defaults();
        let near = |epoch, expected: f64| {
            assert!((config.rate_factor(epoch) / expected - 1.0).abs() < 1e-9, "{epoch}");
        };
        near(0, 1.0);
        near(19, 1.0);
        near(20, 0.1);
        near(39, 0.01);
    }

    #[test]
    fn settings_that_cannot_be_are_named() {
        let good = SequenceConfig { features: Some("f".into()), ..defaults() };
        good.check().unwrap();
        let said = |config: SequenceConfig| config.check().unwrap_err().to_string();
        assert!(said(SequenceConfig { features: None, ..good.clone() }).contains("--features"));
        assert!(said(SequenceConfig { network: "x".into(), ..good.clone() }).contains("there are"));
        assert!(said(SequenceConfig { window: 0, ..good.clone() }).contains("--window is 0"));
        assert!(said(SequenceConfig { dropout: 1.0, ..good.clone() }).contains("--dropout"));
        assert!(said(SequenceConfig { first: Some("f".into()), ..good }).contains("--first"));
    }

    #[test]
    fn a_folder_of_other_settings_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let one = SequenceConfig { out: folder.path().into(), ..defaults() };
        one.prepare_folder(2).unwrap();
        one.prepare_folder(2).unwrap();
        let other = SequenceConfig { window: 12, threads: 3, ..one.clone() };
        let error = other.prepare_folder(2).unwrap_err().to_string();
        assert!(error.ends_with("other settings: window"), "{error}");
        SequenceConfig { restart: true, ..other.clone() }.prepare_folder(2).unwrap();
        other.prepare_folder(2).unwrap();
    }
}
