//! From slices to series and studies.

use std::fmt;
use std::str::FromStr;

use hemora_ct::Label;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Clusters;
use crate::calibration::{log_odds, sigmoid};

/// What a figure is computed over.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Single slices.
    Slice,
    /// Series.
    Series,
    /// Studies.
    Study,
}

impl Level {
    /// `slice`, `series` or `study`.
    pub fn name(self) -> &'static str {
        match self {
            Level::Slice => "slice",
            Level::Series => "series",
            Level::Study => "study",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [Level::Slice, Level::Series, Level::Study]
            .into_iter()
            .find(|level| level.name() == name)
            .ok_or_else(|| format!("`{name}` is no level; expected slice, series or study"))
    }
}

/// How the probabilities of slices make one of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Aggregation {
    /// The highest.
    Max,
    /// The mean of this many highest, or of all if there are fewer.
    TopMean(u32),
    /// 1 − Π(1 − p): any slice may be the one, independently of the others.
    NoisyOr,
    /// Of all runs of this many neighbouring slices the highest mean of their log odds, as a
    /// probability. Bleeds go on from slice to slice, and a single high slice that its neighbours
    /// contradict makes no alarm. Of fewer slices the mean of all.
    RunMean(u32),
}

impl Default for Aggregation {
    /// Runs of three slices, the rule of new models.
    fn default() -> Self {
        Self::RunMean(3)
    }
}

impl Aggregation {
    /// What a series is, in words: the "mean of its 3 highest slices".
    pub fn words(self) -> String {
        match self {
            Aggregation::Max => "highest of its slices".to_owned(),
            Aggregation::TopMean(most) => format!("mean of its {most} highest slices"),
            Aggregation::NoisyOr => "noisy-or of its slices".to_owned(),
            Aggregation::RunMean(most) => {
                format!("highest mean log odds of {most} neighbouring slices")
            }
        }
    }

    /// Whether the order of slices matters.
    pub fn reads_neighbours(self) -> bool {
        matches!(self, Aggregation::RunMean(2..))
    }

    /// The probability of the whole; `None` without parts. `parts` are in the order of the slices for
    /// [`Aggregation::RunMean`]; for the others their order does not matter, and they are sorted in place.
    pub fn apply(self, parts: &mut [f64]) -> Option<f64> {
        if let Aggregation::RunMean(most) = self {
            return highest_run(parts, most.max(1) as usize);
        }
        parts.sort_unstable_by(|a, b| b.total_cmp(a));
        let highest = *parts.first()?;
        Some(match self {
            Aggregation::RunMean(_) => unreachable!("returned above"),
            Aggregation::Max => highest,
            Aggregation::TopMean(most) => {
                let taken = parts.len().min(most.max(1) as usize);
                parts[..taken].iter().sum::<f64>() / taken as f64
            }
            // Through logarithms: many small probabilities keep their digits.
            Aggregation::NoisyOr => -parts.iter().map(|part| (-part).ln_1p()).sum::<f64>().exp_m1(),
        })
    }
}

/// The highest mean of the log odds of `length` parts in a row, as a probability.
fn highest_run(parts: &[f64], length: usize) -> Option<f64> {
    let odds: Vec<f64> = parts.iter().map(|part| log_odds(*part)).collect();
    let runs = odds.windows(length.min(odds.len()).max(1));
    let means = runs.map(|run| run.iter().sum::<f64>() / run.len() as f64);
    means.max_by(f64::total_cmp).map(sigmoid)
}

impl fmt::Display for Aggregation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Aggregation::Max => formatter.write_str("max"),
            Aggregation::TopMean(most) => write!(formatter, "top-{most}"),
            Aggregation::NoisyOr => formatter.write_str("noisy-or"),
            Aggregation::RunMean(most) => write!(formatter, "run-{most}"),
        }
    }
}

impl FromStr for Aggregation {
    type Err = String;

    /// `max`, `noisy-or`, `top-3` for the mean of the three highest, or `run-3` for runs of three.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let count = |prefix: &str| {
            let count = name.strip_prefix(prefix)?.parse::<u32>().ok()?;
            (count > 0).then_some(count)
        };
        match name {
            "max" => Ok(Aggregation::Max),
            "noisy-or" => Ok(Aggregation::NoisyOr),
            _ => (count("top-").map(Aggregation::TopMean))
                .or_else(|| count("run-").map(Aggregation::RunMean))
                .ok_or_else(|| {
                    format!("`{name}` is no aggregation; expected run-N, max, top-N or noisy-or")
                }),
        }
    }
}

/// Probabilities and truth of one label, an entry an item.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelColumn {
    /// The label.
    pub label: Label,
    /// Probabilities, 0 to 1.
    pub probabilities: Vec<f64>,
    /// Whether the item has the label.
    pub truth: Vec<bool>,
}

/// Slices to series: a column entry for each of `members`, which are a series' slices in their order. A
/// series has a label if one of its slices has. `whole` makes one probability of those of the slices.
pub fn series_from_slices(
    columns: &[LabelColumn],
    members: &[Vec<usize>],
    whole: impl Fn(Label, &mut [f64]) -> Option<f64>,
) -> Vec<LabelColumn> {
    let mut parts = Vec::new();
    let mut gathered = |column: &LabelColumn, items: &[usize]| {
        parts.clear();
        parts.extend(items.iter().map(|&item| column.probabilities[item]));
        whole(column.label, &mut parts).unwrap_or(0.0)
    };
    columns
        .iter()
        .map(|column| LabelColumn {
            label: column.label,
            probabilities: members.iter().map(|items| gathered(column, items)).collect(),
            truth: truth(column, members),
        })
        .collect()
}

/// Series to studies, as triage does: a study has the probabilities of its most suspicious series
/// (highest `any`, the first of equal ones); without a column for `any`, of each label the highest.
/// A study has a label if one of its series has.
pub fn studies_from_series(columns: &[LabelColumn], studies: &Clusters) -> Vec<LabelColumn> {
    let members = studies.members();
    let any = columns.iter().find(|column| column.label == Label::Any);
    let worst = |by: &LabelColumn, items: &[usize]| {
        let mut items = items.iter().copied();
        let first = items.next().unwrap_or(0);
        items.fold(first, |worst, item| {
            if by.probabilities[item] > by.probabilities[worst] { item } else { worst }
        })
    };
    columns
        .iter()
        .map(|column| {
            let chosen = |items: &Vec<usize>| worst(any.unwrap_or(column), items);
            LabelColumn {
                label: column.label,
                probabilities: members
                    .iter()
                    .map(|items| column.probabilities[chosen(items)])
                    .collect(),
                truth: truth(column, &members),
            }
        })
        .collect()
}

fn truth(column: &LabelColumn, members: &[Vec<usize>]) -> Vec<bool> {
    members.iter().map(|items| items.iter().any(|&item| column.truth[item])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_a_whole() {
        let apply = |how: Aggregation| how.apply(&mut [0.1, 0.8, 0.5, 0.6]).unwrap();
        assert_eq!(apply(Aggregation::Max), 0.8);
        assert!((apply(Aggregation::TopMean(3)) - 1.9 / 3.0).abs() < 1e-15);
        assert!((apply(Aggregation::TopMean(9)) - 0.5).abs() < 1e-15);
        assert!((apply(Aggregation::NoisyOr) - (1.0 - 0.9 * 0.2 * 0.5 * 0.4)).abs() < 1e-15);
        assert_eq!(Aggregation::NoisyOr.apply(&mut [1.0, 0.3]), Some(1.0));
        assert_eq!(Aggregation::Max.apply(&mut []), None);
        for name in ["max", "top-3", "noisy-or", "run-3"] {
            assert_eq!(name.parse::<Aggregation>().unwrap().to_string(), name);
        }
        for name in ["top-0", "run-0", "run-", "mean"] {
            assert!(name.parse::<Aggregation>().is_err(), "{name}");
        }
    }

    #[test]
    fn a_run_of_neighbours_outweighs_single_slices() {
        let run = |count, parts: &[f64]| Aggregation::RunMean(count).apply(&mut parts.to_vec());
        let near = |found: Option<f64>, expected: f64| {
            assert!((found.unwrap() - expected).abs() < 1e-12, "{found:?} {expected}");
        };
        // The log odds of 0.9, 0.8 and 0.9 are ln 9, ln 4 and ln 9: a geometric mean of odds.
        let odds = (9.0f64 * 4.0 * 9.0).cbrt();
        near(run(3, &[0.1, 0.9, 0.8, 0.9, 0.1]), odds / (1.0 + odds));
        // The same slices apart from each other: 0.1, 0.9, 0.1 is the highest run.
        let odds = (9.0f64 / 9.0 / 9.0).cbrt();
        let apart = run(3, &[0.1, 0.9, 0.1, 0.1, 0.8, 0.1, 0.1, 0.9, 0.1]);
        near(apart, odds / (1.0 + odds));
        near(run(1, &[0.1, 0.9, 0.3]), 0.9);
        // Of fewer slices the mean of all, and of none nothing.
        near(run(3, &[0.9, 0.1]), 0.5);
        near(run(3, &[0.7]), 0.7);
        assert_eq!(run(3, &[]), None);
        // Certainty stays a number.
        assert!((0.999..=1.0).contains(&run(3, &[1.0, 1.0, 1.0]).unwrap()));
        assert!(run(3, &[0.0, 0.0]).unwrap() < 1e-3);
        assert!((0.3..0.7).contains(&run(2, &[0.0, 1.0]).unwrap()));
    }

    #[test]
    fn a_study_is_its_most_suspicious_series() {
        let column = |label, probabilities: &[f64], truth: &[bool]| LabelColumn {
            label,
            probabilities: probabilities.to_vec(),
            truth: truth.to_vec(),
        };
        let slices = [
            column(Label::Subdural, &[0.2, 0.9, 0.1, 0.3], &[false, false, true, false]),
            column(Label::Any, &[0.3, 0.5, 0.8, 0.4], &[false, false, true, false]),
        ];
        let series = Clusters::new(&["x", "x", "y", "y"]);
        let series = series_from_slices(&slices, &series.members(), |_, parts| {
            Aggregation::Max.apply(parts)
        });
        assert_eq!(series[0].probabilities, [0.9, 0.3]);
        assert_eq!(series[1].truth, [false, true]);
        let one = Clusters::new(&["s", "s"]);
        let studies = studies_from_series(&series, &one);
        assert_eq!((studies[0].probabilities[0], studies[1].probabilities[0]), (0.3, 0.8));
        assert_eq!(studies[0].truth, [true]);
        let alone = studies_from_series(&series[..1], &one);
        assert_eq!(alone[0].probabilities, [0.9]);
    }
}
