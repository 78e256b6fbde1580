//! ResNet18 and 34 (He et al. 2015) and SE-ResNeXt101-32x4d (Hu et al. 2017) as PyTorch has them:
//! no convolution biases, the stride on the 3×3 convolution. Names and layout are those of timm's
//! `resnet18`, `resnet34` and `seresnext101_32x4d`; torchvision names the first two alike.
//!
//! The competition's winner took SE-ResNeXt101 from R. Cadene's pretrainedmodels. That one is the
//! same function (squeeze to a sixteenth, biases, ReLU, sigmoid) except for the first pooling,
//! whose windows begin at pixel 0 instead of one before it. Its published weights belong to
//! `se-resnext101-32x4d-cadene`, which pools in its way.

use super::{Head, Options, add_pooled_head};
use crate::{
    BatchNorm, Conv, Graph, GraphBuilder, GraphError, Init, MaxPool, NodeId, Op, Padding,
    RunningVariance,
};

/// PyTorch's defaults.
pub(super) const NORM: BatchNorm =
    BatchNorm { eps: 1e-5, momentum: 0.1, running_variance: RunningVariance::Unbiased };

/// Bottleneck channels of stages 1 to 4 before widening.
const CHANNELS: [usize; 4] = [64, 128, 256, 512];

/// Channels of the squeezed vector: a sixteenth of the block's output.
const SQUEEZE: usize = 16;

#[derive(Clone, Copy)]
enum Block {
    /// Two 3×3 convolutions.
    Basic,
    /// 1×1, grouped 3×3, 1×1 to twice the width, and squeeze-and-excitation.
    SqueezeExcite { groups: usize },
}

pub(super) fn resnet18(options: &Options) -> Result<Graph, GraphError> {
    resnet("resnet18", options, [2, 2, 2, 2], Block::Basic, Padding::All(1))
}

pub(super) fn resnet34(options: &Options) -> Result<Graph, GraphError> {
    resnet("resnet34", options, [3, 4, 6, 3], Block::Basic, Padding::All(1))
}

pub(super) fn se_resnext101(options: &Options) -> Result<Graph, GraphError> {
    let block = Block::SqueezeExcite { groups: 32 };
    resnet("se-resnext101-32x4d", options, [3, 4, 23, 3], block, Padding::All(1))
}

pub(super) fn se_resnext101_cadene(options: &Options) -> Result<Graph, GraphError> {
    let block = Block::SqueezeExcite { groups: 32 };
    resnet("se-resnext101-32x4d-cadene", options, [3, 4, 23, 3], block, Padding::Ceil)
}

fn resnet(
    name: &str,
    options: &Options,
    blocks: [usize; 4],
    block: Block,
    pool_padding: Padding,
) -> Result<Graph, GraphError> {
    let shape = [options.channels, options.size, options.size];
    let (mut builder, input) = GraphBuilder::new(name, shape)?;
    let stem = builder.conv("conv1", input, conv(64, 7, 2, 1))?;
    let stem = builder.batch_norm("bn1", stem, NORM)?;
    let stem = builder.relu(stem)?;
    let pool = MaxPool { kernel: 3, stride: 2, padding: pool_padding };
    let mut last = builder.max_pool("maxpool", stem, pool)?;
    for (stage, (count, channels)) in blocks.into_iter().zip(CHANNELS).enumerate() {
        for index in 0..count {
            let stride = if stage > 0 && index == 0 { 2 } else { 1 };
            let name = format!("layer{}.{index}", stage + 1);
            last = residual(&mut builder, &name, last, channels, stride, block)?;
        }
    }
    add_pooled_head(&mut builder, ["global_pool", "fc"], last, options, Head::Sigmoid(6))?;
    Ok(builder.finish())
}

/// A residual block; its input is projected where it would not fit the sum.
fn residual(
    builder: &mut GraphBuilder,
    name: &str,
    from: NodeId,
    channels: usize,
    stride: usize,
    block: Block,
) -> Result<NodeId, GraphError> {
    let mut part = |index: usize, from: NodeId, conv: Conv, last: bool| {
        let node = builder.conv(&format!("{name}.conv{index}"), from, conv)?;
        let node = builder.batch_norm(&format!("{name}.bn{index}"), node, NORM)?;
        if last { Ok(node) } else { builder.relu(node) }
    };
    let (node, outputs) = match block {
        Block::Basic => {
            let node = part(1, from, conv(channels, 3, stride, 1), false)?;
            (part(2, node, conv(channels, 3, 1, 1), true)?, channels)
        }
        Block::SqueezeExcite { groups } => {
            // 4 channels in each of 32 groups at 64 channels: twice the width of a ResNet.
            let (width, outputs) = (2 * channels, 4 * channels);
            let node = part(1, from, conv(width, 1, 1, 1), false)?;
            let node = part(2, node, conv(width, 3, stride, groups), false)?;
            let node = part(3, node, conv(outputs, 1, 1, 1), true)?;
            (squeeze_excite(builder, &format!("{name}.se"), node)?, outputs)
        }
    };
    let shortcut = if stride == 1 && builder.channels(from) == outputs {
        from
    } else {
        let node =
            builder.conv(&format!("{name}.downsample.0"), from, conv(outputs, 1, stride, 1))?;
        builder.batch_norm(&format!("{name}.downsample.1"), node, NORM)?
    };
    let sum = builder.add(&format!("{name}.add"), Op::Add, &[shortcut, node])?;
    builder.relu(sum)
}

/// Each channel times a factor that is computed from all channels' means.
fn squeeze_excite(
    builder: &mut GraphBuilder,
    name: &str,
    from: NodeId,
) -> Result<NodeId, GraphError> {
    let channels = builder.channels(from);
    let biased = |channels| Conv { bias: true, ..conv(channels, 1, 1, 1) };
    let mean = builder.add(&format!("{name}.mean"), Op::SpatialMean, &[from])?;
    let node = builder.conv(&format!("{name}.fc1"), mean, biased(channels / SQUEEZE))?;
    let node = builder.relu(node)?;
    let node = builder.conv(&format!("{name}.fc2"), node, biased(channels))?;
    let gate = builder.add(&format!("{name}.gate"), Op::Sigmoid, &[node])?;
    builder.add(&format!("{name}.multiply"), Op::Multiply, &[from, gate])
}

fn conv(channels: usize, kernel: usize, stride: usize, groups: usize) -> Conv {
    let (padding, init) = (Padding::All(kernel / 2), Init::HeNormalFanOut);
    Conv { channels, kernel, stride, padding, groups, bias: false, init }
}
