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

mod builder;
mod graph;
pub mod networks;
pub mod onnx;
mod parameters;
mod shape;
mod summary;
mod weights;

pub use builder::GraphBuilder;
pub use graph::{
    AveragePool, BatchNorm, Conv, Graph, Init, Linear, MaxPool, Node, NodeId, Op, Padding,
    RunningVariance,
};
pub use parameters::{Parameter, Role};
pub use shape::{GraphError, pads};
pub use summary::{LayerSummary, Summary};
pub use weights::{Tensor, Weights, WeightsError};
