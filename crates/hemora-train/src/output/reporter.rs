//! Who is told of a run's progress, and where: people on standard error, programs on standard output.

use std::io::{IsTerminal, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hemora_base::Event;
use indicatif::{ProgressBar, ProgressState, ProgressStyle};

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Show {
    /// A live page where standard error is a terminal, plain lines elsewhere.
    #[default]
    Auto,
    /// A live page.
    Live,
    /// Plain lines.
    Plain,
    /// A JSON object a line on standard output, for programs; text for people on standard error.
    Json,
}

/// Shortest time between two lines of progress for a program.
const EVENT_EVERY: Duration = Duration::from_secs(1);

/// Tells people and programs how far the work is. Of several processes that train together one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reporter(Option<Show>);

impl Default for Reporter {
    /// As on a command line without `--progress`.
    fn default() -> Self {
        Self::new(Show::Auto)
    }
}

impl Reporter {
    /// A reporter that shows progress so.
    pub fn new(show: Show) -> Self {
        Self(Some(show))
    }

    /// A reporter for a process that leaves reporting to another.
    pub fn silent() -> Self {
        Self(None)
    }

    /// A line for people, on standard error.
    pub fn log(&self, text: &str) {
        if self.0.is_some() {
            eprintln!("{text}");
        }
    }

    /// A line for people that a program should know too.
    pub fn warn(&self, text: &str) {
        self.log(text);
        self.event(&Event::Warning { message: text.to_owned() });
    }

    /// What the work came to, for people: on standard output, unless a program reads that.
    pub fn result(&self, text: &str) {
        match self.0 {
            None => {}
            Some(Show::Json) => eprintln!("{text}"),
            Some(_) => println!("{text}"),
        }
    }

    /// A line for a program, where one is there.
    pub fn event(&self, event: &Event) {
        if self.is_json() {
            // A program that has gone is no reason to stop the work.
            let _ = writeln!(std::io::stdout(), "{}", event.to_line());
        }
    }

    /// Whether a program reads standard output.
    pub fn is_json(&self) -> bool {
        self.0 == Some(Show::Json)
    }

    /// Whether a live page is drawn.
    pub(super) fn is_live(&self) -> bool {
        match self.0 {
            Some(Show::Auto) => std::io::stderr().is_terminal(),
            Some(Show::Live) => true,
            Some(Show::Plain | Show::Json) | None => false,
        }
    }

    /// Counts up to `total`, 0 where that is not known yet, things such as `images read`.
    pub fn counter(&self, total: u64, what: &'static str) -> Counter {
        let bar = match self.0 {
            None | Some(Show::Json) => ProgressBar::hidden(),
            Some(_) => ProgressBar::new(0),
        };
        bar.set_length(total);
        let bar = bar.with_style(style("{msg} {wide_bar} {pos}/{len} {rate} {eta}"));
        Counter { bar: bar.with_message(what), what, events: Throttle::default(), reporter: *self }
    }
}

/// Something that is counted: a bar where standard error is a terminal, events for a program.
#[derive(Debug)]
pub struct Counter {
    bar: ProgressBar,
    what: &'static str,
    events: Throttle,
    reporter: Reporter,
}

impl Counter {
    /// Sets how many there are.
    pub fn set_length(&self, total: u64) {
        self.bar.set_length(total);
    }

    /// Sets how many are done.
    pub fn set_position(&self, done: u64) {
        self.bar.set_position(done);
        self.report(false);
    }

    /// So many more are done.
    pub fn inc(&self, more: u64) {
        self.bar.inc(more);
        self.report(false);
    }

    /// All are done.
    pub fn finish(&self) {
        self.report(true);
        self.bar.finish_and_clear();
    }

    fn report(&self, last: bool) {
        if self.reporter.is_json() && self.events.is_due(last) {
            let total = self.bar.length().filter(|total| *total > 0);
            let (what, done) = (self.what.to_owned(), self.bar.position());
            self.reporter.event(&Event::Progress { what, done, total });
        }
    }
}

/// Lets an event through once a second.
#[derive(Debug, Default)]
pub(super) struct Throttle(Mutex<Option<Instant>>);

impl Throttle {
    /// Whether it is time for an event; for the last one it always is.
    pub(super) fn is_due(&self, last: bool) -> bool {
        let mut then = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = last || then.is_none_or(|then| then.elapsed() >= EVENT_EVERY);
        if due {
            *then = Some(Instant::now());
        }
        due
    }
}

pub(super) fn style(template: &str) -> ProgressStyle {
    // The templates are constants; a plain bar is no reason to stop a run.
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        // indicatif's own rate has four decimals.
        .with_key("rate", |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            let _ = write!(out, "{:.1}/s", state.per_sec());
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_let_through_now_and_then_and_at_the_end() {
        let throttle = Throttle::default();
        assert!(throttle.is_due(false));
        assert!(!throttle.is_due(false));
        assert!(throttle.is_due(true));
    }
}
