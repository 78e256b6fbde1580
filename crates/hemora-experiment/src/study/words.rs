//! How networks, questions and figures are written, on the page and in Markdown.

pub(crate) use hemora_page::number::{decimal, percent};

use crate::study::summary::Figure;
use crate::study::{Question, SplitKind};

/// A network as the seed study calls it.
pub(crate) fn network_title(name: &str) -> &str {
    match name {
        "simple-nn" => "Simple NN",
        "deep-cnn" => "Deep CNN",
        "resnet50" => "ResNet50",
        other => other,
    }
}

/// A question as a heading.
pub(crate) fn question_title(question: Question) -> String {
    match question {
        Question::AtLeast(1) => "1+ hemorrhage types".to_owned(),
        Question::AtLeast(types) => format!("{types}+ hemorrhage types"),
        Question::Subtypes => "The five subtypes, multi-label".to_owned(),
    }
}

/// A split as a heading.
pub(crate) fn split_title(split: SplitKind) -> &'static str {
    match split {
        SplitKind::Patient => "Split by patient",
        SplitKind::Image => "Split by image",
    }
}

/// What stands behind a figure: `0.812 to 0.934`, or with repeats `± 0.021`; empty if neither is
/// known. `write` is how the figure itself is written.
pub(crate) fn spread(figure: &Figure, write: fn(Option<f64>) -> String) -> String {
    match (figure.deviation, figure.low, figure.high) {
        (Some(_), _, _) => format!("± {}", write(figure.deviation)),
        (None, Some(_), Some(_)) => format!("{} to {}", write(figure.low), write(figure.high)),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_their_interval_or_their_spread() {
        let one = Figure { mean: Some(0.9), deviation: None, low: Some(0.8), high: Some(0.95) };
        assert_eq!(spread(&one, decimal), "0.800 to 0.950");
        let several = Figure { mean: Some(0.9), deviation: Some(0.012), low: None, high: None };
        assert_eq!(spread(&several, percent), "± 1.2\u{a0}%");
        assert_eq!(
            spread(&Figure { mean: None, low: None, high: None, deviation: None }, decimal),
            ""
        );
        assert_eq!(
            (percent(Some(0.8411)), percent(None)),
            ("84.1\u{a0}%".to_owned(), "–".to_owned())
        );
    }
}
