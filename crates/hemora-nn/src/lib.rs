//! Networks as data.
//!
//! A [`Graph`] is a value: layers by name and what feeds them, with no tensor library behind it.
//! The trainer builds libtorch operations from it, [`onnx::write`] an ONNX model, [`Summary`]
//! counts its parameters. A network is written once, and what is trained is what is deployed.
//!
//! | network | trainable parameters | from |
//! |---|---|---|
//! | `simple-nn` | 25,166,081 at 256×256×3, one output | the seed study |
//! | `deep-cnn` | 30,536,385 at 256×256×3, one output | the seed study |
//! | `resnet50` | 23,538,690 with two outputs | He et al. 2015 as in Keras: v1, conv biases |
//! | `efficientnet-lite0` | 3,378,694 with six outputs | Google 2020, timm's `tf_efficientnet_lite0` |
//! | `efficientnet-lite1`, `-lite2` | 5,416,680 and 6,092,072 with 1,000 | as above |
//! | `resnet18`, `resnet34` | 11,689,512 and 21,797,672 with 1,000 | He et al. 2015 as in timm |
//! | `densenet121`, `densenet169` | 7,978,856 and 14,149,480 with 1,000 | Huang et al. 2016 as in timm |
//! | `se-resnext101-32x4d` | 48,955,416 with 1,000 | Hu et al. 2017, timm's `seresnext101_32x4d` |
//! | `se-resnext101-32x4d-cadene` | 48,955,416 with 1,000 | the same with the winner's first pooling |
//! | `convnext-nano`, `convnext-tiny` | 15,593,560 and 28,589,128 with 1,000 | Liu et al. 2022 as in timm |
//! | `sequence-features` | 890,252 on 1,024 features a slice | the competition's winner, facts §4 |
//! | `sequence-transformer` | 794,542 on 1,024 features and the place of a slice | ours |
//! | `sequence-probabilities` | 1,914,502 on 36 values a slice | the same |

mod builder;
mod channels;
mod graph;
mod import;
pub mod networks;
pub mod onnx;
mod parameters;
mod sequence;
mod shape;
mod summary;
mod weights;

pub use builder::GraphBuilder;
pub use channels::fit_channels;
pub use graph::{
    AveragePool, BatchNorm, Conv, Graph, Init, Linear, MaxPool, Node, NodeId, Op, Padding,
    RunningVariance,
};
pub use import::{ImportError, Imported, import};
pub use parameters::{Parameter, Role};
pub use sequence::{Attention, Gru, SliceConv};
pub use shape::{GraphError, pads};
pub use summary::{LayerSummary, Summary};
pub use weights::{Tensor, Weights, WeightsError};
