//! The two small networks of the seed study (docs/references.md#seed-networks).

use super::{Head, Options, add_head};
use crate::{Conv, Graph, GraphBuilder, GraphError, Init, MaxPool, Op, Padding};

const HIDDEN_UNITS: usize = 128;

/// Flatten, 128 ReLU units, sigmoid.
pub(super) fn simple_nn(options: &Options) -> Result<Graph, GraphError> {
    let shape = [options.channels, options.size, options.size];
    let (mut builder, input) = GraphBuilder::new("simple-nn", shape)?;
    let flat = builder.add("flatten", Op::Flatten, &[input])?;
    let hidden = builder.linear("dense_1", flat, HIDDEN_UNITS, Init::GlorotUniform)?;
    let hidden = builder.relu(hidden)?;
    let head = options.head.unwrap_or(Head::Sigmoid(1));
    add_head(&mut builder, "dense_2", hidden, head, Init::GlorotUniform)?;
    Ok(builder.finish())
}

/// Two 5×5 convolutions, each with ReLU and pooling, then 128 ReLU units and a sigmoid.
pub(super) fn deep_cnn(options: &Options) -> Result<Graph, GraphError> {
    let shape = [options.channels, options.size, options.size];
    let (mut builder, mut last) = GraphBuilder::new("deep-cnn", shape)?;
    for (index, channels) in [(1, 32), (2, 64)] {
        let conv = Conv {
            channels,
            kernel: 5,
            stride: 1,
            padding: Padding::Valid,
            groups: 1,
            bias: true,
            init: Init::GlorotUniform,
        };
        last = builder.conv(&format!("conv_{index}"), last, conv)?;
        last = builder.relu(last)?;
        if index == 2 {
            builder.mark_features(last);
        }
        let pool = MaxPool { kernel: 2, stride: 2, padding: Padding::Valid };
        last = builder.max_pool(&format!("pool_{index}"), last, pool)?;
    }
    let flat = builder.add("flatten", Op::Flatten, &[last])?;
    let hidden = builder.linear("dense_1", flat, HIDDEN_UNITS, Init::GlorotUniform)?;
    let hidden = builder.relu(hidden)?;
    let head = options.head.unwrap_or(Head::Sigmoid(1));
    add_head(&mut builder, "dense_2", hidden, head, Init::GlorotUniform)?;
    Ok(builder.finish())
}
