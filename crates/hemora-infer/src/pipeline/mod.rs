//! Triage from inputs to outputs as one call.

mod input;
mod progress;
mod run;

pub use input::TriageInput;
pub use progress::{Progress, ProgressCallback, Step};
pub use run::{Pictures, Triage, TriageError};
