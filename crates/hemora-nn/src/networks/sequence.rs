//! Networks that read a whole series: by name, and two after the sequence models of the competition's
//! winner (docs/references.md#winner). The winner trained them as one; here the second reads the
//! first's out-of-fold predictions.

use hemora_ct::SeriesInput;

use crate::{
    BatchNorm, Graph, GraphBuilder, GraphError, Gru, Init, Linear, NodeId, Op, RunningVariance,
    SliceConv,
};

/// Labels of each slice.
pub(super) const LABELS: usize = 6;

/// PyTorch's batch norm.
pub(super) const BATCH_NORM: BatchNorm =
    BatchNorm { eps: 1e-5, momentum: 0.1, running_variance: RunningVariance::Unbiased };

/// What can be chosen of a network of sequences.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SequenceOptions {
    /// Values that are known of each slice: pooled features, for `sequence-transformer` with its
    /// position in the last column (see [`Attention`](crate::Attention)), or for `sequence-probabilities` the
    /// same number for each of the six labels, those of a kind side by side.
    pub columns: usize,
    /// Units of the recurrent layers in each direction; half the channels of the transformer.
    pub hidden: usize,
    /// Recurrent layers, or blocks of the transformer.
    pub layers: usize,
    /// Dropout while training, where the network can have it.
    pub dropout: f64,
}

impl SequenceOptions {
    /// The winner's choices for slices of `columns` values.
    pub fn new(columns: usize) -> Self {
        Self { columns, hidden: 96, layers: 2, dropout: 0.5 }
    }
}

type Build = fn(&SequenceOptions) -> Result<Graph, GraphError>;

/// A network by name, what it reads of each slice, and how it is built.
const NETWORKS: [(&str, SeriesInput, Build); 3] = [
    ("sequence-features", SeriesInput::Features, features),
    ("sequence-transformer", SeriesInput::FeaturesAndPositions, super::transformer::transformer),
    ("sequence-probabilities", SeriesInput::Probabilities, probabilities),
];

/// Names of the networks of sequences.
pub fn sequence_names() -> impl Iterator<Item = &'static str> {
    NETWORKS.iter().map(|(name, ..)| *name)
}

/// What a network of sequences reads of each slice; `None` if there is none of that name.
pub fn sequence_input(name: &str) -> Option<SeriesInput> {
    NETWORKS.iter().find(|(known, ..)| *known == name).map(|(_, input, _)| *input)
}

/// Builds a network of sequences by name; `None` if there is none of that name. It takes
/// `[N, slices, columns]` and gives the probabilities of six labels, `[N, slices, 6]`.
pub fn build_sequence(name: &str, options: &SequenceOptions) -> Option<Result<Graph, GraphError>> {
    NETWORKS.iter().find(|(known, ..)| *known == name).map(|(.., build)| build(options))
}

/// Sequence model 1: each slice's features to 128, judged alone and by a GRU over the series.
fn features(options: &SequenceOptions) -> Result<Graph, GraphError> {
    let shape = [options.columns, 0, 1];
    let (mut builder, input) = GraphBuilder::new("sequence-features", shape)?;
    let mut last = dropped(&mut builder, "drop_0", input, options.dropout)?;
    for (index, channels) in [(1, 512), (2, 128)] {
        last = conv_norm_relu(&mut builder, index, last, conv(channels, 1, 1))?;
        last = dropped(&mut builder, &format!("drop_{index}"), last, options.dropout)?;
    }
    let alone = linear(&mut builder, "slice", last)?;
    let series = recurrent(&mut builder, last, options)?;
    finish(builder, alone, series)
}

/// Sequence model 2: dilated convolutions over the slices, the same for every label, then one
/// convolution that gives each label's logit, and a GRU that reads all labels.
fn probabilities(options: &SequenceOptions) -> Result<Graph, GraphError> {
    let shape = [options.columns, 0, 1];
    let (mut builder, input) = GraphBuilder::new("sequence-probabilities", shape)?;
    let mut last = builder.add("labels", Op::Columns { columns: LABELS }, &[input])?;
    for (index, conv) in
        [(1, conv(512, 5, 1)), (2, conv(256, 3, 2)), (3, conv(256, 3, 4)), (4, conv(256, 3, 2))]
    {
        last = conv_norm_relu(&mut builder, index, last, conv)?;
    }
    let alone = builder.add("slice", Op::SliceConv(conv(1, 3, 1)), &[last])?;
    let alone = builder.add("slice.labels", Op::Columns { columns: 1 }, &[alone])?;
    let series = recurrent(&mut builder, last, options)?;
    finish(builder, alone, series)
}

fn recurrent(
    builder: &mut GraphBuilder,
    from: NodeId,
    options: &SequenceOptions,
) -> Result<NodeId, GraphError> {
    let gru = Gru { hidden: options.hidden, layers: options.layers };
    let gru = builder.add("gru", Op::Gru(gru), &[from])?;
    linear(builder, "series", gru)
}

fn finish(mut builder: GraphBuilder, alone: NodeId, series: NodeId) -> Result<Graph, GraphError> {
    let logits = builder.add("logits", Op::Add, &[alone, series])?;
    builder.add("probabilities", Op::Sigmoid, &[logits])?;
    Ok(builder.finish())
}

fn linear(builder: &mut GraphBuilder, name: &str, from: NodeId) -> Result<NodeId, GraphError> {
    builder.add(name, Op::Linear(Linear { units: LABELS, init: Init::TorchUniform }), &[from])
}

pub(super) fn dropped(
    builder: &mut GraphBuilder,
    name: &str,
    from: NodeId,
    probability: f64,
) -> Result<NodeId, GraphError> {
    if probability <= 0.0 {
        return Ok(from);
    }
    builder.add(name, Op::ChannelDropout { probability }, &[from])
}

fn conv(channels: usize, kernel: usize, dilation: usize) -> SliceConv {
    SliceConv { channels, kernel, dilation, bias: false, init: Init::TorchUniform }
}

fn conv_norm_relu(
    builder: &mut GraphBuilder,
    index: usize,
    from: NodeId,
    conv: SliceConv,
) -> Result<NodeId, GraphError> {
    let node = builder.add(&format!("conv_{index}"), Op::SliceConv(conv), &[from])?;
    let node = builder.batch_norm(&format!("norm_{index}"), node, BATCH_NORM)?;
    builder.relu(node)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Summary, onnx};

    #[test]
    fn both_networks_have_the_winners_sizes() {
        for (name, columns, expected) in [
            // A norm and an embedding of 1,024 features to 192 channels; two blocks with two norms,
            // four linear layers of 192, distances of 4 heads, and an MLP of 384; a norm, the head.
            (
                "sequence-transformer",
                1025,
                2 * 1024
                    + 1025 * 192
                    + 2 * (4 * 192 + 4 * 193 * 192 + 4 * 13 + 193 * 384 + 385 * 192)
                    + 2 * 192
                    + 193 * 6,
            ),
            // 1024 × 512 + 512 × 128, norms 2 × (512 + 128), slice 128 × 6 + 6, two layers of a GRU
            // of 96 units on 128 and 192 values, series 192 × 6 + 6.
            (
                "sequence-features",
                1024,
                1024 * 512 + 512 * 128 + 1280 + 774 + gru(128) + gru(192) + 1158,
            ),
            (
                "sequence-probabilities",
                36,
                6 * 512 * 5
                    + 512 * 256 * 3
                    + 2 * 256 * 256 * 3
                    + 2 * (512 + 3 * 256)
                    + 256 * 3
                    + gru(256 * 6)
                    + gru(192)
                    + 1158,
            ),
        ] {
            let graph = build_sequence(name, &SequenceOptions::new(columns)).unwrap().unwrap();
            assert_eq!(graph.trainable_parameters(), expected, "{name}");
            assert_eq!(graph.shape(graph.logits()), [6, 0, 1], "{name}");
            let summary = Summary::new(&graph).to_string();
            assert!(summary.contains(" × slices × "), "{summary}");
            assert!(summary.contains("multiply-adds per slice"), "{summary}");
        }
        assert!(build_sequence("resnet18", &SequenceOptions::new(6)).is_none());
        let odd = SequenceOptions::new(7);
        assert!(build_sequence("sequence-probabilities", &odd).unwrap().is_err());
    }

    /// Parameters of a layer of 96 units in both directions, as PyTorch's.
    fn gru(inputs: usize) -> usize {
        2 * (288 * inputs + 288 * 96 + 2 * 288)
    }

    #[test]
    fn names_are_pytorchs() {
        let graph = build_sequence("sequence-features", &SequenceOptions::new(8));
        let names: Vec<String> =
            graph.unwrap().unwrap().parameters().into_iter().map(|it| it.name).collect();
        for name in ["conv_1.weight", "norm_2.running_var", "gru.weight_ih_l0", "slice.bias"] {
            assert!(names.iter().any(|known| known == name), "{name}");
        }
        assert!(names.contains(&"gru.bias_hh_l1_reverse".to_owned()));
    }

    #[test]
    fn norms_are_part_of_the_convolutions_and_the_classifier_is_none_of_pixels() {
        for name in ["sequence-features", "sequence-probabilities"] {
            let graph = build_sequence(name, &SequenceOptions::new(12)).unwrap().unwrap();
            let mut weights = crate::Weights::default();
            for parameter in graph.parameters() {
                let values = vec![0.5; parameter.len()];
                let tensor = crate::Tensor { shape: parameter.shape, values };
                weights.insert(&parameter.name, tensor);
            }
            let bytes = onnx::write(&graph, &weights).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains("BatchNormalization"), "{name}");
            assert_eq!(onnx::classifier(&bytes).unwrap(), None);
        }
    }
}
