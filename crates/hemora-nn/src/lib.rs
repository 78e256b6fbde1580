//! Networks as data.
//!
//! A [`Graph`] is a value: layers by name and what feeds them, with no tensor library behind it.
//! The trainer builds libtorch operations from it, [`onnx::write`] an ONNX model, [`Summary`]
//! counts its parameters. A network is written once, and what is trained is what is deployed.
//! [`networks`] lists them.

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
    AveragePool, BatchNorm, Conv, DenseHead, Graph, Init, Linear, MaxPool, Node, NodeId, Op,
    Padding, RunningVariance,
};
pub use import::{ImportError, Imported, import};
pub use parameters::{Parameter, Role};
pub use sequence::{Attention, Gru, SliceConv};
pub use shape::{GraphError, pads};
pub use summary::{LayerSummary, Summary};
pub use weights::{Tensor, Weights, WeightsError};
