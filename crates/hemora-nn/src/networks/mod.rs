//! The networks by name.
//!
//! | network | trainable parameters | from |
//! |---|---|---|
//! | `simple-nn` | 25,166,081 at 256×256×3, one output | the seed study |
//! | `deep-cnn` | 30,536,385 at 256×256×3, one output | the seed study |
//! | `resnet50` | 23,538,690 with two outputs | He et al. 2015 as in Keras: v1, conv biases |
//! | `efficientnet-lite0` | 3,378,694 with six outputs | Google 2020, timm's `tf_efficientnet_lite0` |
//! | `efficientnet-lite1`, `-lite2` | 5,416,680 and 6,092,072 with 1,000 | as above |
//! | `efficientnet-lite0-dense`, `-lite2-dense` | 3,483,468 and 4,926,604 with six labels | as above, with maps of the labels |
//! | `efficientnet-lite0-fine`, `-lite2-fine` | 3,489,292 and 4,932,428 with six labels | the same with maps of half the grain |
//! | `resnet18`, `resnet34` | 11,689,512 and 21,797,672 with 1,000 | He et al. 2015 as in timm |
//! | `densenet121`, `densenet169` | 7,978,856 and 14,149,480 with 1,000 | Huang et al. 2016 as in timm |
//! | `se-resnext101-32x4d` | 48,955,416 with 1,000 | Hu et al. 2017, timm's `seresnext101_32x4d` |
//! | `se-resnext101-32x4d-cadene` | 48,955,416 with 1,000 | the same with the winner's first pooling |
//! | `convnext-nano`, `convnext-tiny` | 15,593,560 and 28,589,128 with 1,000 | Liu et al. 2022 as in timm |
//! | `sequence-features` | 890,252 on 1,024 features a slice | [the winner's](https://github.com/SeuTao/RSNA2019_Intracranial-Hemorrhage-Detection) |
//! | `sequence-transformer` | 794,542 on 1,024 features and the position of a slice | ours |
//! | `sequence-probabilities` | 1,914,502 on 36 values a slice | the winner's |
//!
//! `docs/references.md` in the repository introduces the seed study and the winner. A new network of
//! images is a file here, a `mod` line and a row of `NETWORKS`.

mod by_name;
mod convnext;
mod dense;
mod densenet;
mod efficientnet;
mod head;
mod resnet;
mod resnet_keras;
mod seed;
mod sequence;
mod transformer;

pub(crate) use dense::DENSE;
use head::{add_dropout, add_head, add_pooled_head};

pub use by_name::{build, names};
pub use head::{Head, Options};
pub use sequence::{SequenceOptions, build_sequence, sequence_input, sequence_names};

/// Networks of images by name.
const NETWORKS: &[(&str, by_name::Build)] = &[
    ("simple-nn", seed::simple_nn),
    ("deep-cnn", seed::deep_cnn),
    ("resnet50", resnet_keras::resnet50),
    ("efficientnet-lite0", efficientnet::lite0),
    ("efficientnet-lite1", efficientnet::lite1),
    ("efficientnet-lite2", efficientnet::lite2),
    ("efficientnet-lite0-dense", efficientnet::lite0_dense),
    ("efficientnet-lite2-dense", efficientnet::lite2_dense),
    ("efficientnet-lite0-fine", efficientnet::lite0_fine),
    ("efficientnet-lite2-fine", efficientnet::lite2_fine),
    ("resnet18", resnet::resnet18),
    ("resnet34", resnet::resnet34),
    ("densenet121", densenet::densenet121),
    ("densenet169", densenet::densenet169),
    ("se-resnext101-32x4d", resnet::se_resnext101),
    ("se-resnext101-32x4d-cadene", resnet::se_resnext101_cadene),
    ("convnext-nano", convnext::nano),
    ("convnext-tiny", convnext::tiny),
];
