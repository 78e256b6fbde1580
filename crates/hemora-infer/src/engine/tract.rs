//! The built-in engine: tract, in pure Rust, one core per image.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tract_onnx::prelude::*;
use tract_onnx::tract_hir::infer::Factoid;
use tract_onnx::tract_hir::internal::DimLike;

use super::contract::{
    Engine, EngineError, Output, check_input_shape, check_length, check_output,
    is_probability_shape, probability_shape,
};

const NAME: &str = "tract";

/// Runs ONNX models with tract. The model is optimised once, for one image; threads share it.
#[derive(Debug)]
pub struct TractEngine {
    plan: Arc<TypedRunnableModel>,
    shape: [usize; 4],
}

impl TractEngine {
    /// Loads an ONNX model for images `[channels, size, size]`.
    ///
    /// # Errors
    /// [`EngineError`] if tract does not take the model, or its input or first output has another
    /// shape.
    pub fn load(onnx: &[u8], channels: usize, size: usize) -> Result<Self, EngineError> {
        let shape = [1, channels, size, size];
        // tract may panic on a malformed graph; a file must not end the program.
        let plan = catch_unwind(AssertUnwindSafe(|| plan(onnx, shape)))
            .unwrap_or_else(|_| Err(load("the graph is malformed".to_owned())))?;
        Ok(Self { plan, shape })
    }
}

impl Engine for TractEngine {
    fn name(&self) -> &'static str {
        NAME
    }

    fn run(&self, input: &[f32]) -> Result<Output, EngineError> {
        check_length(input.len(), self.shape)?;
        let failed =
            |error: TractError| EngineError::Run { engine: NAME, reason: format!("{error:#}") };
        let tensor = Tensor::from_shape(&self.shape, input).map_err(failed)?;
        let outputs = self.plan.run(tvec![tensor.into_tvalue()]).map_err(failed)?;
        let values = |index: usize| {
            outputs[index]
                .try_as_plain_ram()
                .and_then(|plain| plain.as_slice::<f32>())
                .map_err(failed)
        };
        let features = match outputs.get(1) {
            Some(tensor) => Some((tensor.shape(), values(1)?)),
            None => None,
        };
        check_output((outputs[0].shape(), values(0)?), features)
    }
}

fn load(reason: String) -> EngineError {
    EngineError::Load { engine: NAME, reason }
}

fn plan(onnx: &[u8], shape: [usize; 4]) -> Result<Arc<TypedRunnableModel>, EngineError> {
    let failed = |error: TractError| load(format!("{error:#}"));
    // Declared output shapes name a symbolic batch; the concrete ones are inferred.
    let mut model = tract_onnx::onnx()
        .with_ignore_output_shapes(true)
        .model_for_read(&mut Cursor::new(onnx))
        .map_err(failed)?;
    let inputs = model.input_outlets().map_err(failed)?.len();
    if inputs != 1 {
        return Err(load(format!("it has {inputs} inputs")));
    }
    let declared = &model.input_fact(0).map_err(failed)?.shape;
    let declared = match declared.is_open() {
        true => vec![None; 4],
        false => declared
            .dims()
            .map(|dim| dim.concretize().and_then(|dim| dim.to_usize().ok()))
            .collect(),
    };
    check_input_shape(&batch_of_one(declared), shape)?;
    model.set_input_fact(0, f32::fact(shape).into()).map_err(failed)?;
    model.analyse(false).map_err(failed)?;
    keep_outputs(&mut model).map_err(failed)?;
    let model = model.into_optimized().map_err(failed)?;
    let output = model.output_fact(0).map_err(failed)?;
    match output.shape.as_concrete() {
        Some(shape) if is_probability_shape(shape) => {}
        Some(shape) => return Err(probability_shape(shape)),
        None => return Err(load(format!("its first output has the open shape {output:?}"))),
    }
    model.into_runnable().map_err(failed)
}

/// A declared batch of any size is run as one image, if the graph lets it.
fn batch_of_one(mut declared: Vec<Option<usize>>) -> Vec<Option<usize>> {
    if let Some(batch) = declared.first_mut() {
        *batch = None;
    }
    declared
}

/// Keeps the first output, and the second if it is a feature map.
fn keep_outputs(model: &mut InferenceModel) -> TractResult<()> {
    let outputs = model.output_outlets()?.to_vec();
    let mut kept: Vec<OutletId> = outputs.iter().copied().take(1).collect();
    if let Some(&second) = outputs.get(1) {
        let rank = model.outlet_fact(second)?.shape.rank().concretize();
        if rank == Some(4) {
            kept.push(second);
        }
    }
    model.select_output_outlets(&kept)
}
