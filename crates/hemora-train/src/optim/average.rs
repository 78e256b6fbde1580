//! The exponential moving average of a model's weights, which is validated and exported in place of
//! the last step's (Polyak & Juditsky 1992; as in Izmailov et al. 2018 it finds flatter minima).

use std::collections::BTreeMap;

use hemora_nn::{Weights, WeightsError};
use tch::Tensor;

use crate::model::{Model, host_weights, to_host};

const PREFIX: &str = "average/";

/// Averages of all tensors of one model, running statistics too.
pub struct WeightAverage {
    decay: f64,
    tensors: BTreeMap<String, Tensor>,
}

impl WeightAverage {
    /// Starts at the model's weights. `decay` is the part that stays at each step, below 1.
    pub fn new(model: &Model, decay: f64) -> Self {
        let tensors = tch::no_grad(|| {
            model.tensors().map(|(name, tensor)| (name.to_owned(), tensor.detach().copy()))
        });
        Self { decay, tensors: tensors.collect() }
    }

    /// Takes in the model's weights after its step number `step`. The first steps decay faster, so
    /// that the average does not remember where it began.
    pub fn update(&mut self, model: &Model, step: u64) {
        let decay = self.decay.min((1 + step) as f64 / (10 + step) as f64);
        tch::no_grad(|| {
            for (name, tensor) in model.tensors() {
                let average = self.tensors.get_mut(name).expect("made from the same model");
                let _ = average.lerp_(tensor, 1.0 - decay);
            }
        });
    }

    /// The averages, in the order of their names; the same memory, not copies.
    pub fn tensors(&self) -> Vec<Tensor> {
        self.tensors.values().map(Tensor::shallow_clone).collect()
    }

    /// A copy of the averages under the model's own names.
    pub fn weights(&self) -> Weights {
        host_weights(self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)))
    }

    /// A model with the averages as its weights.
    ///
    /// # Errors
    /// [`WeightsError`] if `model` has another graph than the averages.
    pub fn model(&self, model: &Model) -> Result<Model, WeightsError> {
        model.again(&self.weights())
    }

    /// Adds the averages to a checkpoint under `average/…`.
    pub fn save(&self, weights: &mut Weights) {
        for (name, tensor) in &self.tensors {
            weights.insert(&format!("{PREFIX}{name}"), to_host(tensor));
        }
    }

    /// Takes the averages back from what [`WeightAverage::save`] wrote.
    ///
    /// # Errors
    /// Names the first tensor that is absent or of another shape.
    pub fn load(&mut self, weights: &Weights) -> Result<(), String> {
        for (name, tensor) in &mut self.tensors {
            let key = format!("{PREFIX}{name}");
            let found = weights.get(&key).ok_or_else(|| format!("`{key}` is absent"))?;
            let shape: Vec<i64> = found.shape.iter().map(|&size| size as i64).collect();
            if shape != tensor.size() {
                return Err(format!("`{key}` has shape {shape:?}, expected {:?}", tensor.size()));
            }
            tensor.copy_(&Tensor::from_slice(&found.values).reshape(shape));
        }
        Ok(())
    }
}
