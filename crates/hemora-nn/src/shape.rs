//! Shape inference and its errors.

use crate::sequence::{
    SLICES, attention_shape, channels_shape, columns_shape, conv_shape, gru_shape, sequence,
};
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
        Padding::Ceil => {
            let steps = input.saturating_sub(kernel).div_ceil(stride);
            (0, (steps * stride + kernel).saturating_sub(input))
        }
    }
}

/// Output shape of `op` on `inputs`, or what does not fit.
pub(crate) fn infer(op: &Op, inputs: &[&[usize]]) -> Result<Vec<usize>, String> {
    let (fewest, most) = match op {
        Op::Input { .. } => (0, 0),
        Op::Add | Op::Mean | Op::Multiply => (2, 2),
        Op::Concat => (2, usize::MAX),
        Op::Attention(_) => (4, 4),
        _ => (1, 1),
    };
    if !(fewest..=most).contains(&inputs.len()) {
        let expected =
            if most == usize::MAX { format!("{fewest} or more") } else { fewest.to_string() };
        return Err(format!("has {} inputs, expected {expected}", inputs.len()));
    }
    match *op {
        Op::Input { shape } => {
            let is_sequence = shape[0] > 0 && shape[1..] == [SLICES, 1];
            if shape.contains(&0) && !is_sequence {
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
        Op::AveragePool(pool) => {
            let [channels, rows, columns] = image(inputs[0])?;
            let size = |pixels| slide(pixels, pool.kernel, pool.stride, Padding::Valid);
            Ok(vec![channels, size(rows)?, size(columns)?])
        }
        Op::BatchNorm(_) | Op::LayerScale => image_or_sequence(inputs[0]),
        Op::LayerNorm { .. } if inputs[0].len() != 1 => image_or_sequence(inputs[0]),
        Op::Nearest { rows, columns } => {
            let [channels, _, _] = image(inputs[0])?;
            if rows == 0 || columns == 0 {
                return Err(format!("{rows} × {columns} pixels; expected at least one"));
            }
            Ok(vec![channels, rows, columns])
        }
        Op::LogMeanExp { sharpness } if sharpness <= 0.0 || !sharpness.is_finite() => {
            Err(format!("sharpness {sharpness}; expected a number above 0"))
        }
        Op::LogMeanExp { .. } => image(inputs[0]).map(|[channels, _, _]| vec![channels]),
        Op::SpatialMean => image(inputs[0]).map(|[channels, _, _]| vec![channels, 1, 1]),
        Op::GlobalAveragePool => image(inputs[0]).map(|[channels, _, _]| vec![channels]),
        Op::Flatten => image(inputs[0]).map(|shape| vec![shape.iter().product()]),
        Op::Linear(linear) => match inputs[0] {
            [_] => Ok(vec![linear.units]),
            [_, SLICES, 1] => Ok(vec![linear.units, SLICES, 1]),
            other => Err(format!("needs a vector, got shape {other:?}; flatten or pool first")),
        },
        Op::SliceConv(conv) => conv_shape(conv, inputs[0]),
        Op::Gru(gru) => gru_shape(gru, inputs[0]),
        Op::Attention(attention) => attention_shape(attention, inputs),
        Op::Channels { first, count } => channels_shape(first, count, inputs[0]),
        Op::Columns { columns } => columns_shape(columns, inputs[0]),
        Op::ChannelDropout { .. } => sequence(inputs[0]).map(|_| inputs[0].to_vec()),
        Op::Add | Op::Mean if inputs[0] != inputs[1] => {
            Err(format!("cannot add shapes {:?} and {:?}", inputs[0], inputs[1]))
        }
        Op::Multiply => match (inputs[0], inputs[1]) {
            (a, b) if a == b => Ok(a.to_vec()),
            ([channels, rows, columns], [factors, 1, 1]) if channels == factors => {
                Ok(vec![*channels, *rows, *columns])
            }
            (a, b) => Err(format!("cannot multiply shapes {a:?} and {b:?}")),
        },
        Op::Concat => {
            let rest = &inputs[0][1..];
            if let Some(other) = inputs.iter().find(|shape| &shape[1..] != rest) {
                return Err(format!("cannot concatenate {:?} and {other:?}", inputs[0]));
            }
            let channels = inputs.iter().map(|shape| shape[0]).sum();
            Ok([&[channels], rest].concat())
        }
        Op::Softmax if inputs[0].len() != 1 => {
            Err(format!("needs a vector, got shape {:?}", inputs[0]))
        }
        Op::Relu
        | Op::Relu6
        | Op::Gelu
        | Op::LayerNorm { .. }
        | Op::Add
        | Op::Mean
        | Op::Dropout { .. }
        | Op::Sigmoid
        | Op::Softmax => Ok(inputs[0].to_vec()),
    }
}

fn image(shape: &[usize]) -> Result<[usize; 3], String> {
    match *shape {
        [channels, rows, columns] if rows != SLICES => Ok([channels, rows, columns]),
        _ => Err(format!("needs an image [channels, rows, columns], got {shape:?}")),
    }
}

fn image_or_sequence(shape: &[usize]) -> Result<Vec<usize>, String> {
    image(shape).map(|shape| shape.to_vec()).or_else(|reason| match sequence(shape) {
        Ok(_) => Ok(shape.to_vec()),
        Err(_) => Err(reason),
    })
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

    #[test]
    fn ceil_padding_covers_every_pixel() {
        // PyTorch's ceil_mode: 112 pixels make 56 windows of 3, the last one over the edge.
        assert_eq!(pads(Padding::Ceil, 112, 3, 2), (0, 1));
        assert_eq!(slide(112, 3, 2, Padding::Ceil), Ok(56));
        assert_eq!(pads(Padding::Ceil, 113, 3, 2), (0, 0));
        assert_eq!(slide(113, 3, 2, Padding::Ceil), Ok(56));
        assert_eq!(slide(2, 3, 2, Padding::Ceil), Ok(1));
    }

    #[test]
    fn products_and_concatenations_fit_or_are_refused() {
        let (image, factor): (&[usize], &[usize]) = (&[8, 5, 4], &[8, 1, 1]);
        assert_eq!(infer(&Op::SpatialMean, &[image]), Ok(factor.to_vec()));
        assert_eq!(infer(&Op::Multiply, &[image, factor]), Ok(image.to_vec()));
        assert_eq!(infer(&Op::Concat, &[image, &[2, 5, 4], image]), Ok(vec![18, 5, 4]));
        for (op, shapes, message) in [
            (Op::Multiply, vec![factor, image], "cannot multiply"),
            (Op::Multiply, vec![image, &[4, 1, 1]], "cannot multiply"),
            (Op::Concat, vec![image, &[8, 4, 4]], "cannot concatenate"),
            (Op::Concat, vec![image], "expected 2 or more"),
            (Op::LayerScale, vec![&[8]], "needs an image"),
            (Op::AveragePool(crate::AveragePool { kernel: 5, stride: 1 }), vec![image], "fit into"),
        ] {
            let error = infer(&op, &shapes).unwrap_err();
            assert!(error.contains(message), "{op:?}: {error}");
        }
        assert_eq!(infer(&Op::LayerNorm { eps: 1e-6 }, &[&[8]]), Ok(vec![8]));
    }

    #[test]
    fn sequences_fit_what_reads_them() {
        use crate::{Conv, Gru, Init, Linear, SliceConv};
        let init = Init::TorchUniform;
        let conv = SliceConv { channels: 4, kernel: 3, dilation: 2, bias: false, init };
        let one: &[usize] = &[12, 0, 1];
        let wide: &[usize] = &[2, 0, 6];
        assert_eq!(infer(&Op::Columns { columns: 6 }, &[one]), Ok(wide.to_vec()));
        assert_eq!(infer(&Op::Columns { columns: 1 }, &[wide]), Ok(one.to_vec()));
        assert_eq!(infer(&Op::SliceConv(conv), &[wide]), Ok(vec![4, 0, 6]));
        assert_eq!(infer(&Op::Gru(Gru { hidden: 5, layers: 2 }), &[wide]), Ok(vec![10, 0, 1]));
        assert_eq!(infer(&Op::Linear(Linear { units: 6, init }), &[one]), Ok(vec![6, 0, 1]));
        assert_eq!(infer(&Op::Add, &[one, one]), Ok(one.to_vec()));
        let pixels = Conv {
            channels: 4,
            kernel: 1,
            stride: 1,
            padding: Padding::Same,
            groups: 1,
            bias: true,
            init,
        };
        let heads = |heads| Op::Attention(crate::Attention { heads });
        let position: &[usize] = &[1, 0, 1];
        assert_eq!(infer(&heads(4), &[one, one, one, position]), Ok(one.to_vec()));
        for (op, inputs, message) in [
            (heads(5), [one, one, one, position], "5 heads do not divide 12"),
            (heads(0), [one, one, one, position], "0 heads do not divide"),
            (heads(4), [one, position, one, position], "of one shape"),
            (heads(4), [one, one, one, one], "one position a slice"),
        ] {
            let error = infer(&op, &inputs).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
        let some = |first, count| infer(&Op::Channels { first, count }, &[one]);
        assert_eq!(some(11, 1), Ok(position.to_vec()));
        assert!(some(11, 2).unwrap_err().contains("not among 12"));
        let even = Op::SliceConv(SliceConv { kernel: 2, ..conv });
        for (op, shape, message) in [
            (Op::Input { shape: [3, 0, 2] }, None, "dimension of 0"),
            (Op::Conv(pixels), Some(one), "needs an image"),
            (Op::GlobalAveragePool, Some(one), "needs an image"),
            (Op::Flatten, Some(one), "needs an image"),
            (Op::Linear(Linear { units: 6, init }), Some(wide), "needs a vector"),
            (Op::SliceConv(conv), Some(&[4, 5, 6]), "needs a sequence"),
            (Op::Gru(Gru { hidden: 0, layers: 1 }), Some(one), "0 units"),
            (Op::Columns { columns: 5 }, Some(one), "do not fill 5 columns"),
            (Op::Columns { columns: 0 }, Some(one), "do not fill 0 columns"),
            (even, Some(one), "an odd kernel"),
        ] {
            let shapes: Vec<&[usize]> = shape.into_iter().collect();
            let error = infer(&op, &shapes).unwrap_err();
            assert!(error.contains(message), "{op:?}: {error}");
        }
    }
}
