//! Finding a learning rate: a few steps with a rate that grows, and the loss at each (Smith 2017).

use std::fmt::Write as _;
use std::rc::Rc;

use hemora_base::Event;
use hemora_data::{Batch, Share};
use hemora_page::{Scale, write_head};

use super::device::Compute;
use super::start::{self, TrainerPlan};
use super::{TrainError, memory, ranks};
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
        let mut page = Vec::new();
        write_head(&mut page, "Learning rate", STYLE)?;
        let sentence = match suggestion {
            Some(rate) => format!("The loss falls most steeply at a rate of <b>{rate:.2e}</b>."),
            None => "The loss never falls: no rate can be suggested.".to_owned(),
        };
        let network = hemora_page::Escaped(network);
        let body = format!(
            "<main>\n<h1>Learning rate of {network}</h1>\n<p>{sentence} {} steps.</p>\n{}\n\
             <p class=\"note\">Dots: loss of a step. Line: smoothed. For research use only.</p>\n\
             </main>\n</body>\n</html>\n",
            self.rates.len(),
            self.chart(suggestion)
        );
        page.extend(body.into_bytes());
        Ok(page)
    }

    fn chart(&self, suggestion: Option<f64>) -> String {
        let (Some(&first), Some(&last)) = (self.rates.first(), self.rates.last()) else {
            return String::new();
        };
        let low = self.losses.iter().chain(&self.smooth).copied().fold(f64::INFINITY, f64::min);
        // A loss that ran away at the end would flatten the rest.
        let start = self.smooth[0];
        let high = self
            .losses
            .iter()
            .copied()
            .fold(start, f64::max)
            .min(low + 2.5 * (start - low).max(0.1));
        let x = Scale { domain: [first.log10(), last.log10()], range: [56.0, 704.0] };
        let y = Scale { domain: [low, high], range: [340.0, 16.0] };
        let mut svg = String::from(
            "<svg class=\"rates\" viewBox=\"0 0 720 392\" role=\"img\" \
             aria-label=\"loss by learning rate\">\n",
        );
        for tick in y.ticks(6, 1e-6) {
            let at = y.at(tick);
            let _ = writeln!(
                svg,
                "<line class=\"grid\" x1=\"56\" x2=\"704\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
                 <text x=\"48\" y=\"{:.1}\" text-anchor=\"end\">{tick:.3}</text>",
                at + 4.0
            );
        }
        for power in (first.log10().ceil() as i32)..=(last.log10().floor() as i32) {
            let at = x.at(f64::from(power));
            let _ = writeln!(
                svg,
                "<line class=\"grid\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"16\" y2=\"340\"/>\
                 <text x=\"{at:.1}\" y=\"360\" text-anchor=\"middle\">1e{power}</text>"
            );
        }
        for (rate, loss) in self.rates.iter().zip(&self.losses) {
            if *loss <= high {
                let (x, y) = (x.at(rate.log10()), y.at(*loss));
                let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2\"/>");
            }
        }
        let points: Vec<String> = self
            .rates
            .iter()
            .zip(&self.smooth)
            .map(|(rate, loss)| format!("{:.1},{:.1}", x.at(rate.log10()), y.at(loss.min(high))))
            .collect();
        let _ = writeln!(svg, "<polyline points=\"{}\"/>", points.join(" "));
        if let Some(rate) = suggestion {
            let at = x.at(rate.log10());
            let _ = writeln!(
                svg,
                "<line class=\"mark\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"16\" y2=\"340\"/>\
                 <text class=\"mark\" x=\"{:.1}\" y=\"30\">{rate:.2e}</text>",
                at + 6.0
            );
        }
        svg.push_str(
            "<text x=\"380\" y=\"384\" text-anchor=\"middle\">learning rate</text>\n</svg>",
        );
        svg
    }
}

const STYLE: &str = "main{max-width:52rem;margin:0 auto;padding:1rem}\
    .rates{width:100%;height:auto;font-size:12px}\
    .rates text{fill:currentColor}\
    .rates .grid{stroke:currentColor;stroke-opacity:.15}\
    .rates circle{fill:currentColor;fill-opacity:.35}\
    .rates polyline{fill:none;stroke:currentColor;stroke-width:2}\
    .rates line.mark{stroke:currentColor;stroke-dasharray:4 4}\
    .rates text.mark{font-weight:bold}";

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
        start::loaders(optim, joint, plan.seed, &data, Share::default(), compute.threads)?;
    let curve = memory::catching(optim.batch, optim.accumulate, || {
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
        let page = String::from_utf8(curve.page("a<b", Some(suggestion)).unwrap()).unwrap();
        assert!(page.contains("a&lt;b") && page.contains("<polyline"), "{page}");
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
