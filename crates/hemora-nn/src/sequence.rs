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

/// Output shape where a slice's values are put in other columns.
pub(crate) fn columns_shape(columns: usize, input: &[usize]) -> Result<Vec<usize>, String> {
    let [channels, width] = sequence(input)?;
    let values = channels * width;
    match values.checked_rem(columns) {
        Some(0) => Ok(vec![values / columns, SLICES, columns]),
        _ => Err(format!("{values} values of a slice do not fill {columns} columns")),
    }
}
