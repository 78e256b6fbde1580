//! DenseNet121 and 169 (Huang et al. 2016) with growth rate 32. Names and layout are those of
//! timm's `densenet121` and `densenet169`, which are torchvision's.

use super::resnet::NORM;
use super::{Head, Options, add_pooled_head};
use crate::{
    AveragePool, Conv, Graph, GraphBuilder, GraphError, Init, MaxPool, NodeId, Op, Padding,
};

/// Channels that each layer adds.
const GROWTH: usize = 32;

/// The 1×1 convolution before each 3×3 one narrows to this many times the growth.
const BOTTLENECK: usize = 4;

pub(super) fn densenet121(options: &Options) -> Result<Graph, GraphError> {
    densenet("densenet121", options, [6, 12, 24, 16])
}

pub(super) fn densenet169(options: &Options) -> Result<Graph, GraphError> {
    densenet("densenet169", options, [6, 12, 32, 32])
}

fn densenet(name: &str, options: &Options, layers: [usize; 4]) -> Result<Graph, GraphError> {
    let shape = [options.channels, options.size, options.size];
    let (mut builder, input) = GraphBuilder::new(name, shape)?;
    let stem = Conv { kernel: 7, stride: 2, padding: Padding::All(3), ..conv(2 * GROWTH, 1) };
    let node = builder.conv("features.conv0", input, stem)?;
    let node = normalized(&mut builder, "features.norm0", node)?;
    let pool = MaxPool { kernel: 3, stride: 2, padding: Padding::All(1) };
    let mut last = builder.max_pool("features.pool0", node, pool)?;
    for (index, &count) in layers.iter().enumerate() {
        let block = index + 1;
        last = dense_block(&mut builder, &format!("features.denseblock{block}"), last, count)?;
        if block < layers.len() {
            let name = format!("features.transition{block}");
            let node = normalized(&mut builder, &format!("{name}.norm"), last)?;
            let half = builder.channels(node) / 2;
            let node = builder.conv(&format!("{name}.conv"), node, conv(half, 1))?;
            let pool = Op::AveragePool(AveragePool { kernel: 2, stride: 2 });
            last = builder.add(&format!("{name}.pool"), pool, &[node])?;
        }
    }
    let last = normalized(&mut builder, "features.norm5", last)?;
    add_pooled_head(&mut builder, ["global_pool", "classifier"], last, options, Head::Sigmoid(6))?;
    Ok(builder.finish())
}

/// Layers that each read all that came before and add [`GROWTH`] channels to it.
fn dense_block(
    builder: &mut GraphBuilder,
    name: &str,
    from: NodeId,
    layers: usize,
) -> Result<NodeId, GraphError> {
    let mut last = from;
    for layer in 1..=layers {
        let label = |part: &str| format!("{name}.denselayer{layer}.{part}");
        let node = normalized(builder, &label("norm1"), last)?;
        let node = builder.conv(&label("conv1"), node, conv(BOTTLENECK * GROWTH, 1))?;
        let node = normalized(builder, &label("norm2"), node)?;
        let node = builder.conv(&label("conv2"), node, conv(GROWTH, 3))?;
        last = builder.add(&label("concat"), Op::Concat, &[last, node])?;
    }
    Ok(last)
}

/// Batch norm and ReLU.
fn normalized(builder: &mut GraphBuilder, name: &str, from: NodeId) -> Result<NodeId, GraphError> {
    let node = builder.batch_norm(name, from, NORM)?;
    builder.relu(node)
}

fn conv(channels: usize, kernel: usize) -> Conv {
    let (padding, init) = (Padding::All(kernel / 2), Init::HeNormal);
    Conv { channels, kernel, stride: 1, padding, groups: 1, bias: false, init }
}
