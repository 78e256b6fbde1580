//! How figures are written.

use hemora_metrics::{Interval, OperatingPoint, OperatingRule};
use hemora_page::Escaped;

/// A figure with three decimals, or a dash.
pub fn number_text(value: Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map_or("–".to_owned(), |value| {
        let text = format!("{value:.3}");
        // "-0.000" has a sign and no size.
        if text == "-0.000" { "0.000".to_owned() } else { text.replace('-', "−") }
    })
}

/// A figure and its interval: `0.912 (0.874 to 0.941)`.
pub fn interval_text(interval: &Interval) -> String {
    let value = number_text(interval.value);
    match (interval.low, interval.high) {
        (Some(_), Some(_)) => {
            let limits = [interval.low, interval.high].map(number_text);
            format!("{value} ({} to {})", limits[0], limits[1])
        }
        _ => value,
    }
}

/// The same for a table cell: the interval in a lighter line.
pub(crate) fn interval_cell(interval: &Interval) -> String {
    let value = number_text(interval.value);
    match (interval.low, interval.high) {
        (Some(_), Some(_)) => {
            let limits = [interval.low, interval.high].map(number_text);
            let few = if interval.undefined * 20 > interval.repeats { "*" } else { "" };
            format!(
                "<td>{value}{few} <span class=\"ci\">{} to {}</span></td>",
                limits[0], limits[1]
            )
        }
        _ => format!("<td>{value}</td>"),
    }
}

/// An operating point by its rule, in words; a name that says more than the rule stays.
pub(crate) fn point_text(point: &OperatingPoint) -> String {
    if point.name != point.rule.to_string() {
        return Escaped(&point.name).to_string();
    }
    rule_text(point.rule)
}

/// An operating point by its name, in words where that is its rule.
pub(crate) fn point_name_text(name: &str) -> String {
    name.parse().map_or_else(|_| Escaped(name).to_string(), rule_text)
}

fn rule_text(rule: OperatingRule) -> String {
    match rule {
        OperatingRule::Fixed(threshold) => format!("threshold {threshold}"),
        OperatingRule::Youden => "Youden\u{2019}s index".to_owned(),
        OperatingRule::Sensitivity(least) => format!("sensitivity \u{2265} {least}"),
        OperatingRule::Specificity(least) => format!("specificity \u{2265} {least}"),
        OperatingRule::Cost { false_negative, false_positive, .. } => {
            format!("least cost, a miss {false_negative} and an alarm {false_positive}")
        }
    }
}

/// A probability that something is chance.
pub(crate) fn p_text(value: Option<f64>) -> String {
    match value {
        None => "–".to_owned(),
        Some(p) if p < 0.001 => "&lt; 0.001".to_owned(),
        Some(p) => format!("{p:.3}"),
    }
}

/// So many of a hundred: `87`, `0.4`.
pub(crate) fn of_hundred(share: f64) -> String {
    let hundred = share * 100.0;
    if hundred > 0.0 && !(1.0..=99.0).contains(&hundred) && hundred < 100.0 {
        format!("{hundred:.1}")
    } else {
        format!("{hundred:.0}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        assert_eq!(number_text(Some(-0.0001)), "0.000");
        assert_eq!(number_text(Some(-0.1239)), "−0.124");
        assert_eq!(number_text(None), "–");
        let interval = Interval {
            value: Some(0.9),
            low: Some(0.8),
            high: Some(0.95),
            repeats: 10,
            undefined: 1,
        };
        assert_eq!(interval_text(&interval), "0.900 (0.800 to 0.950)");
        assert!(interval_cell(&interval).contains("0.900*"));
        assert_eq!(p_text(Some(0.0001)), "&lt; 0.001");
        assert_eq!([of_hundred(0.874), of_hundred(0.996), of_hundred(1.0)], ["87", "99.6", "100"]);
        assert_eq!([of_hundred(0.004), of_hundred(0.0)], ["0.4", "0"]);
    }
}
