//! Finding a learning rate: a few steps with a rate that grows, and the loss at each (Smith 2017).

use std::fmt::Write as _;
use std::rc::Rc;

use hemora_base::Event;
use hemora_data::{Batch, Share};
use hemora_page::chart::{Axis, Chart, Frame};

use super::device::Compute;
use super::memory::{self, Demand};
use super::start::{self, TrainerPlan};
use super::{TrainError, ranks};
use crate::config::{ConfigError, RunConfig, RunPlan};
use crate::data;
use crate::output::{FileError, Reporter, files};

/// Flags of the search beside those of a run.
#[derive(Debug, Clone, Copy, PartialEq, clap::Args)]
pub struct RateRange {
    /// First learning rate.
    #[arg(long, default_value_t = 1e-7)]
    pub from: f64,
    /// Last learning rate; the search ends before it when the loss has grown fourfold.
    #[arg(long, default_value_t = 10.0)]
    pub to: f64,
    /// Steps of the search.
    #[arg(long, default_value_t = 100)]
    pub search_steps: u64,
}

impl RateRange {
    /// Refuses a range of which no curve can be made.
    fn check(&self) -> Result<(), ConfigError> {
        let refuse = |flag, value: String, expected: &str| {
            Err(ConfigError::Value { flag, value, expected: expected.to_owned() })
        };
        let Self { from, to, search_steps } = *self;
        if !(from > 0.0 && from < to && to.is_finite()) {
            return refuse("--from", format!("{from} --to {to}"), "0 < from < to");
        }
        if search_steps < 10 {
            return refuse("--search-steps", search_steps.to_string(), "at least 10");
        }
        Ok(())
    }

    /// Rate of a step, counted from 0: each is the same number of times higher than the last.
    fn rate(&self, step: u64) -> f64 {
        let part = step as f64 / (self.search_steps - 1).max(1) as f64;
        self.from * (self.to / self.from).powf(part)
    }
}

/// The losses that a search saw.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RateCurve {
    rates: Vec<f64>,
    losses: Vec<f64>,
    smooth: Vec<f64>,
}

/// The part of a loss that goes into the smoothed one.
const SMOOTHING: f64 = 0.1;

impl RateCurve {
    /// Takes in the loss at a rate; false when the search is over.
    pub fn push(&mut self, rate: f64, loss: f64) -> bool {
        if !loss.is_finite() {
            return false;
        }
        self.rates.push(rate);
        self.losses.push(loss);
        // A mean that forgets, without the pull of where it began.
        let count = self.losses.len() as i32;
        let kept = 1.0 - SMOOTHING;
        let weights = 1.0 - kept.powi(count);
        let before = self.smooth.last().map_or(0.0, |last| last * (1.0 - kept.powi(count - 1)));
        let smooth = (before * kept + loss * SMOOTHING) / weights;
        self.smooth.push(smooth);
        let least = self.smooth.iter().copied().fold(f64::INFINITY, f64::min);
        smooth < 4.0 * least
    }

    /// The rate at which the smoothed loss falls most steeply before its least value, by the
    /// logarithm of the rate; `None` if it never falls.
    pub fn suggestion(&self) -> Option<f64> {
        let least = (0..self.smooth.len())
            .min_by(|&one, &other| self.smooth[one].total_cmp(&self.smooth[other]))?;
        // Over a few points: the slope between two neighbours is mostly noise.
        let reach = (self.smooth.len() / 20).max(1);
        (reach..=least.min(self.smooth.len().saturating_sub(reach + 1)))
            .map(|at| {
                let (low, high) = (at - reach, at + reach);
                let fall = self.smooth[low] - self.smooth[high];
                (fall / (self.rates[high] / self.rates[low]).ln(), self.rates[at])
            })
            .filter(|(steepness, _)| *steepness > 0.0)
            .max_by(|one, other| one.0.total_cmp(&other.0))
            .map(|(_, rate)| rate)
    }

    /// A row a step.
    fn csv(&self) -> String {
        let mut text = String::from("rate,loss,smoothed_loss\n");
        for ((rate, loss), smooth) in self.rates.iter().zip(&self.losses).zip(&self.smooth) {
            let _ = writeln!(text, "{rate:e},{loss},{smooth}");
        }
        text
    }

    /// The page with the curve.
    fn page(&self, network: &str, suggestion: Option<f64>) -> std::io::Result<Vec<u8>> {
        let page = hemora_page::Page {
            title: "Learning rate, for research use only",
            style: "body { max-width: 52rem; }",
            skip: None,
            header: maud::html! {
                h1 { "Learning rate of " (hemora_page::short(network)) }
                (hemora_page::notice(hemora_ct::NOTICE, None))
            },
            notice: hemora_ct::NOTICE,
        };
        let body = maud::html! {
            p {
                @match suggestion {
                    Some(rate) => {
                        "The loss falls most steeply at a rate of "
                        b { (format!("{rate:.2e}")) } "."
                    },
                    None => "The loss never falls: no rate can be suggested.",
                }
                " " (self.rates.len()) " steps."
            }
            (self.chart(suggestion))
            p { "Dots: loss of a step. Line: smoothed." }
        };
        let mut out = Vec::new();
        page.write(&mut out, [body])?;
        Ok(out)
    }

    /// Losses over rates; the suggested rate is marked.
    fn chart(&self, suggestion: Option<f64>) -> hemora_page::Markup {
        const FRAME: Frame = Frame {
            width: 720.0,
            height: 392.0,
            left: 56.0,
            right: 704.0,
            top: 16.0,
            bottom: 340.0,
        };
        let (Some(&first), Some(&last)) = (self.rates.first(), self.rates.last()) else {
            return maud::html! {};
        };
        let low = self.losses.iter().chain(&self.smooth).copied().fold(f64::INFINITY, f64::min);
        // A loss that ran away at the end would flatten the rest.
        let start = self.smooth[0];
        let highest = self.losses.iter().copied().fold(start, f64::max);
        let high = highest.min(low + 2.5 * (start - low).max(0.1));
        let rates = Axis::powers_of_ten("learning rate", [first, last]);
        let mut chart = Chart::new(FRAME, rates, Axis::linear("loss", [low, high], 6, 1e-6));
        for (rate, &loss) in self.rates.iter().zip(&self.losses) {
            if loss <= high {
                chart.dot("sample", [rate.log10(), loss], 2.0, "");
            }
        }
        let smooth = self.rates.iter().zip(&self.smooth);
        chart.line("curve", smooth.map(|(rate, &loss)| [rate.log10(), loss.min(high)]));
        if let Some(rate) = suggestion {
            chart.mark(rate.log10(), &format!("{rate:.2e}"));
        }
        chart.picture("", "loss by learning rate")
    }
}

/// Searches, writes `rate.html` and `rate.csv` into the folder of `config`, and prints the rate.
///
/// # Errors
/// [`TrainError`] names the file or setting and what to do.
pub fn find_rate(config: &RunConfig, range: &RateRange) -> Result<(), TrainError> {
    range.check()?;
    let run = RunPlan::from_config(config)?;
    let plan = run.first();
    let optim = &plan.optim;
    if ranks::is_one_of_several()? {
        return Err(TrainError::Processes { what: "a learning rate is found by" });
    }
    let reporter = Reporter::new(config.progress);
    let compute = Compute::start(&plan.compute, None, reporter)?;
    let joint = plan.model.joint.as_ref();
    let data = data::load(&plan.data, &plan.split, joint.is_some(), reporter)?;
    let (train, _) =
        start::loaders(optim, &plan.model, plan.seed, &data, Share::default(), compute.threads)?;
    let curve = memory::catching(Demand::from(optim), || {
        let (parts, steps) = (TrainerPlan::from(plan), (range.search_steps, 1));
        let mut trainer = start::trainer(parts, &data, Rc::default(), compute.device, steps)?;
        let bar = reporter.counter(range.search_steps, "steps searched");
        let mut curve = RateCurve::default();
        let mut batches = Endless { loader: &train, epoch: 0, batches: train.epoch(0) };
        for step in 0..range.search_steps {
            let rate = range.rate(step);
            let count = optim.accumulate;
            let (_, loss, _) = trainer.step_at(rate, batches.by_ref().take(count), count);
            bar.inc(1);
            if !curve.push(rate, loss.double_value(&[])) {
                break;
            }
        }
        bar.finish();
        Ok::<_, TrainError>(curve)
    })?;
    let suggestion = curve.suggestion();
    let out = run.out();
    files::create_folder(out)?;
    files::write(&out.join("rate.csv"), curve.csv().as_bytes())?;
    let path = out.join("rate.html");
    let page = curve.page(&plan.model.slices.network, suggestion);
    files::write(&path, &page.map_err(FileError::on("write", &path))?)?;
    reporter.result(&match suggestion {
        Some(rate) => format!("suggested learning rate: {rate:.2e}"),
        None => "no learning rate to suggest: the loss never fell".to_owned(),
    });
    reporter.result(&format!("curve: {}", path.display()));
    reporter.event(&Event::Finished);
    Ok(())
}

/// The batches of one epoch after the other.
struct Endless<'a> {
    loader: &'a hemora_data::Loader,
    epoch: u64,
    batches: hemora_data::Epoch,
}

impl Iterator for Endless<'_> {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        self.batches.next().or_else(|| {
            self.epoch += 1;
            self.batches = self.loader.epoch(self.epoch);
            self.batches.next()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_grow_by_the_same_factor() {
        let range = RateRange { from: 1e-4, to: 1.0, search_steps: 5 };
        for (step, expected) in [1e-4, 1e-3, 1e-2, 0.1, 1.0].into_iter().enumerate() {
            assert!((range.rate(step as u64) / expected - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn the_steepest_fall_is_suggested_and_the_search_ends_where_the_loss_runs_away() {
        let mut curve = RateCurve::default();
        let range = RateRange { from: 1e-6, to: 1e2, search_steps: 200 };
        let mut ended = None;
        for step in 0..range.search_steps {
            let rate = range.rate(step);
            // A step down at 1e-3, then away from 0.1 on.
            let loss = 1.0 - 0.9 / (1.0 + (1e-3 / rate).powi(2)) + (rate / 0.1).powi(2);
            if !curve.push(rate, loss) {
                ended = Some(rate);
                break;
            }
        }
        let suggestion = curve.suggestion().unwrap();
        assert!((3e-4..6e-3).contains(&suggestion), "{suggestion}");
        assert!((0.02..2.0).contains(&ended.unwrap()), "{ended:?}");
        let page = String::from_utf8(curve.page("a<b\u{202E}", Some(suggestion)).unwrap()).unwrap();
        assert!(
            page.contains("a&lt;b\u{FFFD}") && page.contains("<path class=\"curve\""),
            "{page}"
        );
    }

    #[test]
    fn a_loss_that_only_grows_suggests_nothing() {
        let mut curve = RateCurve::default();
        for step in 1..40 {
            curve.push(f64::from(step), 1.0 + 0.01 * f64::from(step));
        }
        assert_eq!(curve.suggestion(), None);
        assert!(!curve.push(50.0, f64::NAN));
    }
}
