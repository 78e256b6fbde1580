//! A small network with every kind of layer of the built-in one, which a library must compute as tract does
//! before it is used.

use hemora_ct::LABEL_COUNT;
use hemora_nn::{Conv, Graph, GraphBuilder, GraphError, Init, Op, Padding, Tensor, Weights, onnx};

use super::contract::{Engine, EngineError};
use super::tract::TractEngine;

/// Height and width of its image, pixels.
pub(super) const SIZE: usize = 16;
/// Channels of its image.
pub(super) const CHANNELS: usize = 3;
/// Engines round differently, by 1e-6 at most on this network; what is wrong is wrong by far more.
const TOLERANCE: f32 = 1e-4;

/// The network as an ONNX model.
///
/// # Errors
/// [`EngineError::Load`] never in practice: the network is fixed.
pub(super) fn network() -> Result<Vec<u8>, EngineError> {
    let failed = |reason: String| EngineError::Load { engine: "the trial", reason };
    let graph = graph().map_err(|error| failed(error.to_string()))?;
    onnx::write(&graph, &weights(&graph)).map_err(|error| failed(error.to_string()))
}

/// Compares an engine that runs [`network`] with tract.
///
/// # Errors
/// In words what it computes wrongly, or why it computes nothing.
pub(super) fn check(engine: &dyn Engine, onnx: &[u8]) -> Result<(), String> {
    let tract = TractEngine::load(onnx, CHANNELS, SIZE).map_err(|error| error.to_string())?;
    let image: Vec<f32> =
        (0..CHANNELS * SIZE * SIZE).map(|at| (at * 31 % 97) as f32 / 48.0 - 1.0).collect();
    let run = |engine: &dyn Engine| engine.run(&image).map_err(|error| error.to_string());
    let (expected, found) = (run(&tract)?.probabilities, run(engine)?.probabilities);
    let near = |(a, b): (&f32, &f32)| (a - b).abs() <= TOLERANCE;
    match expected.iter().zip(&found).all(near) {
        true => Ok(()),
        false => Err(format!("it computes {found:?} where the built-in engine has {expected:?}")),
    }
}

fn graph() -> Result<Graph, GraphError> {
    let conv = |channels, kernel, groups| Conv {
        channels,
        kernel,
        stride: 1,
        padding: Padding::Same,
        groups,
        bias: true,
        init: Init::HeNormal,
    };
    let (mut builder, input) = GraphBuilder::new("trial", [CHANNELS, SIZE, SIZE])?;
    let stem = builder.conv("stem", input, Conv { stride: 2, ..conv(8, 3, 1) })?;
    let stem = builder.relu6(stem)?;
    let depthwise = builder.conv("depthwise", stem, conv(8, 5, 8))?;
    let depthwise = builder.relu6(depthwise)?;
    let sum = builder.add("sum", Op::Add, &[stem, depthwise])?;
    let head = builder.conv("head", sum, conv(12, 1, 1))?;
    let head = builder.relu(head)?;
    let pooled = builder.add("pool", Op::GlobalAveragePool, &[head])?;
    let logits = builder.linear("classifier", pooled, LABEL_COUNT, Init::GlorotUniform)?;
    builder.add("out", Op::Sigmoid, &[logits])?;
    Ok(builder.finish())
}

/// Weights by a formula that gives labels probabilities far apart.
fn weights(graph: &Graph) -> Weights {
    let mut weights = Weights::default();
    for (index, parameter) in graph.parameters().iter().enumerate() {
        let scale = 3.0 / (parameter.fans().0 as f32).sqrt();
        let value = |at: usize| (((at + index) * 37 % 101) as f32 / 100.0 - 0.45) * scale;
        let values = (0..parameter.len()).map(value).collect();
        weights.insert(&parameter.name, Tensor { shape: parameter.shape.clone(), values });
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Output;

    /// Tract with an error added to one label.
    struct Off(TractEngine, f32);

    impl Engine for Off {
        fn name(&self) -> &'static str {
            "off"
        }

        fn run(&self, input: &[f32]) -> Result<Output, EngineError> {
            let mut output = self.0.run(input)?;
            output.probabilities[3] += self.1;
            Ok(output)
        }
    }

    #[test]
    fn an_engine_that_computes_something_else_is_found_out() {
        let onnx = network().unwrap();
        let off = |error| Off(TractEngine::load(&onnx, CHANNELS, SIZE).unwrap(), error);
        assert_eq!(check(&off(0.0), &onnx), Ok(()));
        let reason = check(&off(2e-4), &onnx).unwrap_err();
        assert!(reason.starts_with("it computes ["), "{reason}");
        assert!(check(&off(f32::NAN), &onnx).is_err());
    }

    #[test]
    fn its_answer_depends_on_the_image_and_saturates_nowhere() {
        let engine = TractEngine::load(&network().unwrap(), CHANNELS, SIZE).unwrap();
        let run = |value: f32| engine.run(&[value; CHANNELS * SIZE * SIZE]).unwrap().probabilities;
        let (dark, bright) = (run(-1.0), run(1.0));
        for label in 0..LABEL_COUNT {
            assert!((0.01..0.99).contains(&bright[label]), "{bright:?}");
            assert!((dark[label] - bright[label]).abs() > 0.001, "{dark:?} {bright:?}");
        }
    }
}
