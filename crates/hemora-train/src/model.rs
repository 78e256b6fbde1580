//! A graph as libtorch operations.

use std::collections::BTreeMap;

use hemora_nn::{
    BatchNorm, Graph, Init, Node, NodeId, Op, Padding, Parameter, Role, RunningVariance, Weights,
    WeightsError, pads,
};
use tch::{Device, Kind, Tensor};

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
        for (id, node) in graph.iter() {
            for input in &node.inputs {
                last_use[input.index()] = id.index();
            }
        }
        let model = Self { graph, device, parameters, tensors, last_use };
        for parameter in model.parameters.iter().filter(|p| p.role.is_trainable()) {
            let _ = model.tensor(&parameter.name).set_requires_grad(true);
        }
        model
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

    /// All tensors by parameter name, running statistics too.
    pub fn tensors(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))
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
        let wanted = self.graph.logits();
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
                return value;
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
        let parameter = |suffix: &str| self.tensor(&format!("{}.{suffix}", node.name));
        match node.op {
            Op::Input { .. } => unreachable!("taken from the caller"),
            Op::Conv(conv) => {
                let bias = conv.bias.then(|| parameter("bias"));
                let (input, padding) =
                    self.pad(node, input, conv.padding, conv.kernel, conv.stride, 0.0);
                let stride = conv.stride as i64;
                input.conv2d(
                    parameter("weight"),
                    bias,
                    [stride, stride],
                    [padding, padding],
                    [1, 1],
                    conv.groups as i64,
                )
            }
            Op::BatchNorm(norm) => self.batch_norm(node, norm, input, mode),
            Op::Relu => input.relu(),
            Op::Relu6 => input.clamp(0.0, 6.0),
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
            Op::SpatialMean => input.mean_dim([2i64, 3].as_slice(), true, Kind::Float),
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
            Op::GlobalAveragePool => input.mean_dim([2i64, 3].as_slice(), false, Kind::Float),
            Op::Flatten => input.flatten(1, -1),
            Op::Linear(_) => input.linear(parameter("weight"), Some(parameter("bias"))),
            Op::Add => input + inputs[1],
            Op::Dropout { probability } => input.dropout(probability, mode == Mode::Train),
            Op::Sigmoid => input.sigmoid(),
            Op::Softmax => {
                debug_assert_eq!(self.graph.shape(id).len(), 1);
                input.softmax(1, Kind::Float)
            }
        }
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

fn draw(parameter: &Parameter) -> Tensor {
    let options = (Kind::Float, Device::Cpu);
    let (fan_in, fan_out) = parameter.fans();
    let normal = |fan: usize| Tensor::randn(shape(parameter), options) * (2.0 / fan as f64).sqrt();
    match parameter.role {
        Role::Weight(Init::GlorotUniform) => {
            let bound = (6.0 / (fan_in + fan_out) as f64).sqrt();
            (Tensor::rand(shape(parameter), options) * 2.0 - 1.0) * bound
        }
        Role::Weight(Init::HeNormal) => normal(fan_in),
        Role::Weight(Init::HeNormalFanOut) => normal(fan_out),
        Role::Weight(Init::SmallNormal) => Tensor::randn(shape(parameter), options) * 0.02,
        Role::LayerScale => Tensor::full(shape(parameter), 1e-6, options),
        Role::Bias | Role::RunningMean => Tensor::zeros(shape(parameter), options),
        Role::Scale | Role::RunningVariance => Tensor::ones(shape(parameter), options),
    }
}
