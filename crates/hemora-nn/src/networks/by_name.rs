//! Networks of images by name: building one, and their published sizes.

use super::{NETWORKS, Options};
use crate::{Graph, GraphError};

/// Builds a network's graph.
pub(super) type Build = fn(&Options) -> Result<Graph, GraphError>;

/// Names of all networks of images.
pub fn names() -> impl Iterator<Item = &'static str> {
    NETWORKS.iter().map(|(name, _)| *name)
}

/// Builds a network of images by name; `None` if there is none of that name.
pub fn build(name: &str, options: &Options) -> Option<Result<Graph, GraphError>> {
    NETWORKS.iter().find(|(known, _)| *known == name).map(|(_, build)| build(options))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Op;
    use crate::networks::Head;

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
        // docs/references.md#seed-networks; running statistics included as Keras counts them.
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
