//! Points of curves, thinned for drawing; and the decision curve.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{MetricError, Ranked};

/// A point of the receiver operating characteristic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RocPoint {
    /// Scores from here on are called positive.
    pub threshold: f64,
    /// Share of the negatives that are called positive, 1 − specificity.
    pub false_positive_rate: f64,
    /// Share of the positives that are called positive.
    pub sensitivity: f64,
}

/// A point of the precision–recall curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PrecisionRecallPoint {
    /// Scores from here on are called positive.
    pub threshold: f64,
    /// Share of the positive calls that are right.
    pub precision: f64,
    /// Share of the positives that are called positive.
    pub recall: f64,
}

/// A point of the decision curve (Vickers and Elkin, Med Decis Making 2006;26:565).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionPoint {
    /// Threshold probability: its odds are how many false alarms one hit is worth.
    pub threshold: f64,
    /// Net benefit of acting on the model's calls, true positives an item.
    pub model: f64,
    /// Net benefit of acting on every item.
    pub all: f64,
}

/// Net benefit at each of `thresholds` (0 to below 1). `None` without items.
///
/// # Errors
/// [`MetricError::Option`] if a threshold is not in 0 to below 1.
pub fn decision_curve(
    ranked: &Ranked,
    thresholds: &[f64],
) -> Result<Option<Vec<DecisionPoint>>, MetricError> {
    if let Some(bad) = thresholds.iter().find(|threshold| !(0.0..1.0).contains(*threshold)) {
        let (option, expected) = ("threshold of the decision curve", "0 to below 1");
        return Err(MetricError::Option { option, value: bad.to_string(), expected });
    }
    let total = ranked.positives() + ranked.negatives();
    if total <= 0.0 {
        return Ok(None);
    }
    let mut cumulative = Vec::with_capacity(ranked.steps().len() + 1);
    let (mut hits, mut alarms) = (0.0, 0.0);
    cumulative.push((0.0, 0.0));
    for step in ranked.steps() {
        hits += step.positives;
        alarms += step.negatives;
        cumulative.push((hits, alarms));
    }
    let point = |&threshold: &f64| {
        let odds = threshold / (1.0 - threshold);
        let called = ranked.steps().partition_point(|step| step.score >= threshold);
        let (hits, alarms) = cumulative[called];
        DecisionPoint {
            threshold,
            model: (hits - alarms * odds) / total,
            all: (ranked.positives() - ranked.negatives() * odds) / total,
        }
    };
    Ok(Some(thresholds.iter().map(point).collect()))
}

/// At most `most` (at least 2) of the points of a curve that runs from left to right or back: the
/// ends, the corners, and of the rest those that follow each other at even distance. Goes through
/// the points a few times and keeps none but those it gives.
pub fn thin(points: impl Iterator<Item = [f64; 2]> + Clone, most: usize) -> Vec<[f64; 2]> {
    let most = most.max(2);
    let (mut count, mut length) = (0usize, 0.0);
    let mut before = None;
    each_corner(points.clone(), |corner| {
        length += before.map_or(0.0, |before| distance(before, corner));
        before = Some(corner);
        count += 1;
    });
    let mut kept = Vec::with_capacity(count.min(most));
    if count <= most {
        each_corner(points, |corner| kept.push(corner));
        return kept;
    }
    let step = length / (most - 1) as f64;
    let (mut gone, mut next, mut index) = (0.0, 0.0, 0);
    let mut before = None;
    each_corner(points, |corner| {
        gone += before.map_or(0.0, |before| distance(before, corner));
        before = Some(corner);
        index += 1;
        if index == count {
            kept.truncate(most - 1);
            kept.push(corner);
        } else if gone >= next {
            kept.push(corner);
            next = gone + step;
        }
    });
    kept
}

/// The ends of a curve and the points at which it does not go straight on along an axis.
fn each_corner(mut points: impl Iterator<Item = [f64; 2]>, mut corner: impl FnMut([f64; 2])) {
    let Some(mut before) = points.next() else { return };
    corner(before);
    let Some(mut point) = points.next() else { return };
    for after in points {
        let straight = |axis: usize| before[axis] == point[axis] && point[axis] == after[axis];
        if !(straight(0) || straight(1)) {
            corner(point);
        }
        (before, point) = (point, after);
    }
    corner(point);
}

fn distance(a: [f64; 2], b: [f64; 2]) -> f64 {
    (a[0] - b[0]).abs() + (a[1] - b[1]).abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn net_benefit_worked_by_hand() {
        let scores = [0.9, 0.6, 0.4, 0.2];
        let ranked = Ranked::new(&scores, &[true, false, true, false], None).unwrap();
        let curve = decision_curve(&ranked, &[0.0, 0.4, 0.5, 0.95]).unwrap().unwrap();
        // At 0.4: 2 hits, 1 alarm, odds 2/3. At 0.5: 1 hit, 1 alarm, odds 1.
        let model: Vec<f64> = curve.iter().map(|point| point.model).collect();
        for (value, expected) in model.iter().zip([0.5, (2.0 - 2.0 / 3.0) / 4.0, 0.0, 0.0]) {
            assert!((value - expected).abs() < 1e-15, "{value} {expected}");
        }
        assert!((curve[2].all - 0.0).abs() < 1e-15);
        assert!(decision_curve(&ranked, &[1.0]).is_err());
        let none = Ranked::new(&[], &[], None).unwrap();
        assert_eq!(decision_curve(&none, &[0.5]), Ok(None));
    }

    #[test]
    fn thinning_keeps_ends_and_corners() {
        let stairs = [[0.0, 0.0], [0.0, 0.5], [0.0, 1.0], [0.5, 1.0], [1.0, 1.0]];
        assert_eq!(thin(stairs.iter().copied(), 10), [[0.0, 0.0], [0.0, 1.0], [1.0, 1.0]]);
        let curve: Vec<[f64; 2]> =
            (0..=5000).map(|x| f64::from(x) / 5000.0).map(|x| [x, x.sqrt()]).collect();
        let thinned = thin(curve.iter().copied(), 100);
        assert!((50..=100).contains(&thinned.len()), "{}", thinned.len());
        assert_eq!((thinned[0], thinned[thinned.len() - 1]), ([0.0, 0.0], [1.0, 1.0]));
        assert!(thinned.windows(2).all(|pair| distance(pair[0], pair[1]) < 0.05));
        assert!(thin(std::iter::empty(), 5).is_empty());
    }
}
