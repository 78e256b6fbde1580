//! Shape inference and its errors.

use crate::{Op, Padding};

/// Why a layer cannot follow what feeds it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("layer `{layer}`: {problem}")]
pub struct GraphError {
    /// Name of the layer.
    pub layer: String,
    /// What does not fit.
    pub problem: String,
}

/// Pixels of padding before and after one dimension of `input` pixels.
pub fn pads(padding: Padding, input: usize, kernel: usize, stride: usize) -> (usize, usize) {
    match padding {
        Padding::Valid => (0, 0),
        Padding::All(pixels) => (pixels, pixels),
        Padding::Same => {
            let output = input.div_ceil(stride);
            let total = ((output - 1) * stride + kernel).saturating_sub(input);
            (total / 2, total - total / 2)
        }
    }
}

/// Output shape of `op` on `inputs`, or what does not fit.
pub(crate) fn infer(op: &Op, inputs: &[&[usize]]) -> Result<Vec<usize>, String> {
    let expected = match op {
        Op::Input { .. } => 0,
        Op::Add => 2,
        _ => 1,
    };
    if inputs.len() != expected {
        return Err(format!("has {} inputs, expected {expected}", inputs.len()));
    }
    match *op {
        Op::Input { shape } => {
            if shape.contains(&0) {
                return Err(format!("input shape {shape:?} has a dimension of 0"));
            }
            Ok(shape.to_vec())
        }
        Op::Conv(conv) => {
            let [channels, rows, columns] = image(inputs[0])?;
            let groups = conv.groups;
            if groups == 0 || channels % groups != 0 || conv.channels % groups != 0 {
                return Err(format!(
                    "{groups} groups do not divide {channels} input and {} output channels",
                    conv.channels
                ));
            }
            let size = |pixels| slide(pixels, conv.kernel, conv.stride, conv.padding);
            Ok(vec![conv.channels, size(rows)?, size(columns)?])
        }
        Op::MaxPool(pool) => {
            let [channels, rows, columns] = image(inputs[0])?;
            let size = |pixels| slide(pixels, pool.kernel, pool.stride, pool.padding);
            Ok(vec![channels, size(rows)?, size(columns)?])
        }
        Op::BatchNorm(_) => image(inputs[0]).map(|shape| shape.to_vec()),
        Op::GlobalAveragePool => image(inputs[0]).map(|[channels, _, _]| vec![channels]),
        Op::Flatten => image(inputs[0]).map(|shape| vec![shape.iter().product()]),
        Op::Linear(linear) => match inputs[0] {
            [_] => Ok(vec![linear.units]),
            other => Err(format!("needs a vector, got shape {other:?}; flatten or pool first")),
        },
        Op::Add if inputs[0] != inputs[1] => {
            Err(format!("cannot add shapes {:?} and {:?}", inputs[0], inputs[1]))
        }
        Op::Softmax if inputs[0].len() != 1 => {
            Err(format!("needs a vector, got shape {:?}", inputs[0]))
        }
        Op::Relu | Op::Relu6 | Op::Add | Op::Dropout { .. } | Op::Sigmoid | Op::Softmax => {
            Ok(inputs[0].to_vec())
        }
    }
}

fn image(shape: &[usize]) -> Result<[usize; 3], String> {
    shape.try_into().map_err(|_| format!("needs an image [channels, rows, columns], got {shape:?}"))
}

fn slide(input: usize, kernel: usize, stride: usize, padding: Padding) -> Result<usize, String> {
    if kernel == 0 || stride == 0 {
        return Err(format!("kernel {kernel} and stride {stride} must be at least 1"));
    }
    let (before, after) = pads(padding, input, kernel, stride);
    match (input + before + after).checked_sub(kernel) {
        Some(room) => Ok(room / stride + 1),
        None => Err(format!("a kernel of {kernel} does not fit into {input} pixels")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_padding_puts_the_odd_pixel_last() {
        // TensorFlow: 224 → 112 with a 3×3 kernel and stride 2 pads (0, 1).
        assert_eq!(pads(Padding::Same, 224, 3, 2), (0, 1));
        assert_eq!(pads(Padding::Same, 225, 3, 2), (1, 1));
        assert_eq!(pads(Padding::Same, 7, 5, 1), (2, 2));
        assert_eq!(pads(Padding::Same, 4, 1, 2), (0, 0));
    }
}
