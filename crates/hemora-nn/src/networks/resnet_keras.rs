//! ResNet50 as the seed study used it: Keras' first version, with biases on the convolutions and
//! the stride on the first 1×1 convolution and the projection of stages 3 to 5 (docs/references.md#seed-networks).

use super::{Head, Options, add_pooled_head};
use crate::{
    BatchNorm, Conv, Graph, GraphBuilder, GraphError, Init, MaxPool, NodeId, Op, Padding,
    RunningVariance,
};

/// keras-applications 1.0.8.
const NORM: BatchNorm =
    BatchNorm { eps: 1e-3, momentum: 0.01, running_variance: RunningVariance::Biased };

/// Blocks and bottleneck channels of stages 2 to 5.
const STAGES: [(usize, usize); 4] = [(3, 64), (4, 128), (6, 256), (3, 512)];

pub(super) fn resnet50(options: &Options) -> Result<Graph, GraphError> {
    let shape = [options.channels, options.size, options.size];
    let (mut builder, input) = GraphBuilder::new("resnet50", shape)?;
    let stem = builder.conv("conv1", input, conv(64, 7, 2, Padding::All(3)))?;
    let stem = builder.batch_norm("bn1", stem, NORM)?;
    let stem = builder.relu(stem)?;
    // Keras pads with zeros; behind a ReLU no padded zero can win over a real pixel either.
    let pool = MaxPool { kernel: 3, stride: 2, padding: Padding::All(1) };
    let mut last = builder.max_pool("pool1", stem, pool)?;
    for (stage, (blocks, channels)) in STAGES.into_iter().enumerate() {
        for block in 0..blocks {
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            let name = format!("conv{}_block{}", stage + 2, block + 1);
            last = bottleneck(&mut builder, &name, last, channels, stride, block == 0)?;
        }
    }
    add_pooled_head(&mut builder, ["avg_pool", "predictions"], last, options, Head::Softmax(2))?;
    Ok(builder.finish())
}

fn bottleneck(
    builder: &mut GraphBuilder,
    name: &str,
    from: NodeId,
    channels: usize,
    stride: usize,
    project: bool,
) -> Result<NodeId, GraphError> {
    let mut part = |index: usize, from: NodeId, conv: Conv| -> Result<NodeId, GraphError> {
        let node = builder.conv(&format!("{name}_{index}_conv"), from, conv)?;
        let node = builder.batch_norm(&format!("{name}_{index}_bn"), node, NORM)?;
        if index == 1 || index == 2 { builder.relu(node) } else { Ok(node) }
    };
    let shortcut =
        if project { part(0, from, conv(4 * channels, 1, stride, Padding::Valid))? } else { from };
    let node = part(1, from, conv(channels, 1, stride, Padding::Valid))?;
    let node = part(2, node, conv(channels, 3, 1, Padding::Same))?;
    let node = part(3, node, conv(4 * channels, 1, 1, Padding::Valid))?;
    let sum = builder.add(&format!("{name}_add"), Op::Add, &[shortcut, node])?;
    builder.relu(sum)
}

fn conv(channels: usize, kernel: usize, stride: usize, padding: Padding) -> Conv {
    Conv { channels, kernel, stride, padding, groups: 1, bias: true, init: Init::HeNormal }
}
