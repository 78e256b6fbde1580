//! One engine of steps: what a step needs and writes ([`Step`]), the record that it is complete
//! ([`Record`]), the programs that do it ([`Programs`]), and the loop that runs what is not complete
//! and says so by typed events ([`run_steps`], [`StepEvent`]).

mod command;
mod error;
mod files;
mod pace;
mod programs;
mod record;
mod run;
mod step;
mod text;

pub use command::{Call, Command};
pub use error::{ConvertError, EngineError};
pub use programs::Programs;
pub use record::Record;
pub use run::{Ended, StepEvent, run_steps};
pub use step::{Action, Convert, Step};
pub use text::{duration_text, progress_text};

pub(crate) use error::in_path;
pub(crate) use files::{claim, write_json, write_text};
pub(crate) use step::chain;
