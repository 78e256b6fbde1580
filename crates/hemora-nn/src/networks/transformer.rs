//! A small transformer over the slices of a series. Slices attend to each other by what they show
//! and by how far apart they lie in mm, so that slices of .6 and of 7 mm need no network of their own.
//!
//! After the idea of an intra- and inter-slice transformer that came closest to the winner's log loss
//! with a tenth of its cost (docs/references.md#winner): norms before each part (Xiong et al. 2020),
//! GELU, and a distance term as in relative positions (Shaw et al. 2018), but of real distances.

use super::sequence::{BATCH_NORM, LABELS, SequenceOptions, dropped};
use crate::{Attention, Graph, GraphBuilder, GraphError, Init, NodeId, Op};

/// Heads of each attention.
const HEADS: usize = 4;
/// Width of a block's MLP in channels of the block.
const EXPANSION: usize = 2;
/// Dropout within blocks, in that of the features.
const DROPOUT_OF_BLOCKS: f64 = 0.2;

const NORM: Op = Op::LayerNorm { eps: 1e-6 };

/// Slices of features and, in the last column, the position in units of 10 mm.
pub(super) fn transformer(options: &SequenceOptions) -> Result<Graph, GraphError> {
    let shape = [options.columns, 0, 1];
    let (mut builder, input) = GraphBuilder::new("sequence-transformer", shape)?;
    let features = options.columns.saturating_sub(1);
    let node = Op::Channels { first: 0, count: features };
    let node = builder.add("features", node, &[input])?;
    let positions = Op::Channels { first: features, count: 1 };
    let positions = builder.add("positions", positions, &[input])?;
    // Features are means of what a ReLU let through, of any scale.
    let node = builder.batch_norm("embed.norm", node, BATCH_NORM)?;
    let node = dropped(&mut builder, "drop", node, options.dropout)?;
    let mut last = linear(&mut builder, "embed", node, 2 * options.hidden)?;
    for block in 0..options.layers {
        let name = format!("blocks.{block}");
        last = attend(&mut builder, &name, last, positions, options)?;
        last = feed_forward(&mut builder, &name, last, options)?;
    }
    let last = builder.add("norm", NORM, &[last])?;
    let last = linear(&mut builder, "head", last, LABELS)?;
    builder.add("probabilities", Op::Sigmoid, &[last])?;
    Ok(builder.finish())
}

/// The slices' attention to each other, added to what they were.
fn attend(
    builder: &mut GraphBuilder,
    block: &str,
    from: NodeId,
    positions: NodeId,
    options: &SequenceOptions,
) -> Result<NodeId, GraphError> {
    let label = |part: &str| format!("{block}.{part}");
    let channels = builder.channels(from);
    let node = builder.add(&label("norm1"), NORM, &[from])?;
    let mut inputs = Vec::with_capacity(4);
    for part in ["attn.q", "attn.k", "attn.v"] {
        inputs.push(linear(builder, &label(part), node, channels)?);
    }
    inputs.push(positions);
    let attention = Op::Attention(Attention { heads: HEADS });
    let node = builder.add(&label("attn"), attention, &inputs)?;
    let node = linear(builder, &label("attn.proj"), node, channels)?;
    add_residual(builder, &label("attn"), from, node, options)
}

/// Two layers on each slice alone, added to what it was.
fn feed_forward(
    builder: &mut GraphBuilder,
    block: &str,
    from: NodeId,
    options: &SequenceOptions,
) -> Result<NodeId, GraphError> {
    let label = |part: &str| format!("{block}.{part}");
    let channels = builder.channels(from);
    let node = builder.add(&label("norm2"), NORM, &[from])?;
    let node = linear(builder, &label("mlp.fc1"), node, EXPANSION * channels)?;
    let node = builder.gelu(node)?;
    let node = linear(builder, &label("mlp.fc2"), node, channels)?;
    add_residual(builder, &label("mlp"), from, node, options)
}

fn add_residual(
    builder: &mut GraphBuilder,
    name: &str,
    from: NodeId,
    mut node: NodeId,
    options: &SequenceOptions,
) -> Result<NodeId, GraphError> {
    let probability = DROPOUT_OF_BLOCKS * options.dropout;
    if probability > 0.0 {
        node = builder.add(&format!("{name}.drop"), Op::Dropout { probability }, &[node])?;
    }
    builder.add(&format!("{name}.add"), Op::Add, &[from, node])
}

fn linear(
    builder: &mut GraphBuilder,
    name: &str,
    from: NodeId,
    units: usize,
) -> Result<NodeId, GraphError> {
    builder.linear(name, from, units, Init::SmallNormal)
}
