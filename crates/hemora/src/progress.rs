//! Progress bars on standard error; nothing is drawn when it is not a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar with count, rate and time left.
pub fn bar(what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:20} {wide_bar} {pos}/{len} {per_sec} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style).with_message(what)
}

/// A library's `progress(done, total)` that moves `bar`.
pub fn moves(bar: &ProgressBar) -> impl Fn(usize, usize) + Sync + '_ {
    |done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    }
}
