//! A graph with tensors, and how they are read and run.

use std::collections::BTreeMap;

use hemora_nn::{DenseHead, Graph, NodeId, Op, Parameter, Weights, WeightsError};
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use super::draw::{draw, shape};
use super::precision::Precision;
use super::sequence::{channels_first, slices_first};

/// Whether batch norms use the batch's statistics and dropout is active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Batch statistics, running statistics are updated, dropout is active.
    Train,
    /// Running statistics, no dropout.
    Evaluate,
}

/// How the values of images and of the weights of convolutions lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// A pixel's channels beside each other, which convolutions read faster. On a CPU, libtorch sums
    /// the gradients of batch norms a little less precisely so.
    ChannelsLast,
    /// Channel by channel.
    Planar,
}

/// Log odds that a network with a dense head gives of images, of 32 bits or more.
#[derive(Debug)]
pub struct DenseLogits {
    /// Of each label in each part of the image, `[N, labels, rows, columns]`.
    pub maps: Tensor,
    /// Of the labels, of the maps, `[N, labels]`.
    pub of_maps: Tensor,
    /// Of the labels, of the pooled features, `[N, labels]`. The network's own are the mean of both.
    pub of_features: Tensor,
}

/// A network with its tensors on a device.
#[derive(Debug)]
pub struct Model {
    pub(super) graph: Graph,
    device: Device,
    parameters: Vec<Parameter>,
    tensors: BTreeMap<String, Tensor>,
    pub(super) precision: Precision,
    layout: Layout,
    /// For each node the number of nodes that read it.
    pub(super) readers: Vec<usize>,
    /// For each node the last node that reads it, so that memory is given back early.
    last_use: Vec<usize>,
    /// The network of series that is trained with this one, on its features.
    series: Option<Box<Model>>,
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
        let tensors = tensors.into_iter().map(|(name, tensor)| (name, tensor.to(device))).collect();
        let mut last_use: Vec<usize> = (0..graph.nodes().len()).collect();
        let mut readers = vec![0; graph.nodes().len()];
        for (id, node) in graph.iter() {
            for input in &node.inputs {
                last_use[input.index()] = id.index();
                readers[input.index()] += 1;
            }
        }
        let (precision, layout) = (Precision::F32, Layout::Planar);
        let model = Self {
            graph,
            device,
            parameters,
            tensors,
            precision,
            layout,
            readers,
            last_use,
            series: None,
        };
        model.require_gradients();
        model
    }

    /// The same network, of 32 bits, with other weights.
    ///
    /// # Errors
    /// [`WeightsError`] if they do not fit.
    pub fn again(&self, weights: &Weights) -> Result<Self, WeightsError> {
        let model = Self::with_weights(self.graph.clone(), weights, self.device)?;
        let series = self.series.as_ref().map(|series| series.again(weights)).transpose()?;
        Ok(Self { series: series.map(Box::new), ..model }.laid_out(self.layout))
    }

    /// This network of images with one of series that reads its features: from now on its parameters
    /// are this model's as well. No node may have one name in both graphs.
    pub fn with_series(self, series: Model) -> Self {
        Self { series: Some(Box::new(series)), ..self }
    }

    /// The network of series that is trained with this one.
    pub fn series(&self) -> Option<&Model> {
        self.series.as_deref()
    }

    /// This network, and that of series.
    fn networks(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(self.series())
    }

    fn require_gradients(&self) {
        for parameter in self.parameters.iter().filter(|p| p.role.is_trainable()) {
            let _ = self.tensor(&parameter.name).set_requires_grad(true);
        }
    }

    /// The same model with its tensors, and the images that it is given, in another layout.
    pub fn laid_out(mut self, layout: Layout) -> Self {
        self.layout = layout;
        for tensor in self.tensors.values_mut() {
            *tensor = arranged(&tensor.detach(), layout);
        }
        self.series = self.series.map(|series| Box::new(series.laid_out(layout)));
        self.require_gradients();
        self
    }

    /// How its tensors lie in memory.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The same model with convolutions and linear layers that compute in `precision`.
    pub fn computing_in(mut self, precision: Precision) -> Self {
        self.series = self.series.map(|series| Box::new(series.computing_in(precision)));
        self.precision = precision;
        if precision == Precision::F64 {
            for tensor in self.tensors.values_mut() {
                *tensor = tensor.detach().to_kind(precision.kind());
            }
            self.require_gradients();
        }
        self
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
        self.networks().flat_map(|network| {
            let trained = network.parameters.iter().filter(|it| it.role.is_trainable());
            trained.map(|parameter| (parameter, network.tensor(&parameter.name)))
        })
    }

    /// The gradients of `loss`, one for each of [`Model::trainable`] in its order.
    pub fn gradients(&self, loss: &Tensor) -> Vec<Tensor> {
        let tensors: Vec<&Tensor> = self.trainable().map(|(_, tensor)| tensor).collect();
        Tensor::run_backward(&[loss], &tensors, false, false)
    }

    /// All tensors by parameter name, running statistics too.
    pub fn tensors(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        let all = self.networks().flat_map(|network| &network.tensors);
        all.map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// All tensors, in the same order; the same memory, not copies.
    pub fn all_tensors(&self) -> Vec<Tensor> {
        self.tensors().map(|(_, tensor)| tensor.shallow_clone()).collect()
    }

    /// A copy of all weights.
    pub fn weights(&self) -> Weights {
        host_weights(self.tensors())
    }

    /// The values before the final sigmoid or softmax, `[N, units]`, of images `[N, C, H, W]`; of
    /// sequences `[N, slices, columns]` `[N, slices, units]`.
    pub fn logits(&self, input: &Tensor, mode: Mode) -> Tensor {
        if self.graph.reads_sequences() {
            let [logits] = self.run(&channels_first(input), mode, [self.graph.logits()]);
            slices_first(&logits)
        } else {
            let [logits] = self.run(&arranged(input, self.layout), mode, [self.graph.logits()]);
            logits
        }
    }

    /// The logits `[N, units]` of images, and the pooled features that their linear layer reads,
    /// `[N, features]`, before dropout.
    pub fn logits_and_features(&self, images: &Tensor, mode: Mode) -> (Tensor, Tensor) {
        let wanted = [self.graph.logits(), self.graph.pooled()];
        let [logits, features] = self.run(&arranged(images, self.layout), mode, wanted);
        (logits, features.flatten(1, -1))
    }

    /// What a network with a dense head says of images; `None` of one without.
    pub fn dense(&self, images: &Tensor, mode: Mode) -> Option<DenseLogits> {
        let DenseHead { maps, of_maps, of_features } = self.graph.dense()?;
        let wanted = [maps, of_maps, of_features];
        let [maps, of_maps, of_features] = self
            .run(&arranged(images, self.layout), mode, wanted)
            .map(|logits| match logits.kind() {
                Kind::Double => logits,
                _ => logits.to_kind(Kind::Float),
            });
        Some(DenseLogits { maps, of_maps, of_features })
    }

    /// The values of some nodes.
    fn run<const COUNT: usize>(
        &self,
        input: &Tensor,
        mode: Mode,
        wanted: [NodeId; COUNT],
    ) -> [Tensor; COUNT] {
        let last = wanted.iter().max().map_or(0, |id| id.index());
        let mut kept = [const { None }; COUNT];
        let mut values: Vec<Option<Tensor>> = Vec::with_capacity(last + 1);
        for (id, node) in self.graph.iter().take(last + 1) {
            let inputs: Vec<&Tensor> = node
                .inputs
                .iter()
                .map(|input| values[input.index()].as_ref().expect("read before its last use"))
                .collect();
            let value = match node.op {
                Op::Input { .. } => input.shallow_clone(),
                _ => self.apply(id, node, &inputs, mode),
            };
            for (kept, _) in kept.iter_mut().zip(wanted).filter(|(_, wanted)| *wanted == id) {
                *kept = Some(value.shallow_clone());
            }
            values.push(Some(value));
            for input in &node.inputs {
                if self.last_use[input.index()] == id.index() {
                    values[input.index()] = None;
                }
            }
        }
        kept.map(|value| value.expect("a node of the graph"))
    }

    /// A tensor by parameter name.
    pub fn tensor(&self, name: &str) -> &Tensor {
        self.tensors.get(name).expect("every parameter of the graph has a tensor")
    }
}

/// The same values of images or of a convolution's weights in a layout.
fn arranged(tensor: &Tensor, layout: Layout) -> Tensor {
    match layout {
        Layout::ChannelsLast if tensor.dim() == 4 => {
            tensor.permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2])
        }
        _ => tensor.contiguous(),
    }
}

/// A copy of named tensors on the host.
pub(crate) fn host_weights<'a>(
    tensors: impl IntoIterator<Item = (&'a str, &'a Tensor)>,
) -> Weights {
    let mut weights = Weights::default();
    for (name, tensor) in tensors {
        weights.insert(name, to_host(tensor));
    }
    weights
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
