//! The networks by name.

mod convnext;
mod densenet;
mod efficientnet;
mod resnet;
mod resnet_keras;
mod seed;
mod sequence;
mod transformer;

use crate::{Graph, GraphBuilder, GraphError, Init, NodeId, Op};

pub use sequence::{SequenceOptions, build_sequence, sequence_input, sequence_names};

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
    /// Dropout before the last layer while training, where the network has a place for it.
    pub dropout: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self { channels: 3, size: 256, head: None, dropout: 0.0 }
    }
}

type Build = fn(&Options) -> Result<Graph, GraphError>;

const NETWORKS: [(&str, Build); 14] = [
    ("simple-nn", seed::simple_nn),
    ("deep-cnn", seed::deep_cnn),
    ("resnet50", resnet_keras::resnet50),
    ("efficientnet-lite0", efficientnet::lite0),
    ("efficientnet-lite1", efficientnet::lite1),
    ("efficientnet-lite2", efficientnet::lite2),
    ("resnet18", resnet::resnet18),
    ("resnet34", resnet::resnet34),
    ("densenet121", densenet::densenet121),
    ("densenet169", densenet::densenet169),
    ("se-resnext101-32x4d", resnet::se_resnext101),
    ("se-resnext101-32x4d-cadene", resnet::se_resnext101_cadene),
    ("convnext-nano", convnext::nano),
    ("convnext-tiny", convnext::tiny),
];

/// Names of all networks of images.
pub fn names() -> impl Iterator<Item = &'static str> {
    NETWORKS.iter().map(|(name, _)| *name)
}

/// Builds a network of images by name; `None` if there is none of that name.
pub fn build(name: &str, options: &Options) -> Option<Result<Graph, GraphError>> {
    NETWORKS.iter().find(|(known, _)| *known == name).map(|(_, build)| build(options))
}

/// The way from the last feature map to the output that most networks share: mean over the map,
/// dropout if it was asked for, and the head, `default` where none was chosen.
fn add_pooled_head(
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
fn add_dropout(
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
fn add_head(
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

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(name: &str, options: &Options) -> (usize, usize) {
        let graph = build(name, options).unwrap().unwrap();
        (graph.trainable_parameters(), graph.other_parameters())
    }

    #[test]
    fn the_seed_studys_parameter_counts() {
        let options = Options::default();
        assert_eq!(counts("simple-nn", &options), (25_166_081, 0));
        assert_eq!(counts("deep-cnn", &options), (30_536_385, 0));
        assert_eq!(counts("resnet50", &options), (23_538_690, 53_120));
    }

    /// timm 1.0's counts with 1,000 classes; torchvision lists the same for its four.
    #[test]
    fn networks_have_their_published_sizes() {
        let imagenet = Options { size: 224, head: Some(Head::Linear(1000)), ..Options::default() };
        for (name, trainable, running, features) in [
            ("efficientnet-lite0", 4_652_008, 42_016, [1280, 7, 7]),
            ("efficientnet-lite1", 5_416_680, 53_664, [1280, 7, 7]),
            ("efficientnet-lite2", 6_092_072, 58_096, [1280, 7, 7]),
            ("resnet18", 11_689_512, 9_600, [512, 7, 7]),
            ("resnet34", 21_797_672, 17_024, [512, 7, 7]),
            ("densenet121", 7_978_856, 83_648, [1024, 7, 7]),
            ("densenet169", 14_149_480, 158_400, [1664, 7, 7]),
            ("se-resnext101-32x4d", 48_955_416, 137_856, [2048, 7, 7]),
            ("se-resnext101-32x4d-cadene", 48_955_416, 137_856, [2048, 7, 7]),
            ("convnext-nano", 15_593_560, 0, [640, 7, 7]),
            ("convnext-tiny", 28_589_128, 0, [768, 7, 7]),
        ] {
            assert_eq!(counts(name, &imagenet), (trainable, running), "{name}");
            let graph = build(name, &imagenet).unwrap().unwrap();
            assert_eq!(graph.shape(graph.features().unwrap()), features, "{name}");
        }
        let six = Options { size: 224, ..Options::default() };
        assert_eq!(counts("efficientnet-lite0", &six).0, 3_378_694);
    }

    #[test]
    fn resnet50_stages_have_their_published_sizes() {
        let graph = build("resnet50", &Options::default()).unwrap().unwrap();
        let stage = |prefix: &str| -> usize {
            graph
                .parameters()
                .iter()
                .filter(|parameter| parameter.name.starts_with(prefix))
                .map(crate::Parameter::len)
                .sum()
        };
        // facts §1, running statistics included as Keras counts them.
        assert_eq!(stage("predictions"), 4_098);
        assert_eq!(graph.shape(graph.features().unwrap()), [2048, 8, 8]);
        let trainable = |prefix: &str| -> usize {
            graph
                .parameters()
                .iter()
                .filter(|parameter| parameter.name.starts_with(prefix))
                .filter(|parameter| parameter.role.is_trainable())
                .map(crate::Parameter::len)
                .sum()
        };
        assert_eq!(trainable("conv1") + trainable("bn1"), 9_600);
        assert_eq!(trainable("conv2_"), 217_216);
        assert_eq!(trainable("conv3_"), 1_223_168);
        assert_eq!(trainable("conv4_"), 7_108_608);
        assert_eq!(trainable("conv5_"), 14_976_000);
    }

    #[test]
    fn activation_shapes_of_the_deep_cnn() {
        let graph = build("deep-cnn", &Options::default()).unwrap().unwrap();
        let shapes: Vec<&[usize]> = graph
            .iter()
            .filter(|(_, node)| matches!(node.op, Op::Conv(_) | Op::MaxPool(_) | Op::Flatten))
            .map(|(id, _)| graph.shape(id))
            .collect();
        let expected: [&[usize]; 5] =
            [&[32, 252, 252], &[32, 126, 126], &[64, 122, 122], &[64, 61, 61], &[238_144]];
        assert_eq!(shapes, expected);
    }

    #[test]
    fn every_network_takes_other_sizes_and_heads() {
        for name in names() {
            let options =
                Options { channels: 1, size: 65, head: Some(Head::Sigmoid(6)), dropout: 0.1 };
            let graph = build(name, &options).unwrap().unwrap();
            assert_eq!(graph.shape(graph.output()), [6], "{name}");
            assert_eq!(graph.shape(graph.logits()), [6], "{name}");
        }
        assert!(build("no-such-network", &Options::default()).is_none());
        assert!(build("deep-cnn", &Options { size: 8, ..Options::default() }).unwrap().is_err());
    }
}
