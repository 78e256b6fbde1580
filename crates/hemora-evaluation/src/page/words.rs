//! How intervals, operating points, labels and levels are written.

use hemora_ct::Label;
use hemora_metrics::{Interval, LabelMetrics, Level, OperatingPoint, OperatingRule};
use hemora_page::{number, short};
use maud::{Markup, html};

use crate::Evaluation;

/// A figure and its interval: `0.912 (0.874 to 0.941)`.
pub(crate) fn interval_text(interval: &Interval) -> String {
    number::interval(interval.value, interval.low, interval.high)
}

/// The same as a table cell: the interval in a lighter line.
pub(super) fn interval_cell(interval: &Interval) -> Markup {
    let few = interval.undefined * 20 > interval.repeats;
    html! {
        td {
            (number::decimal(interval.value))
            @if let Some(limits) = number::limits(interval.low, interval.high) {
                @if few { "*" } " " (aside(&limits))
            }
        }
    }
}

/// What stands behind a figure, in a lighter line.
pub(super) fn aside(text: &str) -> Markup {
    html! { span class="ci" { (text) } }
}

/// Any hemorrhage first, then the others in label order.
pub(super) fn any_first(labels: &[LabelMetrics]) -> impl Iterator<Item = &LabelMetrics> {
    let any = labels.iter().filter(|label| label.label == Label::Any);
    any.chain(labels.iter().filter(|label| label.label != Label::Any))
}

pub(super) fn level_title(level: Level) -> &'static str {
    match level {
        Level::Slice => "Slices",
        Level::Series => "Series",
        Level::Study => "Studies",
    }
}

/// An operating point by its rule, in words; a name that says more than the rule stays.
pub(super) fn point_text(point: &OperatingPoint) -> String {
    if point.name != point.rule.to_string() {
        return short(&point.name).into_owned();
    }
    rule_text(point.rule)
}

/// An operating point by its name, in words where that is its rule.
pub(super) fn point_name_text(name: &str) -> String {
    name.parse().map_or_else(|_| short(name).into_owned(), rule_text)
}

/// The mark of figures that depend on thresholds that were chosen on the very cases.
pub(super) fn tuned_mark(evaluation: &Evaluation) -> &'static str {
    if evaluation.tuned_on_these_cases { "†" } else { "" }
}

fn rule_text(rule: OperatingRule) -> String {
    match rule {
        OperatingRule::Fixed(threshold) => format!("threshold {threshold}"),
        OperatingRule::Youden => "Youden\u{2019}s index".to_owned(),
        OperatingRule::Sensitivity(least) => format!("sensitivity \u{2265} {least}"),
        OperatingRule::Specificity(least) => format!("specificity \u{2265} {least}"),
        OperatingRule::Miss(rate) => format!("misses \u{2264} {rate}"),
        OperatingRule::FalseAlarm(rate) => format!("false alarms \u{2264} {rate}"),
        OperatingRule::Cost { false_negative, false_positive, .. } => {
            format!("least cost, a miss {false_negative} and an alarm {false_positive}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_stand_behind_their_figure() {
        let interval = Interval {
            value: Some(0.9),
            low: Some(0.8),
            high: Some(0.95),
            repeats: 10,
            undefined: 1,
        };
        assert_eq!(interval_text(&interval), "0.900 (0.800 to 0.950)");
        assert_eq!(
            interval_cell(&interval).into_string(),
            "<td>0.900* <span class=\"ci\">0.800 to 0.950</span></td>"
        );
        let alone = Interval { low: None, ..interval };
        assert_eq!(interval_cell(&alone).into_string(), "<td>0.900</td>");
    }

    #[test]
    fn points_are_named_by_their_rule() {
        assert_eq!(point_name_text("sensitivity=0.9"), "sensitivity \u{2265} 0.9");
        assert_eq!(point_name_text("night shift"), "night shift");
    }
}
