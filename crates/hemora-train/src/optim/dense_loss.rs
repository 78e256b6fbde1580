//! The loss of a network with a dense head: of the image's labels, and of where they are.

use tch::{Kind, Tensor};

use super::Loss;
use crate::model::DenseLogits;

/// Weight of the parts of the image beside 1 for its labels.
const MAPS_WEIGHT: f64 = 2.0;
/// Weight of a part that has a label beside 1 for one that has not: few have.
const POSITIVE_WEIGHT: f64 = 4.0;
/// Weight of the overlap of what is marked.
const OVERLAP_WEIGHT: f64 = 0.3;
/// Weight of the place: that the highest part of a map is where the label is.
const PLACE_WEIGHT: f64 = 0.3;
/// Share of a label in a part for one that has none, whose logarithm is finite.
const NONE: f64 = 1e-30;

/// What is to be learned of a batch.
#[derive(Debug)]
pub struct DenseTargets {
    /// The images' labels, `[N, labels]`.
    pub labels: Tensor,
    /// How much each of them counts, `[N, labels]`; 0 where it is not known.
    pub weights: Option<Tensor>,
    /// How much of each part of an image has each label, 0 to 1, `[N, labels, rows, columns]`.
    pub present: Tensor,
    /// 1 where that is known, else 0, in the same shape.
    pub known: Tensor,
}

/// The loss of the labels, half by the maps and half by the pooled features, with that of the maps: the
/// binary cross-entropy of the parts that are known, 1 less the overlap (Dice) of each label that
/// is marked in an image, and the place of each label that is marked or boxed.
pub fn dense_loss(logits: &DenseLogits, targets: &DenseTargets, loss: &Loss) -> Tensor {
    let DenseTargets { labels, weights, present, known } = targets;
    let of_image = |scores: &Tensor| loss.mean_weighted(scores, labels, weights.as_ref());
    let of_labels = (of_image(&logits.of_features) + of_image(&logits.of_maps)) / 2.0;

    let maps = &logits.maps;
    // −log(1 − p) = max(x, 0) + log(1 + exp(−|x|)), and −log p is that less x.
    let negative = maps.clamp_min(0.0) + (-maps.abs()).exp().log1p();
    let positive = (&negative - maps) * POSITIVE_WEIGHT;
    let entropy = &negative + present * (positive - &negative);
    let all_known = known.sum(Kind::Float).clamp_min(1.0);
    let of_maps = (entropy * known).sum(Kind::Float) / all_known;

    let area = [2i64, 3];
    let sum = |values: &Tensor| values.sum_dim_intlist(area.as_slice(), false, Kind::Float);
    let found = maps.sigmoid() * known;
    let marked = present * known;
    let overlap = (sum(&(&found * &marked)) * 2.0 + 1.0) / (sum(&found) + sum(&marked) + 1.0);
    let is_marked = sum(&marked).gt(0.0).to_kind(Kind::Float);
    let count = is_marked.sum(Kind::Float).clamp_min(1.0);
    let lacking: Tensor = (1.0 - overlap) * &is_marked;
    let of_overlap = lacking.sum(Kind::Float) / count;

    of_labels
        + of_maps * MAPS_WEIGHT
        + of_overlap * OVERLAP_WEIGHT
        + place_loss(maps, targets, &is_marked) * PLACE_WEIGHT
}

/// The cross-entropy of where a label is: of the parts of an image as classes, a softmax over its map, those
/// with the label being right by their share of it. The other terms ask of every part whether it has the
/// label, and a map whose maximum lies beside the bleed costs them little. Where an image has a label that is
/// marked nowhere, and less than half of it is not known, the label is in what is not known: a box.
fn place_loss(maps: &Tensor, targets: &DenseTargets, is_marked: &Tensor) -> Tensor {
    let DenseTargets { labels, present, known, .. } = targets;
    let area = [2i64, 3];
    let unknown: Tensor = 1.0 - known;
    let share_unknown = unknown.mean_dim(area.as_slice(), false, Kind::Float);
    let is_box: Tensor = labels.ge(0.5).to_kind(Kind::Float)
        * (1.0 - is_marked)
        * share_unknown.gt(0.0).to_kind(Kind::Float)
        * share_unknown.lt(0.5).to_kind(Kind::Float);
    let here: Tensor = present * known + unknown * is_box.unsqueeze(-1).unsqueeze(-1);
    let anywhere: Tensor = &here + known * (1.0 - present);
    let sum =
        |share: &Tensor| (maps + share.clamp_min(NONE).log()).logsumexp(area.as_slice(), false);
    let has_place: Tensor = is_marked + &is_box;
    let lacking: Tensor = (sum(&anywhere) - sum(&here)) * &has_place;
    lacking.sum(Kind::Float) / has_place.sum(Kind::Float).clamp_min(1.0)
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;
    use crate::model::Task;
    use crate::optim::LossOptions;

    /// Log odds and targets of one image with one label and 2 × 2 parts, the last one not known.
    fn loss(maps: [f32; 4], present: [f32; 4]) -> f64 {
        let map = |values: &[f32]| Tensor::from_slice(values).reshape([1, 1, 2, 2]);
        let one = |value: f32| Tensor::from_slice(&[value]).reshape([1, 1]);
        let logits = DenseLogits { maps: map(&maps), of_maps: one(1.0), of_features: one(-1.0) };
        let targets = DenseTargets {
            labels: one(1.0),
            weights: None,
            present: map(&present),
            known: map(&[1.0, 1.0, 1.0, 0.0]),
        };
        let loss = Loss::new(Task::Any, &LossOptions::default(), Device::Cpu);
        dense_loss(&logits, &targets, &loss).double_value(&[])
    }

    fn entropy(score: f64, target: f64) -> f64 {
        (1.0 + (score * (1.0 - 2.0 * target)).exp()).ln()
    }

    fn sigmoid(score: f64) -> f64 {
        1.0 / (1.0 + (-score).exp())
    }

    #[test]
    fn hand_worked() {
        let of_labels = f64::midpoint(entropy(1.0, 1.0), entropy(-1.0, 1.0));
        let of_maps = (4.0 * entropy(2.0, 1.0) + 2.0 * entropy(-3.0, 0.0)) / 3.0;
        let found = sigmoid(2.0) + 2.0 * sigmoid(-3.0);
        let overlap = (2.0 * sigmoid(2.0) + 1.0) / (found + 1.0 + 1.0);
        // Of three parts that are known the first has the label.
        let place = (2f64.exp() + 2.0 * (-3f64).exp()).ln() - 2.0;
        let expected = of_labels + 2.0 * of_maps + 0.3 * (1.0 - overlap) + 0.3 * place;
        let found = loss([2.0, -3.0, -3.0, 9.0], [1.0, 0.0, 0.0, 1.0]);
        assert!((found - expected).abs() < 1e-5, "{found} {expected}");
    }

    /// The loss of the place alone, of an image with one label, marked nowhere.
    fn place_of(maps: [f32; 4], known: [f32; 4], label: f32) -> f64 {
        let map = |values: &[f32]| Tensor::from_slice(values).reshape([1, 1, 2, 2]);
        let targets = DenseTargets {
            labels: Tensor::from_slice(&[label]).reshape([1, 1]),
            weights: None,
            present: map(&[0.0; 4]),
            known: map(&known),
        };
        let is_marked = Tensor::from_slice(&[0f32]).reshape([1, 1]);
        place_loss(&map(&maps), &targets, &is_marked).double_value(&[])
    }

    #[test]
    fn a_box_asks_for_the_maximum_within_it() {
        let boxed = [0.0, 1.0, 1.0, 1.0];
        let all = |maps: [f32; 4]| maps.iter().map(|odds| f64::from(*odds).exp()).sum::<f64>().ln();
        for maps in [[2.0, -1.0, 0.0, 1.0], [-2.0, 3.0, 0.0, 1.0]] {
            let found = place_of(maps, boxed, 1.0);
            assert!((found - (all(maps) - f64::from(maps[0]))).abs() < 1e-4, "{found}");
        }
        let maps = [-2.0, 3.0, 0.0, 1.0];
        // Without the label, with half of the image unknown, or with all of it known there is no place.
        assert_eq!(place_of(maps, boxed, 0.0), 0.0);
        assert_eq!(place_of(maps, [0.0, 0.0, 1.0, 1.0], 1.0), 0.0);
        assert_eq!(place_of(maps, [1.0; 4], 1.0), 0.0);
        assert_eq!(place_of(maps, [0.0; 4], 1.0), 0.0);
    }

    #[test]
    fn what_is_not_known_and_what_is_not_marked_do_not_count() {
        let marks = [1.0, 0.0, 0.0, 0.0];
        let one = loss([2.0, -3.0, -3.0, 9.0], marks);
        assert_eq!(one, loss([2.0, -3.0, -3.0, -9.0], marks));
        // Without any mark there is no overlap to lack; the label is in the part that is not known.
        let expected = f64::midpoint(entropy(1.0, 1.0), entropy(-1.0, 1.0))
            + 2.0 * entropy(-3.0, 0.0)
            + 0.3 * 4f64.ln();
        let found = loss([-3.0; 4], [0.0; 4]);
        assert!((found - expected).abs() < 1e-5, "{found} {expected}");
    }
}
