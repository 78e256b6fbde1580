//! The gradient of all parameters as one vector: its length, and a bound on it.

use tch::{Kind, Tensor};

/// The L2 norm, a number on the tensors' device.
pub fn norm(gradients: &[Tensor]) -> Tensor {
    let norms: Vec<Tensor> = gradients.iter().map(Tensor::norm).collect();
    Tensor::stack(&norms, 0).to_kind(Kind::Float).norm()
}

/// Shortens a gradient of length `norm` to `bound` where it is longer, as PyTorch's
/// `clip_grad_norm_`.
pub fn clip(gradients: &mut [Tensor], norm: &Tensor, bound: f64) {
    let factor = ((norm + 1e-6).reciprocal() * bound).clamp_max(1.0);
    // On a GPU the number is not waited for.
    if !norm.device().is_cuda() && factor.double_value(&[]) == 1.0 {
        return;
    }
    for gradient in gradients {
        let _ = gradient.g_mul_(&factor);
    }
}

/// Adds `more` to `sum`, which is empty before the first.
pub fn accumulate(sum: &mut Vec<Tensor>, more: Vec<Tensor>) {
    if sum.is_empty() {
        *sum = more;
        return;
    }
    for (sum, more) in sum.iter_mut().zip(more) {
        let _ = sum.g_add_(&more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_gradient_is_shortened_and_a_short_one_left() {
        let gradients = || vec![Tensor::from_slice(&[3f32, 0.0]), Tensor::from_slice(&[4f32])];
        let mut long = gradients();
        let length = norm(&long);
        assert_eq!(length.double_value(&[]), 5.0);
        clip(&mut long, &length, 0.5);
        assert!((norm(&long).double_value(&[]) - 0.5).abs() < 1e-6);
        assert!((long[1].double_value(&[0]) - 0.4).abs() < 1e-6);
        let mut short = gradients();
        clip(&mut short, &length, 6.0);
        assert_eq!(short, gradients());
    }

    #[test]
    fn sums_start_with_the_first() {
        let mut sum = Vec::new();
        for value in [1f32, 2.5] {
            accumulate(&mut sum, vec![Tensor::from_slice(&[value])]);
        }
        assert_eq!(sum[0].double_value(&[0]), 3.5);
    }
}
