//! Weights for another number of input channels.

use crate::{Graph, Node, Op, Tensor, Weights};

/// Fits weights of a network for another number of channels to `graph`, as timm does: of one channel
/// the first convolution's are the sum over those that there were; of others they are repeated over
/// the channels and scaled, so that an image that is the same in all of them gives the same values.
pub fn fit_channels(weights: &mut Weights, graph: &Graph) {
    for name in image_weights(graph) {
        if let Some(tensor) = weights.remove(&name) {
            weights.insert(&name, with_channels(tensor, graph.input_shape()[0]));
        }
    }
}

/// Names of the weights that read the image: those of convolutions over all its channels.
pub(crate) fn image_weights(graph: &Graph) -> impl Iterator<Item = String> {
    let reads_image = |node: &&Node| {
        let convolves = matches!(&node.op, Op::Conv(conv) if conv.groups == 1);
        let is_input = |from| matches!(graph.node(from).op, Op::Input { .. });
        convolves && node.inputs.first().is_some_and(|from| is_input(*from))
    };
    graph.nodes().iter().filter(reads_image).map(|node| format!("{}.weight", node.name))
}

/// A convolution's weights `[units, present, rows, columns]` for `channels`; what is no such tensor
/// stays.
pub(crate) fn with_channels(tensor: Tensor, channels: usize) -> Tensor {
    let [units, present, rows, columns] = tensor.shape[..] else { return tensor };
    if present == channels || present == 0 {
        return tensor;
    }
    let (area, factor) = (rows * columns, present as f32 / channels as f32);
    let mut values = Vec::with_capacity(units * channels * area);
    for unit in tensor.values.chunks_exact(present * area) {
        let value = |channel: usize, pixel: usize| unit[channel * area + pixel];
        for channel in 0..channels {
            values.extend((0..area).map(|pixel| match channels {
                1 => (0..present).map(|channel| value(channel, pixel)).sum::<f32>(),
                _ => value(channel % present, pixel) * factor,
            }));
        }
    }
    Tensor { shape: vec![units, channels, rows, columns], values }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_summed_or_repeated() {
        let tensor = |channels: usize, values: &[f32]| Tensor {
            shape: vec![1, channels, 1, 2],
            values: values.to_vec(),
        };
        let three = tensor(3, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(with_channels(three.clone(), 1), tensor(1, &[9.0, 12.0]));
        assert_eq!(with_channels(three.clone(), 3), three);
        let six = with_channels(three.clone(), 6).values;
        assert_eq!(six, [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]);
        let flat = Tensor { shape: vec![6], values: three.values };
        assert_eq!(with_channels(flat.clone(), 1), flat);
    }
}
