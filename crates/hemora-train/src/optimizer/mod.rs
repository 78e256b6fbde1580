//! Optimizers with the arithmetic and the defaults of PyTorch and of Keras, and their state.

mod preset;
mod rule;

use std::collections::BTreeMap;

use hemora_nn::{Role, Weights};
use tch::Tensor;

use crate::Model;
use crate::model::to_host;

pub use preset::{OptimizerOptions, Preset};
pub use rule::Rule;

/// An optimizer and its state for one model.
pub struct Optimizer {
    options: OptimizerOptions,
    step: u64,
    /// By parameter, a tensor for each of [`Rule::slots`].
    state: BTreeMap<String, Vec<Tensor>>,
}

impl Optimizer {
    /// A fresh optimizer.
    pub fn new(options: OptimizerOptions) -> Self {
        Self { options, step: 0, state: BTreeMap::new() }
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
            let OptimizerOptions { rule, weight_decay, .. } = self.options;
            for ((parameter, tensor), gradient) in trainable.into_iter().zip(gradients) {
                let gradient = if scale == 1.0 { gradient } else { gradient * scale };
                let state = self.state.entry(parameter.name.clone()).or_insert_with(|| {
                    // Laid out as the parameter is, whatever the gradient's layout: a resumed run
                    // then rounds as one that was never stopped.
                    rule.slots().iter().map(|_| tensor.zeros_like()).collect()
                });
                let mut tensor = tensor.shallow_clone();
                if matches!(parameter.role, Role::Weight(_)) && weight_decay > 0.0 {
                    let _ = tensor.g_mul_scalar_(1.0 - rate * weight_decay);
                }
                rule.apply(&mut tensor, &gradient, state, rate, self.step);
            }
            norm
        })
    }

    /// Adds the state to `weights` under `optimizer/…`.
    pub fn save(&self, weights: &mut Weights) {
        for (name, state) in &self.state {
            for (slot, tensor) in self.options.rule.slots().iter().zip(state) {
                weights.insert(&key(slot, name), to_host(tensor));
            }
        }
    }

    /// Takes the state back from what [`Optimizer::save`] wrote, after `steps` steps.
    ///
    /// # Errors
    /// Names the first parameter whose state is absent or of another shape.
    pub fn load(&mut self, model: &Model, weights: &Weights, steps: u64) -> Result<(), String> {
        let mut all = BTreeMap::new();
        for (parameter, tensor) in model.trainable() {
            let part = |slot: &&str| -> Result<Tensor, String> {
                let key = key(slot, &parameter.name);
                match weights.get(&key) {
                    Some(found) if found.shape == parameter.shape => {
                        // Laid out in memory as the parameter is.
                        let mut state = tch::no_grad(|| tensor.zeros_like());
                        state.copy_(&Tensor::from_slice(&found.values).reshape(tensor.size()));
                        Ok(state)
                    }
                    Some(found) => Err(format!(
                        "`{key}` has shape {:?}, expected {:?}",
                        found.shape, parameter.shape
                    )),
                    None => Err(format!("`{key}` is absent")),
                }
            };
            let state = self.options.rule.slots().iter().map(part).collect::<Result<_, _>>()?;
            all.insert(parameter.name.clone(), state);
        }
        self.state = all;
        self.step = steps;
        Ok(())
    }
}

fn key(slot: &str, parameter: &str) -> String {
    format!("optimizer/{slot}/{parameter}")
}
