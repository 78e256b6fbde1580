//! Fitting a calibration and choosing operating points on validation data.

use hemora_ct::Label;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::certainty::{self, CertaintyFit};
use crate::{
    Aggregation, Calibration, CalibrationMethod, Calibrator, Clusters, Hierarchy, LabelCalibration,
    LabelColumn, LearnedAggregation, Level, MetricError, OperatingPoint, OperatingRule, Origin,
    brier, expected_calibration_error, log_loss, reliability,
};

/// Version of the fit's document; raised when a reader of the old one could misuse the new.
pub const FIT_VERSION: u32 = 1;

/// Parts that the groups are dealt to, each calibrated by a map fitted on the others.
const FOLDS: usize = 5;

/// Bins of the expected calibration error.
const BINS: usize = 10;

/// What is fitted.
#[derive(Debug, Clone, PartialEq)]
pub struct FitOptions {
    /// The calibration; none if absent.
    pub calibration: Option<CalibrationMethod>,
    /// The rules for thresholds, each for every label and level.
    pub rules: Vec<OperatingRule>,
    /// Whether to fit how slices make a series or study.
    pub learn_aggregation: bool,
    /// Seed of the parts that the held-out figures are computed over.
    pub seed: u64,
}

/// What was fitted, on what, and how well: the document that `hemora calibrate` writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FitReport {
    /// Version of this document, 1.
    pub schema_version: u32,
    /// The data.
    pub origin: Origin,
    /// The calibration of slices, if one was asked for.
    pub calibration: Option<Calibration>,
    /// How slices make a series or study where nothing was fitted for that.
    #[serde(default)]
    pub plain_aggregation: Aggregation,
    /// The fitted rule for that, if it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregation: Option<LearnedAggregation>,
    /// The operating points.
    pub operating_points: Vec<OperatingPoint>,
    /// How the rules `miss` and `false-alarm` did together on patients that their thresholds were not
    /// chosen on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certainty: Vec<CertaintyFit>,
    /// What calibration does to each label's probabilities.
    pub labels: Vec<LabelFit>,
}

/// One label before and after calibration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelFit {
    /// The label.
    pub label: Label,
    /// Items.
    pub items: u64,
    /// Positives among them.
    pub positives: u64,
    /// Before calibration.
    pub before: ProbabilityScores,
    /// After calibration, on the items it was fitted on.
    pub after: ProbabilityScores,
    /// After calibration by maps fitted on other groups, five in turn; absent with fewer than ten
    /// groups.
    pub held_out: Option<ProbabilityScores>,
}

/// How good probabilities are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbabilityScores {
    /// Log loss, nats.
    pub log_loss: Option<f64>,
    /// Brier score.
    pub brier: Option<f64>,
    /// Expected calibration error, ten bins.
    pub expected_calibration_error: Option<f64>,
}

impl ProbabilityScores {
    /// Scores of probabilities.
    ///
    /// # Errors
    /// [`MetricError`] if the lengths differ or a probability is not in 0 to 1.
    pub fn measure(probabilities: &[f64], truth: &[bool]) -> Result<Self, MetricError> {
        let bins = reliability(probabilities, truth, None, BINS)?;
        Ok(Self {
            log_loss: log_loss(probabilities, truth)?,
            brier: brier(probabilities, truth)?,
            expected_calibration_error: expected_calibration_error(&bins),
        })
    }
}

/// Fits the calibration on slices, then how calibrated slices make a series or study, and then
/// chooses the operating points on the calibrated slices, series and studies. `clusters` are the groups (patients) of the slices. A label of one class
/// keeps its probabilities and gets no operating point but fixed ones.
///
/// # Errors
/// [`MetricError`] if lengths differ, a probability is not in 0 to 1, or a rule is out of bounds.
pub fn fit(
    slices: &[LabelColumn],
    clusters: &Clusters,
    hierarchy: &Hierarchy,
    origin: &Origin,
    options: &FitOptions,
) -> Result<FitReport, MetricError> {
    let folds = folds(clusters, options.seed);
    let mut labels = Vec::with_capacity(slices.len());
    let mut maps = Vec::with_capacity(slices.len());
    let mut calibrated = slices.to_vec();
    for (column, calibrated) in slices.iter().zip(&mut calibrated) {
        let (scores, truth) = (&column.probabilities, &column.truth);
        let before = ProbabilityScores::measure(scores, truth)?;
        let positives = truth.iter().filter(|label| **label).count() as u64;
        let mut fitted = LabelFit {
            label: column.label,
            items: scores.len() as u64,
            positives,
            before,
            after: before,
            held_out: None,
        };
        if let Some(method) = options.calibration {
            let calibrator = Calibrator::fit(method, scores, truth)?;
            for probability in &mut calibrated.probabilities {
                *probability = calibrator.apply(*probability);
            }
            fitted.after = ProbabilityScores::measure(&calibrated.probabilities, truth)?;
            if let Some(folds) = &folds {
                let held_out = cross_fitted(method, column, clusters, folds)?;
                fitted.held_out = Some(ProbabilityScores::measure(&held_out, truth)?);
            }
            maps.push(LabelCalibration { label: column.label, calibrator, positives });
        }
        labels.push(fitted);
    }
    let calibration = options.calibration.map(|method| Calibration {
        method,
        labels: maps,
        origin: origin.clone(),
    });
    let mut hierarchy = hierarchy.clone();
    let wholes = match (&hierarchy.series, &hierarchy.studies) {
        (Some(series), _) => Some((series, Level::Series)),
        (None, Some(studies)) => Some((studies, Level::Study)),
        (None, None) => None,
    };
    if let Some((wholes, level)) = wholes.filter(|_| options.learn_aggregation) {
        let folds: Option<Vec<usize>> = folds.as_ref().map(|folds| {
            clusters.of_items().iter().map(|&cluster| folds[cluster as usize]).collect()
        });
        let folds = folds.as_deref();
        let learned = LearnedAggregation::fit(&calibrated, wholes, level, folds, origin)?;
        hierarchy.learned = Some(learned);
    }
    let (mut operating_points, mut certain) = (Vec::new(), Vec::new());
    for set in hierarchy.levels(calibrated, clusters) {
        let is_calibrated = calibration.is_some();
        operating_points.extend(set.operating_points(&options.rules, is_calibrated, origin)?);
        let parts = self::folds(&set.clusters, options.seed);
        if let (Some(rates), Some(parts)) = (certain_rates(&options.rules), parts) {
            for column in &set.columns {
                let fit = certainty::by_folds(column, set.level, &set.clusters, &parts, rates)?;
                certain.push(fit);
            }
        }
    }
    Ok(FitReport {
        schema_version: FIT_VERSION,
        origin: origin.clone(),
        calibration,
        plain_aggregation: hierarchy.aggregation,
        aggregation: hierarchy.learned,
        operating_points,
        certainty: certain,
        labels,
    })
}

/// The rates that are promised of new patients, where both are asked for.
fn certain_rates(rules: &[OperatingRule]) -> Option<(f64, f64)> {
    let miss = rules.iter().find_map(|rule| match rule {
        OperatingRule::Miss(rate) => Some(*rate),
        _ => None,
    });
    let false_alarm = rules.iter().find_map(|rule| match rule {
        OperatingRule::FalseAlarm(rate) => Some(*rate),
        _ => None,
    });
    miss.zip(false_alarm)
}

/// The part that each group is dealt to; `None` if there are too few groups.
fn folds(clusters: &Clusters, seed: u64) -> Option<Vec<usize>> {
    if clusters.len() < 2 * FOLDS {
        return None;
    }
    let mut folds: Vec<usize> = (0..clusters.len()).map(|cluster| cluster % FOLDS).collect();
    folds.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    Some(folds)
}

/// Probabilities calibrated by maps that were fitted on other groups.
fn cross_fitted(
    method: CalibrationMethod,
    column: &LabelColumn,
    clusters: &Clusters,
    folds: &[usize],
) -> Result<Vec<f64>, MetricError> {
    let mut calibrated = column.probabilities.clone();
    for fold in 0..FOLDS {
        let held = |item: usize| folds[clusters.of_items()[item] as usize] == fold;
        let (mut scores, mut truth) = (Vec::new(), Vec::new());
        for item in (0..calibrated.len()).filter(|&item| !held(item)) {
            scores.push(column.probabilities[item]);
            truth.push(column.truth[item]);
        }
        let calibrator = Calibrator::fit(method, &scores, &truth)?;
        for item in (0..calibrated.len()).filter(|&item| held(item)) {
            calibrated[item] = calibrator.apply(column.probabilities[item]);
        }
    }
    Ok(calibrated)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Confusion;

    fn origin() -> Origin {
        Origin {
            file: "validation.csv".into(),
            sha256: "00".into(),
            ids_sha256: "11".into(),
            items: 400,
            groups: 100,
            grouping: "patient".into(),
        }
    }

    /// Overconfident probabilities of 400 slices, four a patient and series.
    fn slices() -> (Vec<LabelColumn>, Clusters) {
        let probability = |item: usize| [0.02, 0.1, 0.6, 0.98][item % 4];
        let truth = |item: usize| [false, item % 20 == 1, item % 12 == 2, item % 16 != 3][item % 4];
        let column = LabelColumn {
            label: Label::Any,
            probabilities: (0..400).map(probability).collect(),
            truth: (0..400).map(truth).collect(),
        };
        let none = LabelColumn {
            label: Label::Epidural,
            probabilities: column.probabilities.clone(),
            truth: vec![false; 400],
        };
        (vec![none, column], Clusters::new(&(0..400).map(|item| item / 4).collect::<Vec<_>>()))
    }

    #[test]
    fn calibration_lowers_the_loss_and_points_hold_on_the_calibrated() {
        let (slices, patients) = slices();
        let hierarchy = Hierarchy { series: Some(patients.clone()), ..Hierarchy::default() };
        let rules = vec![OperatingRule::Sensitivity(0.9), OperatingRule::Fixed(0.5)];
        let options = FitOptions {
            calibration: Some(CalibrationMethod::Platt),
            rules,
            learn_aggregation: true,
            seed: 1,
        };
        let report = fit(&slices, &patients, &hierarchy, &origin(), &options).unwrap();
        let any = &report.labels[1];
        assert!(any.after.log_loss < any.before.log_loss);
        // What is fitted elsewhere is a little worse than what is fitted here.
        let held_out = any.held_out.unwrap();
        assert!(held_out.log_loss > any.after.log_loss && held_out.log_loss < any.before.log_loss);
        let points = &report.operating_points;
        let chosen: Vec<_> =
            points.iter().filter(|point| point.name == "sensitivity=0.9").collect();
        assert_eq!(chosen.len(), 2, "one class has none, slices and series have one each");
        assert_eq!((chosen[0].level, chosen[1].level), (Level::Slice, Level::Series));
        assert!(chosen.iter().all(|point| point.sensitivity >= Some(0.9) && point.calibrated));
        let calibrator = report.calibration.as_ref().unwrap().get(Label::Any).unwrap();
        let calibrated: Vec<f64> =
            slices[1].probabilities.iter().map(|&p| calibrator.apply(p)).collect();
        let counts = Confusion::at(&calibrated, &slices[1].truth, chosen[0].threshold).unwrap();
        assert_eq!(counts.sensitivity(), chosen[0].sensitivity);
        let fixed = points.iter().find(|point| point.label == Label::Epidural).unwrap();
        assert_eq!((fixed.threshold, fixed.origin.clone()), (0.5, None));
        let text = serde_json::to_string(&report).unwrap();
        // Read back to the last digit but one: thresholds lie half-way, so that this is enough.
        let read: FitReport = serde_json::from_str(&text).unwrap();
        assert_eq!(read.operating_points.len(), points.len());
        for (one, other) in read.operating_points.iter().zip(points) {
            assert_eq!(
                (&one.name, one.label, &one.origin),
                (&other.name, other.label, &other.origin)
            );
            assert!((one.threshold - other.threshold).abs() < 1e-15);
        }
    }

    #[test]
    fn without_calibration_probabilities_stay() {
        let (slices, patients) = slices();
        let options = FitOptions {
            calibration: None,
            rules: vec![OperatingRule::Youden],
            learn_aggregation: false,
            seed: 0,
        };
        let hierarchy = Hierarchy::default();
        let report = fit(&slices, &patients, &hierarchy, &origin(), &options).unwrap();
        assert_eq!((report.calibration, report.aggregation), (None, None));
        assert_eq!(report.labels[1].before, report.labels[1].after);
        assert!(report.operating_points.iter().all(|point| !point.calibrated));
    }
}
