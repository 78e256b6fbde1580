//! The record that a step is complete.

use std::fs;

use serde::{Deserialize, Serialize};

use super::{EngineError, Step, in_path, write_json};

/// That a step is complete, and how it went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Hash of everything that decides the step's outputs.
    pub key: String,
    /// The command, for people.
    pub command: String,
    /// Seconds that it took.
    pub seconds: f64,
    /// Where it ran, as its program reported it.
    #[serde(default)]
    pub device: Option<String>,
}

impl Record {
    /// The record of an earlier run that completed `step` with the same settings and whose outputs
    /// are there still.
    ///
    /// # Errors
    /// [`EngineError::OtherSettings`] if it was completed with others.
    pub(crate) fn find(step: &Step) -> Result<Option<Self>, EngineError> {
        let path = &step.record;
        let text = match fs::read(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(in_path(path))?,
        };
        match serde_json::from_slice::<Self>(&text) {
            Ok(record) if record.key == step.key() => {
                Ok(step.outputs.iter().all(|output| output.exists()).then_some(record))
            }
            Ok(_) => {
                Err(EngineError::OtherSettings { step: step.name.clone(), path: path.clone() })
            }
            // A record that was cut off when the machine stopped.
            Err(_) => Ok(None),
        }
    }

    /// Removes a step's, if it has one: the step is then not complete.
    ///
    /// # Errors
    /// [`EngineError::Io`] if it cannot be removed.
    pub(crate) fn remove(step: &Step) -> Result<(), EngineError> {
        match fs::remove_file(&step.record) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(in_path(&step.record)(error))
            }
            _ => Ok(()),
        }
    }

    /// Writes it.
    pub(super) fn write(&self, step: &Step) -> Result<(), EngineError> {
        write_json(&step.record, self)
    }
}
