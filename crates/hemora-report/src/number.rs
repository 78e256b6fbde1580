//! How numbers and labels are written.

use hemora_ct::{Label, Probabilities};

/// A subtype is named as leading from this probability on.
pub(crate) const LEADING: f32 = 0.10;

/// Clamped to 0–1; not a number becomes 0.
pub(crate) fn unit(value: f32) -> f32 {
    if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) }
}

/// A probability with two decimals; never "0.00" or "1.00", which read as certainty.
pub(crate) fn probability(value: f32) -> String {
    if !value.is_finite() {
        return "unknown".into();
    }
    match value.clamp(0.0, 1.0) {
        low if low < 0.01 => "< 0.01".into(),
        high if high > 0.99 => "> 0.99".into(),
        middle => format!("{middle:.2}"),
    }
}

/// [`probability`], ready to stand between tags.
pub(crate) fn probability_html(value: f32) -> String {
    probability(value).replace('<', "&lt;").replace('>', "&gt;")
}

/// A length or angle with at most one decimal, "−0.0" avoided; `None` unless finite.
pub(crate) fn measure(value: f64) -> Option<String> {
    if !value.is_finite() {
        return None;
    }
    let rounded = (value * 10.0).round() / 10.0 + 0.0;
    Some(if rounded.fract() == 0.0 { format!("{rounded:.0}") } else { format!("{rounded:.1}") })
}

/// A length with at most three decimals; `None` unless finite.
pub(crate) fn fine_measure(value: f64) -> Option<String> {
    if !value.is_finite() {
        return None;
    }
    let text = format!("{value:.3}");
    Some(text.trim_end_matches('0').trim_end_matches('.').to_owned())
}

/// A label as it stands in a sentence.
pub(crate) fn phrase(label: Label) -> &'static str {
    if label == Label::Any { "any hemorrhage" } else { label.name() }
}

/// The two most probable subtypes from [`LEADING`] on, most probable first.
pub(crate) fn leading(probabilities: &Probabilities) -> Vec<(Label, f32)> {
    let mut found: Vec<_> = Label::SUBTYPES
        .into_iter()
        .map(|label| (label, probabilities.get(label)))
        .filter(|(_, value)| *value >= LEADING)
        .collect();
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    found.truncate(2);
    found
}

/// [`leading`] as text for HTML: "subdural 0.81, subarachnoid 0.22".
pub(crate) fn leading_html(probabilities: &Probabilities) -> String {
    let found = leading(probabilities);
    if found.is_empty() {
        return format!("no subtype reaches {LEADING:.2}");
    }
    let parts: Vec<_> = found
        .into_iter()
        .map(|(label, value)| format!("{} {}", label.name(), probability_html(value)))
        .collect();
    parts.join(", ")
}

/// All six probabilities on one line, for a tooltip.
pub(crate) fn all_html(probabilities: &Probabilities) -> String {
    let parts: Vec<_> = std::iter::once(Label::Any)
        .chain(Label::SUBTYPES)
        .map(|label| format!("{} {}", label.name(), probability_html(probabilities.get(label))))
        .collect();
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_never_claim_certainty() {
        assert_eq!(probability(0.0), "< 0.01");
        assert_eq!(probability(1.0), "> 0.99");
        assert_eq!(probability(0.125), "0.12");
        assert_eq!(probability(0.991), "> 0.99");
        assert_eq!(probability(f32::NAN), "unknown");
        assert_eq!(probability(f32::INFINITY), "unknown");
    }

    #[test]
    fn measures_are_short_and_finite() {
        assert_eq!(measure(-0.04).as_deref(), Some("0"));
        assert_eq!(measure(42.25).as_deref(), Some("42.3"));
        assert_eq!(measure(f64::NAN), None);
        assert_eq!(fine_measure(0.488281).as_deref(), Some("0.488"));
        assert_eq!(fine_measure(5.0).as_deref(), Some("5"));
    }

    #[test]
    fn leading_subtypes_are_the_two_highest() {
        let probabilities = Probabilities::from_array([0.2, 0.05, f32::NAN, 0.3, 0.9, 0.95]);
        assert_eq!(leading(&probabilities), [(Label::Subdural, 0.9), (Label::Subarachnoid, 0.3)]);
        assert_eq!(leading_html(&Probabilities::default()), "no subtype reaches 0.10");
    }
}
