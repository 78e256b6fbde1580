//! What one step does to one tensor.

use serde::Serialize;
use tch::Tensor;

/// How an optimizer moves a weight.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Adadelta (Zeiler 2012).
    Adadelta {
        /// Decay of both running means of squares.
        rho: f64,
        /// Added to them before the root.
        eps: f64,
    },
    /// Adam (Kingma & Ba 2015).
    Adam {
        /// Decay of the mean gradient.
        beta1: f64,
        /// Decay of the mean squared gradient.
        beta2: f64,
        /// Added to the root of the mean squared gradient.
        eps: f64,
        /// Whether `eps` joins the root before its bias is corrected, as in Keras, or after it, as in
        /// PyTorch.
        eps_before_correction: bool,
    },
    /// Stochastic gradient descent.
    Sgd {
        /// Part of the last move that is made again; 0 for none.
        momentum: f64,
    },
}

impl Rule {
    /// Names of the state tensors that each weight has.
    pub fn slots(self) -> &'static [&'static str] {
        match self {
            Rule::Adadelta { .. } => &["square", "update"],
            Rule::Adam { .. } => &["mean", "square"],
            Rule::Sgd { momentum } if momentum > 0.0 => &["velocity"],
            Rule::Sgd { .. } => &[],
        }
    }

    /// Moves `tensor` by its gradient. `state` has a tensor for each slot, `step` counts from 1.
    pub(super) fn apply(
        self,
        tensor: &mut Tensor,
        gradient: &Tensor,
        state: &mut [Tensor],
        rate: f64,
        step: u64,
    ) {
        match (self, state) {
            (Rule::Adadelta { rho, eps }, [square, update]) => {
                add_square(square, gradient, rho);
                let delta = (&*update + eps).sqrt() / (&*square + eps).sqrt() * gradient;
                add_square(update, &delta, rho);
                let _ = tensor.subtract_(&(delta * rate));
            }
            (Rule::Adam { beta1, beta2, eps, eps_before_correction }, [mean, square]) => {
                let correction1 = 1.0 - beta1.powf(step as f64);
                let correction2 = (1.0 - beta2.powf(step as f64)).sqrt();
                let _ = mean.lerp_(gradient, 1.0 - beta1);
                add_square(square, gradient, beta2);
                let denominator = if eps_before_correction {
                    (square.sqrt() + eps) / correction2
                } else {
                    square.sqrt() / correction2 + eps
                };
                let _ = tensor.addcdiv_(&(&*mean * (-rate / correction1)), &denominator);
            }
            (Rule::Sgd { momentum }, [velocity]) => {
                let _ = velocity.g_mul_scalar_(momentum);
                let _ = velocity.g_add_(gradient);
                let _ = tensor.subtract_(&(&*velocity * rate));
            }
            (Rule::Sgd { .. }, _) => {
                let _ = tensor.subtract_(&(gradient * rate));
            }
            _ => unreachable!("the state has a tensor for each slot"),
        }
    }
}

/// `mean ← decay · mean + (1 − decay) · value²`.
fn add_square(mean: &mut Tensor, value: &Tensor, decay: f64) {
    let _ = mean.g_mul_scalar_(decay);
    let _ = mean.addcmul_(value, &value.g_mul_scalar(1.0 - decay));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two steps from 1 with gradients 0.5 and −0.25.
    fn two_steps(rule: Rule, rate: f64) -> f64 {
        let mut tensor = Tensor::from_slice(&[1f64]);
        let mut state: Vec<Tensor> = rule.slots().iter().map(|_| tensor.zeros_like()).collect();
        for (step, gradient) in [(1, 0.5), (2, -0.25)] {
            rule.apply(&mut tensor, &Tensor::from_slice(&[gradient]), &mut state, rate, step);
        }
        tensor.double_value(&[0])
    }

    #[test]
    fn hand_worked_steps() {
        let (rho, eps) = (0.9, 1e-6);
        let square: f64 = 0.1 * 0.25;
        let first: f64 = (eps / (square + eps)).sqrt() * 0.5;
        let update = 0.1 * first * first;
        let square = rho * square + 0.1 * 0.0625;
        let second = ((update + eps) / (square + eps)).sqrt() * -0.25;
        let found = two_steps(Rule::Adadelta { rho, eps }, 1.0);
        assert!((found - (1.0 - first - second)).abs() < 1e-12, "{found}");

        let found = two_steps(Rule::Sgd { momentum: 0.9 }, 0.1);
        assert!((found - (1.0 - 0.05 - 0.1 * (0.45 - 0.25))).abs() < 1e-12, "{found}");
        let found = two_steps(Rule::Sgd { momentum: 0.0 }, 0.1);
        assert!((found - 0.975).abs() < 1e-12, "{found}");

        let adam = |eps_before_correction| {
            let rule = Rule::Adam { beta1: 0.9, beta2: 0.999, eps: 1e-2, eps_before_correction };
            two_steps(rule, 0.1)
        };
        let roots = [0.25f64 * 0.001, 0.999 * 0.25 * 0.001 + 0.0625 * 0.001].map(f64::sqrt);
        let corrections = [0.001f64, 1.0 - 0.999f64.powi(2)].map(f64::sqrt);
        let means = [0.05 / 0.1, (0.045 - 0.025) / (1.0 - 0.81)];
        let after: f64 =
            (0..2).map(|step| 0.1 * means[step] / (roots[step] / corrections[step] + 1e-2)).sum();
        assert!((adam(false) - (1.0 - after)).abs() < 1e-9, "{}", adam(false));
        let before: f64 =
            (0..2).map(|step| 0.1 * means[step] * corrections[step] / (roots[step] + 1e-2)).sum();
        assert!((adam(true) - (1.0 - before)).abs() < 1e-9, "{}", adam(true));
    }
}
