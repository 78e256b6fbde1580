//! An optimizer of one model: its steps and its state, which checkpoints keep.

use std::collections::BTreeMap;

use hemora_nn::{Role, Weights};
use tch::Tensor;

use super::OptimizerOptions;
use crate::model::{Model, to_host};

/// An optimizer and its state for one model.
pub struct Optimizer {
    options: OptimizerOptions,
    step: u64,
    /// By parameter, a tensor for each of the rule's slots.
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

    /// Takes one step along `gradients`, one for each of [`Model::trainable`] in its order.
    pub fn step(&mut self, model: &Model, gradients: &[Tensor], rate: f64) {
        self.step += 1;
        let OptimizerOptions { rule, weight_decay, .. } = self.options;
        tch::no_grad(|| {
            for ((parameter, tensor), gradient) in model.trainable().zip(gradients) {
                let state = self.state.entry(parameter.name.clone()).or_insert_with(|| {
                    // Laid out as the parameter is, whatever the gradient's layout: a resumed run
                    // then rounds as one that was never stopped.
                    rule.slots().iter().map(|_| tensor.zeros_like()).collect()
                });
                let decays = matches!(parameter.role, Role::Weight(_)) && weight_decay > 0.0;
                let kept = if decays { 1.0 - rate * weight_decay } else { 1.0 };
                for (mut tensor, gradient, mut state) in blocks(tensor, gradient, state) {
                    if decays {
                        let _ = tensor.g_mul_scalar_(kept);
                    }
                    rule.apply(&mut tensor, &gradient, &mut state, rate, self.step);
                }
            }
        });
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

/// Values of a block: the tensors that a rule reads and writes then stay in a core's cache.
const BLOCK: i64 = 1 << 16;

/// A tensor, its gradient and its state, in blocks where they are large and lie in memory alike.
fn blocks(
    tensor: &Tensor,
    gradient: &Tensor,
    state: &[Tensor],
) -> impl Iterator<Item = (Tensor, Tensor, Vec<Tensor>)> {
    let numel = tensor.numel() as i64;
    let whole = tensor.device().is_cuda()
        || numel < 2 * BLOCK
        || !tensor.is_contiguous()
        || !gradient.is_contiguous();
    let flat = |tensor: &Tensor| if whole { tensor.shallow_clone() } else { tensor.view(-1) };
    let (tensor, gradient) = (flat(tensor), flat(gradient));
    let state: Vec<Tensor> = state.iter().map(flat).collect();
    let starts = (0..if whole { 1 } else { numel }).step_by(BLOCK as usize);
    starts.map(move |start| {
        let part = |tensor: &Tensor| match whole {
            true => tensor.shallow_clone(),
            false => tensor.narrow(0, start, BLOCK.min(numel - start)),
        };
        (part(&tensor), part(&gradient), state.iter().map(part).collect())
    })
}

fn key(slot: &str, parameter: &str) -> String {
    format!("optimizer/{slot}/{parameter}")
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::super::Rule;
    use super::*;

    #[test]
    fn blocks_are_the_whole_tensor() {
        let numel = 2 * BLOCK + 5;
        let gradient = Tensor::arange(numel, (Kind::Float, Device::Cpu));
        let (mut one, mut other) = (gradient.ones_like(), gradient.ones_like());
        let (mut state, parts) = (vec![gradient.zeros_like()], vec![gradient.zeros_like()]);
        let rule = Rule::Sgd { momentum: 0.9 };
        rule.apply(&mut one, &gradient, &mut state, 0.5, 1);
        let mut count = 0;
        for (mut tensor, gradient, mut state) in blocks(&other, &gradient, &parts) {
            rule.apply(&mut tensor, &gradient, &mut state, 0.5, 1);
            count += 1;
        }
        assert_eq!(count, 3);
        assert_eq!(one, other);
        assert_eq!(state, parts);
        // A small one, and one that lies otherwise in memory, are left whole.
        other = Tensor::zeros([300, 600], (Kind::Float, Device::Cpu)).transpose(0, 1);
        assert_eq!(blocks(&other, &other, &[]).count(), 1);
    }
}
