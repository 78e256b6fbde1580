//! A graph and its weights to an ONNX model.
//!
//! Batch norms behind a convolution are folded into its weights: the same function, fewer layers,
//! a smaller file and no reliance on an engine's optimizer.

use std::collections::HashMap;

use prost::Message;

use super::proto::{
    Attribute, Dimension, DimensionValue, FLOAT, GraphProto, Model, NodeProto, OperatorSet,
    ShapeProto, TensorProto, TensorType, TypeProto, ValueInfo,
};
use crate::{BatchNorm, Graph, Node, NodeId, Op, Tensor, Weights, WeightsError, pads};

/// Name of the input, `[N, channels, rows, columns]`.
pub const INPUT: &str = "input";
/// Name of the first output, `[N, units]`.
pub const PROBABILITIES: &str = "probabilities";
/// Name of the second output, the last feature map `[N, channels, rows, columns]`.
pub const FEATURES: &str = "features";
/// ONNX operator set of the models.
pub const OPSET: i64 = 17;

/// IR version that came with operator set 17.
const IR_VERSION: i64 = 8;

/// Writes `graph` with `weights` as an ONNX model with a symbolic batch dimension `N`.
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
    writer.rename(graph.output(), PROBABILITIES);
    let mut outputs = vec![(PROBABILITIES, graph.output())];
    if let Some(features) = graph.features() {
        writer.rename(features, FEATURES);
        outputs.push((FEATURES, features));
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

struct Writer<'a> {
    graph: &'a Graph,
    weights: &'a Weights,
    proto: GraphProto,
    /// ONNX value that holds each graph node's output.
    values: Vec<String>,
}

impl Writer<'_> {
    /// Writes one node and returns the name of the value that holds its output.
    fn node(&mut self, id: NodeId, node: &Node) -> String {
        let inputs: Vec<String> =
            node.inputs.iter().map(|input| self.values[input.index()].clone()).collect();
        match node.op {
            Op::Input { .. } => INPUT.to_owned(),
            // Nothing happens at inference, or it happened in the convolution before.
            Op::Dropout { .. } => inputs[0].clone(),
            Op::BatchNorm(norm) => match self.graph.node(node.inputs[0]).op {
                Op::Conv(_) if self.consumers(node.inputs[0]) == 1 => inputs[0].clone(),
                _ => self.batch_norm(node, norm, inputs),
            },
            Op::Conv(conv) => {
                let shape = self.graph.shape(node.inputs[0]);
                let attributes = [
                    vec![ints("kernel_shape", &[conv.kernel, conv.kernel])],
                    vec![ints("strides", &[conv.stride, conv.stride])],
                    vec![ints("pads", &image_pads(conv.padding, shape, conv.kernel, conv.stride))],
                    vec![int("group", conv.groups as i64)],
                ];
                let (weight, bias) = self.folded(id, node);
                let inputs = vec![
                    inputs[0].clone(),
                    self.initializer(&format!("{}.weight", node.name), &weight),
                    self.initializer(&format!("{}.bias", node.name), &bias),
                ];
                self.push("Conv", node, inputs, attributes.concat())
            }
            Op::MaxPool(pool) => {
                let shape = self.graph.shape(node.inputs[0]);
                let attributes = vec![
                    ints("kernel_shape", &[pool.kernel, pool.kernel]),
                    ints("strides", &[pool.stride, pool.stride]),
                    ints("pads", &image_pads(pool.padding, shape, pool.kernel, pool.stride)),
                ];
                self.push("MaxPool", node, inputs, attributes)
            }
            Op::GlobalAveragePool => {
                let pooled = self.push("GlobalAveragePool", node, inputs, Vec::new());
                let flat = format!("{}.flat", node.name);
                self.proto.node.push(NodeProto {
                    input: vec![pooled],
                    output: vec![flat.clone()],
                    name: flat.clone(),
                    op_type: "Flatten".to_owned(),
                    attribute: vec![int("axis", 1)],
                });
                flat
            }
            Op::Flatten => self.push("Flatten", node, inputs, vec![int("axis", 1)]),
            Op::Linear(_) => {
                let inputs = vec![
                    inputs[0].clone(),
                    self.parameter(node, "weight"),
                    self.parameter(node, "bias"),
                ];
                self.push("Gemm", node, inputs, vec![int("transB", 1)])
            }
            Op::Relu => self.push("Relu", node, inputs, Vec::new()),
            Op::Relu6 => {
                let bound = |value| Tensor { shape: Vec::new(), values: vec![value] };
                let inputs = vec![
                    inputs[0].clone(),
                    self.initializer("relu6.min", &bound(0.0)),
                    self.initializer("relu6.max", &bound(6.0)),
                ];
                self.push("Clip", node, inputs, Vec::new())
            }
            Op::Add => self.push("Add", node, inputs, Vec::new()),
            Op::Sigmoid => self.push("Sigmoid", node, inputs, Vec::new()),
            Op::Softmax => self.push("Softmax", node, inputs, vec![int("axis", 1)]),
        }
    }

    fn consumers(&self, id: NodeId) -> usize {
        self.graph.nodes().iter().filter(|node| node.inputs.contains(&id)).count()
    }

    /// Weight and bias of a convolution with the batch norm that follows it folded in.
    fn folded(&self, id: NodeId, node: &Node) -> (Tensor, Tensor) {
        let mut weight = self.tensor(node, "weight").clone();
        let channels = weight.shape[0];
        let mut bias = self
            .weights
            .get(&format!("{}.bias", node.name))
            .map_or_else(|| vec![0.0; channels], |tensor| tensor.values.clone());
        let mut next = self.graph.nodes().iter().filter(|node| node.inputs.contains(&id));
        if let (Some(follower), None) = (next.next(), next.next())
            && let Op::BatchNorm(norm) = follower.op
        {
            let scale = &self.tensor(follower, "weight").values;
            let offset = &self.tensor(follower, "bias").values;
            let mean = &self.tensor(follower, "running_mean").values;
            let variance = &self.tensor(follower, "running_var").values;
            let per_channel = weight.values.len() / channels;
            for channel in 0..channels {
                let deviation = (f64::from(variance[channel]) + norm.eps).sqrt();
                let factor = f64::from(scale[channel]) / deviation;
                for value in &mut weight.values[channel * per_channel..][..per_channel] {
                    *value = (f64::from(*value) * factor) as f32;
                }
                let shifted = f64::from(bias[channel]) - f64::from(mean[channel]);
                bias[channel] = (shifted * factor + f64::from(offset[channel])) as f32;
            }
        }
        (weight, Tensor { shape: vec![channels], values: bias })
    }

    fn batch_norm(&mut self, node: &Node, norm: BatchNorm, mut inputs: Vec<String>) -> String {
        for suffix in ["weight", "bias", "running_mean", "running_var"] {
            inputs.push(self.parameter(node, suffix));
        }
        let epsilon = Attribute {
            name: "epsilon".to_owned(),
            f: norm.eps as f32,
            kind: 1,
            ..Attribute::default()
        };
        self.push("BatchNormalization", node, inputs, vec![epsilon])
    }

    fn tensor(&self, node: &Node, suffix: &str) -> &Tensor {
        let name = format!("{}.{suffix}", node.name);
        self.weights.get(&name).expect("weights were checked against the graph")
    }

    fn parameter(&mut self, node: &Node, suffix: &str) -> String {
        let tensor = self.tensor(node, suffix).clone();
        self.initializer(&format!("{}.{suffix}", node.name), &tensor)
    }

    fn initializer(&mut self, name: &str, tensor: &Tensor) -> String {
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

    fn push(
        &mut self,
        op_type: &str,
        node: &Node,
        input: Vec<String>,
        attribute: Vec<Attribute>,
    ) -> String {
        self.proto.node.push(NodeProto {
            input,
            output: vec![node.name.clone()],
            name: node.name.clone(),
            op_type: op_type.to_owned(),
            attribute,
        });
        node.name.clone()
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

fn image_pads(
    padding: crate::Padding,
    shape: &[usize],
    kernel: usize,
    stride: usize,
) -> [usize; 4] {
    let (top, bottom) = pads(padding, shape[1], kernel, stride);
    let (left, right) = pads(padding, shape[2], kernel, stride);
    [top, left, bottom, right]
}

fn ints(name: &str, values: &[usize]) -> Attribute {
    let ints = values.iter().map(|&value| value as i64).collect();
    Attribute { name: name.to_owned(), ints, kind: 7, ..Attribute::default() }
}

fn int(name: &str, value: i64) -> Attribute {
    Attribute { name: name.to_owned(), i: value, kind: 2, ..Attribute::default() }
}

fn value_info(name: &str, shape: &[usize]) -> ValueInfo {
    let batch = Dimension { value: Some(DimensionValue::Name("N".to_owned())) };
    let sizes =
        shape.iter().map(|&size| Dimension { value: Some(DimensionValue::Value(size as i64)) });
    let shape = ShapeProto { dim: std::iter::once(batch).chain(sizes).collect() };
    let tensor_type = Some(TensorType { elem_type: FLOAT, shape: Some(shape) });
    ValueInfo { name: name.to_owned(), r#type: Some(TypeProto { tensor_type }) }
}
