//! Sure and not sure: what a bundle's thresholds of studies say, and why nothing can be said.

use hemora_ct::{Label, Probabilities};
use hemora_metrics::{Level, OperatingPoint, OperatingRule, Verdict};
use hemora_model::{Certainty, SeriesResult};

/// What the thresholds with promised rates say of each label of a study; those that were chosen on
/// studies go before those of series. A label of which only one threshold is known is left out.
pub(crate) fn certainty(
    points: &[OperatingPoint],
    probabilities: &Probabilities,
    series: &[SeriesResult],
    is_doubtful: bool,
) -> Vec<Certainty> {
    let of_label = |label: Label| {
        let of_level = |level| thresholds(points, label, level);
        let found = [Level::Study, Level::Series].into_iter().find_map(of_level)?;
        let ((absent_below, miss), (present_from, false_alarm)) = found;
        let probability = f64::from(probabilities.get(label));
        let verdict = Verdict::of(probability, absent_below, present_from);
        let reasons = match verdict {
            Verdict::NotSure => reasons(label, present_from, series, is_doubtful),
            Verdict::Absent | Verdict::Present => Vec::new(),
        };
        Some(Certainty { label, verdict, absent_below, miss, present_from, false_alarm, reasons })
    };
    Label::ALL.into_iter().filter_map(of_label).collect()
}

/// A threshold and what it promises.
type Promise = (f64, f64);

/// The thresholds of a label at a level: below which it is absent, and from which it is present.
fn thresholds(points: &[OperatingPoint], label: Label, level: Level) -> Option<(Promise, Promise)> {
    let mut of_label = points.iter().filter(|point| point.label == label && point.level == level);
    let absent = of_label.clone().find_map(|point| match point.rule {
        OperatingRule::Miss(rate) => Some((point.threshold, rate)),
        _ => None,
    });
    let present = of_label.find_map(|point| match point.rule {
        OperatingRule::FalseAlarm(rate) => Some((point.threshold, rate)),
        _ => None,
    });
    absent.zip(present)
}

/// What speaks against being sure of a label.
fn reasons(
    label: Label,
    present_from: f64,
    series: &[SeriesResult],
    is_doubtful: bool,
) -> Vec<String> {
    let mut reasons = Vec::new();
    let highest = |series: &&SeriesResult| {
        series.slices.iter().map(|slice| slice.probabilities.get(label)).fold(0f32, f32::max)
    };
    let most = series.iter().max_by(|a, b| highest(a).total_cmp(&highest(b)));
    if let Some(most) = most {
        let scores: Vec<f32> =
            most.slices.iter().map(|slice| slice.probabilities.get(label)).collect();
        let reaching = scores.iter().filter(|&&score| f64::from(score) >= present_from).count();
        if reaching <= 1 {
            reasons.push(format!(
                "thin evidence: {} of {} slices reach{} the threshold for present",
                if reaching == 0 { "none".to_owned() } else { "only one".to_owned() },
                scores.len(),
                if reaching == 0 { "" } else { "es" },
            ));
        }
        let peak = (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        if let Some(peak) = peak {
            let neighbours = [peak.checked_sub(1), peak.checked_add(1)];
            let mut beside =
                neighbours.into_iter().flatten().filter_map(|at| scores.get(at)).peekable();
            if beside.peek().is_some() && beside.all(|score| *score < scores[peak] / 2.0) {
                reasons.push(format!(
                    "neighbours disagree: slice {} stands alone, those beside it have less than half of \
                     its probability",
                    peak + 1
                ));
            }
        }
    }
    if is_doubtful {
        reasons.push("image quality: see the warnings of the study and its series".to_owned());
    }
    reasons
}

#[cfg(test)]
mod tests {
    use hemora_model::{Acquisition, SliceResult};

    use super::*;

    fn point(label: Label, level: Level, rule: OperatingRule, threshold: f64) -> OperatingPoint {
        OperatingPoint {
            name: rule.to_string(),
            label,
            level,
            threshold,
            rule,
            calibrated: false,
            sensitivity: None,
            specificity: None,
            positives: 0,
            origin: None,
        }
    }

    fn any(any: f32) -> Probabilities {
        Probabilities { any, ..Probabilities::default() }
    }

    fn series(scores: &[f32]) -> SeriesResult {
        let slice = |(index, &score): (usize, &f32)| SliceResult {
            sop_instance_uid: index.to_string(),
            source: String::new(),
            z_mm: None,
            probabilities: any(score),
            regions: Vec::new(),
        };
        SeriesResult {
            series_instance_uid: "1".to_owned(),
            description: None,
            probabilities: any(0.0),
            acquisition: Acquisition::default(),
            slices: scores.iter().enumerate().map(slice).collect(),
            warnings: Vec::new(),
        }
    }

    fn of(probability: f32, scores: &[f32], is_doubtful: bool) -> Certainty {
        let points = [
            point(Label::Any, Level::Slice, OperatingRule::Miss(0.5), 0.9),
            point(Label::Any, Level::Series, OperatingRule::Miss(0.1), 0.2),
            point(Label::Any, Level::Series, OperatingRule::FalseAlarm(0.05), 0.6),
            point(Label::Subdural, Level::Series, OperatingRule::Miss(0.1), 0.2),
        ];
        let found = certainty(&points, &any(probability), &[series(scores)], is_doubtful);
        // One threshold alone says nothing of subdural bleeds.
        assert_eq!(found.len(), 1);
        found.into_iter().next().unwrap()
    }

    #[test]
    fn between_the_thresholds_nothing_is_said_and_the_reasons_are_named() {
        let absent = of(0.1, &[0.1, 0.1], false);
        assert_eq!((absent.verdict, absent.reasons.len()), (Verdict::Absent, 0));
        assert_eq!((absent.miss, absent.false_alarm), (0.1, 0.05));
        assert_eq!(of(0.6, &[0.7], true).verdict, Verdict::Present);
        let lonely = of(0.3, &[0.1, 0.1, 0.7, 0.2], false);
        assert_eq!(lonely.verdict, Verdict::NotSure);
        assert_eq!(lonely.reasons.len(), 2, "{:?}", lonely.reasons);
        assert!(lonely.reasons[0].contains("only one of 4 slices reaches"), "{:?}", lonely.reasons);
        assert!(lonely.reasons[1].contains("slice 3 stands alone"), "{:?}", lonely.reasons);
        let faint = of(0.3, &[0.3, 0.35, 0.3], true);
        assert!(faint.reasons[0].contains("none of 3 slices reach the"), "{:?}", faint.reasons);
        assert!(faint.reasons[1].starts_with("image quality"), "{:?}", faint.reasons);
        let broad = of(0.5, &[0.7, 0.65, 0.1], false);
        assert!(broad.reasons.is_empty(), "{:?}", broad.reasons);
    }

    #[test]
    fn thresholds_of_studies_go_before_those_of_series() {
        let points = [Level::Series, Level::Study].map(|level| {
            let low = if level == Level::Study { 0.1 } else { 0.3 };
            [
                point(Label::Any, level, OperatingRule::Miss(0.1), low),
                point(Label::Any, level, OperatingRule::FalseAlarm(0.1), 0.8),
            ]
        });
        let found = certainty(&points.concat(), &any(0.2), &[], false);
        assert_eq!(found[0].absent_below, 0.1);
        assert_eq!(found[0].verdict, Verdict::NotSure);
    }
}
