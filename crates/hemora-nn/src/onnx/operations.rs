//! Each operation of a graph as ONNX operations.
//!
//! Batch norms and layer scales behind a convolution are folded into its weights: the same
//! function, fewer layers, a smaller file and no reliance on an engine's optimizer. A batch norm
//! before a convolution, as in DenseNet, has a ReLU between and stays.

use super::proto::Attribute;
use super::write::{INPUT, Writer};
use crate::{BatchNorm, Conv, Node, NodeId, Op, SliceConv, Tensor, pads};

impl Writer<'_> {
    /// Writes one node and returns the name of the value that holds its output.
    pub(super) fn node(&mut self, id: NodeId, node: &Node) -> String {
        let inputs: Vec<String> =
            node.inputs.iter().map(|input| self.values[input.index()].clone()).collect();
        match node.op {
            Op::Input { .. } if self.graph.reads_sequences() => self.sequence_input(),
            Op::Input { .. } => INPUT.to_owned(),
            // Nothing happens at inference, or it happened in the convolution before.
            Op::Dropout { .. } | Op::ChannelDropout { .. } => inputs[0].clone(),
            Op::BatchNorm(_) | Op::LayerScale if self.is_folded(node) => inputs[0].clone(),
            Op::BatchNorm(norm) => self.batch_norm(node, norm, inputs),
            Op::LayerScale => {
                let mut gamma = self.tensor(node, "gamma").clone();
                gamma.shape.extend([1, 1]);
                let gamma = self.initializer(&format!("{}.gamma", node.name), &gamma);
                self.push("Mul", node, vec![inputs[0].clone(), gamma], Vec::new())
            }
            Op::LayerNorm { eps } => self.layer_norm(node, eps, inputs),
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
            Op::AveragePool(pool) => {
                let attributes = vec![
                    ints("kernel_shape", &[pool.kernel, pool.kernel]),
                    ints("strides", &[pool.stride, pool.stride]),
                ];
                self.push("AveragePool", node, inputs, attributes)
            }
            Op::SpatialMean => self.push("GlobalAveragePool", node, inputs, Vec::new()),
            Op::GlobalAveragePool => {
                let pooled = self.push("GlobalAveragePool", node, inputs, Vec::new());
                let flat = format!("{}.flat", node.name);
                self.push_as("Flatten", flat, vec![pooled], vec![int("axis", 1)])
            }
            Op::Flatten => self.push("Flatten", node, inputs, vec![int("axis", 1)]),
            Op::SliceConv(conv) => {
                let (weight, bias) = self.folded(id, node);
                self.slice_conv(node, conv, inputs, weight, bias)
            }
            Op::Gru(gru) => self.gru(node, gru, inputs),
            Op::Attention(attention) => self.attention(node, attention, &inputs),
            Op::Channels { first, count } => self.channels(node, first, count, inputs),
            Op::Columns { columns } => self.columns(node, columns, inputs),
            Op::Linear(_) if self.graph.shape(id).len() == 3 => self.slice_linear(node, inputs),
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
                let inputs = vec![
                    inputs[0].clone(),
                    self.scalar("relu6.min", 0.0),
                    self.scalar("relu6.max", 6.0),
                ];
                self.push("Clip", node, inputs, Vec::new())
            }
            Op::Gelu => self.gelu(node, &inputs[0]),
            Op::Multiply => self.push("Mul", node, inputs, Vec::new()),
            Op::Concat => self.push("Concat", node, inputs, vec![int("axis", 1)]),
            Op::Add => self.push("Add", node, inputs, Vec::new()),
            Op::Mean => {
                let half = self.scalar("mean.half", 0.5);
                let sum = format!("{}.sum", node.name);
                let sum = self.push_as("Add", sum, inputs, Vec::new());
                self.push("Mul", node, vec![sum, half], Vec::new())
            }
            Op::Nearest { rows, columns } => self.nearest(node, inputs, [rows, columns]),
            Op::LogMeanExp { sharpness } => self.log_mean_exp(node, inputs, sharpness),
            Op::Sigmoid => self.push("Sigmoid", node, inputs, Vec::new()),
            Op::Softmax => self.push("Softmax", node, inputs, vec![int("axis", 1)]),
        }
    }

    pub(super) fn scalar(&mut self, name: &str, value: f32) -> String {
        self.initializer(name, &Tensor { shape: Vec::new(), values: vec![value] })
    }

    /// x · ½ (1 + erf(x / √2)), in the order in which engines look for it: the operator set has
    /// no operation for it yet.
    fn gelu(&mut self, node: &Node, input: &str) -> String {
        let label = |part: &str| format!("{}.{part}", node.name);
        let root = self.scalar("gelu.sqrt2", std::f32::consts::SQRT_2);
        let (one, half) = (self.scalar("gelu.one", 1.0), self.scalar("gelu.half", 0.5));
        let scaled = self.push_as("Div", label("scaled"), vec![input.to_owned(), root], Vec::new());
        let erf = self.push_as("Erf", label("erf"), vec![scaled], Vec::new());
        let shifted = self.push_as("Add", label("shifted"), vec![erf, one], Vec::new());
        let product =
            self.push_as("Mul", label("product"), vec![input.to_owned(), shifted], Vec::new());
        self.push("Mul", node, vec![product, half], Vec::new())
    }

    /// The operator normalises the last dimensions, so an image's channels go there and back.
    fn layer_norm(&mut self, node: &Node, eps: f64, mut inputs: Vec<String>) -> String {
        let is_image = self.graph.shape(node.inputs[0]).len() == 3;
        let label = |part: &str| format!("{}.{part}", node.name);
        if is_image {
            let last = vec![ints("perm", &[0, 2, 3, 1])];
            inputs = vec![self.push_as("Transpose", label("channels_last"), inputs, last)];
        }
        inputs.push(self.parameter(node, "weight"));
        inputs.push(self.parameter(node, "bias"));
        let attributes = vec![int("axis", -1), float("epsilon", eps)];
        if !is_image {
            return self.push("LayerNormalization", node, inputs, attributes);
        }
        let norm = self.push_as("LayerNormalization", label("normed"), inputs, attributes);
        self.push("Transpose", node, vec![norm], vec![ints("perm", &[0, 3, 1, 2])])
    }

    /// Whether a batch norm or layer scale is part of the convolution before it.
    fn is_folded(&self, node: &Node) -> bool {
        let before = node.inputs[0];
        matches!(self.graph.node(before).op, Op::Conv(_) | Op::SliceConv(_))
            && self.only_reader(before).is_some()
    }

    /// The one node that reads a value, if nothing else does and it is no output of the model.
    fn only_reader(&self, id: NodeId) -> Option<&Node> {
        let mut readers = self.graph.nodes().iter().filter(|node| node.inputs.contains(&id));
        let reader = readers.next()?;
        (readers.next().is_none() && self.graph.features() != Some(id)).then_some(reader)
    }

    /// Weight and bias of a convolution with the batch norm or layer scale behind it folded in.
    fn folded(&self, id: NodeId, node: &Node) -> (Tensor, Tensor) {
        let mut weight = self.tensor(node, "weight").clone();
        let channels = weight.shape[0];
        let mut bias = match node.op {
            Op::Conv(Conv { bias: true, .. }) | Op::SliceConv(SliceConv { bias: true, .. }) => {
                self.tensor(node, "bias").values.clone()
            }
            _ => vec![0.0; channels],
        };
        let Some(reader) = self.only_reader(id) else {
            return (weight, Tensor { shape: vec![channels], values: bias });
        };
        let values =
            |suffix: &str, channel: usize| f64::from(self.tensor(reader, suffix).values[channel]);
        let per_channel = weight.values.len() / channels;
        for (channel, bias) in bias.iter_mut().enumerate() {
            let (factor, mean, offset) = match reader.op {
                Op::BatchNorm(norm) => {
                    let deviation = (values("running_var", channel) + norm.eps).sqrt();
                    let factor = values("weight", channel) / deviation;
                    (factor, values("running_mean", channel), values("bias", channel))
                }
                Op::LayerScale => (values("gamma", channel), 0.0, 0.0),
                _ => break,
            };
            for value in &mut weight.values[channel * per_channel..][..per_channel] {
                *value = (f64::from(*value) * factor) as f32;
            }
            *bias = ((f64::from(*bias) - mean) * factor + offset) as f32;
        }
        (weight, Tensor { shape: vec![channels], values: bias })
    }

    fn batch_norm(&mut self, node: &Node, norm: BatchNorm, mut inputs: Vec<String>) -> String {
        for suffix in ["weight", "bias", "running_mean", "running_var"] {
            inputs.push(self.parameter(node, suffix));
        }
        self.push("BatchNormalization", node, inputs, vec![float("epsilon", norm.eps)])
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

pub(super) fn ints(name: &str, values: &[usize]) -> Attribute {
    let ints = values.iter().map(|&value| value as i64).collect();
    Attribute { name: name.to_owned(), ints, kind: 7, ..Attribute::default() }
}

pub(super) fn int(name: &str, value: i64) -> Attribute {
    Attribute { name: name.to_owned(), i: Some(value), kind: 2, ..Attribute::default() }
}

pub(super) fn text(name: &str, value: &str) -> Attribute {
    Attribute { name: name.to_owned(), s: Some(value.into()), kind: 3, ..Attribute::default() }
}

fn float(name: &str, value: f64) -> Attribute {
    Attribute { name: name.to_owned(), f: Some(value as f32), kind: 1, ..Attribute::default() }
}
