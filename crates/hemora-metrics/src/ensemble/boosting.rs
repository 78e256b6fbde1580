//! Fitting the trees of a stacking, cross-fitted by fold. The boosting is forust's.

use forust_ml::errors::ForustError;
use forust_ml::objective::ObjectiveType;
use forust_ml::tree::Tree;
use forust_ml::{GradientBooster, Matrix};
use hemora_ct::{LABEL_COUNT, Label};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::data::OutOfFold;
use super::features::Features;
use super::stacking::{StackNode, StackedLabel, Stacking};
use crate::calibration::sigmoid;
use crate::error::lengths;
use crate::probability::item_log_loss;
use crate::{Clusters, MetricError};

/// Fewer positives or negatives than these are not fitted on.
const FEW: usize = 20;

/// One group of so many is held aside to choose the number of trees.
const ASIDE: usize = 4;

// Small trees, slowly: the same for every set.
/// Most trees of a label.
const MOST_TREES: usize = 300;
/// Part of a tree's answer that counts.
const RATE: f32 = 0.05;
/// Questions from the root to a leaf.
const DEPTH: usize = 4;
/// Leaves of a tree.
const LEAVES: usize = 8;
/// Least sum of p (1 − p) of a leaf's slices.
const LEAF_WEIGHT: f32 = 2.0;

/// A fitted stacking and what it gives out of fold.
#[derive(Debug, Clone, PartialEq)]
pub struct StackingFit {
    /// The trees, fitted on all folds.
    pub stacking: Stacking,
    /// Probabilities of each slice by trees that were fitted on the other folds; `None` for labels of
    /// which there were too few positives or negatives.
    pub out_of_fold: Vec<[Option<f32>; LABEL_COUNT]>,
}

/// Fits boosted trees for each label on the models' probabilities of every slice and of `neighbours`
/// slices on either side, on all folds, and on all but each fold for the probabilities out of fold.
/// `series` are the slices of each series in the order of their positions, each slice once; `groups` their
/// patients: a quarter of them is held aside to find out how many trees are good, and then taken in.
///
/// # Errors
/// [`MetricError::Option`] if there are too many neighbours, a slice is in no series or in two, or the
/// boosting fails.
pub fn fit_stacking(
    data: &OutOfFold,
    series: &[Vec<usize>],
    groups: &Clusters,
    neighbours: usize,
) -> Result<StackingFit, MetricError> {
    lengths("groups", groups.of_items().len(), "slices", data.slices())?;
    let boosting = Boosting { data, features: Features::new(data, series, neighbours)?, groups };
    let mut out_of_fold = vec![[None; LABEL_COUNT]; data.slices()];
    for fold in data.folds() {
        let labels = boosting.fit(Some(fold))?;
        for slice in (0..data.slices()).filter(|&slice| data.fold(slice) == fold) {
            let row = boosting.features.row(slice);
            for label in &labels {
                let probability = sigmoid(label.log_odds(&row)) as f32;
                out_of_fold[slice][label.label.index()] = Some(probability);
            }
        }
    }
    let labels = boosting.fit(None)?;
    let stacking = Stacking { models: data.models(), neighbours, labels };
    stacking.check()?;
    Ok(StackingFit { stacking, out_of_fold })
}

/// The set that trees are fitted on.
struct Boosting<'a> {
    data: &'a OutOfFold,
    features: Features<'a>,
    groups: &'a Clusters,
}

impl Boosting<'_> {
    /// Trees of the labels that have enough of both classes, of all slices but those of `without`.
    fn fit(&self, without: Option<u32>) -> Result<Vec<StackedLabel>, MetricError> {
        let failed = |error: ForustError| MetricError::Option {
            option: "boosting",
            value: error.to_string(),
            expected: "a fit",
        };
        let aside = self.aside(without);
        let fitted: Result<Vec<Option<StackedLabel>>, ForustError> = Label::ALL
            .into_par_iter()
            .map(|label| self.fit_label(label, &self.data.known(label, without), &aside))
            .collect();
        Ok(fitted.map_err(failed)?.into_iter().flatten().collect())
    }

    /// Which slices are of a quarter of the groups that are not in the fold `without`, one at least.
    fn aside(&self, without: Option<u32>) -> Vec<bool> {
        let of = self.groups.of_items();
        let mut taken = vec![false; self.groups.len()];
        for (slice, &group) in of.iter().enumerate() {
            taken[group as usize] |= without != Some(self.data.fold(slice));
        }
        let mut order: Vec<usize> = (0..taken.len()).filter(|&group| taken[group]).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(0));
        let mut aside = vec![false; taken.len()];
        order.iter().take(order.len().div_ceil(ASIDE)).for_each(|&group| aside[group] = true);
        of.iter().map(|&group| aside[group as usize]).collect()
    }

    /// As many trees as have the least loss on the groups that are held aside, fitted on all; `None` with
    /// too few of a class, or if the mean of the models is as good there.
    fn fit_label(
        &self,
        label: Label,
        slices: &[usize],
        aside: &[bool],
    ) -> Result<Option<StackedLabel>, ForustError> {
        let (aside, rest): (Vec<usize>, Vec<usize>) =
            slices.iter().partition(|&&slice| aside[slice]);
        let has = |slices: &[usize], least: usize| {
            let positives = slices.iter().filter(|&&it| self.is_positive(it, label)).count();
            positives >= least && slices.len() - positives >= least
        };
        if !has(slices, FEW) || !has(&rest, FEW / 2) || !has(&aside, 1) {
            return Ok(None);
        }
        let tried = self.boosted(label, &rest, MOST_TREES)?;
        let Some(count) = self.best_count(&tried, &aside) else { return Ok(None) };
        self.boosted(label, slices, count).map(Some)
    }

    fn is_positive(&self, slice: usize, label: Label) -> bool {
        self.data.truth(slice, label) == Some(true)
    }

    /// With how many of its trees a label has the least loss on other slices; `None` if the mean of the
    /// models has as little.
    fn best_count(&self, fitted: &StackedLabel, slices: &[usize]) -> Option<usize> {
        let mut losses = vec![0.0; fitted.trees.len() + 1];
        let mut of_mean = 0.0;
        for &slice in slices {
            let (row, positive) = (self.features.row(slice), self.is_positive(slice, fitted.label));
            for (loss, odds) in losses.iter_mut().zip(fitted.partial_log_odds(&row)) {
                *loss += item_log_loss(sigmoid(odds), positive);
            }
            let models = self.data.models();
            let probabilities =
                (0..models).map(|model| self.data.probability(model, slice, fitted.label));
            of_mean += item_log_loss(probabilities.sum::<f64>() / models as f64, positive);
        }
        // The fewest of equals.
        let count = (0..losses.len()).rev().min_by(|&a, &b| losses[a].total_cmp(&losses[b]))?;
        (count > 0 && losses[count] < of_mean).then_some(count)
    }

    /// Boosted trees on slices of which the label is known.
    fn boosted(
        &self,
        label: Label,
        slices: &[usize],
        trees: usize,
    ) -> Result<StackedLabel, ForustError> {
        let truth: Vec<f64> = slices
            .iter()
            .map(|&slice| f64::from(u8::from(self.is_positive(slice, label))))
            .collect();
        let columns = self.features.columns(slices);
        let positives: f64 = truth.iter().sum();
        let base = (positives / (truth.len() as f64 - positives)).ln();
        let mut booster = GradientBooster::default()
            .set_objective_type(ObjectiveType::LogLoss)
            .set_iterations(trees)
            .set_learning_rate(RATE)
            .set_max_depth(DEPTH)
            .set_max_leaves(LEAVES)
            .set_min_leaf_weight(LEAF_WEIGHT)
            .set_initialize_base_score(false)
            .set_base_score(base)
            // The labels share the cores; sums in one order give the same trees everywhere.
            .set_parallel(false);
        let matrix = Matrix::new(&columns, truth.len(), self.features.width());
        booster.fit_unweighted(&matrix, &truth, None)?;
        Ok(StackedLabel { label, base, trees: booster.trees.iter().map(nodes).collect() })
    }
}

/// The nodes of a tree, each before what it leads to.
fn nodes(tree: &Tree) -> Vec<StackNode> {
    let mut order = vec![0];
    let mut all = Vec::new();
    while let Some(&number) = order.get(all.len()) {
        let node = &tree.nodes[number];
        if node.is_leaf {
            all.push(StackNode::Leaf(f64::from(node.weight_value)));
            continue;
        }
        let below = order.len();
        order.extend([node.left_child, node.right_child]);
        all.push(StackNode::Split(node.split_feature, node.split_value, below, below + 1));
    }
    all
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::super::MOST_NEIGHBOURS;
    use super::*;

    /// Series of 20 slices, ten a fold and four folds. Bleeds span five slices; two models know little
    /// of each slice, so that the neighbours are worth reading. `any` alone has positives.
    fn data(flip_last: bool) -> (OutOfFold, Vec<Vec<usize>>) {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let (mut models, mut labels, mut folds) = (vec![vec![], vec![]], vec![], vec![]);
        for series in 0..40u32 {
            let begin = 3 + (series as usize * 5) % 9;
            for slice in 0..20 {
                let bleeds = series % 2 == 0 && (begin..begin + 5).contains(&slice);
                for model in &mut models {
                    let noise = 0.7 * rng.random::<f32>();
                    let any = if bleeds { 0.25 + noise } else { 0.1 + noise };
                    model.push([0.5, 0.5, 0.5, 0.5, 0.5, any]);
                }
                let none = Some(false);
                let any = bleeds != (flip_last && series / 10 == 3);
                labels.push([none, none, none, none, None, Some(any)]);
                folds.push(series / 10);
            }
        }
        let series = (0..40).map(|series| (20 * series..20 * (series + 1)).collect()).collect();
        (OutOfFold::new(models, labels, folds).unwrap(), series)
    }

    /// A patient for each series.
    fn groups() -> Clusters {
        Clusters::new(&(0..800).map(|slice| slice / 20).collect::<Vec<_>>())
    }

    fn loss(data: &OutOfFold, of: impl Fn(usize) -> f64) -> f64 {
        data.log_loss(Label::Any, of).unwrap().unwrap()
    }

    #[test]
    fn neighbours_help_out_of_fold_and_the_model_is_what_was_fitted() {
        let (data, series) = data(false);
        let fitted = fit_stacking(&data, &series, &groups(), 2).unwrap();
        let any = |row: &[Option<f32>; 6]| f64::from(row[5].unwrap());
        let stacked = loss(&data, |slice| any(&fitted.out_of_fold[slice]));
        let alone = fit_stacking(&data, &series, &groups(), 0).unwrap();
        let without = loss(&data, |slice| any(&alone.out_of_fold[slice]));
        let means = super::super::mean_of_models(&data);
        let mean = loss(&data, |slice| f64::from(means[slice][5]));
        assert!(stacked < 0.95 * without && stacked < 0.6 * mean, "{stacked} {without} {mean}");
        assert_eq!(fitted.stacking.labels.len(), 1, "one class and no labels have no trees");
        assert!(fitted.out_of_fold.iter().all(|row| row[..5] == [None; 5]));
        assert_eq!(fit_stacking(&data, &series, &groups(), 2).unwrap(), fitted, "it is determined");
        // The same slices as a series of triage.
        let of = |model: usize| {
            let row = |&slice: &usize| {
                Label::ALL.map(|label| data.probability(model, slice, label) as f32)
            };
            series[4].iter().map(row).collect::<Vec<_>>()
        };
        let applied = fitted.stacking.apply(&[of(0), of(1)]);
        let features = Features::new(&data, &series, 2).unwrap();
        for (position, &slice) in series[4].iter().enumerate() {
            let row = features.row(slice);
            let odds = fitted.stacking.labels[0].log_odds(&row);
            assert_eq!(applied[position][5], Some(sigmoid(odds)));
        }
    }

    #[test]
    fn what_is_out_of_fold_does_not_depend_on_the_labels_of_the_fold() {
        let ((one, series), (other, _)) = (data(false), data(true));
        let one = fit_stacking(&one, &series, &groups(), 1).unwrap();
        let other = fit_stacking(&other, &series, &groups(), 1).unwrap();
        assert_eq!(one.out_of_fold[600..], other.out_of_fold[600..]);
        assert_ne!(one.out_of_fold[..100], other.out_of_fold[..100]);
    }

    #[test]
    fn trees_say_what_the_library_says_of_them() {
        let (data, series) = data(false);
        let features = Features::new(&data, &series, 1).unwrap();
        let slices = data.slices();
        let columns = features.columns(&(0..slices).collect::<Vec<_>>());
        let truth: Vec<f64> = (0..slices)
            .map(|slice| f64::from(u8::from(data.truth(slice, Label::Any).unwrap())))
            .collect();
        let matrix = Matrix::new(&columns, slices, features.width());
        let mut booster =
            GradientBooster::default().set_iterations(12).set_parallel(false).set_max_depth(6);
        booster.fit_unweighted(&matrix, &truth, None).unwrap();
        let own = StackedLabel {
            label: Label::Any,
            base: booster.base_score,
            trees: booster.trees.iter().map(nodes).collect(),
        };
        assert!(own.trees.iter().any(|tree| tree.len() > 9));
        for (slice, theirs) in booster.predict(&matrix, false).into_iter().enumerate() {
            let row = features.row(slice);
            assert!((own.log_odds(&row) - theirs).abs() < 1e-6, "{slice}");
        }
    }

    #[test]
    fn models_that_know_nothing_get_no_trees() {
        let (known, series) = data(false);
        let mut rng = ChaCha8Rng::seed_from_u64(8);
        let noise = |_| [rng.random::<f32>(); LABEL_COUNT];
        let models = vec![(0..800).map(noise).collect::<Vec<_>>()];
        let truth = |_| [0; LABEL_COUNT].map(|_| Some(rng.random::<f32>() < 0.1));
        let labels = (0..800).map(truth).collect();
        let folds = (0..800).map(|slice| known.fold(slice)).collect();
        let data = OutOfFold::new(models, labels, folds).unwrap();
        let fitted = fit_stacking(&data, &series, &groups(), 1).unwrap();
        let trees: usize = fitted.stacking.labels.iter().map(|label| label.trees.len()).sum();
        assert!(trees < LABEL_COUNT * MOST_TREES / 10, "{trees}");
    }

    #[test]
    fn slices_in_no_series_or_two_are_refused() {
        let (data, series) = data(false);
        let mut short = series.clone();
        short[3].pop();
        assert!(fit_stacking(&data, &short, &groups(), 1).is_err());
        let mut twice = series.clone();
        twice[3].push(2);
        assert!(fit_stacking(&data, &twice, &groups(), 1).is_err());
        assert!(fit_stacking(&data, &series, &groups(), MOST_NEIGHBOURS + 1).is_err());
    }
}
