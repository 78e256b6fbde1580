//! How many threads the commands start.

use hemora_base::ThreadCount;
use miette::{IntoDiagnostic, Result, WrapErr};

/// Limits the threads of everything that follows; 0 leaves one per core. More than there are cores are
/// cut to the cores, with a warning.
///
/// # Errors
/// A report if threads are running already.
pub fn limit_threads(requested: usize) -> Result<()> {
    if requested == 0 {
        return Ok(());
    }
    let count = ThreadCount::from_requested(requested);
    if let Some(note) = count.note() {
        eprintln!("warning: {note}");
    }
    rayon::ThreadPoolBuilder::new()
        .num_threads(count.threads)
        .build_global()
        .into_diagnostic()
        .wrap_err("cannot start threads")
}
