//! The files of a run, and whether a folder belongs to it.

use std::path::{Path, PathBuf};

use super::files::{self, FileError};
use super::tensorboard;
use crate::config::{self, ConfigError, RunConfig};

/// Why a folder cannot be used for or as a run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The settings in it cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// It belongs to another run.
    #[error(
        "{} belongs to a run with other settings: {}; give another --out, the earlier settings, or \
         --restart to start over",
        path.display(),
        names.join(", ")
    )]
    OtherSettings {
        /// The file of settings.
        path: PathBuf,
        /// The settings that differ.
        names: Vec<String>,
    },
    /// The run has not ended.
    #[error(
        "{}: no model.safetensors; finish the run first: the same command goes on where it stopped",
        .0.display()
    )]
    Unfinished(PathBuf),
}

/// The folder of a run.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Makes the folder of a training, or checks that it belongs to the same one; with `restart`
    /// what it holds is removed first.
    ///
    /// # Errors
    /// [`FolderError`] if it belongs to a run with other settings, or cannot be written.
    pub fn claim(&self, config: &RunConfig, restart: bool) -> Result<(), FolderError> {
        if restart {
            self.clear()?;
        }
        files::create_folder(&self.0.join("checkpoints"))?;
        let text = config::commented(&config.resolved());
        claim_settings(&self.config(), &text, |path| {
            Ok(config::differences(&config::read(path)?, config))
        })
    }

    /// Lets other settings have the folder, if no epoch is over of which a checkpoint was written.
    ///
    /// # Errors
    /// [`FileError`] names the file that cannot be removed.
    pub fn release(&self) -> Result<(), FileError> {
        match self.last().exists() {
            true => Ok(()),
            false => self.clear(),
        }
    }

    /// Removes what an earlier training goes on from; its network stays until another is there.
    ///
    /// # Errors
    /// [`FileError`] names the file.
    pub fn clear(&self) -> Result<(), FileError> {
        for file in [self.last(), self.best(), self.metrics(), self.config()] {
            files::remove(&file)?;
        }
        let events = self.events();
        tensorboard::remove(&events).map_err(FileError::on("remove the events in", &events))
    }

    /// The folder of a run that has ended, and its settings.
    ///
    /// # Errors
    /// [`FolderError`] if it has not ended, or its settings cannot be read.
    pub fn finished(path: &Path) -> Result<(Self, RunConfig), FolderError> {
        let folder = Self::new(path);
        if !folder.model().is_file() {
            return Err(FolderError::Unfinished(folder.0));
        }
        let config = config::read(&folder.config())?;
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
    /// What the best weights predict of the validation images.
    pub fn validation(&self) -> PathBuf {
        self.0.join("validation.csv")
    }
    /// What the best weights predict of the test images, where a table of the split names some.
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

/// Writes the settings of a run to `path`, or checks those that are there: `differences` names the
/// settings in which the file differs.
///
/// # Errors
/// [`FolderError`] if they differ, or the file cannot be read or written.
pub fn claim_settings(
    path: &Path,
    text: &str,
    differences: impl FnOnce(&Path) -> Result<Vec<String>, FolderError>,
) -> Result<(), FolderError> {
    if !path.exists() {
        return Ok(files::write(path, text.as_bytes())?);
    }
    let names = differences(path)?;
    match names.is_empty() {
        true => Ok(()),
        false => Err(FolderError::OtherSettings { path: path.to_owned(), names }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_a_checkpoint_can_be_given_to_other_settings() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path());
        let [large, small] = [16, 8].map(|batch| RunConfig { batch, ..RunConfig::default() });
        folder.claim(&large, false).unwrap();
        let refused = folder.claim(&small, false).unwrap_err().to_string();
        assert!(refused.contains("other settings: batch;"), "{refused}");
        folder.release().unwrap();
        folder.claim(&small, false).unwrap();
        std::fs::write(folder.last(), "a checkpoint").unwrap();
        folder.release().unwrap();
        assert!(folder.claim(&large, false).is_err());
    }
}
