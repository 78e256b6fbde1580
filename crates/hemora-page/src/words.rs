//! Words of labels and counts.

use hemora_ct::Label;

/// "1 slice", "2 slices".
pub fn count(number: usize, singular: &str, plural: &str) -> String {
    format!("{number} {}", if number == 1 { singular } else { plural })
}

/// A label as it stands at the head of a row.
pub fn title(label: Label) -> &'static str {
    match label {
        Label::Epidural => "Epidural",
        Label::Intraparenchymal => "Intraparenchymal",
        Label::Intraventricular => "Intraventricular",
        Label::Subarachnoid => "Subarachnoid",
        Label::Subdural => "Subdural",
        Label::Any => "Any hemorrhage",
    }
}

/// A label as it stands in a sentence.
pub fn phrase(label: Label) -> &'static str {
    match label {
        Label::Any => "any hemorrhage",
        subtype => subtype.name(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular() {
        assert_eq!(count(1, "study", "studies"), "1 study");
        assert_eq!(count(0, "study", "studies"), "0 studies");
        assert_eq!(title(Label::Any), "Any hemorrhage");
        assert_eq!([phrase(Label::Any), phrase(Label::Subdural)], ["any hemorrhage", "subdural"]);
    }
}
