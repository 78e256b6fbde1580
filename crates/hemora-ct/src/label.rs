//! The six labels, in the one order that is used everywhere.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How many labels there are: five hemorrhage subtypes and `any`.
pub const LABEL_COUNT: usize = 6;

/// A hemorrhage subtype, or any of them. The discriminant is the label's column.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Label {
    /// Between skull and dura.
    Epidural,
    /// Within the brain tissue.
    Intraparenchymal,
    /// Within the ventricles.
    Intraventricular,
    /// Between arachnoid and pia mater.
    Subarachnoid,
    /// Between dura and arachnoid.
    Subdural,
    /// At least one of the five.
    Any,
}

impl Label {
    /// All labels in column order.
    pub const ALL: [Label; LABEL_COUNT] = [
        Label::Epidural,
        Label::Intraparenchymal,
        Label::Intraventricular,
        Label::Subarachnoid,
        Label::Subdural,
        Label::Any,
    ];

    /// The five subtypes, without [`Label::Any`].
    pub const SUBTYPES: [Label; LABEL_COUNT - 1] = [
        Label::Epidural,
        Label::Intraparenchymal,
        Label::Intraventricular,
        Label::Subarachnoid,
        Label::Subdural,
    ];

    /// The name used in the competition's files and in every format of Hemora.
    pub fn name(self) -> &'static str {
        match self {
            Label::Epidural => "epidural",
            Label::Intraparenchymal => "intraparenchymal",
            Label::Intraventricular => "intraventricular",
            Label::Subarachnoid => "subarachnoid",
            Label::Subdural => "subdural",
            Label::Any => "any",
        }
    }

    /// Column of the label, 0 to 5.
    pub fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Label {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Label {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Label::ALL.into_iter().find(|label| label.name() == name).ok_or_else(|| {
            let known = Label::ALL.map(Label::name).join(", ");
            format!("unknown hemorrhage label `{name}`; expected one of {known}")
        })
    }
}

/// One probability (0 to 1) per label, serialised as an object with the labels' names.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Probabilities {
    /// Probability of an epidural hemorrhage.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub epidural: f32,
    /// Probability of an intraparenchymal hemorrhage.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub intraparenchymal: f32,
    /// Probability of an intraventricular hemorrhage.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub intraventricular: f32,
    /// Probability of a subarachnoid hemorrhage.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub subarachnoid: f32,
    /// Probability of a subdural hemorrhage.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub subdural: f32,
    /// Probability of any hemorrhage.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub any: f32,
}

impl Probabilities {
    /// From an array in label order.
    pub fn from_array(values: [f32; LABEL_COUNT]) -> Self {
        let [epidural, intraparenchymal, intraventricular, subarachnoid, subdural, any] = values;
        Self { epidural, intraparenchymal, intraventricular, subarachnoid, subdural, any }
    }

    /// As an array in label order.
    pub fn to_array(self) -> [f32; LABEL_COUNT] {
        [
            self.epidural,
            self.intraparenchymal,
            self.intraventricular,
            self.subarachnoid,
            self.subdural,
            self.any,
        ]
    }

    /// The probability of one label.
    pub fn get(self, label: Label) -> f32 {
        self.to_array()[label.index()]
    }

    /// The subtype with the highest probability; the first in label order where several are equal.
    pub fn leading_subtype(self) -> Label {
        let [first, rest @ ..] = Label::SUBTYPES;
        rest.into_iter().fold(
            first,
            |best, label| {
                if self.get(label) > self.get(best) { label } else { best }
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_columns_round_trip() {
        for (column, label) in Label::ALL.into_iter().enumerate() {
            assert_eq!(label.index(), column);
            assert_eq!(label.name().parse::<Label>(), Ok(label));
        }
        assert!("none".parse::<Label>().unwrap_err().contains("epidural"));
    }

    #[test]
    fn probabilities_keep_label_order() {
        let values = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6];
        let probabilities = Probabilities::from_array(values);
        assert_eq!(probabilities.to_array(), values);
        assert_eq!(probabilities.get(Label::Any), 0.6);
        assert_eq!(probabilities.get(Label::Epidural), 0.1);
    }

    #[test]
    fn the_leading_subtype_is_the_highest_and_the_first_of_equal_ones() {
        let probabilities = Probabilities { subdural: 0.4, any: 0.9, ..Default::default() };
        assert_eq!(probabilities.leading_subtype(), Label::Subdural);
        let equal = Probabilities { subarachnoid: 0.4, ..probabilities };
        assert_eq!(equal.leading_subtype(), Label::Subarachnoid);
        assert_eq!(Probabilities::default().leading_subtype(), Label::Epidural);
    }
}
