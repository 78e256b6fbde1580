//! How numbers are written, on every page and in Markdown. All texts are plain.

/// What stands for a number that is not there.
const DASH: &str = "–";

/// A figure with three decimals, or a dash.
pub fn decimal(value: Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map_or(DASH.to_owned(), |value| {
        let text = format!("{value:.3}");
        // "-0.000" has a sign and no size.
        if text == "-0.000" { "0.000".to_owned() } else { text.replace('-', "−") }
    })
}

/// Both limits of an interval: `0.874 to 0.941`; `None` unless both are known.
pub fn limits(low: Option<f64>, high: Option<f64>) -> Option<String> {
    let (Some(_), Some(_)) = (low, high) else { return None };
    Some(format!("{} to {}", decimal(low), decimal(high)))
}

/// A figure and its interval: `0.912 (0.874 to 0.941)`.
pub fn interval(value: Option<f64>, low: Option<f64>, high: Option<f64>) -> String {
    let value = decimal(value);
    match limits(low, high) {
        Some(limits) => format!("{value} ({limits})"),
        None => value,
    }
}

/// A probability 0–1 with two decimals; never "0.00" or "1.00", which read as certainty.
pub fn probability(value: f32) -> String {
    bounded(f64::from(value), [f64::from(0.01f32), f64::from(0.99f32)], 2)
}

/// A probability 0–1 with three decimals, for tables of the extreme ones.
pub fn fine_probability(value: f64) -> String {
    bounded(value, [0.001, 0.999], 3)
}

fn bounded(value: f64, [low, high]: [f64; 2], digits: usize) -> String {
    if !value.is_finite() {
        return "unknown".to_owned();
    }
    match value {
        value if value < low => format!("< {low:.digits$}"),
        value if value > high => format!("> {high:.digits$}"),
        value => format!("{value:.digits$}"),
    }
}

/// A probability that something is chance, or a dash.
pub fn p_value(value: Option<f64>) -> String {
    match value {
        None => DASH.to_owned(),
        Some(p) if p < 0.001 => "< 0.001".to_owned(),
        Some(p) => format!("{p:.3}"),
    }
}

/// A share of 1 in percent: `84.1 %`, or a dash.
pub fn percent(share: Option<f64>) -> String {
    share.map_or(DASH.to_owned(), |share| format!("{:.1}\u{a0}%", share * 100.0))
}

/// A share of 1 in percent without needless zeros: `5`, `0.25`.
pub fn short_percent(share: f64) -> String {
    trimmed(format!("{:.2}", share * 100.0))
}

/// So many of a hundred: `87`, `0.4`.
pub fn of_hundred(share: f64) -> String {
    let hundred = share * 100.0;
    if hundred > 0.0 && !(1.0..=99.0).contains(&hundred) && hundred < 100.0 {
        format!("{hundred:.1}")
    } else {
        format!("{hundred:.0}")
    }
}

/// A length or angle with at most one decimal; `None` unless finite.
pub fn measure(value: f64) -> Option<String> {
    // Rounded half away from zero: 42.25 mm is 42.3 mm.
    value.is_finite().then(|| signed(format!("{:.1}", (value * 10.0).round() / 10.0)))
}

/// A length with at most three decimals; `None` unless finite.
pub fn fine_measure(value: f64) -> Option<String> {
    value.is_finite().then(|| signed(format!("{value:.3}")))
}

/// The number at a tick of an axis: at most four decimals.
pub fn tick(value: f64) -> String {
    signed(format!("{value:.4}"))
}

/// A decimal number without the zeros at its end, with a minus sign; "−0" has a sign and no size.
fn signed(text: String) -> String {
    let text = trimmed(text);
    if text == "-0" { "0".to_owned() } else { text.replace('-', "−") }
}

/// A decimal number without the zeros at its end.
fn trimmed(text: String) -> String {
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        assert_eq!(decimal(Some(-0.0001)), "0.000");
        assert_eq!(decimal(Some(-0.1239)), "−0.124");
        assert_eq!([decimal(None), decimal(Some(f64::NAN))], ["–", "–"]);
        assert_eq!(interval(Some(0.9), Some(0.8), Some(0.95)), "0.900 (0.800 to 0.950)");
        assert_eq!(interval(Some(0.9), None, Some(0.95)), "0.900");
        assert_eq!([p_value(Some(0.0001)), p_value(None)], ["< 0.001", "–"]);
        assert_eq!([of_hundred(0.874), of_hundred(0.996), of_hundred(1.0)], ["87", "99.6", "100"]);
        assert_eq!([of_hundred(0.004), of_hundred(0.0)], ["0.4", "0"]);
        assert_eq!([percent(Some(0.8411)), percent(None)], ["84.1\u{a0}%", "–"]);
        assert_eq!([short_percent(0.05), short_percent(0.0025)], ["5", "0.25"]);
    }

    #[test]
    fn probabilities_never_claim_certainty() {
        assert_eq!([probability(0.0), probability(-3.0)], ["< 0.01", "< 0.01"]);
        assert_eq!([probability(0.01), probability(0.99)], ["0.01", "0.99"]);
        assert_eq!([probability(1.0), probability(0.991)], ["> 0.99", "> 0.99"]);
        assert_eq!(probability(0.125), "0.12");
        assert_eq!([probability(f32::NAN), probability(f32::INFINITY)], ["unknown", "unknown"]);
        assert_eq!([fine_probability(0.0004), fine_probability(0.9996)], ["< 0.001", "> 0.999"]);
    }

    #[test]
    fn measures_are_short_and_finite() {
        assert_eq!(measure(-0.04).as_deref(), Some("0"));
        assert_eq!(measure(42.25).as_deref(), Some("42.3"));
        assert_eq!([measure(-20.0), fine_measure(-0.0001)].map(Option::unwrap), ["−20", "0"]);
        assert_eq!(measure(f64::NAN), None);
        assert_eq!(fine_measure(0.488281).as_deref(), Some("0.488"));
        assert_eq!(fine_measure(5.0).as_deref(), Some("5"));
        assert_eq!(fine_measure(100.0).as_deref(), Some("100"));
        assert_eq!([tick(-0.05), tick(-0.0), tick(0.2), tick(10.0)], ["−0.05", "0", "0.2", "10"]);
    }
}
