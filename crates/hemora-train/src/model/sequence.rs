//! Operations on sequences, which are images `[N, channels, slices, columns]` here.

use hemora_nn::{Attention, Gru, Node, SliceConv};
use tch::{Kind, Tensor};

use super::network::Model;

/// A sequence `[N, slices, columns]` as an image of one column.
pub(super) fn channels_first(slices: &Tensor) -> Tensor {
    slices.transpose(1, 2).unsqueeze(3)
}

/// An image as `[N, slices, values]`, a slice's values channel by channel.
pub(super) fn slices_first(image: &Tensor) -> Tensor {
    image.transpose(1, 2).flatten(2, 3)
}

/// A slice's values in another number of columns.
pub(super) fn in_columns(image: &Tensor, columns: i64) -> Tensor {
    let size = image.size();
    image.transpose(1, 2).reshape([size[0], size[2], -1, columns]).transpose(1, 2)
}

pub(super) fn slice_conv(
    input: &Tensor,
    conv: SliceConv,
    parameter: impl Fn(&str) -> Tensor,
) -> Tensor {
    let bias = conv.bias.then(|| parameter("bias"));
    let (padding, dilation) = (conv.padding() as i64, conv.dilation as i64);
    let weight = parameter("weight").unsqueeze(3);
    input.conv2d(&weight, bias, [1, 1], [padding, 0], [dilation, 1], 1)
}

pub(super) fn slice_linear(input: &Tensor, weight: &Tensor, bias: &Tensor) -> Tensor {
    let weight = weight.unsqueeze(2).unsqueeze(3);
    input.conv2d(&weight, Some(bias), [1, 1], [0, 0], [1, 1], 1)
}

/// Attention among slices: queries, keys, values and positions.
pub(super) fn attend(inputs: &[&Tensor], heads: usize, distance: &Tensor, kind: Kind) -> Tensor {
    let size = inputs[0].size();
    // [N, heads, slices, channels of each].
    let divided = |value: &Tensor| {
        value.reshape([size[0], heads as i64, -1, size[2]]).transpose(2, 3).to_kind(kind)
    };
    let positions = inputs[3].squeeze_dim(3).squeeze_dim(1);
    let apart = positions.unsqueeze(2) - positions.unsqueeze(1);
    let column = |part: usize| {
        Tensor::from_slice(&Attention::bells().map(|bell| bell[part])).to(positions.device())
    };
    let bells = (-((apart.unsqueeze(3) - column(0)) / column(1)).square()).exp();
    let bias = bells.to_kind(kind).matmul(&distance.transpose(0, 1)).permute([0, 3, 1, 2]);
    let [queries, keys, values] = [inputs[0], inputs[1], inputs[2]].map(divided);
    let each = queries.size()[3] as f64;
    let scores = queries.matmul(&keys.transpose(2, 3)) / each.sqrt() + bias;
    let mixed = scores.softmax(-1, kind).matmul(&values);
    mixed.transpose(2, 3).reshape([size[0], size[1], size[2], 1])
}

impl Model {
    /// In 32 bits whatever the model computes in: its sums run through all slices.
    pub(super) fn gru(&self, node: &Node, gru: Gru, input: &Tensor) -> Tensor {
        let vectors = slices_first(input).to_kind(Kind::Float).contiguous();
        let mut parameters = Vec::with_capacity(8 * gru.layers);
        for layer in 0..gru.layers {
            for suffix in Gru::suffixes(layer) {
                for kind in ["weight_ih", "weight_hh", "bias_ih", "bias_hh"] {
                    parameters.push(self.tensor(&format!("{}.{kind}_{suffix}", node.name)));
                }
            }
        }
        let (layers, hidden) = (gru.layers as i64, gru.hidden as i64);
        let state =
            Tensor::zeros([2 * layers, vectors.size()[0], hidden], (Kind::Float, self.device()));
        // Training differs from evaluation only in what cuDNN keeps for the backward pass.
        let (output, _) = vectors.gru(&state, &parameters, true, layers, 0.0, true, true, true);
        channels_first(&output)
    }
}
