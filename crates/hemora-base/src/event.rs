//! What one program tells another of its progress: a JSON object a line.
//!
//! The commands `run`, `predict`, `sequence` and `find-rate` of `hemora-train` print these lines with
//! `--progress json`, and nothing else, to standard output; what they tell people goes to standard
//! error, which no program reads.

use serde::{Deserialize, Serialize};

/// One line of progress.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case", rename_all_fields = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// Where the work is done, for instance `cpu, 2 threads`.
    Device {
        /// The device, for people.
        device: String,
    },
    /// A part of the work has been done.
    Progress {
        /// What is counted, for instance `training steps`.
        what: String,
        /// How many are done.
        done: u64,
        /// Of how many, where that is known.
        total: Option<u64>,
    },
    /// An epoch ended.
    Epoch {
        /// The fold that is held out, from 1, in a cross-validation.
        fold: Option<u64>,
        /// The epoch, from 1.
        epoch: u64,
        /// Of how many at most.
        epochs: u64,
        /// Mean training loss.
        loss: f64,
        /// The validation score that is watched, where there is one.
        score: Option<f64>,
    },
    /// Something a person should know; the work goes on.
    Warning {
        /// The sentence.
        message: String,
    },
    /// The work is complete.
    Finished,
    /// An event of a newer program, which an older reader passes over.
    #[serde(other)]
    Unknown,
}

/// Why a line is no event.
#[derive(Debug, thiserror::Error)]
#[error("`{line}` is not a line of progress: {source}")]
pub struct EventError {
    line: String,
    source: serde_json::Error,
}

impl Event {
    /// The event as one line, without the line feed.
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).expect("events are texts and numbers")
    }

    /// Reads one line.
    ///
    /// # Errors
    /// [`EventError`] if it is not a JSON object with a known shape.
    pub fn from_line(line: &str) -> Result<Self, EventError> {
        serde_json::from_str(line).map_err(|source| {
            let line = line.chars().take(120).collect();
            EventError { line, source }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_one_line_and_read_back() {
        let epoch = Event::Epoch { fold: None, epoch: 2, epochs: 8, loss: 0.5, score: Some(0.9) };
        for event in [
            Event::Device { device: "cpu, \"2\"\nthreads".to_owned() },
            Event::Progress { what: "images".to_owned(), done: 3, total: None },
            epoch,
            Event::Finished,
        ] {
            let line = event.to_line();
            assert!(!line.contains('\n'), "{line}");
            assert_eq!(Event::from_line(&line).unwrap(), event);
        }
        assert_eq!(
            Event::from_line("{\"event\":\"of-tomorrow\",\"x\":1}").unwrap(),
            Event::Unknown
        );
        assert!(Event::from_line("epoch 1").unwrap_err().to_string().contains("epoch 1"));
    }
}
