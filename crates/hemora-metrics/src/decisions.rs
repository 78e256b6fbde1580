//! The metrics of decisions at an operating point: one entry each in one table, from which the
//! document, pages, tables and guides are made.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Confusion, Interval, MetricError, OperatingPoint, Proportion, wilson};

/// A metric of decisions at an operating point.
#[derive(Debug)]
pub struct DecisionMetric {
    /// Its field of [`Decisions`], in the document too.
    pub name: &'static str,
    /// Heading of its column.
    pub title: &'static str,
    /// What it means, for a reader who knows no statistics.
    pub help: &'static str,
    /// Whether it stands in short tables, too.
    pub is_brief: bool,
    /// Its value; `None` where it is undefined.
    pub value: fn(&Confusion) -> Option<f64>,
    /// Of a share: items that it counts and those that it does not, for the Wilson interval that
    /// stands in where all resamples agree.
    pub share: Option<fn(&Confusion) -> [u64; 2]>,
    /// Its value and interval in a document.
    pub interval: fn(&Decisions) -> &Interval,
}

/// Declares [`Decisions`] and [`DECISION_METRICS`] from one entry for each metric. `wilson` names
/// the field of a share's Wilson interval where the document has one.
macro_rules! decision_metrics {
    ($(
        $(#[$document:meta])*
        $name:ident {
            title: $title:literal,
            help: $help:literal,
            is_brief: $is_brief:literal,
            value: $value:expr,
            share: $share:expr,
            $( wilson: $wilson:ident, )?
        }
    )*) => {
        /// What an operating point comes to.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct Decisions {
            /// The operating point.
            pub point: OperatingPoint,
            /// Counts.
            pub counts: Confusion,
            $(
                $(#[$document])*
                pub $name: Interval,
                $(
                    /// Its Wilson interval, as if the items were independent.
                    pub $wilson: Proportion,
                )?
            )*
            /// Predictive values at stated prevalences.
            pub at_prevalence: Vec<AtPrevalence>,
        }

        /// Every metric at an operating point, in the order of documents and tables.
        pub static DECISION_METRICS: &[DecisionMetric] = &[$(
            DecisionMetric {
                name: stringify!($name),
                title: $title,
                help: $help,
                is_brief: $is_brief,
                value: $value,
                share: $share,
                interval: |decisions| &decisions.$name,
            },
        )*];

        impl Decisions {
            /// The decisions of `point`, with the resampled interval of each metric in the table's
            /// order.
            pub(crate) fn from_intervals(
                point: OperatingPoint,
                counts: Confusion,
                resampled: &[Interval],
                at_prevalence: Vec<AtPrevalence>,
                confidence: f64,
            ) -> Result<Self, MetricError> {
                let mut metrics = DECISION_METRICS.iter().zip(resampled).map(|(metric, interval)| {
                    metric.with_wilson(*interval, &counts, confidence)
                });
                $(
                    let (_interval, _wilson) = metrics.next().expect("one interval a metric")?;
                    let $name = _interval;
                    $( let $wilson = _wilson.expect("it is a share"); )?
                )*
                Ok(Self { point, counts, $( $name, $( $wilson, )? )* at_prevalence })
            }
        }
    };
}

decision_metrics! {
    /// Share of the positives that are called positive. Of this and the next three shares the
    /// interval is Wilson's where all resamples agree, as they do at 0 and 1.
    sensitivity {
        title: "Sensitivity",
        help: "Share of the positives that are called positive.",
        is_brief: true,
        value: Confusion::sensitivity,
        share: Some(|counts| [counts.true_positives, counts.false_negatives]),
        wilson: sensitivity_wilson,
    }
    /// Share of the negatives that are called negative.
    specificity {
        title: "Specificity",
        help: "Share of the negatives that are called negative.",
        is_brief: true,
        value: Confusion::specificity,
        share: Some(|counts| [counts.true_negatives, counts.false_positives]),
        wilson: specificity_wilson,
    }
    /// Positive predictive value at the prevalence of the data.
    positive_predictive_value {
        title: "PPV",
        help: "Share of the positive calls that are right. It falls where hemorrhage is rarer, as it \
               is in a hospital.",
        is_brief: true,
        value: Confusion::positive_predictive_value,
        share: Some(|counts| [counts.true_positives, counts.false_positives]),
    }
    /// Negative predictive value at the prevalence of the data.
    negative_predictive_value {
        title: "NPV",
        help: "Share of the negative calls that are right. It rises where hemorrhage is rarer.",
        is_brief: true,
        value: Confusion::negative_predictive_value,
        share: Some(|counts| [counts.true_negatives, counts.false_negatives]),
    }
    /// Accuracy.
    accuracy {
        title: "Accuracy",
        help: "Share of all calls that are right. Where few are positive, calling none positive has a \
               high one.",
        is_brief: false,
        value: Confusion::accuracy,
        share: None,
    }
    /// F1.
    f1 {
        title: "F1",
        help: "Harmonic mean of sensitivity and PPV; 1 is perfect.",
        is_brief: false,
        value: Confusion::f1,
        share: None,
    }
    /// Matthews correlation coefficient.
    matthews {
        title: "MCC",
        help: "Matthews correlation of calls and labels; 1 is perfect, 0 is a coin.",
        is_brief: false,
        value: Confusion::matthews,
        share: None,
    }
}

impl DecisionMetric {
    /// The interval, with Wilson's in its stead where all resamples of a share agree; and Wilson's.
    fn with_wilson(
        &self,
        interval: Interval,
        counts: &Confusion,
        confidence: f64,
    ) -> Result<(Interval, Option<Proportion>), MetricError> {
        let Some(share) = self.share else { return Ok((interval, None)) };
        let [part, rest] = share(counts);
        let wilson = wilson(part, part + rest, confidence)?;
        Ok((interval.or_wilson(&wilson), Some(wilson)))
    }
}

/// Predictive values where another share of items is positive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AtPrevalence {
    /// Share of positives.
    pub prevalence: f64,
    /// Positive predictive value.
    pub positive_predictive_value: Interval,
    /// Negative predictive value.
    pub negative_predictive_value: Interval,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use hemora_ct::Label;

    use super::*;

    #[test]
    fn a_metric_is_found_in_the_document_by_its_name() {
        let counts = Confusion {
            true_positives: 6,
            false_negatives: 2,
            true_negatives: 3,
            false_positives: 1,
        };
        let resampled: Vec<Interval> = DECISION_METRICS
            .iter()
            .map(|metric| {
                let value = (metric.value)(&counts);
                Interval { value, low: None, high: None, repeats: 9, undefined: 0 }
            })
            .collect();
        let point = OperatingPoint::half(Label::Any);
        let decisions =
            Decisions::from_intervals(point, counts, &resampled, Vec::new(), 0.95).unwrap();
        let document = serde_json::to_value(&decisions).unwrap();
        for metric in DECISION_METRICS {
            let value = (metric.value)(&counts);
            assert_eq!(document[metric.name]["value"].as_f64(), value, "{}", metric.name);
            assert_eq!((metric.interval)(&decisions).value, value, "{}", metric.name);
            assert!(metric.help.ends_with('.'), "{}", metric.name);
            if let Some(share) = metric.share {
                let [part, rest] = share(&counts);
                assert_eq!(value, Some(part as f64 / (part + rest) as f64), "{}", metric.name);
            }
        }
        assert_eq!(decisions.specificity_wilson.value, decisions.specificity.value);
        let titles: BTreeSet<&str> = DECISION_METRICS.iter().map(|metric| metric.title).collect();
        assert_eq!(titles.len(), DECISION_METRICS.len());
    }
}
