//! The weights that a model starts with: drawn, of a file, or of a finished run.

use std::path::Path;

use hemora_nn::{Graph, Weights, fit_channels};
use tch::Device;

use super::{Model, ModelError, SlicePlan};

/// A model of `graph` with fresh weights, drawn with `seed`, and those of the plan's file where they
/// fit; a last layer of another size and a dense head that the file lacks are drawn.
///
/// # Errors
/// [`ModelError`] names the file.
pub fn initial_model(
    plan: &SlicePlan,
    graph: Graph,
    seed: u64,
    device: Device,
) -> Result<Model, ModelError> {
    let fresh = Model::fresh(graph.clone(), device, seed as i64);
    let Some(path) = &plan.weights else { return Ok(fresh) };
    let mut weights = read_weights(path)?;
    fit_channels(&mut weights, &graph);
    if graph.node_parameters(graph.classifier()).is_empty() {
        return Err(ModelError::NoHead(plan.network.clone()));
    }
    let drawn = fresh.weights();
    for (id, _) in graph.iter().filter(|(id, _)| graph.is_of_head(*id)) {
        for parameter in graph.node_parameters(id) {
            let key = &parameter.name;
            if weights.get(key).is_none_or(|loaded| loaded.shape != parameter.shape) {
                let drawn = drawn.get(key).expect("a parameter of the graph");
                weights.insert(key, drawn.clone());
            }
        }
    }
    with_weights(graph, &weights, path, device)
}

/// The network that a finished run left in the file `path`.
///
/// # Errors
/// [`ModelError`] names the file.
pub fn trained_model(
    plan: &SlicePlan,
    path: &Path,
    channels: usize,
    device: Device,
) -> Result<Model, ModelError> {
    with_weights(plan.graph(channels)?, &read_weights(path)?, path, device)
}

fn with_weights(
    graph: Graph,
    weights: &Weights,
    path: &Path,
    device: Device,
) -> Result<Model, ModelError> {
    let in_file = |source| ModelError::File { path: path.to_owned(), source: Box::new(source) };
    Model::with_weights(graph, weights, device).map_err(in_file)
}

fn read_weights(path: &Path) -> Result<Weights, ModelError> {
    let bytes =
        std::fs::read(path).map_err(|source| ModelError::Read { path: path.to_owned(), source })?;
    let in_file = |source| ModelError::File { path: path.to_owned(), source: Box::new(source) };
    Weights::from_safetensors(&bytes).map_err(in_file)
}

#[cfg(test)]
mod tests {
    use hemora_nn::networks;

    use super::*;
    use crate::model::Mode;

    #[test]
    fn weights_for_three_channels_serve_more_and_predict_the_same_of_grey() {
        let options = |channels| networks::Options { channels, size: 32, ..Default::default() };
        let graph = |channels| networks::build("resnet18", &options(channels)).unwrap().unwrap();
        let mut weights = Model::fresh(graph(3), Device::Cpu, 1).weights();
        // A first layer whose three channels weigh alike, so that more of them weigh the same in all.
        let mut first = weights.remove("conv1.weight").unwrap();
        for unit in first.values.chunks_exact_mut(3 * 49) {
            unit.copy_within(..49, 49);
            unit.copy_within(..49, 98);
        }
        weights.insert("conv1.weight", first);
        let grey = tch::Tensor::rand([1, 1, 32, 32], (tch::Kind::Float, Device::Cpu));
        let logits = |weights: &Weights, channels: i64| {
            let model =
                Model::with_weights(graph(channels as usize), weights, Device::Cpu).unwrap();
            model.logits(&grey.expand([1, channels, 32, 32], false), Mode::Evaluate)
        };
        let three = logits(&weights, 3);
        fit_channels(&mut weights, &graph(5));
        assert_eq!(weights.get("conv1.weight").unwrap().shape, [64, 5, 7, 7]);
        let difference = (three - logits(&weights, 5)).abs().max().double_value(&[]);
        assert!(difference < 1e-4, "{difference}");
    }
}
