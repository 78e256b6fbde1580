//! ConvNeXt-Nano and -Tiny (Liu et al. 2022; the smaller size is timm's). Names are those of timm's
//! `convnext_nano` and `convnext_tiny`; the two layers of a block's MLP are 1×1 convolutions, as in its
//! first. In the second they are linear layers over each pixel, which is the same.
//!
//! Why these of today's small networks: they hold no batch norms, so nothing hangs on batch size or on
//! running statistics of another scanner; every operation is in ONNX's operator set 17; and they have a
//! third (Nano) and three fifths (Tiny) of SE-ResNeXt101's parameters. Stochastic depth, a matter of
//! training, is not part of the graph.

use super::{Head, Options, add_dropout, add_head};
use crate::{Conv, Graph, GraphBuilder, GraphError, Init, NodeId, Op, Padding};

const NORM: Op = Op::LayerNorm { eps: 1e-6 };

/// Width of a block's MLP in channels of the block.
const EXPANSION: usize = 4;

pub(super) fn nano(options: &Options) -> Result<Graph, GraphError> {
    convnext("convnext-nano", options, [2, 2, 8, 2], [80, 160, 320, 640])
}

pub(super) fn tiny(options: &Options) -> Result<Graph, GraphError> {
    convnext("convnext-tiny", options, [3, 3, 9, 3], [96, 192, 384, 768])
}

fn convnext(
    name: &str,
    options: &Options,
    blocks: [usize; 4],
    channels: [usize; 4],
) -> Result<Graph, GraphError> {
    let shape = [options.channels, options.size, options.size];
    let (mut builder, input) = GraphBuilder::new(name, shape)?;
    let stem = Conv { stride: 4, ..conv(channels[0], 4) };
    let node = builder.conv("stem.0", input, stem)?;
    let mut last = builder.add("stem.1", NORM, &[node])?;
    for (stage, (count, channels)) in blocks.into_iter().zip(channels).enumerate() {
        if stage > 0 {
            let name = format!("stages.{stage}.downsample");
            let node = builder.add(&format!("{name}.0"), NORM, &[last])?;
            let halving = Conv { stride: 2, ..conv(channels, 2) };
            last = builder.conv(&format!("{name}.1"), node, halving)?;
        }
        for index in 0..count {
            last = block(&mut builder, &format!("stages.{stage}.blocks.{index}"), last)?;
        }
    }
    builder.mark_features(last);
    let last = builder.add("head.global_pool", Op::GlobalAveragePool, &[last])?;
    let last = builder.add("head.norm", NORM, &[last])?;
    let last = add_dropout(&mut builder, "head.drop", last, options)?;
    let head = options.head.unwrap_or(Head::Sigmoid(6));
    add_head(&mut builder, "head.fc", last, head, Init::SmallNormal)?;
    Ok(builder.finish())
}

/// A depth-wise 7×7 convolution, then the MLP on each pixel, added to the input.
fn block(builder: &mut GraphBuilder, name: &str, from: NodeId) -> Result<NodeId, GraphError> {
    let channels = builder.channels(from);
    let label = |part: &str| format!("{name}.{part}");
    let depth_wise = Conv { padding: Padding::All(3), groups: channels, ..conv(channels, 7) };
    let node = builder.conv(&label("conv_dw"), from, depth_wise)?;
    let node = builder.add(&label("norm"), NORM, &[node])?;
    let node = builder.conv(&label("mlp.fc1"), node, conv(EXPANSION * channels, 1))?;
    let node = builder.gelu(node)?;
    let node = builder.conv(&label("mlp.fc2"), node, conv(channels, 1))?;
    let node = builder.add(name, Op::LayerScale, &[node])?;
    builder.add(&label("add"), Op::Add, &[from, node])
}

fn conv(channels: usize, kernel: usize) -> Conv {
    let (padding, init) = (Padding::Valid, Init::SmallNormal);
    Conv { channels, kernel, stride: 1, padding, groups: 1, bias: true, init }
}
