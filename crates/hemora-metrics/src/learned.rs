//! From slices to series or studies by a rule that was fitted: a logistic regression on three
//! summaries of the slices' probabilities.

use hemora_ct::Label;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::calibration::{log_odds, sigmoid};
use crate::{
    Aggregation, Clusters, LabelColumn, Level, MetricError, Origin, ProbabilityScores,
    series_from_slices,
};

/// Summaries of the slices: log-odds of the highest, log-odds of the mean of the three highest, and
/// the logarithm of Σ −ln(1 − p), which grows with every slice that may be positive (the
/// complementary log-log of noisy-or).
const FEATURES: usize = 3;

/// Weight of the squared coefficients, in units of features of standard deviation 1: a few dozen
/// series determine no more.
const RIDGE: f64 = 1.0;

/// Fewer positives or negatives than these are not fitted on.
const FEW: usize = 5;

/// Newton steps; the loss is convex and the fit needs about eight.
const STEPS: usize = 50;

/// A fitted rule for each label, and what it was fitted on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LearnedAggregation {
    /// What the slices are made into: series, or studies where no series are known.
    pub level: Level,
    /// The rules; a label without one is aggregated as triage does by default.
    pub labels: Vec<LearnedLabel>,
    /// The data.
    pub origin: Origin,
}

/// The rule of a label: the log-odds of the whole are the intercept and a weighted sum.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LearnedLabel {
    /// The label.
    pub label: Label,
    /// Intercept.
    pub intercept: f64,
    /// Weight of the log-odds of the highest slice, at least 0.
    pub highest: f64,
    /// Weight of the log-odds of the mean of the three highest slices, at least 0.
    pub top_three: f64,
    /// Weight of ln Σ −ln(1 − p), at least 0.
    pub all: f64,
    /// Series or studies.
    pub items: u64,
    /// Positives among them.
    pub positives: u64,
    /// What the default aggregation gives on the same items.
    pub before: ProbabilityScores,
    /// What rules that were fitted on other groups give; absent with fewer than ten groups.
    pub held_out: Option<ProbabilityScores>,
}

/// The probability that parts, in the order of the slices, make for a label: by the fitted rule, where there is
/// one, else by the plain one. `None` without parts.
pub fn whole(
    learned: Option<&LearnedAggregation>,
    plain: Aggregation,
    label: Label,
    parts: &mut [f64],
) -> Option<f64> {
    match learned {
        Some(learned) => learned.apply(label, plain, parts),
        None => plain.apply(parts),
    }
}

impl LearnedAggregation {
    /// The probability of the whole for a label, by the `plain` rule for one that no rule was fitted for;
    /// `None` without parts. Parts are in the order of the slices for the plain rule.
    pub fn apply(&self, label: Label, plain: Aggregation, parts: &mut [f64]) -> Option<f64> {
        match self.labels.iter().find(|rule| rule.label == label) {
            None => plain.apply(parts),
            Some(rule) => {
                let weights = [rule.intercept, rule.highest, rule.top_three, rule.all];
                Some(sigmoid(odds(&weights, &features(parts)?)))
            }
        }
    }

    /// Checks the numbers of a rule that was read.
    ///
    /// # Errors
    /// [`MetricError::Option`] if one is not finite or a weight is below 0.
    pub fn check(&self) -> Result<(), MetricError> {
        for rule in &self.labels {
            let weights = [rule.highest, rule.top_three, rule.all];
            if !rule.intercept.is_finite()
                || weights.iter().any(|weight| !(0.0..f64::INFINITY).contains(weight))
            {
                let (option, value) = ("rule of the learned aggregation", rule.label.to_string());
                let expected = "a finite intercept and weights of at least 0";
                return Err(MetricError::Option { option, value, expected });
            }
        }
        Ok(())
    }

    /// Fits the rules on slices: `wholes` are the series (or studies) of the slices, `folds` the
    /// parts of the held-out figures, one a slice.
    pub(crate) fn fit(
        slices: &[LabelColumn],
        wholes: &Clusters,
        level: Level,
        folds: Option<&[usize]>,
        origin: &Origin,
    ) -> Result<Self, MetricError> {
        let members = wholes.members();
        let plain = series_from_slices(slices, &wholes.members(), |_, parts| {
            Aggregation::TopMean(3).apply(parts)
        });
        let mut labels = Vec::new();
        for (column, plain) in slices.iter().zip(&plain) {
            let row = |items: &Vec<usize>| {
                let mut parts: Vec<f64> =
                    items.iter().map(|&item| column.probabilities[item]).collect();
                features(&mut parts).unwrap_or_default()
            };
            let rows: Vec<[f64; FEATURES]> = members.iter().map(row).collect();
            let truth = &plain.truth;
            let Some(weights) = fit_rows(&rows, truth) else { continue };
            let held_out = match folds {
                None => None,
                Some(folds) => {
                    let of: Vec<usize> = members.iter().map(|items| folds[items[0]]).collect();
                    let other = cross_fitted(&rows, plain, &of);
                    Some(ProbabilityScores::measure(&other, truth)?)
                }
            };
            labels.push(LearnedLabel {
                label: column.label,
                intercept: weights[0],
                highest: weights[1],
                top_three: weights[2],
                all: weights[3],
                items: rows.len() as u64,
                positives: truth.iter().filter(|label| **label).count() as u64,
                before: ProbabilityScores::measure(&plain.probabilities, truth)?,
                held_out,
            });
        }
        Ok(Self { level, labels, origin: origin.clone() })
    }
}

/// The summaries of parts, which are sorted in place; `None` without parts.
fn features(parts: &mut [f64]) -> Option<[f64; FEATURES]> {
    let top = Aggregation::TopMean(3).apply(parts)?;
    let sum: f64 = parts.iter().map(|part| -(-part).ln_1p()).sum();
    Some([log_odds(parts[0]), log_odds(top), sum.clamp(1e-7, 1e3).ln()])
}

fn odds(weights: &[f64; FEATURES + 1], row: &[f64; FEATURES]) -> f64 {
    weights[0] + row.iter().zip(&weights[1..]).map(|(value, weight)| value * weight).sum::<f64>()
}

/// Probabilities by rules that were fitted on the other folds, or the plain ones where these do
/// not determine a rule.
fn cross_fitted(rows: &[[f64; FEATURES]], plain: &LabelColumn, folds: &[usize]) -> Vec<f64> {
    let mut probabilities = plain.probabilities.clone();
    for fold in 0..=folds.iter().copied().max().unwrap_or(0) {
        let others: Vec<usize> = (0..rows.len()).filter(|&item| folds[item] != fold).collect();
        let picked: Vec<[f64; FEATURES]> = others.iter().map(|&item| rows[item]).collect();
        let truth: Vec<bool> = others.iter().map(|&item| plain.truth[item]).collect();
        let Some(weights) = fit_rows(&picked, &truth) else { continue };
        for item in (0..rows.len()).filter(|&item| folds[item] == fold) {
            probabilities[item] = sigmoid(odds(&weights, &rows[item]));
        }
    }
    probabilities
}

/// Intercept and weights with the least penalised log loss and no weight below 0: a slice that
/// grows more suspicious never makes the whole less so. `None` with too few of a class.
fn fit_rows(rows: &[[f64; FEATURES]], truth: &[bool]) -> Option<[f64; FEATURES + 1]> {
    let positives = truth.iter().filter(|label| **label).count();
    if positives < FEW || truth.len() - positives < FEW {
        return None;
    }
    let n = rows.len() as f64;
    let mean: [f64; FEATURES] =
        std::array::from_fn(|at| rows.iter().map(|row| row[at]).sum::<f64>() / n);
    let spread: [f64; FEATURES] = std::array::from_fn(|at| {
        (rows.iter().map(|row| (row[at] - mean[at]).powi(2)).sum::<f64>() / n).sqrt()
    });
    let mut used: [bool; FEATURES] = spread.map(|spread| spread > 1e-9);
    let scaled: Vec<[f64; FEATURES]> = rows
        .iter()
        .map(|row| std::array::from_fn(|at| (row[at] - mean[at]) / spread[at].max(1e-9)))
        .collect();
    loop {
        let weights = newton(&scaled, truth, used)?;
        let lowest = (0..FEATURES).min_by(|&a, &b| weights[a + 1].total_cmp(&weights[b + 1]))?;
        if weights[lowest + 1] < 0.0 {
            used[lowest] = false;
            continue;
        }
        let mut plain = weights;
        for at in 0..FEATURES {
            plain[at + 1] /= spread[at].max(1e-9);
            plain[0] -= plain[at + 1] * mean[at];
        }
        return plain.iter().all(|weight| weight.is_finite()).then_some(plain);
    }
}

/// Ridge logistic regression by Newton's method; features that are not used have weight 0.
fn newton(
    rows: &[[f64; FEATURES]],
    truth: &[bool],
    used: [bool; FEATURES],
) -> Option<[f64; FEATURES + 1]> {
    const N: usize = FEATURES + 1;
    let value = |row: &[f64; FEATURES], at: usize| match at {
        0 => 1.0,
        at if used[at - 1] => row[at - 1],
        _ => 0.0,
    };
    let mut weights = [0.0; N];
    for _ in 0..STEPS {
        let mut gradient: [f64; N] =
            std::array::from_fn(|at| if at == 0 { 0.0 } else { RIDGE * weights[at] });
        let mut hessian = [[0.0; N]; N];
        for (at, row) in hessian.iter_mut().enumerate() {
            row[at] = if at == 0 { 1e-9 } else { RIDGE };
        }
        for (row, &label) in rows.iter().zip(truth) {
            let p = sigmoid(odds(&weights, row));
            let (error, weight) = (p - f64::from(u8::from(label)), p * (1.0 - p));
            let values: [f64; N] = std::array::from_fn(|at| value(row, at));
            for ((slope, curved), one) in gradient.iter_mut().zip(&mut hessian).zip(values) {
                *slope += error * one;
                curved.iter_mut().zip(values).for_each(|(sum, other)| *sum += weight * one * other);
            }
        }
        let mut step = solve(hessian, gradient)?;
        // A long step from afar could leave the region where the loss is nearly quadratic.
        let length = step.iter().map(|part| part * part).sum::<f64>().sqrt();
        let shrink = (4.0 / length.max(1e-300)).min(1.0);
        step.iter_mut().for_each(|part| *part *= shrink);
        weights.iter_mut().zip(step).for_each(|(weight, part)| *weight -= part);
        if length < 1e-12 {
            break;
        }
    }
    weights.iter().all(|weight| weight.is_finite()).then_some(weights)
}

/// Gauss' elimination with the largest pivot; `None` if there is none.
fn solve<const N: usize>(mut matrix: [[f64; N]; N], mut right: [f64; N]) -> Option<[f64; N]> {
    for column in 0..N {
        let pivot = (column..N)
            .max_by(|&a, &b| matrix[a][column].abs().total_cmp(&matrix[b][column].abs()))?;
        matrix.swap(column, pivot);
        right.swap(column, pivot);
        let divisor = matrix[column][column];
        if divisor == 0.0 || !divisor.is_finite() {
            return None;
        }
        for row in column + 1..N {
            let factor = matrix[row][column] / divisor;
            let upper = matrix[column];
            matrix[row].iter_mut().zip(upper).for_each(|(value, above)| *value -= factor * above);
            right[row] -= factor * right[column];
        }
    }
    for row in (0..N).rev() {
        let known: f64 = (row + 1..N).map(|at| matrix[row][at] * right[at]).sum();
        right[row] = (right[row] - known) / matrix[row][row];
    }
    Some(right)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn origin() -> Origin {
        Origin {
            file: "validation.csv".into(),
            sha256: "0".into(),
            ids_sha256: "1".into(),
            items: 0,
            groups: 0,
            grouping: "patient".into(),
        }
    }

    /// 200 series of 30 slices. A bleed shows as several slices of middling probability, an
    /// artefact as a single high one, so that the highest slice alone misleads.
    fn series() -> (LabelColumn, Clusters) {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let (mut probabilities, mut truth, mut of) = (Vec::new(), Vec::new(), Vec::new());
        for series in 0..200 {
            let bleeds = series % 3 == 0;
            let artefact = rng.random::<f64>() < 0.4;
            for slice in 0..30 {
                let inside = bleeds && (10..16).contains(&slice);
                let high = artefact && slice == 4;
                let noise = rng.random::<f64>();
                probabilities.push(match (inside, high) {
                    (true, _) => 0.2 + 0.5 * noise,
                    (_, true) => 0.7 + 0.2 * noise,
                    _ => 0.1 * noise,
                });
                truth.push(inside);
                of.push(series);
            }
        }
        (LabelColumn { label: Label::Any, probabilities, truth }, Clusters::new(&of))
    }

    #[test]
    fn a_rule_learns_that_one_slice_is_not_enough() {
        let (column, wholes) = series();
        let folds: Vec<usize> = wholes.of_items().iter().map(|&at| at as usize % 5).collect();
        let none = LabelColumn {
            label: Label::Epidural,
            truth: vec![false; column.truth.len()],
            ..column.clone()
        };
        let slices = [none, column];
        let learned =
            LearnedAggregation::fit(&slices, &wholes, Level::Series, Some(&folds), &origin());
        let learned = learned.unwrap();
        assert_eq!(learned.labels.len(), 1, "one class has no rule");
        let rule = &learned.labels[0];
        assert_eq!((rule.items, rule.positives), (200, 67));
        assert!(rule.highest >= 0.0 && rule.top_three >= 0.0 && rule.all > 0.0, "{rule:?}");
        let held_out = rule.held_out.unwrap();
        assert!(held_out.log_loss.unwrap() < 0.7 * rule.before.log_loss.unwrap(), "{rule:?}");
        let apply = |parts: &[f64]| {
            learned.apply(Label::Any, Aggregation::Max, &mut parts.to_vec()).unwrap()
        };
        assert!(apply(&[0.5; 6]) > apply(&[0.8, 0.05, 0.05, 0.05, 0.05, 0.05]));
        assert!(apply(&[0.5, 0.2]) > apply(&[0.4, 0.2]), "more suspicious is never less");
        let plain = learned.apply(Label::Epidural, Aggregation::TopMean(3), &mut [0.2, 0.4]);
        assert!((plain.unwrap() - 0.3).abs() < 1e-15);
        assert_eq!(learned.apply(Label::Any, Aggregation::Max, &mut []), None);
        learned.check().unwrap();
        let mut broken = learned.clone();
        broken.labels[0].all = f64::NAN;
        assert!(broken.check().is_err());
    }

    #[test]
    fn the_fit_is_where_the_penalised_loss_is_flat() {
        let (column, wholes) = series();
        let members = wholes.members();
        let row = |items: &Vec<usize>| {
            let mut parts: Vec<f64> =
                items.iter().map(|&item| column.probabilities[item]).collect();
            features(&mut parts).unwrap()
        };
        let rows: Vec<_> = members.iter().map(row).collect();
        let truth: Vec<bool> =
            members.iter().map(|items| items.iter().any(|&item| column.truth[item])).collect();
        let weights = newton(&rows, &truth, [true; FEATURES]).unwrap();
        for at in 0..=FEATURES {
            let slope: f64 = rows
                .iter()
                .zip(&truth)
                .map(|(row, &label)| {
                    let error = sigmoid(odds(&weights, row)) - f64::from(u8::from(label));
                    error * if at == 0 { 1.0 } else { row[at - 1] }
                })
                .sum();
            let penalty = if at == 0 { 0.0 } else { RIDGE * weights[at] };
            assert!((slope + penalty).abs() < 1e-6, "{at}: {slope} {penalty}");
        }
        let singular = solve([[1.0, 2.0], [2.0, 4.0]], [1.0, 2.0]);
        assert_eq!(singular, None);
        let solved = solve([[0.0, 2.0], [3.0, 1.0]], [4.0, 5.0]).unwrap();
        assert_eq!(solved, [1.0, 2.0]);
    }
}
