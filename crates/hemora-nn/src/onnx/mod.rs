//! Graphs to ONNX models, and initializers out of ONNX models.

mod attention;
mod operations;
mod proto;
mod read;
mod sequence;
mod write;

pub use read::{ClassifierWeights, OnnxError, classifier, model_opset};
pub use write::{FEATURES, INPUT, OPSET, PROBABILITIES, write};
