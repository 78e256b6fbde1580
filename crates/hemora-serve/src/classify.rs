//! From a study's result to what is said of it: positive, not sure or negative, and why.

use hemora_ct::Label;
use hemora_model::{Certainty, StudyResult, Verdict};

use crate::config::{Band, Thresholds};

/// Absent below the first, present from the second on, where neither site nor model has thresholds for
/// studies. Nobody has measured how often they are wrong; every result says so.
pub(crate) const UNMEASURED: Band = [0.25, 0.6];

/// What is said of a label of a study.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Said {
    pub(crate) label: Label,
    pub(crate) probability: f64,
    pub(crate) verdict: Verdict,
    pub(crate) band: Band,
    /// Where nothing is said: what speaks against being sure.
    pub(crate) reasons: Vec<String>,
}

/// Whose thresholds were applied, in words that stand in every result.
pub(crate) fn thresholds_in_words(site: Option<&Thresholds>, study: &StudyResult) -> String {
    match site {
        Some(site) => format!("thresholds of this site, set by {}: {}", site.who, site.why),
        None if of_model(study, Label::Any).is_some() => "thresholds of the model".to_owned(),
        None => format!(
            "thresholds {} and {} of the node, whose error rates nobody has measured",
            UNMEASURED[0], UNMEASURED[1]
        ),
    }
}

/// What is said of each label, any hemorrhage first.
pub(crate) fn classify(study: &StudyResult, site: Option<&Thresholds>) -> Vec<Said> {
    let subtypes = Label::ALL.into_iter().filter(|label| *label != Label::Any);
    std::iter::once(Label::Any).chain(subtypes).map(|label| said(study, site, label)).collect()
}

fn of_model(study: &StudyResult, label: Label) -> Option<&Certainty> {
    study.certainty.iter().find(|certainty| certainty.label == label)
}

fn said(study: &StudyResult, site: Option<&Thresholds>, label: Label) -> Said {
    let probability = f64::from(study.probabilities.get(label));
    let known = of_model(study, label);
    let band = match (site, known) {
        (Some(site), _) => site.band(label),
        (None, Some(known)) => [known.absent_below, known.present_from],
        (None, None) => UNMEASURED,
    };
    let verdict = Verdict::of(probability, band[0], band[1]);
    let reasons = match verdict {
        Verdict::NotSure => {
            let between = between(probability, band);
            let more = known.map(|it| it.reasons.clone()).unwrap_or_default();
            std::iter::once(between).chain(more).collect()
        }
        _ => Vec::new(),
    };
    Said { label, probability, verdict, band, reasons }
}

/// Where a probability lies, with as many digits as tell it from the thresholds, up to three.
fn between(probability: f64, band: Band) -> String {
    let [low, high] = band.map(|limit| {
        let text = format!("{:.1}", limit * 100.0);
        text.strip_suffix(".0").unwrap_or(&text).to_owned()
    });
    let shown = |digits: usize| format!("{:.digits$}", probability * 100.0);
    let is_limit = |text: &str| {
        let value = text.parse::<f64>().ok();
        [&low, &high].into_iter().any(|limit| limit.parse::<f64>().ok() == value)
    };
    let digits = (0..3).find(|digits| !is_limit(&shown(*digits))).unwrap_or(3);
    format!("{} % lies between {low} % and {high} %", shown(digits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hemora_ct::Probabilities;

    fn study(any: f32, subdural: f32) -> StudyResult {
        let probabilities = Probabilities { any, subdural, ..Probabilities::default() };
        StudyResult {
            study_instance_uid: "1.2".to_owned(),
            patient_id: String::new(),
            probabilities,
            flags: Vec::new(),
            certainty: Vec::new(),
            series: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn site() -> Thresholds {
        Thresholds {
            who: "Dr N.".to_owned(),
            why: "200 studies of May".to_owned(),
            any: [0.4, 0.5],
            subtypes: [(Label::Subdural, [0.1, 0.2])].into(),
        }
    }

    #[test]
    fn the_site_decides_then_the_model_then_the_node() {
        let mut study = study(0.45, 0.15);
        let verdicts = |study: &StudyResult, site: Option<&Thresholds>| {
            let said = classify(study, site);
            assert_eq!(said[0].label, Label::Any);
            let of = |label| said.iter().find(|it| it.label == label).unwrap().verdict;
            [of(Label::Any), of(Label::Subdural), of(Label::Epidural)]
        };
        use Verdict::{Absent, NotSure, Present};
        assert_eq!(verdicts(&study, None), [NotSure, Absent, Absent]);
        assert!(thresholds_in_words(None, &study).contains("nobody has measured"));
        study.certainty.push(Certainty {
            label: Label::Any,
            verdict: Present,
            absent_below: 0.1,
            miss: 0.05,
            present_from: 0.2,
            false_alarm: 0.05,
            reasons: Vec::new(),
        });
        assert_eq!(verdicts(&study, None)[0], Present);
        assert_eq!(verdicts(&study, Some(&site())), [NotSure, NotSure, Absent]);
        assert!(thresholds_in_words(Some(&site()), &study).contains("Dr N."));
    }

    #[test]
    fn who_is_not_sure_says_why() {
        let said = classify(&study(0.45, 0.0), Some(&site()));
        assert_eq!(said[0].reasons, ["45 % lies between 40 % and 50 %"]);
        assert!(said[1].reasons.is_empty());
    }

    #[test]
    fn a_probability_beside_a_threshold_is_not_rounded_to_it() {
        assert_eq!(between(0.5993, [0.25, 0.6]), "59.9 % lies between 25 % and 60 %");
        assert_eq!(between(0.59996, [0.25, 0.6]), "59.996 % lies between 25 % and 60 %");
        assert_eq!(between(0.25, [0.25, 0.6]), "25.000 % lies between 25 % and 60 %");
        assert_eq!(between(0.41, [0.125, 0.6]), "41 % lies between 12.5 % and 60 %");
    }
}
