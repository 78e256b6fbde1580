//! Mean and spread over the repeats.

use hemora_ct::Label;
use hemora_metrics::Interval;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::study::baseline::BaselineKind;
use crate::study::document::{CellResult, DrawResult, Outcome};
use crate::study::figures::LabelFigures;
use crate::study::{Question, SplitKind};

/// A network's or a baseline's figures for a label over the repeats.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Whose.
    pub of: Who,
    /// What was asked.
    pub question: Question,
    /// How images were split.
    pub split: SplitKind,
    /// The label.
    pub label: Label,
    /// Repeats that were measured.
    pub repeats: u64,
    /// Accuracy at a threshold of one half.
    pub accuracy: Figure,
    /// Mean squared error.
    pub mse: Figure,
    /// Area under the receiver operating characteristic.
    pub auc: Figure,
}

/// Whose figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Who {
    /// A network.
    Network(String),
    /// A baseline.
    Baseline(BaselineKind),
}

/// One figure over the repeats.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// Mean of the repeats in which it is defined.
    pub mean: Option<f64>,
    /// Standard deviation over the repeats; absent with fewer than two.
    pub deviation: Option<f64>,
    /// With one repeat, the lower limit of its interval over resampled patients.
    pub low: Option<f64>,
    /// With one repeat, the upper limit.
    pub high: Option<f64>,
}

impl Figure {
    fn new(intervals: &[Interval]) -> Self {
        let values: Vec<f64> = intervals.iter().filter_map(|interval| interval.value).collect();
        let count = values.len() as f64;
        let mean = (!values.is_empty()).then(|| values.iter().sum::<f64>() / count);
        let deviation = mean.filter(|_| values.len() > 1).map(|mean| {
            let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
            (squares / (count - 1.0)).sqrt()
        });
        let [low, high] = match intervals {
            [one] => [one.low, one.high],
            _ => [None, None],
        };
        Self { mean, deviation, low, high }
    }
}

/// Summaries of all that was measured, in the order in which it first stands there.
pub fn summarise(draws: &[DrawResult], cells: &[CellResult]) -> Vec<Summary> {
    let mut keys: Vec<(Who, Question, SplitKind, Label)> = Vec::new();
    let mut found: Vec<Vec<&LabelFigures>> = Vec::new();
    let measured = cells.iter().filter_map(|cell| match &cell.outcome {
        Outcome::Measured(measured) => {
            Some((Who::Network(cell.network.clone()), cell.draw, &measured.figures))
        }
        Outcome::Impossible(_) | Outcome::Failed(_) => None,
    });
    let baselines = draws.iter().flat_map(|draw| {
        draw.baselines.iter().map(|one| (Who::Baseline(one.kind), draw.draw, &one.figures))
    });
    for (who, draw, figures) in measured.chain(baselines) {
        for one in figures {
            let key = (who.clone(), draw.question, draw.split, one.label);
            match keys.iter().position(|known| *known == key) {
                Some(at) => found[at].push(one),
                None => {
                    keys.push(key);
                    found.push(vec![one]);
                }
            }
        }
    }
    let summary = |((of, question, split, label), figures): (_, Vec<&LabelFigures>)| {
        let of_all = |figure: fn(&LabelFigures) -> Interval| {
            Figure::new(&figures.iter().map(|one| figure(one)).collect::<Vec<_>>())
        };
        Summary {
            of,
            question,
            split,
            label,
            repeats: figures.len() as u64,
            accuracy: of_all(|one| one.accuracy),
            mse: of_all(|one| one.mse),
            auc: of_all(|one| one.auc),
        }
    };
    keys.into_iter().zip(found).map(summary).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(value: Option<f64>) -> Interval {
        Interval { value, low: value.map(|v| v - 0.1), high: value, repeats: 10, undefined: 0 }
    }

    #[test]
    fn one_repeat_has_an_interval_and_several_a_spread() {
        let one = Figure::new(&[interval(Some(0.8))]);
        assert_eq!((one.mean, one.deviation, one.high), (Some(0.8), None, Some(0.8)));
        let two = Figure::new(&[interval(Some(0.6)), interval(Some(0.8)), interval(None)]);
        assert!((two.mean.unwrap() - 0.7).abs() < 1e-12);
        assert!((two.deviation.unwrap() - 0.02f64.sqrt()).abs() < 1e-12);
        assert_eq!((two.low, two.high), (None, None));
        let none = Figure::new(&[interval(None)]);
        assert_eq!((none.mean, none.deviation), (None, None));
    }
}
