//! AdamW (Loshchilov & Hutter 2019) with PyTorch's arithmetic, and its state for checkpoints.

use std::collections::BTreeMap;

use hemora_nn::{Role, Weights};
use tch::Tensor;

use crate::Model;
use crate::model::to_host;

/// Settings of [`AdamW`]; the defaults are PyTorch's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamWOptions {
    /// Decay of the mean gradient.
    pub beta1: f64,
    /// Decay of the mean squared gradient.
    pub beta2: f64,
    /// Added to the root of the mean squared gradient.
    pub eps: f64,
    /// Decay of weights, times the learning rate. Biases and batch norms do not decay.
    pub weight_decay: f64,
}

impl Default for AdamWOptions {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.01 }
    }
}

struct Moments {
    mean: Tensor,
    square: Tensor,
}

/// The optimizer's state for one model.
pub struct AdamW {
    options: AdamWOptions,
    step: u64,
    moments: BTreeMap<String, Moments>,
}

impl AdamW {
    /// A fresh optimizer.
    pub fn new(options: AdamWOptions) -> Self {
        Self { options, step: 0, moments: BTreeMap::new() }
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// Computes the gradients of `loss` and takes one step. Returns the L2 norm of the whole
    /// gradient before it was clipped to `clip`.
    pub fn step(&mut self, model: &Model, loss: &Tensor, rate: f64, clip: Option<f64>) -> f64 {
        let trainable: Vec<_> = model.trainable().collect();
        let tensors: Vec<&Tensor> = trainable.iter().map(|(_, tensor)| *tensor).collect();
        let gradients = Tensor::run_backward(&[loss], &tensors, false, false);
        tch::no_grad(|| {
            let squares: Vec<Tensor> =
                gradients.iter().map(|gradient| gradient.square().sum(tch::Kind::Float)).collect();
            let norm = Tensor::stack(&squares, 0).sum(tch::Kind::Float).sqrt().double_value(&[]);
            let scale = match clip {
                Some(bound) if norm > bound => bound / (norm + 1e-6),
                _ => 1.0,
            };
            self.step += 1;
            let AdamWOptions { beta1, beta2, eps, weight_decay } = self.options;
            let correction1 = 1.0 - beta1.powf(self.step as f64);
            let correction2 = (1.0 - beta2.powf(self.step as f64)).sqrt();
            for ((parameter, tensor), gradient) in trainable.into_iter().zip(gradients) {
                let gradient = if scale == 1.0 { gradient } else { gradient * scale };
                let moments = self.moments.entry(parameter.name.clone()).or_insert_with(|| {
                    Moments { mean: gradient.zeros_like(), square: gradient.zeros_like() }
                });
                let mut tensor = tensor.shallow_clone();
                if matches!(parameter.role, Role::Weight(_)) && weight_decay > 0.0 {
                    let _ = tensor.g_mul_scalar_(1.0 - rate * weight_decay);
                }
                let _ = moments.mean.lerp_(&gradient, 1.0 - beta1);
                let _ = moments.square.g_mul_scalar_(beta2);
                let _ = moments.square.addcmul_(&gradient, &gradient.g_mul_scalar(1.0 - beta2));
                let denominator = moments.square.sqrt() / correction2 + eps;
                let _ = tensor.addcdiv_(&(&moments.mean * (-rate / correction1)), &denominator);
            }
            norm
        })
    }

    /// Adds the state to `weights` under `optimizer/…`.
    pub fn save(&self, weights: &mut Weights) {
        for (name, moments) in &self.moments {
            weights.insert(&format!("optimizer/mean/{name}"), to_host(&moments.mean));
            weights.insert(&format!("optimizer/square/{name}"), to_host(&moments.square));
        }
    }

    /// Takes the state back from what [`AdamW::save`] wrote, after `steps` steps.
    ///
    /// # Errors
    /// Names the first parameter whose state is absent or of another shape.
    pub fn load(&mut self, model: &Model, weights: &Weights, steps: u64) -> Result<(), String> {
        let mut moments = BTreeMap::new();
        for (parameter, tensor) in model.trainable() {
            let part = |kind: &str| -> Result<Tensor, String> {
                let key = format!("optimizer/{kind}/{}", parameter.name);
                match weights.get(&key) {
                    Some(found) if found.shape == parameter.shape => {
                        Ok(Tensor::from_slice(&found.values)
                            .reshape(tensor.size())
                            .to(model.device()))
                    }
                    Some(found) => Err(format!(
                        "`{key}` has shape {:?}, expected {:?}",
                        found.shape, parameter.shape
                    )),
                    None => Err(format!("`{key}` is absent")),
                }
            };
            let state = Moments { mean: part("mean")?, square: part("square")? };
            moments.insert(parameter.name.clone(), state);
        }
        self.moments = moments;
        self.step = steps;
        Ok(())
    }
}
