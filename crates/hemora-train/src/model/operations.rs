//! Each operation of a graph as libtorch operations.

use hemora_nn::{BatchNorm, Node, NodeId, Op, Padding, RunningVariance, pads};
use tch::{Kind, Tensor};

use super::network::{Mode, Model};
use super::sequence::{attend, in_columns, slice_conv, slice_linear};

/// log(mean(exp(s · x))) / s over rows and columns, of at least 32 bits.
fn log_mean_exp(input: &Tensor, sharpness: f64) -> Tensor {
    let kind = if input.kind() == Kind::Double { Kind::Double } else { Kind::Float };
    let flat = input.to_kind(kind).flatten(2, -1);
    let pixels = flat.size()[2] as f64;
    ((flat * sharpness).logsumexp([2i64].as_slice(), false) - pixels.ln()) / sharpness
}

impl Model {
    pub(super) fn apply(&self, id: NodeId, node: &Node, inputs: &[&Tensor], mode: Mode) -> Tensor {
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
            Op::Nearest { rows, columns } => {
                input.upsample_nearest2d([rows as i64, columns as i64], None, None)
            }
            Op::LogMeanExp { sharpness } => log_mean_exp(input, sharpness),
            Op::Mean => (input + inputs[1]) / 2.0,
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
            Op::Linear(_) if input.dim() == 4 => {
                slice_linear(&input.to_kind(kind), &parameter("weight"), &parameter("bias"))
            }
            Op::Linear(_) => {
                input.to_kind(kind).linear(&parameter("weight"), Some(parameter("bias")))
            }
            Op::Add if self.may_overwrite(node.inputs[0]) => {
                input.shallow_clone().g_add_(inputs[1])
            }
            Op::Add => input + inputs[1],
            Op::SliceConv(conv) => slice_conv(&input.to_kind(kind), conv, parameter),
            Op::Gru(gru) => self.gru(node, gru, input),
            Op::Attention(attention) => {
                attend(inputs, attention.heads, &parameter("distance"), kind)
            }
            Op::Channels { first, count } => input.narrow(1, first as i64, count as i64),
            Op::Columns { columns } => in_columns(input, columns as i64),
            Op::ChannelDropout { probability } => {
                input.feature_dropout(probability, mode == Mode::Train)
            }
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
}
