//! Progress of a training: a live page on a terminal, plain lines or events elsewhere.

use std::time::{Duration, Instant};

use hemora_base::Event;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget};

use super::reporter::{Reporter, Throttle, style};

/// Seconds from plain line to plain line within an epoch.
const PLAIN_EVERY: Duration = Duration::from_secs(30);

/// What one step came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Its number, from 1.
    pub number: u64,
    /// Images of its batches.
    pub images: usize,
    /// Learning rate.
    pub rate: f64,
    /// Mean loss. On a GPU most steps do not wait for it.
    pub loss: Option<f64>,
    /// Norm of the gradient before it was clipped, where it is and the loss is waited for.
    pub norm: Option<f64>,
}

/// What a training shows of itself.
pub struct Display {
    reporter: Reporter,
    page: Option<Page>,
    events: Throttle,
    epochs: u64,
    steps: u64,
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
    /// A display of a training of `steps` steps in `epochs` epochs, of which `done` steps are over.
    pub fn new(reporter: Reporter, epochs: u64, steps: u64, done: u64) -> Self {
        let page = reporter.is_live().then(|| {
            let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
            let run = all.add(ProgressBar::new(steps));
            run.set_style(style("run    {wide_bar} step {pos}/{len}  {elapsed} gone, {eta} left"));
            run.set_position(done);
            run.reset_eta();
            let epoch = all.add(ProgressBar::new(0));
            epoch.set_style(style("{prefix} {wide_bar} {pos}/{len} images  {rate}  {msg}"));
            Page { all, run, epoch }
        });
        Self {
            reporter,
            page,
            events: Throttle::default(),
            epochs,
            steps,
            epoch: 0,
            images: 0,
            done: 0,
            shown: Instant::now(),
            loss: None,
        }
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
        let state = format!("{loss}rate {:.2e}", step.rate);
        if let Some(page) = &self.page {
            page.epoch.set_position(self.done);
            page.epoch.set_message(state);
            page.run.set_position(step.number);
        } else if self.shown.elapsed() >= PLAIN_EVERY {
            self.shown = Instant::now();
            self.reporter.log(&format!(
                "epoch {}/{}: {} of {} images, step {}, {state}",
                self.epoch, self.epochs, self.done, self.images, step.number
            ));
        }
        if self.reporter.is_json() && self.events.is_due(step.number == self.steps) {
            let (what, total) = ("training steps".to_owned(), Some(self.steps));
            self.reporter.event(&Event::Progress { what, done: step.number, total });
        }
    }

    /// A line that stays.
    pub fn line(&self, text: &str) {
        match &self.page {
            // What a terminal refuses cannot be shown there either.
            Some(page) => drop(page.all.println(text)),
            None => self.reporter.log(text),
        }
    }

    /// Ends an epoch: `text` for people, `event` for a program.
    pub fn end_epoch(&self, text: &str, event: &Event) {
        self.line(text);
        self.reporter.event(event);
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        if let Some(page) = &self.page {
            // The lines of the epochs stay, the bars have nothing more to show.
            let _ = page.all.clear();
        }
    }
}
