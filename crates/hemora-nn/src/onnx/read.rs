//! The little that has to be read back from an ONNX model: the classifier's weights, from which
//! activation maps are computed, and whether it reads the mean of the last feature map.

use prost::Message;

use super::half::widened;
use super::proto::{FLOAT, GraphProto, Model, NodeProto};
use crate::Tensor;

/// Why an ONNX model cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OnnxError {
    /// Not an ONNX model.
    #[error("not an ONNX model: {0}")]
    Format(#[from] prost::DecodeError),
    /// A model without a graph.
    #[error("the ONNX model has no graph")]
    NoGraph,
    /// A model that cannot be written again as it was; its producer's name.
    #[error(
        "the ONNX model has parts that Hemora does not write (it names `{0}` as its producer), and they would be lost"
    )]
    OtherWriter(String),
}

/// The last linear layer of a classifier.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassifierWeights {
    /// Output units.
    pub units: usize,
    /// Inputs per unit.
    pub inputs: usize,
    /// `units × inputs` weights, unit by unit.
    pub weight: Vec<f32>,
}

/// Version of the default operator set that a model asks for.
///
/// # Errors
/// [`OnnxError`] if the bytes are not an ONNX model.
pub fn model_opset(bytes: &[u8]) -> Result<Option<i64>, OnnxError> {
    let model = Model::decode(bytes)?;
    Ok(model.opset_import.iter().find(|set| set.domain.is_empty()).map(|set| set.version))
}

/// The weights of the linear layer that feeds the model's first output, when it is a plain
/// `Gemm` or `MatMul` (behind an optional sigmoid, softmax or bias); `None` for any other end.
///
/// # Errors
/// [`OnnxError`] if the bytes are not an ONNX model.
pub fn classifier(bytes: &[u8]) -> Result<Option<ClassifierWeights>, OnnxError> {
    let graph = Model::decode(bytes)?.graph.ok_or(OnnxError::NoGraph)?;
    Ok(find_classifier(&graph))
}

/// How many features the model's classifier reads, if they are the mean over rows and columns of the
/// model's second output, `[N, features, rows, columns]`, and nothing else; `None` for any other end,
/// such as a norm behind the mean.
///
/// # Errors
/// [`OnnxError`] if the bytes are not an ONNX model.
pub fn pooled_features(bytes: &[u8]) -> Result<Option<usize>, OnnxError> {
    let graph = Model::decode(bytes)?.graph.ok_or(OnnxError::NoGraph)?;
    Ok(find_pooled(&graph))
}

fn find_pooled(graph: &GraphProto) -> Option<usize> {
    let classifier = classifier_node(graph)?;
    let map = &graph.output.get(1)?.name;
    let mut value = classifier.input.first()?;
    for _ in 0..END {
        let node = node_giving(graph, value)?;
        match node.op_type.as_str() {
            // None of these changes a value, nor its index where rows and columns are one.
            "Flatten" | "Reshape" | "Squeeze" | "Identity" | "Dropout" => {
                value = node.input.first()?
            }
            "GlobalAveragePool" if node.input.first() == Some(map) => {
                return linear(graph, classifier).map(|it| it.inputs);
            }
            _ => return None,
        }
    }
    None
}

/// Most layers of a model's end: a classifier ends in a handful; the bound keeps a cyclic file from
/// looping.
const END: usize = 8;

/// The node that gives a value.
fn node_giving<'a>(graph: &'a GraphProto, value: &str) -> Option<&'a NodeProto> {
    graph.node.iter().find(|node| node.output.iter().any(|name| name == value))
}

fn find_classifier(graph: &GraphProto) -> Option<ClassifierWeights> {
    let node = classifier_node(graph)?;
    linear(graph, node).map(|it| behind_norm(graph, node, it))
}

/// The linear layer that feeds the first output.
fn classifier_node(graph: &GraphProto) -> Option<&NodeProto> {
    let mut value = graph.output.first()?.name.as_str();
    for _ in 0..END {
        let node = node_giving(graph, value)?;
        match node.op_type.as_str() {
            "Sigmoid" | "Softmax" | "Identity" => value = node.input.first()?,
            "Add" => {
                let is_constant = |name: &String| tensor(graph, name).is_some();
                value = node.input.iter().find(|name| !is_constant(name))?;
            }
            "Gemm" | "MatMul" => return Some(node),
            _ => return None,
        }
    }
    None
}

fn linear(graph: &GraphProto, node: &NodeProto) -> Option<ClassifierWeights> {
    let Tensor { shape, values } = tensor(graph, node.input.get(1)?)?;
    let [first, second] = shape.try_into().ok()?;
    let attribute = |name: &str| node.attribute.iter().find(|attribute| attribute.name == name);
    let transposed = attribute("transB").is_some_and(|attribute| attribute.i.unwrap_or(0) != 0);
    if attribute("alpha").is_some_and(|attribute| attribute.f != Some(1.0)) {
        return None;
    }
    if transposed {
        return Some(ClassifierWeights { units: first, inputs: second, weight: values });
    }
    let weight = (0..second)
        .flat_map(|unit| (0..first).map(move |input| input * second + unit))
        .map(|index| values[index])
        .collect();
    Some(ClassifierWeights { units: second, inputs: first, weight })
}

/// Weights on the values before a layer norm, if one feeds the linear layer. The norm divides by a
/// number that all channels share, so up to that factor each unit is a weighted sum still: of the
/// norm's scales times the unit's weights, less their mean.
fn behind_norm(
    graph: &GraphProto,
    linear: &NodeProto,
    mut weights: ClassifierWeights,
) -> ClassifierWeights {
    let feeds = |node: &&NodeProto| node.output.first() == linear.input.first();
    let norm = graph.node.iter().find(feeds).filter(|it| it.op_type == "LayerNormalization");
    let Some(scale) = norm.and_then(|norm| tensor(graph, norm.input.get(1)?)) else {
        return weights;
    };
    if scale.values.len() == weights.inputs {
        for unit in weights.weight.chunks_exact_mut(weights.inputs) {
            unit.iter_mut().zip(&scale.values).for_each(|(weight, scale)| *weight *= scale);
            let mean = unit.iter().sum::<f32>() / unit.len() as f32;
            unit.iter_mut().for_each(|weight| *weight -= mean);
        }
    }
    weights
}

/// A constant of 32-bit or halved values by name, if it is whole.
fn tensor(graph: &GraphProto, name: &str) -> Option<Tensor> {
    let (dims, values) = match graph.initializer.iter().find(|tensor| tensor.name == name) {
        None => widened(graph, name)?,
        Some(proto) if proto.data_type != FLOAT => return None,
        Some(proto) if proto.raw_data.is_empty() => (proto.dims.clone(), proto.float_data.clone()),
        Some(proto) => {
            let values = proto.raw_data.as_chunks::<4>().0.iter();
            (proto.dims.clone(), values.map(|&bytes| f32::from_le_bytes(bytes)).collect())
        }
    };
    let shape: Option<Vec<usize>> = dims.iter().map(|&size| usize::try_from(size).ok()).collect();
    let shape = shape?;
    let length = shape.iter().try_fold(1usize, |total, &size| total.checked_mul(size))?;
    (length == values.len()).then_some(Tensor { shape, values })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks::{Options, build};
    use crate::{Weights, onnx};

    fn model() -> (Vec<u8>, Weights) {
        let options = Options { size: 32, ..Options::default() };
        let graph = build("efficientnet-lite0", &options).unwrap().unwrap();
        let mut weights = Weights::default();
        for (index, parameter) in graph.parameters().into_iter().enumerate() {
            let values = (0..parameter.len()).map(|value| ((index + value) % 7) as f32).collect();
            weights.insert(&parameter.name, Tensor { shape: parameter.shape, values });
        }
        (onnx::write(&graph, &weights).unwrap(), weights)
    }

    #[test]
    fn a_written_model_gives_its_classifier_back() {
        let (bytes, weights) = model();
        assert_eq!(model_opset(&bytes).unwrap(), Some(onnx::OPSET));
        let read = classifier(&bytes).unwrap().unwrap();
        assert_eq!((read.units, read.inputs), (6, 1280));
        assert_eq!(read.weight, weights.get("classifier.weight").unwrap().values);
    }

    #[test]
    fn a_halved_model_gives_its_classifier_back_rounded() {
        // 32 labels of 1,280 features are enough to be halved.
        let head = Some(crate::networks::Head::Sigmoid(32));
        let options = Options { size: 32, head, ..Options::default() };
        let graph = build("efficientnet-lite0", &options).unwrap().unwrap();
        let mut weights = Weights::default();
        for parameter in graph.parameters() {
            let values = (0..parameter.len()).map(|at| (at % 97) as f32 / 97.0).collect();
            weights.insert(&parameter.name, Tensor { shape: parameter.shape, values });
        }
        let whole = onnx::write(&graph, &weights).unwrap();
        let halved = onnx::halved(&whole).unwrap();
        assert!(halved.len() * 100 < whole.len() * 56, "{} of {}", halved.len(), whole.len());
        let [exact, rounded] = [&whole, &halved].map(|it| classifier(it).unwrap().unwrap());
        assert_eq!((rounded.units, rounded.inputs), (exact.units, exact.inputs));
        assert_ne!(rounded.weight, exact.weight);
        for (rounded, exact) in rounded.weight.iter().zip(&exact.weight) {
            assert!((rounded - exact).abs() <= exact.abs() / 2048.0, "{rounded} {exact}");
        }
        assert_eq!(pooled_features(&halved).unwrap(), Some(1280));
        assert_eq!(onnx::halved(&halved).unwrap(), halved);
    }

    #[test]
    fn only_classifiers_of_the_mean_feature_map_have_pooled_features() {
        for (name, expected) in [
            ("efficientnet-lite0", Some(1280)),
            ("resnet18", Some(512)),
            ("densenet121", Some(1024)),
            // A norm stands between, and the seed study's network flattens its map.
            ("convnext-nano", None),
            ("deep-cnn", None),
        ] {
            let head = Some(crate::networks::Head::Sigmoid(6));
            let options = Options { size: 32, head, ..Options::default() };
            let graph = build(name, &options).unwrap().unwrap();
            let mut weights = Weights::default();
            for parameter in graph.parameters() {
                let values = vec![0.5; parameter.len()];
                weights.insert(&parameter.name, Tensor { shape: parameter.shape, values });
            }
            let bytes = onnx::write(&graph, &weights).unwrap();
            assert_eq!(pooled_features(&bytes).unwrap(), expected, "{name}");
        }
        assert!(pooled_features(b"").is_err());
    }

    #[test]
    fn folded_models_hold_no_batch_norm_and_name_their_outputs() {
        let (bytes, _) = model();
        let graph = Model::decode(bytes.as_slice()).unwrap().graph.unwrap();
        assert!(graph.node.iter().all(|node| node.op_type != "BatchNormalization"));
        let outputs: Vec<&str> = graph.output.iter().map(|value| value.name.as_str()).collect();
        assert_eq!(outputs, [onnx::PROBABILITIES, onnx::FEATURES]);
    }

    #[test]
    fn a_layer_norm_before_the_classifier_is_part_of_its_weights() {
        let options = Options { size: 32, ..Options::default() };
        let graph = build("convnext-nano", &options).unwrap().unwrap();
        let mut weights = Weights::default();
        for parameter in graph.parameters() {
            let values = (0..parameter.len()).map(|value| (value % 5) as f32).collect();
            weights.insert(&parameter.name, Tensor { shape: parameter.shape, values });
        }
        let read = classifier(&onnx::write(&graph, &weights).unwrap()).unwrap().unwrap();
        assert_eq!((read.units, read.inputs), (6, 640));
        // Weight and scale are both 0, 1, 2, 3, 4, …; squares have a mean of 6.
        assert_eq!(read.weight[..5], [-6.0, -5.0, -2.0, 3.0, 10.0]);
    }

    #[test]
    fn a_norm_before_a_convolution_stays_and_one_behind_it_is_folded() {
        let options = Options { size: 32, ..Options::default() };
        let graph = build("densenet121", &options).unwrap().unwrap();
        let mut weights = Weights::default();
        for parameter in graph.parameters() {
            let values = vec![0.5; parameter.len()];
            weights.insert(&parameter.name, Tensor { shape: parameter.shape, values });
        }
        let bytes = onnx::write(&graph, &weights).unwrap();
        let graph = Model::decode(bytes.as_slice()).unwrap().graph.unwrap();
        let norms = graph.node.iter().filter(|node| node.op_type == "BatchNormalization");
        // One behind the concatenations before each of 58 layers, 3 transitions and the end; the
        // first layer's reads the pooling, a transition's first layer the pooling too.
        assert_eq!(norms.count(), 62);
    }

    #[test]
    fn other_bytes_are_refused() {
        let (bytes, _) = model();
        assert!(classifier(&bytes[..bytes.len() / 2]).is_err());
        assert!(matches!(classifier(b""), Err(OnnxError::NoGraph)));
    }
}
