//! Progress bars on standard error; nothing is drawn when it is not a terminal.

use std::fmt::Write;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

/// A bar with count, rate and time left.
pub fn bar(what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:20} {wide_bar} {pos}/{len} {rate} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        // indicatif's own rate has four decimals.
        .with_key("rate", |state: &ProgressState, out: &mut dyn Write| {
            // A bar that cannot be drawn is no reason to stop.
            let _ = write!(out, "{:.1}/s", state.per_sec());
        });
    ProgressBar::new(0).with_style(style).with_message(what)
}

/// A library's `progress(done, total)` that moves `bar`.
pub fn moves(bar: &ProgressBar) -> impl Fn(usize, usize) + Sync + '_ {
    |done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    }
}
