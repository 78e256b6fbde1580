//! A head that says of each part of the image which labels are there, and the image's labels from
//! that and from the pooled features.

use super::head::add_dropout;
use super::{Head, Options};
use crate::{
    BatchNorm, Conv, DenseHead, GraphBuilder, GraphError, Init, NodeId, Op, Padding,
    RunningVariance,
};

/// Start of the names of a dense head's nodes.
pub(crate) const DENSE: &str = "dense.";

/// Channels in which the feature maps are brought together.
const CHANNELS: usize = 64;

/// Strides of feature maps that are brought together by 3 × 3 convolutions: the first so many from the coarsest.
/// A finer one has context enough from them, and 3 × 3 there would cost as much as a third of the network.
const MIXED: usize = 3;

/// How sharply the maps are pooled: between their mean, which a small bleed hardly moves, and their
/// maximum, which trains one pixel at a time.
const SHARPNESS: f64 = 5.0;

const NORM: BatchNorm =
    BatchNorm { eps: 1e-5, momentum: 0.1, running_variance: RunningVariance::Unbiased };

/// Adds the head behind the feature maps `taps`, the finest first, each of the next half as fine, as
/// feature pyramids do (Lin et al. 2017): from the coarsest on, each is brought to the size of the
/// next finer and joins it. The maps have the size of the finest. `features` is the last feature map
/// of the network, whose mean a linear layer `linear` reads.
pub(super) fn add_dense_head(
    builder: &mut GraphBuilder,
    [pool, linear]: [&str; 2],
    taps: &[NodeId],
    features: NodeId,
    options: &Options,
) -> Result<(), GraphError> {
    let Some(Head::Sigmoid(labels)) = options.head.or(Some(Head::Sigmoid(6))) else {
        let problem = "a dense head has a sigmoid for each label, and no other last layer";
        return Err(GraphError { layer: linear.to_owned(), problem: problem.to_owned() });
    };
    builder.mark_features(features);
    let pooled = builder.add(pool, Op::GlobalAveragePool, &[features])?;
    let last = add_dropout(builder, "dropout", pooled, options)?;
    let of_features = builder.linear(linear, last, labels, Init::GlorotUniform)?;

    let mut joined: Option<NodeId> = None;
    for (number, &tap) in taps.iter().enumerate().rev() {
        let name = |part: &str| format!("{DENSE}{part}.{number}");
        let conv = |kernel, bias| Conv {
            channels: CHANNELS,
            kernel,
            stride: 1,
            padding: Padding::Same,
            groups: 1,
            bias,
            init: Init::HeNormalFanOut,
        };
        let lateral = builder.conv(&name("lateral"), tap, conv(1, true))?;
        joined = Some(match joined {
            None => lateral,
            Some(coarse) => {
                let [_, rows, columns] = *builder.shape(lateral) else {
                    unreachable!("a convolution gives an image")
                };
                let wide = Op::Nearest { rows, columns };
                let wide = builder.add(&name("wide"), wide, &[coarse])?;
                let sum = builder.add(&name("sum"), Op::Add, &[lateral, wide])?;
                let kernel = if number + MIXED < taps.len() { 1 } else { 3 };
                let mixed = builder.conv(&name("mix"), sum, conv(kernel, false))?;
                let mixed = builder.batch_norm(&name("norm"), mixed, NORM)?;
                builder.relu(mixed)?
            }
        });
    }
    let joined = joined.unwrap_or(features);
    let per_label = Conv {
        channels: labels,
        kernel: 1,
        stride: 1,
        padding: Padding::Same,
        groups: 1,
        bias: true,
        init: Init::Rare,
    };
    let maps = builder.conv(&format!("{DENSE}maps"), joined, per_label)?;
    let smooth_maximum = Op::LogMeanExp { sharpness: SHARPNESS };
    let of_maps = builder.add(&format!("{DENSE}of_maps"), smooth_maximum, &[maps])?;
    let both = builder.add(&format!("{DENSE}both"), Op::Mean, &[of_features, of_maps])?;
    builder.mark_dense(DenseHead { maps, of_maps, of_features });
    builder.add("probabilities", Op::Sigmoid, &[both]).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::super::build;
    use super::*;

    #[test]
    fn maps_have_the_size_of_the_finest_feature_map() {
        for (size, side) in [(256, 32), (288, 36), (65, 9)] {
            let options = Options { size, ..Options::default() };
            let graph = build("efficientnet-lite0-dense", &options).unwrap().unwrap();
            let dense = graph.dense().unwrap();
            assert_eq!(graph.shape(dense.maps), [6, side, side]);
            assert_eq!(graph.shape(dense.of_maps), [6]);
            assert_eq!(graph.shape(graph.pooled()), [1280]);
            assert_eq!(graph.node(graph.classifier()).name, "classifier");
        }
    }

    #[test]
    fn fine_maps_have_half_the_grain_and_cost_little() {
        let options = Options { size: 288, ..Options::default() };
        let [dense, fine] = ["efficientnet-lite0-dense", "efficientnet-lite0-fine"]
            .map(|name| build(name, &options).unwrap().unwrap());
        assert_eq!(fine.shape(fine.dense().unwrap().maps), [6, 72, 72]);
        let odd = Options { size: 65, ..options };
        let odd = build("efficientnet-lite0-fine", &odd).unwrap().unwrap();
        assert_eq!(odd.shape(odd.dense().unwrap().maps), [6, 17, 17]);
        let work = |graph: &crate::Graph| crate::Summary::new(graph).multiply_adds as f64;
        assert!(work(&fine) < 1.06 * work(&dense), "{} {}", work(&fine), work(&dense));
        assert_eq!(fine.trainable_parameters(), 3_489_292);
        let large = build("efficientnet-lite2-fine", &options).unwrap().unwrap();
        assert_eq!(large.shape(large.dense().unwrap().maps), [6, 72, 72]);
        assert_eq!(large.trainable_parameters(), 4_932_428);
    }

    #[test]
    fn it_adds_to_the_plain_network_and_changes_nothing_of_it() {
        let build = |name: &str| build(name, &Options::default()).unwrap().unwrap();
        let (plain, dense) = (build("efficientnet-lite0"), build("efficientnet-lite0-dense"));
        let is_of_backbone = |name: &&String| !name.starts_with(DENSE);
        let names = |graph: &crate::Graph| -> Vec<String> {
            graph.parameters().into_iter().map(|parameter| parameter.name).collect()
        };
        let names_of_dense = names(&dense);
        let rest: Vec<&String> = names_of_dense.iter().filter(is_of_backbone).collect();
        assert_eq!(rest, names(&plain).iter().collect::<Vec<_>>());
        let of_head: Vec<&str> = dense
            .iter()
            .filter(|(id, _)| dense.is_of_head(*id))
            .map(|(_, node)| node.name.as_str())
            .filter(|name| !name.starts_with(DENSE))
            .collect();
        assert_eq!(of_head, ["classifier"]);
    }

    #[test]
    fn other_last_layers_are_refused() {
        let options = Options { head: Some(Head::Softmax(2)), ..Options::default() };
        let error = build("efficientnet-lite0-dense", &options).unwrap().unwrap_err();
        assert!(error.to_string().contains("a sigmoid for each label"), "{error}");
    }
}
