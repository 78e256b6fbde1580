//! When a label is called absent, present or neither, and how often that is wrong for new patients.

use hemora_ct::Label;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Clusters, LabelColumn, Level, MetricError, OperatingRule, Ranked};

/// What two thresholds say of a probability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Below the threshold under which few positives fall.
    Absent,
    /// At least the threshold that few negatives reach.
    Present,
    /// Between both.
    NotSure,
}

impl Verdict {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Present => "present",
            Self::NotSure => "not sure",
        }
    }

    /// What `probability` is. Where the thresholds cross, so that both hold, it is present: fewer
    /// positives are missed than was promised.
    pub fn of(probability: f64, absent_below: f64, present_from: f64) -> Self {
        if probability >= present_from {
            Self::Present
        } else if probability < absent_below {
            Self::Absent
        } else {
            Self::NotSure
        }
    }
}

/// How two thresholds did on patients that they were not chosen on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CertaintyFit {
    /// The label.
    pub label: Label,
    /// What the thresholds are applied to.
    pub level: Level,
    /// Most positives that may be called absent, as a share.
    pub miss: f64,
    /// Most negatives that may be called present, as a share.
    pub false_alarm: f64,
    /// Parts of the patients in turn, each judged by thresholds chosen on the others.
    pub folds: Vec<CertaintyFold>,
}

/// One part of the patients. A patient counts as positive with the lowest of the positive items, and as
/// negative with the highest of the negative ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CertaintyFold {
    /// Patients with a positive item.
    pub positives: u64,
    /// Of them called absent.
    pub missed: u64,
    /// Patients with a negative item.
    pub negatives: u64,
    /// Of them called present.
    pub false_alarms: u64,
    /// Of both, those of whom nothing is said.
    pub not_sure: u64,
}

/// Of each cluster the lowest score of its positives and the highest of its negatives, with the cluster:
/// one item a class, so that clusters count alike.
pub(crate) fn extremes(column: &LabelColumn, clusters: &Clusters) -> (LabelColumn, Vec<u32>) {
    let mut ends = vec![[None::<f64>; 2]; clusters.len()];
    let items = column.probabilities.iter().zip(&column.truth).zip(clusters.of_items());
    for ((&probability, &positive), &cluster) in items {
        let end = &mut ends[cluster as usize][usize::from(positive)];
        *end = Some(match *end {
            None => probability,
            Some(known) if positive => known.min(probability),
            Some(known) => known.max(probability),
        });
    }
    let mut units =
        LabelColumn { label: column.label, probabilities: Vec::new(), truth: Vec::new() };
    let mut of_units = Vec::new();
    for (cluster, ends) in (0..).zip(ends) {
        for (positive, end) in [false, true].into_iter().zip(ends) {
            if let Some(end) = end {
                units.probabilities.push(end);
                units.truth.push(positive);
                of_units.push(cluster);
            }
        }
    }
    (units, of_units)
}

/// Chooses both thresholds on all parts but one, and counts what they say of that one, part by part;
/// `folds` is the part of each cluster. Parts whose others are too few for the promise are left out.
///
/// # Errors
/// [`MetricError`] if a probability is not in 0 to 1.
pub(crate) fn by_folds(
    column: &LabelColumn,
    level: Level,
    clusters: &Clusters,
    folds: &[usize],
    (miss, false_alarm): (f64, f64),
) -> Result<CertaintyFit, MetricError> {
    let (units, of_units) = extremes(column, clusters);
    let count = folds.iter().max().map_or(0, |last| last + 1);
    let mut counted = Vec::with_capacity(count);
    for fold in 0..count {
        let is_held_out = |unit: &usize| folds[of_units[*unit] as usize] == fold;
        let (held_out, others): (Vec<usize>, Vec<usize>) =
            (0..of_units.len()).partition(is_held_out);
        let scores: Vec<f64> = others.iter().map(|&unit| units.probabilities[unit]).collect();
        let truth: Vec<bool> = others.iter().map(|&unit| units.truth[unit]).collect();
        let ranked = Ranked::new(&scores, &truth, None)?;
        let absent_below = OperatingRule::Miss(miss).choose(&ranked)?;
        let present_from = OperatingRule::FalseAlarm(false_alarm).choose(&ranked)?;
        let (Some(absent_below), Some(present_from)) = (absent_below, present_from) else {
            continue;
        };
        let mut counts = CertaintyFold::default();
        for unit in held_out {
            let verdict = Verdict::of(units.probabilities[unit], absent_below, present_from);
            let positive = units.truth[unit];
            counts.positives += u64::from(positive);
            counts.negatives += u64::from(!positive);
            counts.missed += u64::from(positive && verdict == Verdict::Absent);
            counts.false_alarms += u64::from(!positive && verdict == Verdict::Present);
            counts.not_sure += u64::from(verdict == Verdict::NotSure);
        }
        counted.push(counts);
    }
    Ok(CertaintyFit { label: column.label, level, miss, false_alarm, folds: counted })
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn a_patient_counts_once_with_the_item_that_is_hardest() {
        let column = LabelColumn {
            label: Label::Any,
            probabilities: vec![0.9, 0.4, 0.3, 0.6, 0.2],
            truth: vec![true, true, false, false, false],
        };
        let clusters = Clusters::new(&["a", "a", "a", "b", "b"]);
        let (units, of_units) = extremes(&column, &clusters);
        assert_eq!(units.probabilities, [0.3, 0.4, 0.6]);
        assert_eq!(units.truth, [false, true, false]);
        assert_eq!(of_units, [0, 0, 1]);
    }

    #[test]
    fn where_thresholds_cross_the_label_is_present() {
        assert_eq!(Verdict::of(0.3, 0.2, 0.6), Verdict::NotSure);
        assert_eq!(Verdict::of(0.1, 0.2, 0.6), Verdict::Absent);
        assert_eq!(Verdict::of(0.6, 0.2, 0.6), Verdict::Present);
        assert_eq!(Verdict::of(0.5, 0.7, 0.4), Verdict::Present);
        assert_eq!(Verdict::of(0.3, 0.7, 0.4), Verdict::Absent);
    }

    /// Simulated patients with several slices each, of one and another difficulty.
    #[test]
    fn what_is_promised_holds_on_new_patients() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let (mut missed, mut positives, mut alarms, mut negatives) = (0, 0, 0, 0);
        for _ in 0..60 {
            let (mut column, mut groups) = (
                LabelColumn { label: Label::Any, probabilities: vec![], truth: vec![] },
                Vec::new(),
            );
            for patient in 0..150 {
                let (bleeds, hard) = (patient % 3 == 0, rng.random::<f64>() * 0.4);
                for _ in 0..3 {
                    let centre = if bleeds { 0.7 - hard } else { 0.3 + hard };
                    let score = centre + (rng.random::<f64>() - 0.5) * 0.3;
                    column.probabilities.push(score.clamp(0.0, 1.0));
                    column.truth.push(bleeds);
                    groups.push(patient);
                }
            }
            let clusters = Clusters::new(&groups);
            let folds: Vec<usize> = (0..clusters.len()).map(|cluster| cluster % 5).collect();
            let fit = by_folds(&column, Level::Slice, &clusters, &folds, (0.1, 0.1)).unwrap();
            assert_eq!(fit.folds.len(), 5);
            for fold in fit.folds {
                missed += fold.missed;
                positives += fold.positives;
                alarms += fold.false_alarms;
                negatives += fold.negatives;
            }
        }
        let (missed, alarms) = (missed as f64 / positives as f64, alarms as f64 / negatives as f64);
        assert!((0.05..0.115).contains(&missed), "{missed}");
        assert!((0.05..0.115).contains(&alarms), "{alarms}");
    }
}
