//! What can be chosen of a network of images, and the layers at its end.

use crate::{GraphBuilder, GraphError, Init, NodeId, Op};

/// What the last layer gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// Independent probabilities of this many labels.
    Sigmoid(usize),
    /// Probabilities of this many classes that add up to 1.
    Softmax(usize),
    /// This many plain values.
    Linear(usize),
}

/// What can be chosen of a network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Channels of the input.
    pub channels: usize,
    /// Height and width of the input, pixels.
    pub size: usize,
    /// Last layer; `None` for the network's own.
    pub head: Option<Head>,
    /// Dropout before the last layer while training, where the network can have it.
    pub dropout: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self { channels: 3, size: 256, head: None, dropout: 0.0 }
    }
}

/// The way from the last feature map to the output that most networks share: mean over the map,
/// dropout if it was asked for, and the head, `default` where none was chosen.
pub(super) fn add_pooled_head(
    builder: &mut GraphBuilder,
    [pool, linear]: [&str; 2],
    features: NodeId,
    options: &Options,
    default: Head,
) -> Result<(), GraphError> {
    builder.mark_features(features);
    let pooled = builder.add(pool, Op::GlobalAveragePool, &[features])?;
    let last = add_dropout(builder, "dropout", pooled, options)?;
    let head = options.head.unwrap_or(default);
    add_head(builder, linear, last, head, Init::GlorotUniform).map(|_| ())
}

/// Adds dropout if the options ask for any.
pub(super) fn add_dropout(
    builder: &mut GraphBuilder,
    name: &str,
    from: NodeId,
    options: &Options,
) -> Result<NodeId, GraphError> {
    let probability = options.dropout;
    if probability > 0.0 {
        builder.add(name, Op::Dropout { probability }, &[from])
    } else {
        Ok(from)
    }
}

/// Adds the last linear layer and its activation.
pub(super) fn add_head(
    builder: &mut GraphBuilder,
    name: &str,
    from: NodeId,
    head: Head,
    init: Init,
) -> Result<NodeId, GraphError> {
    let (Head::Sigmoid(units) | Head::Softmax(units) | Head::Linear(units)) = head;
    let logits = builder.linear(name, from, units, init)?;
    match head {
        Head::Sigmoid(_) => builder.add("probabilities", Op::Sigmoid, &[logits]),
        Head::Softmax(_) => builder.add("probabilities", Op::Softmax, &[logits]),
        Head::Linear(_) => Ok(logits),
    }
}
