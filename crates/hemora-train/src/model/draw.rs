//! How fresh weights are drawn.

use hemora_nn::{Attention, Init, Parameter, Role};
use tch::{Device, Kind, Tensor};

/// A parameter's shape as libtorch wants it.
pub(super) fn shape(parameter: &Parameter) -> Vec<i64> {
    parameter.shape.iter().map(|&size| size as i64).collect()
}

/// Probability that a normal number is within two deviations.
const WITHIN_TWO_DEVIATIONS: f64 = 0.954_499_736_103_641_6;

/// Standard deviation of a standard normal number that is: `scipy.stats.truncnorm(-2, 2).std()`.
const CUT_OFF_DEVIATION: f64 = 0.879_625_661_034_239_8;

/// Fresh values of a parameter.
pub(super) fn draw(parameter: &Parameter) -> Tensor {
    let options = (Kind::Float, Device::Cpu);
    let (fan_in, fan_out) = parameter.fans();
    let deviation = |fan: usize| (2.0 / fan as f64).sqrt();
    let uniform = |bound: f64| (Tensor::rand(shape(parameter), options) * 2.0 - 1.0) * bound;
    match parameter.role {
        Role::Weight(Init::GlorotUniform) => uniform((6.0 / (fan_in + fan_out) as f64).sqrt()),
        Role::Weight(Init::HeNormal) => {
            // Keras' normal is cut off at two deviations and widened so that the variance stays.
            let uniform =
                (Tensor::rand(shape(parameter), options) * 2.0 - 1.0) * WITHIN_TWO_DEVIATIONS;
            uniform.erfinv() * (std::f64::consts::SQRT_2 * deviation(fan_in) / CUT_OFF_DEVIATION)
        }
        Role::Weight(Init::HeNormalFanOut) => {
            Tensor::randn(shape(parameter), options) * deviation(fan_out)
        }
        Role::Weight(Init::TorchUniform) => uniform(1.0 / (fan_in as f64).sqrt()),
        // Three gates of as many units.
        Role::Weight(Init::Recurrent) => uniform(1.0 / (parameter.shape[0] as f64 / 3.0).sqrt()),
        Role::Weight(Init::Rare) => Tensor::randn(shape(parameter), options) * 0.01,
        Role::RareBias => Tensor::full(shape(parameter), f64::from(Init::RARE), options),
        Role::Weight(Init::SmallNormal) => Tensor::randn(shape(parameter), options) * 0.02,
        Role::Distance => {
            Tensor::from_slice(&Attention::start(parameter.shape[0])).reshape(shape(parameter))
        }
        Role::LayerScale => Tensor::full(shape(parameter), 1e-6, options),
        Role::Bias | Role::RunningMean => Tensor::zeros(shape(parameter), options),
        Role::Scale | Role::RunningVariance => Tensor::ones(shape(parameter), options),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_weights_are_drawn_as_keras_and_timm_draw_them() {
        let draw = |init, shape: &[usize]| {
            let role = Role::Weight(init);
            tch::manual_seed(5);
            let tensor = draw(&Parameter { name: "w".to_owned(), shape: shape.to_vec(), role });
            let spread = tensor.square().mean(Kind::Double).sqrt().double_value(&[]);
            (spread, tensor.abs().max().double_value(&[]))
        };
        let near = |found: f64, expected: f64| {
            assert!((found / expected - 1.0).abs() < 0.02, "{found} {expected}")
        };
        // 64 × 9 inputs and 32 × 9 outputs.
        let conv = [32, 64, 3, 3];
        let (spread, most) = draw(Init::HeNormal, &conv);
        near(spread, (2.0f64 / 576.0).sqrt());
        near(most, 2.0 * (2.0f64 / 576.0).sqrt() / CUT_OFF_DEVIATION);
        let (spread, most) = draw(Init::HeNormalFanOut, &conv);
        near(spread, (2.0f64 / 288.0).sqrt());
        assert!(most > 3.5 * spread);
        let (spread, most) = draw(Init::GlorotUniform, &[100, 300]);
        near(most, (6.0f64 / 400.0).sqrt());
        near(spread, (2.0f64 / 400.0).sqrt());
        near(draw(Init::TorchUniform, &conv).1, (1.0f64 / 576.0).sqrt());
        near(draw(Init::Recurrent, &[288, 500]).1, (1.0f64 / 96.0).sqrt());
    }
}
