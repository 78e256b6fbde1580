//! What a run is asked to do: flags over a file over defaults, resolved once.

mod check;
mod file;
mod options;

pub use file::{ConfigError, Settings, commented, differences, read};
pub use options::{Monitor, RunConfig};
