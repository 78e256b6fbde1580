//! The probabilities of a slice, series or study in words.

use hemora_ct::{Label, Probabilities};
use hemora_page::number;

/// A subtype is named as leading from this probability on.
const LEADING: f32 = 0.10;

/// Any hemorrhage first, then the subtypes in label order.
pub(crate) fn any_first() -> impl Iterator<Item = Label> {
    std::iter::once(Label::Any).chain(Label::SUBTYPES)
}

/// The two most probable subtypes, most probable first: "subdural 0.81, subarachnoid 0.22".
pub(crate) fn leading(probabilities: &Probabilities) -> String {
    let leading = leading_subtypes(probabilities);
    if leading.is_empty() {
        return format!("no subtype reaches {LEADING:.2}");
    }
    joined(leading)
}

/// All six probabilities on one line, for a tooltip.
pub(crate) fn all(probabilities: &Probabilities) -> String {
    joined(any_first().map(|label| (label, probabilities.get(label))))
}

fn leading_subtypes(probabilities: &Probabilities) -> Vec<(Label, f32)> {
    let mut subtypes: Vec<_> = Label::SUBTYPES
        .into_iter()
        .map(|label| (label, probabilities.get(label)))
        .filter(|(_, value)| *value >= LEADING)
        .collect();
    subtypes.sort_by(|a, b| b.1.total_cmp(&a.1));
    subtypes.truncate(2);
    subtypes
}

fn joined(values: impl IntoIterator<Item = (Label, f32)>) -> String {
    let text = |(label, value): (Label, f32)| format!("{label} {}", number::probability(value));
    values.into_iter().map(text).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_subtypes_are_the_two_highest() {
        let probabilities = Probabilities::from_array([0.2, 0.05, f32::NAN, 0.3, 0.9, 0.95]);
        assert_eq!(leading(&probabilities), "subdural 0.90, subarachnoid 0.30");
        assert_eq!(leading(&Probabilities::default()), "no subtype reaches 0.10");
        assert!(all(&probabilities).starts_with("any 0.95, epidural 0.20, intraparenchymal 0.05"));
    }
}
