//! Operations on sequences: the slices of a series, one after the other.
//!
//! A sequence is `[channels, slices, columns]`, as an image whose rows are slices; the number of
//! slices is 0 in shapes, since it differs from series to series. A network of sequences takes
//! `[N, slices, columns]` and gives `[N, slices, labels]`; inside, a slice's columns are channels.

use crate::parameters::ParameterOf;
use crate::{Init, Parameter, Role};

/// Number of slices in a shape: not known before a series is.
pub(crate) const SLICES: usize = 0;

/// A convolution over slices, the same for every column; its output has as many slices.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SliceConv {
    /// Output channels.
    pub channels: usize,
    /// Slices that feed one output, an odd number.
    pub kernel: usize,
    /// Distance between them, slices.
    pub dilation: usize,
    /// Whether a bias is added.
    pub bias: bool,
    /// How fresh weights are drawn; biases start at 0.
    pub init: Init,
}

impl SliceConv {
    /// Slices of zeros that are added at either end.
    pub fn padding(self) -> usize {
        self.kernel / 2 * self.dilation
    }
}

/// A gated recurrent unit that reads the slices in both directions, as PyTorch's `GRU` does (gates
/// in the order reset, update, new). A slice's channels and columns are one vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gru {
    /// Units in each direction; the output has twice as many channels.
    pub hidden: usize,
    /// Layers, each of which reads both directions of the one before.
    pub layers: usize,
}

/// Attention of each slice to all slices of the series, itself too. Its inputs are queries, keys and
/// values `[channels, slices, 1]` and the slices' positions along the normal `[1, slices, 1]`, in units
/// of 10 mm; to each head's scores is added what it has learned of the distance
/// between two slices, a sum of bells around [`Attention::bells`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attention {
    /// Heads, among which the channels are divided.
    pub heads: usize,
}

impl Attention {
    /// Number of bells.
    pub const BELLS: usize = 13;

    /// Distances in the middle of the bells and their widths, in units: from 5 to 160 mm to either
    /// side, each twice as far as the one before and as wide as half its distance.
    pub fn bells() -> [[f32; 2]; Self::BELLS] {
        let mut bells = [[0.0, 0.25]; Self::BELLS];
        for (index, distance) in [0.5, 1.0, 2.0, 4.0, 8.0, 16.0].into_iter().enumerate() {
            bells[1 + 2 * index] = [distance, distance / 2.0];
            bells[2 + 2 * index] = [-distance, distance / 2.0];
        }
        bells
    }

    /// What heads know of distances at the start, `[heads, bells]`: each looks four times as far as
    /// the one before, the first at what lies within 5 mm. Slices nearby show the same bleed.
    pub fn start(heads: usize) -> Vec<f32> {
        const NEAR: f32 = 3.0;
        let reach = |head: usize| 0.5 * 4f32.powi(head.min(16) as i32);
        let row = |head| {
            Self::bells().map(|[middle, _]| if middle.abs() <= reach(head) { NEAR } else { 0.0 })
        };
        (0..heads).flat_map(row).collect()
    }
}

/// Gates of a gated recurrent unit.
const GATES: usize = 3;

impl Gru {
    /// Suffixes of a layer's parameters, one a direction: PyTorch's.
    pub fn suffixes(layer: usize) -> [String; 2] {
        [format!("l{layer}"), format!("l{layer}_reverse")]
    }

    /// PyTorch's parameters in its order, for vectors of `inputs` values.
    pub(crate) fn parameters(self, inputs: usize, parameter: &ParameterOf) -> Vec<Parameter> {
        let rows = GATES * self.hidden;
        let mut parameters = Vec::new();
        for layer in 0..self.layers {
            let inputs = if layer == 0 { inputs } else { 2 * self.hidden };
            for suffix in Self::suffixes(layer) {
                let mut push = |kind: &str, shape: Vec<usize>, role| {
                    parameters.push(parameter(&format!("{kind}_{suffix}"), shape, role));
                };
                push("weight_ih", vec![rows, inputs], Role::Weight(Init::Recurrent));
                push("weight_hh", vec![rows, self.hidden], Role::Weight(Init::Recurrent));
                push("bias_ih", vec![rows], Role::Bias);
                push("bias_hh", vec![rows], Role::Bias);
            }
        }
        parameters
    }
}

/// A sequence's channels and columns.
pub(crate) fn sequence(shape: &[usize]) -> Result<[usize; 2], String> {
    match *shape {
        [channels, SLICES, columns] => Ok([channels, columns]),
        _ => Err(format!("needs a sequence [channels, slices, columns], got {shape:?}")),
    }
}

/// Output shape of a convolution over slices.
pub(crate) fn conv_shape(conv: SliceConv, input: &[usize]) -> Result<Vec<usize>, String> {
    let [_, columns] = sequence(input)?;
    if conv.kernel.is_multiple_of(2) || conv.dilation == 0 || conv.channels == 0 {
        return Err(format!(
            "kernel {}, dilation {} and {} channels: expected an odd kernel and the others above 0",
            conv.kernel, conv.dilation, conv.channels
        ));
    }
    Ok(vec![conv.channels, SLICES, columns])
}

/// Output shape of a recurrent layer.
pub(crate) fn gru_shape(gru: Gru, input: &[usize]) -> Result<Vec<usize>, String> {
    sequence(input)?;
    if gru.hidden == 0 || gru.layers == 0 {
        return Err(format!("{} units in {} layers", gru.hidden, gru.layers));
    }
    Ok(vec![2 * gru.hidden, SLICES, 1])
}

/// Output shape of attention.
pub(crate) fn attention_shape(
    attention: Attention,
    inputs: &[&[usize]],
) -> Result<Vec<usize>, String> {
    let [queries, _] = sequence(inputs[0])?;
    if inputs[..3].iter().any(|it| **it != [queries, SLICES, 1]) || *inputs[3] != [1, SLICES, 1] {
        return Err(format!(
            "needs queries, keys and values of one shape and one position a slice, got {inputs:?}"
        ));
    }
    match queries.checked_rem(attention.heads) {
        Some(0) => Ok(inputs[2].to_vec()),
        _ => Err(format!("{} heads do not divide {queries} channels", attention.heads)),
    }
}

/// Output shape of some of the channels.
pub(crate) fn channels_shape(
    first: usize,
    count: usize,
    input: &[usize],
) -> Result<Vec<usize>, String> {
    let [channels, columns] = sequence(input)?;
    if count == 0 || first.checked_add(count).is_none_or(|end| end > channels) {
        return Err(format!("{count} channels from {first} are not among {channels}"));
    }
    Ok(vec![count, SLICES, columns])
}

/// Output shape where a slice's values move to other columns.
pub(crate) fn columns_shape(columns: usize, input: &[usize]) -> Result<Vec<usize>, String> {
    let [channels, width] = sequence(input)?;
    let values = channels * width;
    match values.checked_rem(columns) {
        Some(0) => Ok(vec![values / columns, SLICES, columns]),
        _ => Err(format!("{values} values of a slice do not fill {columns} columns")),
    }
}
