//! Progress bars on standard error; nothing is drawn when it is not a terminal.

use std::fmt::Write;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use hemora_infer::{Progress, Step};
use indicatif::{ProgressBar, ProgressState, ProgressStyle};

/// A bar with count, rate and time left.
pub fn bar(what: impl ToString) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:20} {wide_bar} {pos}/{len} {rate} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        // indicatif's own rate has four decimals.
        .with_key("rate", |state: &ProgressState, out: &mut dyn Write| {
            // A bar that cannot be drawn is no reason to stop.
            let _ = write!(out, "{:.1}/s", state.per_sec());
        });
    ProgressBar::new(0).with_style(style).with_message(what.to_string())
}

/// A library's `progress(done, total)` that moves `bar`.
pub fn moves(bar: &ProgressBar) -> impl Fn(usize, usize) + Sync + '_ {
    |done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    }
}

/// One bar after the other, for the steps of triage.
#[derive(Default)]
pub struct Steps(Mutex<Option<(Step, ProgressBar)>>);

impl Steps {
    /// Shows how far triage is; never stops it.
    pub fn show(&self, progress: Progress) -> ControlFlow<()> {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_none_or(|(step, _)| *step != progress.step) {
            if let Some((_, done)) = current.take() {
                done.finish_and_clear();
            }
            *current = Some((progress.step, bar(progress.step)));
        }
        if let Some((_, bar)) = &*current {
            moves(bar)(progress.done, progress.total);
        }
        ControlFlow::Continue(())
    }

    /// Removes the last bar.
    pub fn clear(&self) {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((_, bar)) = last {
            bar.finish_and_clear();
        }
    }
}
