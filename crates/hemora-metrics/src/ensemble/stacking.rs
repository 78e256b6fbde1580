//! Gradient-boosted trees over the models' probabilities of a slice and its neighbours: the model,
//! its check and its use. What it reads of a slice are the position in its series, 0 for the lowest slice
//! to 1 for the highest, and for each offset from −k to k, each model and each label, in this order, the
//! probability of the slice at that offset; at the ends of a series the end slice is repeated.

use hemora_ct::{LABEL_COUNT, Label};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::MOST_MODELS;
use crate::MetricError;
use crate::calibration::sigmoid;

/// Most neighbours on either side.
pub const MOST_NEIGHBOURS: usize = 8;
/// Most trees of a label.
const MOST_TREES: usize = 1000;
/// Most nodes of a tree.
const MOST_NODES: usize = 1000;

/// Boosted trees for each label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stacking {
    /// Models that are read.
    pub models: usize,
    /// Neighbours that are read on either side.
    pub neighbours: usize,
    /// The labels that have trees; of the others the weighted mean is taken.
    pub labels: Vec<StackedLabel>,
}

/// The trees of one label: its log-odds are the base and the sum of values of the trees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StackedLabel {
    /// The label.
    pub label: Label,
    /// Log-odds without any tree.
    pub base: f64,
    /// The nodes of each tree, its root first.
    pub trees: Vec<Vec<StackNode>>,
}

/// A node of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StackNode {
    /// What the tree adds to the log-odds.
    Leaf(f64),
    /// A question: feature, bound, the node for values below the bound, the node for others. Both lie
    /// behind this one.
    Split(usize, f64, usize, usize),
}

/// How many values are read of a slice.
pub(super) fn width(models: usize, neighbours: usize) -> usize {
    1 + (2 * neighbours + 1) * models * LABEL_COUNT
}

/// The value of a feature for the slice at `position` of a series of `count`; `probability` is that of a
/// model, a position and a label.
pub(super) fn feature(
    feature: usize,
    (models, neighbours): (usize, usize),
    (position, count): (usize, usize),
    probability: impl FnOnce(usize, usize, usize) -> f64,
) -> f64 {
    let last = count.saturating_sub(1);
    let Some(rest) = feature.checked_sub(1) else {
        return if last == 0 { 0.5 } else { position as f64 / last as f64 };
    };
    let (label, rest) = (rest % LABEL_COUNT, rest / LABEL_COUNT);
    let (model, offset) = (rest % models, rest / models);
    let shown = (position + offset).saturating_sub(neighbours).min(last);
    probability(model, shown, label)
}

impl Stacking {
    /// Probabilities of the slices of a series, which `models` has model by model in the order of their
    /// positions; `None` for labels without trees, and everywhere if the number of models or of their slices
    /// is another.
    pub fn apply(&self, models: &[Vec<[f32; LABEL_COUNT]>]) -> Vec<[Option<f64>; LABEL_COUNT]> {
        let count = models.first().map_or(0, Vec::len);
        let mut all = vec![[None; LABEL_COUNT]; count];
        if models.len() != self.models || models.iter().any(|model| model.len() != count) {
            return all;
        }
        let width = width(self.models, self.neighbours);
        for (position, outputs) in all.iter_mut().enumerate() {
            let value = |at: usize| {
                let shape = (self.models, self.neighbours);
                feature(at, shape, (position, count), |model, position, label| {
                    f64::from(models[model][position][label])
                })
            };
            let row: Vec<f64> = (0..width).map(value).collect();
            for label in &self.labels {
                outputs[label.label.index()] = Some(sigmoid(label.log_odds(&row)));
            }
        }
        all
    }

    /// Checks what was read from a file: [`Stacking::apply`] ends and stays within bounds on everything
    /// that passes.
    ///
    /// # Errors
    /// [`MetricError::Option`] names what cannot be used.
    pub fn check(&self) -> Result<(), MetricError> {
        let refuse =
            |option, value: String, expected| Err(MetricError::Option { option, value, expected });
        if !(1..=MOST_MODELS).contains(&self.models) {
            return refuse("models of the stacking", self.models.to_string(), "1 to 32");
        }
        if self.neighbours > MOST_NEIGHBOURS {
            return refuse("neighbours of the stacking", self.neighbours.to_string(), "0 to 8");
        }
        let width = width(self.models, self.neighbours);
        let mut labels: Vec<Label> = self.labels.iter().map(|label| label.label).collect();
        labels.sort();
        labels.dedup();
        if labels.len() != self.labels.len() {
            return refuse("labels of the stacking", "one twice".to_owned(), "each once");
        }
        for label in &self.labels {
            let name = label.label.to_string();
            if label.trees.len() > MOST_TREES {
                return refuse("trees of the stacking", name, "at most 1,000 for a label");
            }
            if !label.base.is_finite() || !label.trees.iter().all(|tree| is_tree(tree, width)) {
                let expected = "finite numbers, features that there are, and at most 1,000 nodes \
                                that lead to later ones";
                return refuse("trees of the stacking", name, expected);
            }
        }
        Ok(())
    }
}

impl StackedLabel {
    /// Log-odds for the values of a slice, of checked trees.
    pub(super) fn log_odds(&self, row: &[f64]) -> f64 {
        self.partial_log_odds(row).last().unwrap_or(self.base)
    }

    /// The same of no tree, the first, the first two and so on.
    pub(super) fn partial_log_odds(&self, row: &[f64]) -> impl Iterator<Item = f64> {
        let outputs = move |tree: &Vec<StackNode>| {
            let mut at = 0;
            loop {
                match tree[at] {
                    StackNode::Leaf(value) => return value,
                    StackNode::Split(feature, bound, below, above) => {
                        at = if row[feature] < bound { below } else { above };
                    }
                }
            }
        };
        let sums = self.trees.iter().scan(self.base, move |sum, tree| {
            *sum += outputs(tree);
            Some(*sum)
        });
        [self.base].into_iter().chain(sums)
    }
}

/// Whether walking through the nodes ends and reads nothing that is not there.
fn is_tree(nodes: &[StackNode], width: usize) -> bool {
    let fits = |(at, node): (usize, &StackNode)| match *node {
        StackNode::Leaf(value) => value.is_finite(),
        StackNode::Split(feature, bound, below, above) => {
            let later = |next: usize| at < next && next < nodes.len();
            feature < width && bound.is_finite() && later(below) && later(above)
        }
    };
    (1..=MOST_NODES).contains(&nodes.len()) && nodes.iter().enumerate().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `any` of the slice above is at least a half, by model 1 of 2.
    fn stacking() -> Stacking {
        // Place, then the offsets −1 and 0 of two models, then model 0 of offset 1, then model 1.
        let above = 1 + 2 * 2 * LABEL_COUNT + LABEL_COUNT + Label::Any.index();
        let tree =
            vec![StackNode::Split(above, 0.5, 1, 2), StackNode::Leaf(-2.0), StackNode::Leaf(3.0)];
        let position =
            vec![StackNode::Split(0, 1.0, 1, 2), StackNode::Leaf(0.0), StackNode::Leaf(0.25)];
        let any = StackedLabel { label: Label::Any, base: 1.0, trees: vec![tree, position] };
        Stacking { models: 2, neighbours: 1, labels: vec![any] }
    }

    #[test]
    fn neighbours_models_and_places_are_where_they_should_be() {
        let mut models = vec![vec![[0.0f32; LABEL_COUNT]; 4]; 2];
        models[1][2][Label::Any.index()] = 0.75;
        models[0][1] = [1.0; LABEL_COUNT];
        let outputs = stacking().apply(&models);
        assert!(outputs.iter().all(|row| row[..5].iter().all(Option::is_none)));
        let odds: Vec<f64> = outputs.iter().map(|row| crate::log_odds(row[5].unwrap())).collect();
        let expected = [-1.0, 4.0, -1.0, -0.75];
        for (found, expected) in odds.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{odds:?}");
        }
        // The end slice stands for what is not there.
        models[1][3][Label::Any.index()] = 0.75;
        let last = stacking().apply(&models)[3][5].unwrap();
        assert!((crate::log_odds(last) - 4.25).abs() < 1e-9);
        let alone: Vec<_> = models.iter().map(|model| model[..1].to_vec()).collect();
        assert!(stacking().apply(&alone)[0][5].is_some());
        assert_eq!(stacking().apply(&models[..1])[0], [None; LABEL_COUNT]);
        models[1].pop();
        assert_eq!(stacking().apply(&models)[0], [None; LABEL_COUNT]);
        assert!(stacking().apply(&[]).is_empty());
    }

    #[test]
    fn trees_that_would_not_end_or_read_elsewhere_are_refused() {
        stacking().check().unwrap();
        let read: Stacking =
            serde_json::from_str(&serde_json::to_string(&stacking()).unwrap()).unwrap();
        assert_eq!(read, stacking());
        type Edit = fn(&mut Stacking);
        let edits: [Edit; 13] = [
            |it| it.models = 0,
            |it| it.models = MOST_MODELS + 1,
            |it| it.neighbours = MOST_NEIGHBOURS + 1,
            |it| it.labels.push(it.labels[0].clone()),
            |it| it.labels[0].base = f64::NAN,
            |it| it.labels[0].trees[0].clear(),
            |it| it.labels[0].trees[0][1] = StackNode::Leaf(f64::INFINITY),
            |it| it.labels[0].trees[0][0] = StackNode::Split(0, 0.5, 0, 1),
            |it| it.labels[0].trees[0][1] = StackNode::Split(0, 0.5, 2, 3),
            |it| it.labels[0].trees[0][0] = StackNode::Split(37, 0.5, 1, 2),
            |it| it.labels[0].trees[0][0] = StackNode::Split(0, f64::NAN, 1, 2),
            |it| it.labels[0].trees = vec![vec![StackNode::Leaf(0.0)]; MOST_TREES + 1],
            |it| it.labels[0].trees[0] = vec![StackNode::Leaf(0.0); MOST_NODES + 1],
        ];
        for (at, edit) in edits.into_iter().enumerate() {
            let mut other = stacking();
            edit(&mut other);
            assert!(other.check().is_err(), "{at}");
        }
    }
}
