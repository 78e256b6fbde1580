//! Progress bars; nothing is drawn when standard error is not a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over `length` items with rate and time left.
pub fn bar(length: u64, what: &'static str) -> ProgressBar {
    let template = "{msg} {wide_bar} {pos}/{len} {per_sec} {eta}";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| {
        // The template is a constant; a plain bar is no reason to stop a run.
        ProgressStyle::default_bar()
    });
    ProgressBar::new(length).with_style(style).with_message(what)
}
