//! Weights by parameter name, read from and written to safetensors bytes.

use std::collections::{BTreeMap, HashMap};

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

use crate::Graph;

/// Values of one parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Shape; see [`Parameter::shape`](crate::Parameter::shape).
    pub shape: Vec<usize>,
    /// Values, last dimension fastest.
    pub values: Vec<f32>,
}

/// The weights of a network, by parameter name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Weights {
    tensors: BTreeMap<String, Tensor>,
}

/// Why weights cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// Not a safetensors file.
    #[error("not a safetensors file: {0}")]
    Format(#[from] safetensors::SafeTensorError),
    /// Another number type than f32.
    #[error("tensor `{name}` holds {found:?}; only F32 weights are read")]
    Type {
        /// The tensor.
        name: String,
        /// What it holds.
        found: Dtype,
    },
    /// A parameter of the network is not there.
    #[error("network `{network}` needs tensor `{name}`, which the weights do not have")]
    Missing {
        /// The network.
        network: String,
        /// The parameter.
        name: String,
    },
    /// A tensor of another shape.
    #[error("tensor `{name}` has shape {found:?}; network `{network}` needs {expected:?}")]
    Shape {
        /// The network.
        network: String,
        /// The parameter.
        name: String,
        /// Shape in the weights.
        found: Vec<usize>,
        /// Shape in the network.
        expected: Vec<usize>,
    },
    /// A value that is infinite or not a number.
    #[error("tensor `{0}` has values that are not finite")]
    NotFinite(String),
    /// Weights of different networks, which have no mean.
    #[error("tensor `{0}` is absent from one of the networks or has another shape there")]
    Different(String),
}

impl Weights {
    /// Reads all tensors of a safetensors file.
    ///
    /// # Errors
    /// [`WeightsError`] if the bytes are not safetensors or hold another type than f32.
    pub fn from_safetensors(bytes: &[u8]) -> Result<Self, WeightsError> {
        let file = SafeTensors::deserialize(bytes)?;
        let mut weights = Self::default();
        for (name, view) in file.iter() {
            if view.dtype() != Dtype::F32 {
                return Err(WeightsError::Type { name: name.to_owned(), found: view.dtype() });
            }
            let (values, _) = view.data().as_chunks::<4>();
            let values = values.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
            weights.insert(name, Tensor { shape: view.shape().to_vec(), values });
        }
        Ok(weights)
    }

    /// The free-text metadata of a safetensors file.
    ///
    /// # Errors
    /// [`WeightsError::Format`] if the bytes are not safetensors.
    pub fn metadata(bytes: &[u8]) -> Result<HashMap<String, String>, WeightsError> {
        let (_, header) = SafeTensors::read_metadata(bytes)?;
        Ok(header.metadata().clone().unwrap_or_default())
    }

    /// Writes all tensors, sorted by name, with free-text metadata.
    ///
    /// # Errors
    /// [`WeightsError::Format`] if a tensor's shape does not match its values.
    pub fn to_safetensors(
        &self,
        metadata: HashMap<String, String>,
    ) -> Result<Vec<u8>, WeightsError> {
        let bytes: Vec<Vec<u8>> = self
            .tensors
            .values()
            .map(|tensor| tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect())
            .collect();
        let mut views = Vec::with_capacity(bytes.len());
        for ((name, tensor), data) in self.tensors.iter().zip(&bytes) {
            views.push((name, TensorView::new(Dtype::F32, tensor.shape.clone(), data)?));
        }
        Ok(safetensors::serialize(views, Some(metadata))?)
    }

    /// The mean, tensor by tensor, of weights of one network: of such as began alike and were
    /// trained apart it may serve better than each (Wortsman et al. 2022, "model soups").
    ///
    /// # Errors
    /// [`WeightsError::Different`] names a tensor that not all have in one shape.
    pub fn mean(all: &[&Self]) -> Result<Self, WeightsError> {
        let Some((first, others)) = all.split_first() else { return Ok(Self::default()) };
        let mut mean = (*first).clone();
        for other in others {
            // Both ways, so that neither has a tensor that the other lacks.
            let strange = other.tensors.keys().find(|name| !first.tensors.contains_key(*name));
            if let Some(name) = strange {
                return Err(WeightsError::Different(name.clone()));
            }
            for (name, tensor) in &mut mean.tensors {
                let theirs = other.tensors.get(name).filter(|theirs| theirs.shape == tensor.shape);
                let theirs = theirs.ok_or_else(|| WeightsError::Different(name.clone()))?;
                for (value, more) in tensor.values.iter_mut().zip(&theirs.values) {
                    *value += more;
                }
            }
        }
        let count = all.len() as f32;
        let values = mean.tensors.values_mut().flat_map(|tensor| &mut tensor.values);
        values.for_each(|value| *value /= count);
        Ok(mean)
    }

    /// Adds or replaces a tensor.
    pub fn insert(&mut self, name: &str, tensor: Tensor) {
        self.tensors.insert(name.to_owned(), tensor);
    }

    /// Takes a tensor out, for instance the classifier of another task.
    pub fn remove(&mut self, name: &str) -> Option<Tensor> {
        self.tensors.remove(name)
    }

    /// Keeps the tensors whose name passes `keep`.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.tensors.retain(|name, _| keep(name));
    }

    /// A tensor by name.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.tensors.get(name)
    }

    /// Names and tensors, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// Checks that every parameter of `graph` is there, in its shape, and finite. Tensors that the
    /// graph does not know are allowed.
    ///
    /// # Errors
    /// [`WeightsError`] names the first parameter that does not fit.
    pub fn check(&self, graph: &Graph) -> Result<(), WeightsError> {
        for parameter in graph.parameters() {
            let network = graph.name().to_owned();
            let Some(tensor) = self.tensors.get(&parameter.name) else {
                return Err(WeightsError::Missing { network, name: parameter.name });
            };
            if tensor.shape != parameter.shape || tensor.values.len() != parameter.len() {
                return Err(WeightsError::Shape {
                    network,
                    name: parameter.name,
                    found: tensor.shape.clone(),
                    expected: parameter.shape,
                });
            }
            if tensor.values.iter().any(|value| !value.is_finite()) {
                return Err(WeightsError::NotFinite(parameter.name));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks::{Options, build};

    #[test]
    fn safetensors_round_trip() {
        let mut weights = Weights::default();
        weights.insert("b", Tensor { shape: vec![2, 2], values: vec![1.0, -2.0, 3.5, 0.0] });
        weights.insert("a", Tensor { shape: vec![1], values: vec![f32::MIN_POSITIVE] });
        let bytes = weights.to_safetensors(HashMap::new()).unwrap();
        assert_eq!(Weights::from_safetensors(&bytes).unwrap(), weights);
        assert!(Weights::from_safetensors(&bytes[..bytes.len() - 3]).is_err());
        assert!(Weights::from_safetensors(b"not a file").is_err());
    }

    #[test]
    fn the_mean_is_of_the_same_tensors() {
        let of = |name: &str, values: &[f32]| {
            let mut weights = Weights::default();
            weights.insert("a", Tensor { shape: vec![2], values: vec![1.0, -1.0] });
            weights.insert(name, Tensor { shape: vec![values.len()], values: values.to_vec() });
            weights
        };
        let mean = Weights::mean(&[&of("b", &[1.0, 4.0]), &of("b", &[3.0, 0.5])]).unwrap();
        assert_eq!(mean, of("b", &[2.0, 2.25]));
        for strange in [of("c", &[1.0, 4.0]), of("b", &[1.0]), of("a", &[1.0, 1.0])] {
            let error = Weights::mean(&[&of("b", &[1.0, 4.0]), &strange]).unwrap_err();
            assert!(matches!(error, WeightsError::Different(_)), "{error}");
            assert!(Weights::mean(&[&strange, &of("b", &[1.0, 4.0])]).is_err());
        }
    }

    #[test]
    fn weights_that_do_not_fit_are_named() {
        let graph = build("simple-nn", &Options { size: 16, ..Options::default() });
        let graph = graph.unwrap().unwrap();
        let mut weights = Weights::default();
        assert!(weights.check(&graph).unwrap_err().to_string().contains("dense_1.weight"));
        for parameter in graph.parameters() {
            let values = vec![0.5; parameter.len()];
            weights.insert(&parameter.name, Tensor { shape: parameter.shape, values });
        }
        weights.check(&graph).unwrap();
        weights.insert("dense_2.bias", Tensor { shape: vec![2], values: vec![0.0; 2] });
        let error = weights.check(&graph).unwrap_err().to_string();
        assert!(error.contains("[2]") && error.contains("[1]"), "{error}");
        weights.insert("dense_2.bias", Tensor { shape: vec![1], values: vec![f32::NAN] });
        assert!(matches!(weights.check(&graph), Err(WeightsError::NotFinite(_))));
    }
}
