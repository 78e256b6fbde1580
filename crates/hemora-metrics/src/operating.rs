//! Operating points: thresholds, how they were chosen, and on what.

use std::fmt;
use std::str::FromStr;

use hemora_ct::Label;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Level, MetricError, Ranked};

/// How a threshold is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum OperatingRule {
    /// Given beforehand, not chosen on data.
    Fixed(f64),
    /// The highest sensitivity + specificity − 1 (Youden, Cancer 1950;3:32).
    Youden,
    /// The highest threshold with at least this sensitivity.
    Sensitivity(f64),
    /// The lowest threshold with at least this specificity.
    Specificity(f64),
    /// The highest threshold below which a positive of a new group (patient) falls with at most this
    /// probability, whatever the scores are distributed like (split conformal prediction: Vovk et al.
    /// 2005). It is chosen on the lowest positive of each group.
    Miss(f64),
    /// The lowest threshold that a negative of a new group (patient) reaches with at most this
    /// probability. It is chosen on the highest negative of each group.
    FalseAlarm(f64),
    /// The least expected cost.
    Cost {
        /// Cost of a missed positive.
        false_negative: f64,
        /// Cost of a false alarm.
        false_positive: f64,
        /// Share of positives where the threshold will be used; that of the data if absent.
        prevalence: Option<f64>,
    },
}

impl OperatingRule {
    /// The threshold that the rule asks for; scores of at least the threshold are called positive.
    /// It lies half-way between the scores that it parts, so that rounding does not matter. `None`
    /// if there are no positives or no negatives (but for [`OperatingRule::Fixed`]), or too few for
    /// what a rule promises. Of equally good thresholds the highest is taken. What is promised of new
    /// groups holds if each group stands in `ranked` with one score of a class.
    ///
    /// # Errors
    /// [`MetricError::Option`] if a sensitivity, specificity, prevalence or threshold is not in 0
    /// to 1, or a cost is negative or not finite.
    pub fn choose(self, ranked: &Ranked) -> Result<Option<f64>, MetricError> {
        self.check()?;
        match self {
            OperatingRule::Fixed(threshold) => return Ok(Some(threshold)),
            OperatingRule::Miss(rate) => return Ok(below(ranked, rate)),
            OperatingRule::FalseAlarm(rate) => return Ok(above(ranked, rate)),
            _ => {}
        }
        let (positives, negatives) = (ranked.positives(), ranked.negatives());
        if positives <= 0.0 || negatives <= 0.0 {
            return Ok(None);
        }
        // Cut 0 calls nothing positive, cut i the first i scores.
        let mut cuts = Vec::with_capacity(ranked.steps().len() + 1);
        let (mut hits, mut alarms) = (0.0, 0.0);
        cuts.push((0.0, 1.0));
        for step in ranked.steps() {
            hits += step.positives;
            alarms += step.negatives;
            cuts.push((hits / positives, 1.0 - alarms / negatives));
        }
        let share = positives / (positives + negatives);
        let cut = match self {
            OperatingRule::Fixed(_) | OperatingRule::Miss(_) | OperatingRule::FalseAlarm(_) => 0,
            OperatingRule::Sensitivity(least) => {
                cuts.partition_point(|(sensitivity, _)| *sensitivity < least)
            }
            OperatingRule::Specificity(least) => {
                cuts.partition_point(|(_, specificity)| *specificity >= least).saturating_sub(1)
            }
            OperatingRule::Youden => {
                best(&cuts, |(sensitivity, specificity)| sensitivity + specificity)
            }
            OperatingRule::Cost { false_negative, false_positive, prevalence } => {
                let prevalence = prevalence.unwrap_or(share);
                best(&cuts, |(sensitivity, specificity)| {
                    -(false_negative * prevalence * (1.0 - sensitivity)
                        + false_positive * (1.0 - prevalence) * (1.0 - specificity))
                })
            }
        };
        Ok(Some(between(ranked, cut.min(cuts.len() - 1))))
    }

    /// Whether its threshold is chosen on one item of a class for each group.
    pub fn is_by_group(self) -> bool {
        matches!(self, OperatingRule::Miss(_) | OperatingRule::FalseAlarm(_))
    }

    fn check(self) -> Result<(), MetricError> {
        let share = |option, value: f64| {
            if (0.0..=1.0).contains(&value) {
                return Ok(());
            }
            Err(MetricError::Option { option, value: value.to_string(), expected: "0 to 1" })
        };
        let cost = |option, value: f64| {
            if value >= 0.0 && value.is_finite() {
                return Ok(());
            }
            let expected = "a finite number of at least 0";
            Err(MetricError::Option { option, value: value.to_string(), expected })
        };
        match self {
            OperatingRule::Fixed(threshold) => share("threshold", threshold),
            OperatingRule::Youden => Ok(()),
            OperatingRule::Sensitivity(least) => share("sensitivity", least),
            OperatingRule::Specificity(least) => share("specificity", least),
            OperatingRule::Miss(rate) => share("miss", rate),
            OperatingRule::FalseAlarm(rate) => share("false-alarm", rate),
            OperatingRule::Cost { false_negative, false_positive, prevalence } => {
                cost("cost of a false negative", false_negative)?;
                cost("cost of a false positive", false_positive)?;
                share("prevalence", prevalence.unwrap_or(0.0))
            }
        }
    }
}

/// How many of `count` scores may lie beyond a threshold, so that a new one does with at most this
/// probability: all orders of it and them are equally likely.
fn beyond(rate: f64, count: f64) -> f64 {
    // A product that rounding left just below a whole number is that number.
    (rate * (count + 1.0) + 1e-9).floor()
}

/// The threshold of which at most as many positives lie below as [`beyond`] allows.
fn below(ranked: &Ranked, rate: f64) -> Option<f64> {
    let allowed = beyond(rate, ranked.positives());
    let mut passed = 0.0;
    let reached = ranked.steps().iter().rev().find(|step| {
        passed += step.positives;
        passed >= allowed && passed > 0.0
    });
    reached.filter(|_| allowed >= 1.0).map(|step| step.score)
}

/// The threshold that at most as many negatives reach as [`beyond`] allows; none above 1.
fn above(ranked: &Ranked, rate: f64) -> Option<f64> {
    let allowed = beyond(rate, ranked.negatives());
    let mut passed = 0.0;
    let reached = ranked.steps().iter().find(|step| {
        passed += step.negatives;
        passed >= allowed && passed > 0.0
    });
    let threshold = reached.filter(|_| allowed >= 1.0).map(|step| step.score.next_up());
    threshold.filter(|threshold| *threshold <= 1.0)
}

/// The first cut of the highest worth; worths that differ by rounding only are equal.
fn best(cuts: &[(f64, f64)], worth: impl Fn((f64, f64)) -> f64) -> usize {
    let mut best = (0, f64::NEG_INFINITY);
    for (cut, &rates) in cuts.iter().enumerate() {
        let worth = worth(rates);
        if worth > best.1 + 1e-12 {
            best = (cut, worth);
        }
    }
    best.0
}

/// The threshold that calls the first `cut` scores positive and no other.
fn between(ranked: &Ranked, cut: usize) -> f64 {
    let steps = ranked.steps();
    let lowest = |cut: usize| steps[cut - 1].score;
    match (cut, steps.get(cut)) {
        // Nothing: above the highest score, and above 1 if that is 1.
        (0, Some(highest)) => highest.score.next_up(),
        (0, None) => f64::INFINITY,
        (_, None) => lowest(cut),
        (_, Some(next)) => {
            let middle = next.score + (lowest(cut) - next.score) / 2.0;
            if middle > next.score { middle } else { lowest(cut) }
        }
    }
}

impl fmt::Display for OperatingRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OperatingRule::Fixed(threshold) => write!(formatter, "fixed={threshold}"),
            OperatingRule::Youden => formatter.write_str("youden"),
            OperatingRule::Sensitivity(least) => write!(formatter, "sensitivity={least}"),
            OperatingRule::Specificity(least) => write!(formatter, "specificity={least}"),
            OperatingRule::Miss(rate) => write!(formatter, "miss={rate}"),
            OperatingRule::FalseAlarm(rate) => write!(formatter, "false-alarm={rate}"),
            OperatingRule::Cost { false_negative, false_positive, prevalence } => {
                write!(formatter, "cost={false_negative}:{false_positive}")?;
                prevalence.map_or(Ok(()), |prevalence| write!(formatter, "@{prevalence}"))
            }
        }
    }
}

impl FromStr for OperatingRule {
    type Err = String;

    /// `fixed=0.5`, `youden`, `sensitivity=0.95`, `specificity=0.9`, `miss=0.05`, `false-alarm=0.05`, or `cost=10:1@0.05`: a missed
    /// positive costs ten false alarms where 5 % are positive.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || -> Option<Self> {
            let (name, value) = text.split_once('=').unwrap_or((text, ""));
            let number = |text: &str| text.parse::<f64>().ok();
            Some(match name {
                "fixed" => OperatingRule::Fixed(number(value)?),
                "youden" if value.is_empty() => OperatingRule::Youden,
                "sensitivity" => OperatingRule::Sensitivity(number(value)?),
                "specificity" => OperatingRule::Specificity(number(value)?),
                "miss" => OperatingRule::Miss(number(value)?),
                "false-alarm" => OperatingRule::FalseAlarm(number(value)?),
                "cost" => {
                    let (costs, prevalence) = match value.split_once('@') {
                        Some((costs, prevalence)) => (costs, Some(number(prevalence)?)),
                        None => (value, None),
                    };
                    let (missed, alarm) = costs.split_once(':')?;
                    OperatingRule::Cost {
                        false_negative: number(missed)?,
                        false_positive: number(alarm)?,
                        prevalence,
                    }
                }
                _ => return None,
            })
        };
        let rule = parse().ok_or_else(|| {
            format!(
                "`{text}` is no rule for a threshold; expected fixed=T, youden, sensitivity=S, \
                 specificity=S, miss=M, false-alarm=F or cost=MISSED:ALARM[@PREVALENCE]"
            )
        })?;
        rule.check().map_err(|error| error.to_string())?;
        Ok(rule)
    }
}

/// The data that something was fitted or chosen on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// File of the predictions, without its folder.
    pub file: String,
    /// SHA-256 of that file, lower-case hexadecimal.
    pub sha256: String,
    /// SHA-256 of the sorted ids, each with a line feed: tells the same cases in another file.
    pub ids_sha256: String,
    /// Items.
    pub items: u64,
    /// Groups (patients) that they come from.
    pub groups: u64,
    /// What a group is, for instance `patient`.
    pub grouping: String,
}

/// A threshold with its origin, as a model bundle stores it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OperatingPoint {
    /// Name, for instance `sensitivity=0.95`.
    pub name: String,
    /// The label.
    pub label: Label,
    /// What the threshold is applied to.
    pub level: Level,
    /// Positive from this probability on.
    pub threshold: f64,
    /// How it was chosen.
    pub rule: OperatingRule,
    /// Whether it applies to calibrated probabilities.
    pub calibrated: bool,
    /// Share of the positives found where it was chosen; absent for a fixed threshold.
    pub sensitivity: Option<f64>,
    /// Share of the negatives left alone where it was chosen; absent for a fixed threshold.
    pub specificity: Option<f64>,
    /// Positives where it was chosen.
    pub positives: u64,
    /// The data it was chosen on; absent for a fixed threshold.
    pub origin: Option<Origin>,
}

#[cfg(test)]
impl OperatingPoint {
    /// Slices from one half on.
    pub(crate) fn half(label: Label) -> Self {
        Self {
            name: "fixed=0.5".into(),
            label,
            level: Level::Slice,
            threshold: 0.5,
            rule: OperatingRule::Fixed(0.5),
            calibrated: false,
            sensitivity: None,
            specificity: None,
            positives: 0,
            origin: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Confusion;

    const SCORES: [f64; 8] = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2];
    const LABELS: [bool; 8] = [true, true, false, true, false, false, true, false];

    fn chosen(rule: &str) -> (f64, f64, f64) {
        let ranked = Ranked::new(&SCORES, &LABELS, None).unwrap();
        let rule: OperatingRule = rule.parse().unwrap();
        let threshold = rule.choose(&ranked).unwrap().unwrap();
        let counts = Confusion::at(&SCORES, &LABELS, threshold).unwrap();
        (threshold, counts.sensitivity().unwrap(), counts.specificity().unwrap())
    }

    #[test]
    fn rules_worked_by_hand() {
        // Youden: .5 after two scores and again after four; the higher threshold is taken.
        assert_eq!(chosen("youden"), (0.75, 0.5, 1.0));
        assert_eq!(chosen("sensitivity=0.75"), (0.55, 0.75, 0.75));
        assert_eq!(chosen("sensitivity=0.76"), (0.25, 1.0, 0.25));
        assert_eq!(chosen("specificity=0.75"), (0.55, 0.75, 0.75));
        assert_eq!(chosen("specificity=1"), (0.75, 0.5, 1.0));
        assert_eq!(chosen("fixed=0.5").0, 0.5);
        // A missed positive as dear as ten alarms: all are found.
        assert_eq!(chosen("cost=10:1").1, 1.0);
        assert_eq!(chosen("cost=1:10").2, 1.0);
        // Where positives are rare, alarms weigh more.
        assert_eq!(chosen("cost=10:1@0.01").2, 1.0);
    }

    #[test]
    fn rules_for_new_groups_worked_by_hand() {
        let ranked = Ranked::new(&SCORES, &LABELS, None).unwrap();
        let chosen = |rule: &str| rule.parse::<OperatingRule>().unwrap().choose(&ranked).unwrap();
        // Four of each class: a new one is equally likely at each of five places among them.
        assert_eq!(chosen("miss=0.2"), Some(0.3));
        assert_eq!(chosen("miss=0.39"), Some(0.3));
        assert_eq!(chosen("miss=0.4"), Some(0.6));
        assert_eq!(chosen("false-alarm=0.2"), Some(0.7f64.next_up()));
        assert_eq!(chosen("false-alarm=0.4"), Some(0.5f64.next_up()));
        // Too few for such a promise.
        assert_eq!(chosen("miss=0.19"), None);
        assert_eq!(chosen("false-alarm=0.19"), None);
        // Nothing lies above 1.
        let certain = Ranked::new(&[1.0, 0.5], &[false, true], None).unwrap();
        assert_eq!(OperatingRule::FalseAlarm(0.5).choose(&certain), Ok(None));
    }

    #[test]
    fn what_cannot_be_had_calls_nothing_or_all() {
        let top_is_negative = Ranked::new(&[0.9, 0.5], &[false, true], None).unwrap();
        let rule = OperatingRule::Specificity(1.0);
        assert!(rule.choose(&top_is_negative).unwrap().unwrap() > 0.9);
        let all = OperatingRule::Sensitivity(1.0).choose(&top_is_negative).unwrap().unwrap();
        assert_eq!(all, 0.5);
        let one_class = Ranked::new(&[0.9, 0.5], &[true, true], None).unwrap();
        assert_eq!(OperatingRule::Youden.choose(&one_class), Ok(None));
        assert_eq!(OperatingRule::Fixed(0.5).choose(&one_class), Ok(Some(0.5)));
    }

    #[test]
    fn names_round_trip_and_nonsense_is_refused() {
        for name in [
            "youden",
            "sensitivity=0.95",
            "specificity=0.9",
            "miss=0.05",
            "false-alarm=0.1",
            "cost=5:1",
            "cost=5:1@0.1",
        ] {
            assert_eq!(name.parse::<OperatingRule>().unwrap().to_string(), name);
        }
        for name in [
            "",
            "youden=1",
            "miss=5",
            "sensitivity=95",
            "sensitivity",
            "cost=5",
            "cost=-1:1",
            "best",
        ] {
            assert!(name.parse::<OperatingRule>().is_err(), "{name}");
        }
    }
}
