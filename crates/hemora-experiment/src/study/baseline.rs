//! What is reached without looking at the pixels: the commoner answer, and the slice's position.

use hemora_ct::Label;
use hemora_data::Part;
use hemora_metrics::LabelColumn;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::study::figures::{LabelFigures, figures};
use crate::study::selection::Selection;
use crate::study::set::StudySet;
use crate::study::{Question, StudyError};

/// Bins of the position, each with as many training images.
const BINS: usize = 10;
/// Fewer training images with a position than these carry no baseline.
const FEWEST: usize = 30;

/// A baseline.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum BaselineKind {
    /// The share of positives among the training images, for every image.
    Majority,
    /// The share of positives near this position along the body axis, in ten bins of the training
    /// images; on the test images whose position is known.
    Position,
}

impl BaselineKind {
    /// As a row of a table names it.
    pub fn title(self) -> &'static str {
        match self {
            BaselineKind::Majority => "always the commoner answer",
            BaselineKind::Position => "z position alone",
        }
    }
}

/// What a baseline reaches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// Which.
    pub kind: BaselineKind,
    /// Training images that it was fitted on.
    pub fitted_on: u64,
    /// Figures by label, on the test images that it can predict.
    pub figures: Vec<LabelFigures>,
}

/// The baselines of a selection; none for the position where too few are known.
///
/// # Errors
/// [`StudyError::Metric`] if they cannot be measured.
pub fn baselines(
    set: &StudySet,
    selection: &Selection,
    question: Question,
    resamples: usize,
    seed: u64,
) -> Result<Vec<Baseline>, StudyError> {
    let (train, test) = (selection.part(Part::Train), selection.part(Part::Test));
    let measured = |kind, fitted_on: &[usize], on: &[usize], predict: &Predict| {
        let column = |&label: &Label| LabelColumn {
            label,
            probabilities: predict(label, fitted_on, on),
            truth: truths(set, label, on),
        };
        let columns: Vec<LabelColumn> = question.labels().iter().map(column).collect();
        let groups: Vec<&str> = on.iter().map(|&index| set.items[index].group.as_str()).collect();
        let figures = figures(&columns, &groups, resamples, seed)?;
        Ok::<_, StudyError>(Baseline { kind, fitted_on: fitted_on.len() as u64, figures })
    };
    let mut baselines =
        vec![measured(BaselineKind::Majority, &train, &test, &|label, train, on| {
            vec![share(&truths(set, label, train)); on.len()]
        })?];
    let with_z = |indices: &[usize]| -> Vec<usize> {
        indices.iter().copied().filter(|&index| set.items[index].z.is_some()).collect()
    };
    let (train, test) = (with_z(&train), with_z(&test));
    if train.len() >= FEWEST && !test.is_empty() {
        baselines.push(measured(BaselineKind::Position, &train, &test, &|label, train, on| {
            let rates = Rates::fit(&positions(set, train), &truths(set, label, train));
            positions(set, on).into_iter().map(|z| rates.at(z)).collect()
        })?);
    }
    Ok(baselines)
}

/// Probabilities of a label: fitted on the first images, predicted on the second.
type Predict<'a> = dyn Fn(Label, &[usize], &[usize]) -> Vec<f64> + 'a;

fn truths(set: &StudySet, label: Label, indices: &[usize]) -> Vec<bool> {
    indices.iter().map(|&index| set.items[index].labels[label.index()]).collect()
}

fn positions(set: &StudySet, indices: &[usize]) -> Vec<f64> {
    indices.iter().filter_map(|&index| set.items[index].z).collect()
}

fn share(truth: &[bool]) -> f64 {
    truth.iter().filter(|truth| **truth).count() as f64 / truth.len().max(1) as f64
}

/// The rate of positives by position.
struct Rates {
    /// First position of every bin but the lowest, ascending.
    starts: Vec<f64>,
    rates: Vec<f64>,
}

impl Rates {
    /// Counts in bins of equally many images. A bin's rate is drawn towards that of all, by the
    /// weight of one image, so that none is 0 or 1.
    fn fit(positions: &[f64], truth: &[bool]) -> Self {
        let all = share(truth);
        let mut sorted = positions.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let mut starts: Vec<f64> = (1..BINS).map(|bin| sorted[bin * sorted.len() / BINS]).collect();
        starts.dedup();
        let mut counts = vec![(all, 1.0); starts.len() + 1];
        for (&z, &positive) in positions.iter().zip(truth) {
            let bin = &mut counts[starts.partition_point(|start| *start <= z)];
            bin.0 += f64::from(u8::from(positive));
            bin.1 += 1.0;
        }
        Self { starts, rates: counts.into_iter().map(|(sum, weight)| sum / weight).collect() }
    }

    fn at(&self, z: f64) -> f64 {
        self.rates[self.starts.partition_point(|start| *start <= z)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::testing::set;
    use crate::study::{Draw, SplitKind, StudyOptions};

    #[test]
    fn rates_follow_the_position() {
        let positions: Vec<f64> = (0..100).map(f64::from).collect();
        let truth: Vec<bool> = (0..100).map(|z| z >= 50).collect();
        let rates = Rates::fit(&positions, &truth);
        assert_eq!(rates.starts.len(), 9);
        assert!((rates.at(3.0) - 0.5 / 11.0).abs() < 1e-12);
        assert!((rates.at(1e9) - 10.5 / 11.0).abs() < 1e-12);
        // All at one position: one rate.
        let same = Rates::fit(&[2.0; 40], &[true; 40]);
        assert_eq!((same.at(-1.0), same.at(2.0)), (1.0, 1.0));
    }

    #[test]
    fn the_position_tells_something_and_the_commoner_answer_nothing() {
        // Bleeds lie in the upper half of the slices.
        let set = set(80, 8);
        let options = StudyOptions { positives: None, ..StudyOptions::quick() };
        let question = Question::AtLeast(1);
        let draw = Draw { question, split: SplitKind::Patient, repeat: 0 };
        let selection = Selection::draw(&set, draw, None, &options).unwrap();
        let found = baselines(&set, &selection, question, 100, 0).unwrap();
        let [majority, position] = &found[..] else { panic!("{found:?}") };
        let test = selection.part(Part::Test);
        let negative = 1.0 - share(&truths(&set, Label::Any, &test));
        let any = &majority.figures[0];
        assert_eq!(any.auc.value, Some(0.5));
        // The commoner answer is the training part's, be it the test's or not.
        let positives = share(&truths(&set, Label::Any, &selection.part(Part::Train)));
        let expected = if positives > 0.5 { 1.0 - negative } else { negative };
        assert!((any.accuracy.value.unwrap() - expected).abs() < 1e-12);
        let by_z = &position.figures[0];
        assert!(by_z.auc.value.unwrap() > 0.7, "{by_z:?}");
        // Of patients of whom nothing is known the position is not known either.
        assert!(by_z.images < any.images);
    }

    #[test]
    fn every_subtype_has_its_baseline() {
        let mut set = set(60, 8);
        set.items.iter_mut().for_each(|item| item.z = None);
        let question = Question::Subtypes;
        let draw = Draw { question, split: SplitKind::Image, repeat: 0 };
        let selection = Selection::draw(&set, draw, None, &StudyOptions::quick()).unwrap();
        let found = baselines(&set, &selection, question, 20, 0).unwrap();
        assert_eq!((found.len(), found[0].figures.len()), (1, 5));
    }
}
