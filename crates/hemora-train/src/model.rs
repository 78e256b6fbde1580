//! A graph as libtorch operations.

use std::collections::BTreeMap;

use hemora_nn::{
    BatchNorm, Graph, Init, Node, NodeId, Op, Padding, Parameter, Role, RunningVariance, Weights,
    WeightsError, pads,
};
use tch::{Device, Kind, Tensor};

use crate::precision::Precision;

/// Whether batch norms use the batch's statistics and dropout is active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Batch statistics, running statistics are updated, dropout is active.
    Train,
    /// Running statistics, no dropout.
    Evaluate,
}

/// A network with its tensors on a device.
#[derive(Debug)]
pub struct Model {
    graph: Graph,
    device: Device,
    parameters: Vec<Parameter>,
    tensors: BTreeMap<String, Tensor>,
    precision: Precision,
    /// For each node the number of nodes that read it.
    readers: Vec<usize>,
    /// For each node the last node that reads it, so that memory is given back early.
    last_use: Vec<usize>,
}

impl Model {
    /// A network with fresh weights, drawn from the graph's initialisers with `seed`.
    pub fn fresh(graph: Graph, device: Device, seed: i64) -> Self {
        tch::manual_seed(seed);
        let tensors = graph.parameters().iter().map(|p| (p.name.clone(), draw(p))).collect();
        Self::assemble(graph, device, tensors)
    }

    /// A network with given weights.
    ///
    /// # Errors
    /// [`WeightsError`] if they do not fit the graph.
    pub fn with_weights(
        graph: Graph,
        weights: &Weights,
        device: Device,
    ) -> Result<Self, WeightsError> {
        weights.check(&graph)?;
        let tensors = graph
            .parameters()
            .into_iter()
            .map(|parameter| {
                let values = &weights.get(&parameter.name).expect("checked").values;
                let tensor = Tensor::from_slice(values).reshape(shape(&parameter));
                (parameter.name, tensor)
            })
            .collect();
        Ok(Self::assemble(graph, device, tensors))
    }

    fn assemble(graph: Graph, device: Device, tensors: BTreeMap<String, Tensor>) -> Self {
        let parameters = graph.parameters();
        let tensors = tensors
            .into_iter()
            .map(|(name, tensor)| (name, laid_out(&tensor.to(device))))
            .collect();
        let mut last_use: Vec<usize> = (0..graph.nodes().len()).collect();
        let mut readers = vec![0; graph.nodes().len()];
        for (id, node) in graph.iter() {
            for input in &node.inputs {
                last_use[input.index()] = id.index();
                readers[input.index()] += 1;
            }
        }
        let precision = Precision::F32;
        let model = Self { graph, device, parameters, tensors, precision, readers, last_use };
        for parameter in model.parameters.iter().filter(|p| p.role.is_trainable()) {
            let _ = model.tensor(&parameter.name).set_requires_grad(true);
        }
        model
    }

    /// The same model with convolutions and linear layers that compute in `precision`.
    pub fn computing_in(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// The graph.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Where the tensors are.
    pub fn device(&self) -> Device {
        self.device
    }

    /// The trained parameters and their tensors, in the order of the graph.
    pub fn trainable(&self) -> impl Iterator<Item = (&Parameter, &Tensor)> {
        self.parameters
            .iter()
            .filter(|parameter| parameter.role.is_trainable())
            .map(|parameter| (parameter, self.tensor(&parameter.name)))
    }

    /// The gradients of `loss`, one for each of [`Model::trainable`] in its order.
    pub fn gradients(&self, loss: &Tensor) -> Vec<Tensor> {
        let tensors: Vec<&Tensor> = self.trainable().map(|(_, tensor)| tensor).collect();
        Tensor::run_backward(&[loss], &tensors, false, false)
    }

    /// All tensors by parameter name, running statistics too.
    pub fn tensors(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// All tensors, in the order of their names; the same memory, not copies.
    pub fn all_tensors(&self) -> Vec<Tensor> {
        self.tensors.values().map(Tensor::shallow_clone).collect()
    }

    /// A copy of all weights.
    pub fn weights(&self) -> Weights {
        let mut weights = Weights::default();
        for (name, tensor) in &self.tensors {
            weights.insert(name, to_host(tensor));
        }
        weights
    }

    /// The values before the final sigmoid or softmax, `[N, units]`, of images `[N, C, H, W]`.
    pub fn logits(&self, images: &Tensor, mode: Mode) -> Tensor {
        self.forward(images, mode, None).0
    }

    /// The logits `[N, units]` of images, and what their linear layer reads, `[N, features]`: the
    /// pooled features; without dropout.
    pub fn logits_and_features(&self, images: &Tensor) -> (Tensor, Tensor) {
        let from = self.graph.node(self.graph.logits()).inputs[0];
        let (logits, features) = self.forward(images, Mode::Evaluate, Some(from));
        (logits, features.expect("read by the last layer").flatten(1, -1))
    }

    /// The logits, and the value of another node.
    fn forward(
        &self,
        images: &Tensor,
        mode: Mode,
        also: Option<NodeId>,
    ) -> (Tensor, Option<Tensor>) {
        let wanted = self.graph.logits();
        let mut kept = None;
        let mut values: Vec<Option<Tensor>> = Vec::with_capacity(self.graph.nodes().len());
        for (id, node) in self.graph.iter() {
            let inputs: Vec<&Tensor> = node
                .inputs
                .iter()
                .map(|input| values[input.index()].as_ref().expect("read before its last use"))
                .collect();
            let value = match node.op {
                Op::Input { .. } => laid_out(images),
                _ => self.apply(id, node, &inputs, mode),
            };
            if id == wanted {
                return (value, kept);
            }
            if Some(id) == also {
                kept = Some(value.shallow_clone());
            }
            values.push(Some(value));
            for input in &node.inputs {
                if self.last_use[input.index()] == id.index() {
                    values[input.index()] = None;
                }
            }
        }
        unreachable!("the logits are a node of the graph")
    }

    fn apply(&self, id: NodeId, node: &Node, inputs: &[&Tensor], mode: Mode) -> Tensor {
        let input = inputs[0];
        let kind = self.precision.kind();
        let parameter =
            |suffix: &str| self.tensor(&format!("{}.{suffix}", node.name)).to_kind(kind);
        match node.op {
            Op::Input { .. } => unreachable!("taken from the caller"),
            Op::Conv(conv) => {
                let bias = conv.bias.then(|| parameter("bias"));
                let input = &input.to_kind(kind);
                let (input, padding) =
                    self.pad(node, input, conv.padding, conv.kernel, conv.stride, 0.0);
                let stride = conv.stride as i64;
                input.conv2d(
                    &parameter("weight"),
                    bias,
                    [stride, stride],
                    [padding, padding],
                    [1, 1],
                    conv.groups as i64,
                )
            }
            Op::BatchNorm(norm) => self.batch_norm(node, norm, input, mode),
            Op::Relu if self.may_overwrite(node.inputs[0]) => input.shallow_clone().relu_(),
            Op::Relu => input.relu(),
            Op::Relu6 if self.may_overwrite(node.inputs[0]) => input.shallow_clone().relu6_(),
            Op::Relu6 => input.relu6(),
            Op::MaxPool(pool) => {
                let (input, padding) = self.pad(
                    node,
                    input,
                    pool.padding,
                    pool.kernel,
                    pool.stride,
                    f64::NEG_INFINITY,
                );
                let (kernel, stride) = (pool.kernel as i64, pool.stride as i64);
                let sides = |side| [side, side];
                input.max_pool2d(sides(kernel), sides(stride), sides(padding), [1, 1], false)
            }
            Op::AveragePool(pool) => {
                let (kernel, stride) = (pool.kernel as i64, pool.stride as i64);
                let sides = |side| [side, side];
                input.avg_pool2d(sides(kernel), sides(stride), [0, 0], false, true, None::<i64>)
            }
            Op::SpatialMean => input.mean_dim([2i64, 3].as_slice(), true, None),
            Op::LayerNorm { eps } => {
                let (weight, bias) = (Some(parameter("weight")), Some(parameter("bias")));
                let norm = |input: &Tensor| {
                    input.layer_norm([input.size()[input.dim() - 1]], weight, bias, eps, false)
                };
                // The channels of an image go last, where libtorch normalises, and back.
                match input.dim() {
                    4 => norm(&input.permute([0, 2, 3, 1])).permute([0, 3, 1, 2]),
                    _ => norm(input),
                }
            }
            Op::LayerScale => input * parameter("gamma").reshape([1, -1, 1, 1]),
            Op::Gelu => input.gelu("none"),
            Op::Multiply => input * inputs[1],
            Op::Concat => Tensor::cat(inputs, 1),
            Op::GlobalAveragePool => input.mean_dim([2i64, 3].as_slice(), false, None),
            Op::Flatten => input.flatten(1, -1),
            Op::Linear(_) => {
                input.to_kind(kind).linear(&parameter("weight"), Some(parameter("bias")))
            }
            Op::Add if self.may_overwrite(node.inputs[0]) => {
                input.shallow_clone().g_add_(inputs[1])
            }
            Op::Add => input + inputs[1],
            Op::Dropout { probability } => input.dropout(probability, mode == Mode::Train),
            Op::Sigmoid => input.sigmoid(),
            Op::Softmax => {
                debug_assert_eq!(self.graph.shape(id).len(), 1);
                input.softmax(1, Kind::Float)
            }
        }
    }

    /// Whether a node's value may be overwritten by the node that reads it: nobody else reads it, nor
    /// does the backward pass of the operation that made it.
    fn may_overwrite(&self, id: NodeId) -> bool {
        let made_by = &self.graph.nodes()[id.index()].op;
        self.readers[id.index()] == 1
            && matches!(made_by, Op::Conv(_) | Op::BatchNorm(_) | Op::Linear(_) | Op::Add)
    }

    /// libtorch pads both sides alike; TensorFlow's odd pixel is added by hand.
    fn pad(
        &self,
        node: &Node,
        input: &Tensor,
        padding: Padding,
        kernel: usize,
        stride: usize,
        value: f64,
    ) -> (Tensor, i64) {
        let shape = self.graph.shape(node.inputs[0]);
        let (top, bottom) = pads(padding, shape[1], kernel, stride);
        let (left, right) = pads(padding, shape[2], kernel, stride);
        if top == bottom && left == right && top == left {
            (input.shallow_clone(), top as i64)
        } else {
            let sides = [left, right, top, bottom].map(|side| side as i64);
            (input.pad(sides, "constant", Some(value)), 0)
        }
    }

    fn batch_norm(&self, node: &Node, norm: BatchNorm, input: &Tensor, mode: Mode) -> Tensor {
        let parameter = |suffix: &str| self.tensor(&format!("{}.{suffix}", node.name));
        let (weight, bias) = (Some(parameter("weight")), Some(parameter("bias")));
        let (mean, variance) = (parameter("running_mean"), parameter("running_var"));
        let run = |mean: &Tensor, variance: &Tensor, momentum| {
            let train = mode == Mode::Train;
            input.batch_norm(
                weight,
                bias,
                Some(mean),
                Some(variance),
                train,
                momentum,
                norm.eps,
                true,
            )
        };
        if mode == Mode::Evaluate || norm.running_variance == RunningVariance::Unbiased {
            return run(mean, variance, norm.momentum);
        }
        // libtorch keeps the variance over n − 1; a momentum of 1 hands out the batch's own, which
        // is brought to n before it joins the running one.
        let (batch_mean, batch_variance) = (mean.zeros_like(), variance.zeros_like());
        let output = run(&batch_mean, &batch_variance, 1.0);
        let size = input.size();
        let count = (size[0] * size[2] * size[3]) as f64;
        tch::no_grad(|| {
            let biased = batch_variance * ((count - 1.0) / count);
            let _ = mean.shallow_clone().lerp_(&batch_mean, norm.momentum);
            let _ = variance.shallow_clone().lerp_(&biased, norm.momentum);
        });
        output
    }

    /// A tensor by parameter name.
    pub fn tensor(&self, name: &str) -> &Tensor {
        self.tensors.get(name).expect("every parameter of the graph has a tensor")
    }
}

/// On a GPU the same values with a pixel's channels beside each other in memory, which cuDNN reads
/// faster; on the CPU as they are, where the other layout rounds batch norms' gradients worse.
fn laid_out(tensor: &Tensor) -> Tensor {
    if tensor.dim() != 4 || !tensor.device().is_cuda() {
        return tensor.shallow_clone();
    }
    tensor.permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2])
}

/// A tensor's shape and values, copied to the host as f32.
pub fn to_host(tensor: &Tensor) -> hemora_nn::Tensor {
    let flat = tensor.detach().to_device(Device::Cpu).to_kind(Kind::Float).contiguous().view(-1);
    let mut values = vec![0f32; flat.numel()];
    let length = values.len();
    flat.copy_data(&mut values, length);
    hemora_nn::Tensor {
        shape: tensor.size().into_iter().map(|size| size as usize).collect(),
        values,
    }
}

fn shape(parameter: &Parameter) -> Vec<i64> {
    parameter.shape.iter().map(|&size| size as i64).collect()
}

/// Probability that a normal number is within two deviations.
const WITHIN_TWO_DEVIATIONS: f64 = 0.954_499_736_103_641_6;

/// Standard deviation of a standard normal number that is: `scipy.stats.truncnorm(-2, 2).std()`.
const CUT_OFF_DEVIATION: f64 = 0.879_625_661_034_239_8;

fn draw(parameter: &Parameter) -> Tensor {
    let options = (Kind::Float, Device::Cpu);
    let (fan_in, fan_out) = parameter.fans();
    let deviation = |fan: usize| (2.0 / fan as f64).sqrt();
    match parameter.role {
        Role::Weight(Init::GlorotUniform) => {
            let bound = (6.0 / (fan_in + fan_out) as f64).sqrt();
            (Tensor::rand(shape(parameter), options) * 2.0 - 1.0) * bound
        }
        Role::Weight(Init::HeNormal) => {
            // Keras' normal is cut off at two deviations and widened so that the variance stays.
            let uniform =
                (Tensor::rand(shape(parameter), options) * 2.0 - 1.0) * WITHIN_TWO_DEVIATIONS;
            uniform.erfinv() * (std::f64::consts::SQRT_2 * deviation(fan_in) / CUT_OFF_DEVIATION)
        }
        Role::Weight(Init::HeNormalFanOut) => {
            Tensor::randn(shape(parameter), options) * deviation(fan_out)
        }
        Role::Weight(Init::SmallNormal) => Tensor::randn(shape(parameter), options) * 0.02,
        Role::LayerScale => Tensor::full(shape(parameter), 1e-6, options),
        Role::Bias | Role::RunningMean => Tensor::zeros(shape(parameter), options),
        Role::Scale | Role::RunningVariance => Tensor::ones(shape(parameter), options),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_weights_are_drawn_as_keras_and_timm_draw_them() {
        let draw = |init, shape: &[usize]| {
            let role = Role::Weight(init);
            tch::manual_seed(5);
            let tensor = draw(&Parameter { name: "w".to_owned(), shape: shape.to_vec(), role });
            let spread = tensor.square().mean(Kind::Double).sqrt().double_value(&[]);
            (spread, tensor.abs().max().double_value(&[]))
        };
        let near = |found: f64, expected: f64| {
            assert!((found / expected - 1.0).abs() < 0.02, "{found} {expected}")
        };
        // 64 × 9 inputs and 32 × 9 outputs.
        let conv = [32, 64, 3, 3];
        let (spread, most) = draw(Init::HeNormal, &conv);
        near(spread, (2.0f64 / 576.0).sqrt());
        near(most, 2.0 * (2.0f64 / 576.0).sqrt() / CUT_OFF_DEVIATION);
        let (spread, most) = draw(Init::HeNormalFanOut, &conv);
        near(spread, (2.0f64 / 288.0).sqrt());
        assert!(most > 3.5 * spread);
        let (spread, most) = draw(Init::GlorotUniform, &[100, 300]);
        near(most, (6.0f64 / 400.0).sqrt());
        near(spread, (2.0f64 / 400.0).sqrt());
    }
}
