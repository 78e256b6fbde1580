//! Progress of a run: a live page on a terminal, plain lines elsewhere.

use std::fmt::Write;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::trainer::Step;

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
}

/// Seconds from plain line to plain line within an epoch.
const PLAIN_EVERY: Duration = Duration::from_secs(30);

static SILENT: AtomicBool = AtomicBool::new(false);

/// Keeps this process from showing progress: of several that train together one does.
pub fn be_silent() {
    SILENT.store(true, Ordering::Relaxed);
}

fn is_silent() -> bool {
    SILENT.load(Ordering::Relaxed)
}

/// A line on standard error, unless this process is silent.
pub fn say(text: &str) {
    if !is_silent() {
        eprintln!("{text}");
    }
}

/// A bar over `length` items with rate and time left; nothing is drawn when standard error is not a
/// terminal.
pub fn bar(length: u64, what: &'static str) -> ProgressBar {
    let bar = if is_silent() { ProgressBar::hidden() } else { ProgressBar::new(length) };
    bar.with_style(style("{msg} {wide_bar} {pos}/{len} {rate} {eta}")).with_message(what)
}

fn style(template: &str) -> ProgressStyle {
    // The templates are constants; a plain bar is no reason to stop a run.
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        // indicatif's own rate has four decimals.
        .with_key("rate", |state: &ProgressState, out: &mut dyn Write| {
            let _ = write!(out, "{:.1}/s", state.per_sec());
        })
}

/// What a run shows of itself on standard error.
pub struct Display {
    page: Option<Page>,
    epochs: u64,
    epoch: u64,
    images: u64,
    done: u64,
    shown: Instant,
    /// Mean loss of late, each step a twentieth.
    loss: Option<f64>,
}

/// Two bars below the lines of the epochs that are over: the run's and the epoch's.
struct Page {
    all: MultiProgress,
    run: ProgressBar,
    epoch: ProgressBar,
}

impl Display {
    /// A display of a run of `steps` steps in `epochs` epochs, of which `done` steps are over.
    pub fn new(show: Show, epochs: u64, steps: u64, done: u64) -> Self {
        let live = match show {
            Show::Auto => std::io::stderr().is_terminal(),
            Show::Live => true,
            Show::Plain => false,
        };
        let page = (live && !is_silent()).then(|| {
            let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
            let run = all.add(ProgressBar::new(steps));
            run.set_style(style("run    {wide_bar} step {pos}/{len}  {elapsed} gone, {eta} left"));
            run.set_position(done);
            run.reset_eta();
            let epoch = all.add(ProgressBar::new(0));
            epoch.set_style(style("{prefix} {wide_bar} {pos}/{len} images  {rate}  {msg}"));
            Page { all, run, epoch }
        });
        let shown = Instant::now();
        Self { page, epochs, epoch: 0, images: 0, done: 0, shown, loss: None }
    }

    /// Begins an epoch, counted from 1, of `images` images.
    pub fn begin(&mut self, epoch: u64, images: u64) {
        (self.epoch, self.images, self.done) = (epoch, images, 0);
        self.shown = Instant::now();
        if let Some(page) = &self.page {
            page.epoch.set_prefix(format!("epoch {epoch}/{}", self.epochs));
            page.epoch.set_length(images);
            page.epoch.reset();
        }
    }

    /// Takes in a step.
    pub fn step(&mut self, step: &Step) {
        self.done += step.images as u64;
        if let Some(loss) = step.loss {
            self.loss = Some(self.loss.map_or(loss, |mean| mean + (loss - mean) / 20.0));
        }
        let loss = self.loss.map_or(String::new(), |loss| format!("loss {loss:.4}  "));
        let said = format!("{loss}rate {:.2e}", step.rate);
        if let Some(page) = &self.page {
            page.epoch.set_position(self.done);
            page.epoch.set_message(said);
            page.run.set_position(step.number);
        } else if self.shown.elapsed() >= PLAIN_EVERY {
            self.shown = Instant::now();
            say(&format!(
                "epoch {}/{}: {} of {} images, step {}, {said}",
                self.epoch, self.epochs, self.done, self.images, step.number
            ));
        }
    }

    /// A line that stays.
    pub fn line(&self, text: &str) {
        match &self.page {
            // What a terminal refuses cannot be said there either.
            Some(page) => drop(page.all.println(text)),
            None => say(text),
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        if let Some(page) = &self.page {
            // The lines of the epochs stay, the bars have nothing more to say.
            let _ = page.all.clear();
        }
    }
}
