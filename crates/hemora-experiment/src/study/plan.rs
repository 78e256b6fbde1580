//! What is trained: networks, questions, kinds of split and repeats, a cell each.

use std::fmt;

use hemora_ct::Label;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::study::StudyOptions;

/// What a network is asked.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Question {
    /// Hemorrhage or none, on slices with at least so many subtypes against slices without any.
    AtLeast(usize),
    /// Which of the five subtypes, on slices with at least one against slices without any.
    Subtypes,
}

impl Question {
    /// Subtypes that a positive slice has at least.
    pub fn min_types(self) -> usize {
        match self {
            Question::AtLeast(types) => types,
            Question::Subtypes => 1,
        }
    }

    /// The labels that are learned.
    pub fn labels(self) -> &'static [Label] {
        match self {
            Question::AtLeast(_) => &[Label::Any],
            Question::Subtypes => &Label::SUBTYPES,
        }
    }

    /// The trainer's word for it.
    pub fn task(self) -> &'static str {
        match self {
            Question::AtLeast(_) => "any",
            Question::Subtypes => "subtypes",
        }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Question::AtLeast(types) => formatter.pad(&format!("{types}+")),
            Question::Subtypes => formatter.pad("subtypes"),
        }
    }
}

/// What stays in one part of a split.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum SplitKind {
    /// All that is known to be of one patient or series.
    Patient,
    /// Nothing: patients stand in several parts, as probably in the seed study, and figures are too
    /// good (docs/references.md#seed-networks).
    Image,
}

impl SplitKind {
    /// `patient` or `image`.
    pub fn name(self) -> &'static str {
        match self {
            SplitKind::Patient => "patient",
            SplitKind::Image => "image",
        }
    }
}

impl std::str::FromStr for SplitKind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [SplitKind::Patient, SplitKind::Image]
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| format!("`{name}` is no kind of split; expected patient or image"))
    }
}

/// The images of some cells: all networks see the same.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Draw {
    /// What is asked.
    pub question: Question,
    /// How the images are split.
    pub split: SplitKind,
    /// Which repeat, from 0; its seed is the study's and this added.
    pub repeat: u64,
}

impl Draw {
    /// Name of its files.
    pub fn name(&self) -> String {
        let question = match self.question {
            Question::AtLeast(types) => format!("any-{types}"),
            Question::Subtypes => "subtypes".to_owned(),
        };
        format!("{}-{question}-{}", self.split.name(), self.repeat)
    }
}

/// One training: a network on a draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The network.
    pub network: String,
    /// Its images.
    pub draw: Draw,
}

impl Cell {
    /// Name of its folder.
    pub fn name(&self) -> String {
        format!("{}-{}", self.draw.name(), self.network)
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Draw { question, split, repeat } = self.draw;
        write!(formatter, "{}, {question}, split by {}", self.network, split.name())?;
        if repeat > 0 {
            write!(formatter, ", repeat {}", repeat + 1)?;
        }
        Ok(())
    }
}

/// All draws, in the order in which they are worked off.
pub fn draws(options: &StudyOptions) -> Vec<Draw> {
    let mut questions: Vec<Question> =
        options.subsets.iter().map(|&types| Question::AtLeast(types)).collect();
    if options.subtypes {
        questions.push(Question::Subtypes);
    }
    let mut draws = Vec::new();
    for repeat in 0..options.repeats {
        for &split in &options.splits {
            draws.extend(questions.iter().map(|&question| Draw { question, split, repeat }));
        }
    }
    draws
}

/// All cells of a draw.
pub fn cells(options: &StudyOptions, draw: Draw) -> Vec<Cell> {
    options.networks.iter().map(|network| Cell { network: network.clone(), draw }).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_seed_study_is_nine_cells_and_its_experiment_three_for_each_split() {
        let options = StudyOptions { repeats: 2, ..StudyOptions::seed() };
        let cells: Vec<Cell> =
            draws(&options).into_iter().flat_map(|draw| cells(&options, draw)).collect();
        assert_eq!(cells.len(), 2 * 2 * (3 * 3 + 3));
        let names: BTreeSet<String> = cells.iter().map(Cell::name).collect();
        assert_eq!(names.len(), cells.len());
        assert!(names.contains("patient-any-3-0-resnet50"));
        assert!(names.contains("image-subtypes-1-simple-nn"));
        // A study that is cut short has whole repeats.
        assert!(cells[..24].iter().all(|cell| cell.draw.repeat == 0));
        assert_eq!(cells[47].to_string(), "resnet50, subtypes, split by image, repeat 2");
    }

    #[test]
    fn questions_have_the_labels_that_the_trainer_writes() {
        assert_eq!(Question::AtLeast(3).labels(), [Label::Any]);
        assert_eq!(Question::Subtypes.labels().len(), 5);
        assert_eq!((Question::Subtypes.min_types(), Question::AtLeast(2).min_types()), (1, 2));
        assert!("patients".parse::<SplitKind>().is_err());
    }
}
