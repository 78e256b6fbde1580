//! What to do about rare labels: weights in the loss, and weights in the drawing of images.

use std::fmt;
use std::str::FromStr;

use hemora_ct::{LABEL_COUNT, Label};
use serde::{Deserialize, Serialize};

/// How much a positive weighs in the loss, by label, where a negative weighs 1.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ClassWeights {
    /// 1.
    #[default]
    None,
    /// As many times more as there are more negatives, up to [`MOST`].
    Balanced,
    /// Of each label, in label order.
    Fixed([f64; LABEL_COUNT]),
}

/// Highest weight of a positive when they are balanced: a label with hardly a positive would
/// otherwise outweigh everything.
pub const MOST: f64 = 100.0;

impl FromStr for ClassWeights {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => return Ok(Self::None),
            "balanced" => return Ok(Self::Balanced),
            _ => {}
        }
        let numbers: Option<Vec<f64>> = text
            .split(',')
            .map(|number| number.trim().parse().ok())
            .map(|number| number.filter(|number: &f64| number.is_finite() && *number > 0.0))
            .collect();
        let numbers = numbers.and_then(|numbers| numbers.try_into().ok());
        numbers.map(Self::Fixed).ok_or_else(|| {
            format!("`{text}`: expected none, balanced, or {LABEL_COUNT} numbers above 0 as a,b,…")
        })
    }
}

impl TryFrom<String> for ClassWeights {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<ClassWeights> for String {
    fn from(weights: ClassWeights) -> Self {
        weights.to_string()
    }
}

impl fmt::Display for ClassWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Balanced => f.write_str("balanced"),
            Self::Fixed(numbers) => {
                f.write_str(&numbers.map(|number| number.to_string()).join(","))
            }
        }
    }
}

impl ClassWeights {
    /// The weight of a positive of each label, for the images trained on.
    pub fn for_labels(&self, labels: &[[bool; LABEL_COUNT]]) -> [f64; LABEL_COUNT] {
        match self {
            Self::None => [1.0; LABEL_COUNT],
            Self::Fixed(weights) => *weights,
            Self::Balanced => positives(labels).map(|positives| {
                let negatives = labels.len() - positives;
                if positives == 0 { 1.0 } else { (negatives as f64 / positives as f64).min(MOST) }
            }),
        }
    }
}

/// Which images an epoch holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Sampling {
    /// Each image once, in a new order every epoch.
    Shuffled,
    /// Drawn with replacement, half of them with a hemorrhage.
    Half,
    /// Drawn with replacement, each the more often the rarer its rarest label is, or having none.
    Rarest,
}

impl Sampling {
    /// How likely each image is drawn; `None` where each is taken once.
    pub fn weights(self, labels: &[[bool; LABEL_COUNT]]) -> Option<Vec<f64>> {
        let positives = positives(labels);
        let any = positives[Label::Any.index()].max(1) as f64;
        let none = (labels.len() - positives[Label::Any.index()]).max(1) as f64;
        let weight = |row: &[bool; LABEL_COUNT]| {
            let with = row[Label::Any.index()];
            match self {
                Sampling::Shuffled => 1.0,
                Sampling::Half => 1.0 / if with { any } else { none },
                Sampling::Rarest => {
                    let counts = (0..LABEL_COUNT).filter(|&label| row[label]);
                    counts
                        .map(|label| 1.0 / positives[label] as f64)
                        .reduce(f64::max)
                        .unwrap_or(1.0 / none)
                }
            }
        };
        (self != Sampling::Shuffled).then(|| labels.iter().map(weight).collect())
    }
}

fn positives(labels: &[[bool; LABEL_COUNT]]) -> [usize; LABEL_COUNT] {
    std::array::from_fn(|label| labels.iter().filter(|row| row[label]).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One epidural, two subdural, five without.
    fn labels() -> Vec<[bool; LABEL_COUNT]> {
        let mut labels = vec![[false; LABEL_COUNT]; 8];
        for (image, label) in [(0, Label::Epidural), (1, Label::Subdural), (2, Label::Subdural)] {
            labels[image][label.index()] = true;
            labels[image][Label::Any.index()] = true;
        }
        labels
    }

    #[test]
    fn balanced_positives_weigh_as_much_as_negatives() {
        let weights = ClassWeights::Balanced.for_labels(&labels());
        assert_eq!(weights[Label::Epidural.index()], 7.0);
        assert_eq!(weights[Label::Subdural.index()], 3.0);
        assert_eq!(weights[Label::Any.index()], 5.0 / 3.0);
        // A label without a positive has nothing to weigh.
        assert_eq!(weights[Label::Subarachnoid.index()], 1.0);
        let mut rare = vec![[false; LABEL_COUNT]; 1000];
        rare[0] = [true; LABEL_COUNT];
        assert_eq!(ClassWeights::Balanced.for_labels(&rare), [MOST; LABEL_COUNT]);
    }

    #[test]
    fn class_weights_are_read_as_they_are_written() {
        for text in ["none", "balanced", "1,2,3,4,5,0.5"] {
            assert_eq!(text.parse::<ClassWeights>().unwrap().to_string(), text);
        }
        for wrong in ["", "1,2", "1,2,3,4,5,-1", "1,2,3,4,5,nan", "even"] {
            assert!(wrong.parse::<ClassWeights>().unwrap_err().contains("expected"), "{wrong}");
        }
    }

    #[test]
    fn images_are_drawn_as_the_sampling_says() {
        let labels = labels();
        assert_eq!(Sampling::Shuffled.weights(&labels), None);
        let half = Sampling::Half.weights(&labels).unwrap();
        let sum = |range: std::ops::Range<usize>| half[range].iter().sum::<f64>();
        assert!((sum(0..3) - 1.0).abs() < 1e-12 && (sum(3..8) - 1.0).abs() < 1e-12);
        let rarest = Sampling::Rarest.weights(&labels).unwrap();
        assert_eq!(rarest[..4], [1.0, 0.5, 0.5, 0.2]);
    }
}
