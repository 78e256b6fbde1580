//! From slices to series and studies.

use std::fmt;
use std::str::FromStr;

use hemora_ct::Label;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Clusters;

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
}

impl Default for Aggregation {
    /// The mean of the three highest, as triage does.
    fn default() -> Self {
        Self::TopMean(3)
    }
}

impl Aggregation {
    /// The probability of the whole; `None` without parts. The order of `parts` does not matter
    /// (they are sorted in place).
    pub fn apply(self, parts: &mut [f64]) -> Option<f64> {
        parts.sort_unstable_by(|a, b| b.total_cmp(a));
        let highest = *parts.first()?;
        Some(match self {
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

impl fmt::Display for Aggregation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Aggregation::Max => formatter.write_str("max"),
            Aggregation::TopMean(most) => write!(formatter, "top-{most}"),
            Aggregation::NoisyOr => formatter.write_str("noisy-or"),
        }
    }
}

impl FromStr for Aggregation {
    type Err = String;

    /// `max`, `noisy-or`, or `top-3` for the mean of the three highest.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "max" => Ok(Aggregation::Max),
            "noisy-or" => Ok(Aggregation::NoisyOr),
            _ => name
                .strip_prefix("top-")
                .and_then(|most| most.parse().ok())
                .filter(|most| *most > 0)
                .map(Aggregation::TopMean)
                .ok_or_else(|| {
                    format!("`{name}` is no aggregation; expected max, top-N or noisy-or")
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

/// Slices to series: a column entry a cluster of `series`, in their order. A series has a label if
/// one of its slices has. `whole` makes one probability of those of the slices.
pub fn series_from_slices(
    columns: &[LabelColumn],
    series: &Clusters,
    whole: impl Fn(Label, &mut [f64]) -> Option<f64>,
) -> Vec<LabelColumn> {
    let members = series.members();
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
            truth: truth(column, &members),
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
        assert!((apply(Aggregation::default()) - 1.9 / 3.0).abs() < 1e-15);
        assert!((apply(Aggregation::TopMean(9)) - 0.5).abs() < 1e-15);
        assert!((apply(Aggregation::NoisyOr) - (1.0 - 0.9 * 0.2 * 0.5 * 0.4)).abs() < 1e-15);
        assert_eq!(Aggregation::NoisyOr.apply(&mut [1.0, 0.3]), Some(1.0));
        assert_eq!(Aggregation::Max.apply(&mut []), None);
        for name in ["max", "top-3", "noisy-or"] {
            assert_eq!(name.parse::<Aggregation>().unwrap().to_string(), name);
        }
        assert!("top-0".parse::<Aggregation>().is_err());
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
        let series = series_from_slices(&slices, &series, |_, parts| Aggregation::Max.apply(parts));
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
