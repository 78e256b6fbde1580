//! A graph and its weights to an ONNX model: the model around the operations.

use std::collections::HashMap;

use prost::Message;

use super::proto::{
    Attribute, Dimension, DimensionValue, FLOAT, GraphProto, INT64, Model, NodeProto, OperatorSet,
    ShapeProto, TensorProto, TensorType, TypeProto, ValueInfo,
};
use crate::sequence::SLICES;
use crate::{Graph, Node, NodeId, Tensor, Weights, WeightsError};

/// Name of the input, `[N, channels, rows, columns]`, or of sequences `[N, slices, columns]`.
pub const INPUT: &str = "input";
/// Name of the first output, `[N, units]`, or of sequences `[N, slices, units]`.
pub const PROBABILITIES: &str = "probabilities";
/// Name of the second output, the last feature map `[N, channels, rows, columns]`.
pub const FEATURES: &str = "features";
/// Name of the output after that, of networks with a dense head: the probability of each label in each
/// part of the image, `[N, units, rows, columns]`.
pub const MAPS: &str = "maps";
/// ONNX operator set of the models.
pub const OPSET: i64 = 17;

/// IR version that came with operator set 17.
const IR_VERSION: i64 = 8;

/// Writes `graph` with `weights` as an ONNX model with a symbolic batch dimension `N`, and
/// of sequences a symbolic number of slices.
///
/// # Errors
/// [`WeightsError`] if the weights do not fit the graph.
pub fn write(graph: &Graph, weights: &Weights) -> Result<Vec<u8>, WeightsError> {
    weights.check(graph)?;
    let mut writer = Writer { graph, weights, proto: GraphProto::default(), values: Vec::new() };
    writer.proto.name = graph.name().to_owned();
    for (id, node) in graph.iter() {
        let value = writer.node(id, node);
        writer.values.push(value);
    }
    if graph.reads_sequences() {
        // The last node may have the name that the output gets.
        writer.rename(graph.output(), "output.sequence");
        let value = writer.sequence_output(graph.output());
        writer.values[graph.output().index()] = value;
    }
    writer.rename(graph.output(), PROBABILITIES);
    let mut outputs = vec![(PROBABILITIES, graph.output())];
    if let Some(features) = graph.features() {
        writer.rename(features, FEATURES);
        outputs.push((FEATURES, features));
    }
    if let Some(dense) = graph.dense() {
        let maps = writer.values[dense.maps.index()].clone();
        writer.push_as("Sigmoid", MAPS.to_owned(), vec![maps], Vec::new());
        outputs.push((MAPS, dense.maps));
    }
    let value = |name: &str, id| value_info(name, graph.shape(id));
    writer.proto.input = vec![value_info(INPUT, &graph.input_shape())];
    writer.proto.output = outputs.into_iter().map(|(name, id)| value(name, id)).collect();
    let model = Model {
        ir_version: IR_VERSION,
        producer_name: "hemora".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        graph: Some(writer.proto),
        opset_import: vec![OperatorSet { domain: String::new(), version: OPSET }],
    };
    Ok(model.encode_to_vec())
}

/// The model as far as it is written.
pub(super) struct Writer<'a> {
    pub(super) graph: &'a Graph,
    weights: &'a Weights,
    proto: GraphProto,
    /// ONNX value that holds each graph node's output.
    pub(super) values: Vec<String>,
}

impl Writer<'_> {
    /// A node's parameter.
    pub(super) fn tensor(&self, node: &Node, suffix: &str) -> &Tensor {
        let name = format!("{}.{suffix}", node.name);
        self.weights.get(&name).expect("weights were checked against the graph")
    }

    /// Writes a node's parameter and returns its name.
    pub(super) fn parameter(&mut self, node: &Node, suffix: &str) -> String {
        let tensor = self.tensor(node, suffix).clone();
        self.initializer(&format!("{}.{suffix}", node.name), &tensor)
    }

    /// Writes a constant, once, and returns its name.
    pub(super) fn initializer(&mut self, name: &str, tensor: &Tensor) -> String {
        if !self.proto.initializer.iter().any(|known| known.name == name) {
            self.proto.initializer.push(TensorProto {
                dims: tensor.shape.iter().map(|&size| size as i64).collect(),
                data_type: FLOAT,
                name: name.to_owned(),
                raw_data: tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect(),
                float_data: Vec::new(),
            });
        }
        name.to_owned()
    }

    /// Writes a constant of whole numbers, such as a shape, once, and returns its name.
    pub(super) fn numbers(&mut self, values: &[i64]) -> String {
        let texts: Vec<String> = values.iter().map(i64::to_string).collect();
        let name = format!("numbers.{}", texts.join("."));
        if !self.proto.initializer.iter().any(|known| known.name == name) {
            self.proto.initializer.push(TensorProto {
                dims: vec![values.len() as i64],
                data_type: INT64,
                name: name.clone(),
                raw_data: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
                float_data: Vec::new(),
            });
        }
        name
    }

    /// Writes an operation and returns its value, which has the node's name.
    pub(super) fn push(
        &mut self,
        op_type: &str,
        node: &Node,
        input: Vec<String>,
        attribute: Vec<Attribute>,
    ) -> String {
        self.push_as(op_type, node.name.clone(), input, attribute)
    }

    /// Writes an operation and returns its value, named `name`.
    pub(super) fn push_as(
        &mut self,
        op_type: &str,
        name: String,
        input: Vec<String>,
        attribute: Vec<Attribute>,
    ) -> String {
        self.proto.node.push(NodeProto {
            input,
            output: vec![name.clone()],
            name: name.clone(),
            op_type: op_type.to_owned(),
            attribute,
        });
        name
    }

    /// Gives the value behind a graph node the name of an output.
    fn rename(&mut self, id: NodeId, name: &str) {
        let old = self.values[id.index()].clone();
        let renames: HashMap<&str, &str> = HashMap::from([(old.as_str(), name)]);
        for node in &mut self.proto.node {
            for value in node.input.iter_mut().chain(&mut node.output) {
                if let Some(new) = renames.get(value.as_str()) {
                    *value = (*new).to_owned();
                }
            }
        }
        for value in &mut self.values {
            if *value == old {
                *value = name.to_owned();
            }
        }
    }
}

fn value_info(name: &str, shape: &[usize]) -> ValueInfo {
    let named = |name: &str| DimensionValue::Name(name.to_owned());
    let size = |&size: &usize| DimensionValue::Value(size as i64);
    let mut sizes = vec![named("N")];
    match shape {
        [channels, SLICES, _] => sizes.extend([named("slices"), size(channels)]),
        _ => sizes.extend(shape.iter().map(size)),
    }
    let dim = sizes.into_iter().map(|value| Dimension { value: Some(value) }).collect();
    let shape = ShapeProto { dim };
    let tensor_type = Some(TensorType { elem_type: FLOAT, shape: Some(shape) });
    ValueInfo { name: name.to_owned(), r#type: Some(TypeProto { tensor_type }) }
}
