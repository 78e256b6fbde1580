//! The files of a run, and whether a folder belongs to it.

use std::path::PathBuf;

use miette::{IntoDiagnostic, Result, WrapErr, bail, miette};

use crate::config::{self, RunConfig};
use crate::files::write_whole;

/// The folder of a run.
pub struct Folder(PathBuf);

impl Folder {
    /// A folder of which the caller knows that it belongs to the run.
    pub fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// The run's folder, for a process that only reads.
    pub fn of(config: &RunConfig) -> Self {
        Self(config.out.clone())
    }

    /// Makes the folder, or checks that it belongs to the same run.
    ///
    /// # Errors
    /// A report if it belongs to a run with other settings, or cannot be written.
    pub fn prepare(config: &RunConfig) -> Result<Self> {
        let folder = Self(config.out.clone());
        let path = folder.config();
        if config.restart {
            for file in [folder.last(), folder.best(), folder.metrics(), path.clone()] {
                match std::fs::remove_file(&file) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        return Err(miette!("cannot remove {}: {error}", file.display()));
                    }
                    _ => {}
                }
            }
            crate::events::remove(&folder.events()).into_diagnostic()?;
        }
        std::fs::create_dir_all(config.out.join("checkpoints"))
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot make the folder {}", config.out.display()))?;
        if path.exists() {
            let earlier = config::read(&path).into_diagnostic()?;
            let differences = config::differences(&earlier, config);
            if !differences.is_empty() {
                bail!(
                    help = "give another --out, the earlier settings, or --restart to start over",
                    "{} belongs to a run with other settings: {}",
                    path.display(),
                    differences.join(", ")
                );
            }
        } else {
            write_whole(&path, config::commented(&config.resolved()).as_bytes())
                .into_diagnostic()?;
        }
        Ok(folder)
    }

    /// The folder of a run that has ended, and its settings.
    ///
    /// # Errors
    /// A report if it has not ended, or its settings cannot be read.
    pub fn finished(path: PathBuf) -> Result<(Self, RunConfig)> {
        let folder = Self(path);
        if !folder.model().is_file() {
            bail!(
                help = "finish the run first: the same command goes on where it stopped",
                "{}: no model.safetensors",
                folder.0.display()
            );
        }
        let config = config::read(&folder.config()).into_diagnostic()?;
        Ok((folder, config))
    }

    /// The settings, as resolved.
    pub fn config(&self) -> PathBuf {
        self.0.join("config.toml")
    }
    /// The checkpoint from which a stopped run goes on.
    pub fn last(&self) -> PathBuf {
        self.0.join("checkpoints/last.safetensors")
    }
    /// The weights of the best validation so far.
    pub fn best(&self) -> PathBuf {
        self.0.join("checkpoints/best.safetensors")
    }
    /// A line an epoch.
    pub fn metrics(&self) -> PathBuf {
        self.0.join("metrics.jsonl")
    }
    /// The folder of TensorBoard's event files.
    pub fn events(&self) -> PathBuf {
        self.0.join("events")
    }
    /// What the best weights say of the validation images.
    pub fn validation(&self) -> PathBuf {
        self.0.join("validation.csv")
    }
    /// What the best weights say of the test images, where a table of the split names some.
    pub fn test(&self) -> PathBuf {
        self.0.join("test.csv")
    }
    /// The folder of the network of series that was trained with that of slices: as a run of
    /// `hemora-train sequence` leaves one.
    pub fn series(&self) -> PathBuf {
        self.0.join("series")
    }
    /// The best weights, with what a bundle needs to know.
    pub fn model(&self) -> PathBuf {
        self.0.join("model.safetensors")
    }
}
