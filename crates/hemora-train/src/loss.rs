//! Losses on logits.

use tch::{Kind, Tensor};

/// Weighted binary cross-entropy, the competition's loss when `any` weighs 2 (facts §3): the
/// weighted mean over labels, averaged over the batch.
///
/// `logits` and `targets` are `[N, labels]`, `weights` `[labels]`.
pub fn weighted_binary_cross_entropy(
    logits: &Tensor,
    targets: &Tensor,
    weights: &Tensor,
) -> Tensor {
    // max(x, 0) − x·y + log(1 + exp(−|x|)): finite for any logit.
    let loss = logits.clamp_min(0.0) - logits * targets + (-logits.abs()).exp().log1p();
    let per_image = (loss * weights).sum_dim_intlist([1i64].as_slice(), false, Kind::Float)
        / weights.sum(Kind::Float);
    per_image.mean(Kind::Float)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hand_worked_case() {
        let logits = Tensor::from_slice(&[0f32, 2.0]).reshape([1, 2]);
        let targets = Tensor::from_slice(&[1f32, 0.0]).reshape([1, 2]);
        let weights = Tensor::from_slice(&[1f32, 2.0]);
        let expected = (2f64.ln() + 2.0 * (1.0 + 2f64.exp()).ln()) / 3.0;
        let loss = weighted_binary_cross_entropy(&logits, &targets, &weights).double_value(&[]);
        assert!((loss - expected).abs() < 1e-6, "{loss} {expected}");
        let huge = Tensor::from_slice(&[-300f32, 300.0]).reshape([1, 2]);
        let loss = weighted_binary_cross_entropy(&huge, &targets, &weights).double_value(&[]);
        assert!((loss - 300.0).abs() < 1e-3, "{loss}");
    }
}
