//! Graphs to ONNX models, and initializers out of ONNX models.

mod attention;
mod dense;
mod half;
mod operations;
mod proto;
mod read;
mod sequence;
mod write;

pub use half::halved;
pub use read::{ClassifierWeights, OnnxError, classifier, model_opset, pooled_features};
pub use write::{FEATURES, INPUT, MAPS, OPSET, PROBABILITIES, write};
