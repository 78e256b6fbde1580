//! The built-in engine: tract, in pure Rust, one core per image.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use hemora_ct::LABEL_COUNT;
use tract_onnx::prelude::*;
use tract_onnx::tract_hir::infer::Factoid;
use tract_onnx::tract_hir::internal::DimLike;

use super::blocks::use_blocks;
use super::contract::{
    Engine, EngineError, MOST_OUTPUTS, Output, check_input_shape, check_length, check_output,
    is_probability_shape, probability_shape,
};
use super::sequence::{SequenceEngine, check_slices, slices, takes, wrong_input};

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
        let plan = caught(|| plan(onnx, shape))?;
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
        let raw = |index: usize| match outputs.get(index) {
            Some(tensor) => Ok(Some((tensor.shape(), values(index)?))),
            None => Ok(None),
        };
        check_output((outputs[0].shape(), values(0)?), raw(1)?, raw(2)?)
    }
}

fn load(reason: String) -> EngineError {
    EngineError::Load { engine: NAME, reason }
}

fn plan(onnx: &[u8], shape: [usize; 4]) -> Result<Arc<TypedRunnableModel>, EngineError> {
    let failed = |error: TractError| load(format!("{error:#}"));
    let (mut model, declared) = read(onnx, 4)?;
    check_input_shape(&batch_of_one(declared), shape)?;
    model.set_input_fact(0, f32::fact(shape).into()).map_err(failed)?;
    model.analyse(false).map_err(failed)?;
    keep_outputs(&mut model).map_err(failed)?;
    let mut model = model.into_typed().map_err(failed)?;
    use_blocks(&mut model).map_err(failed)?;
    let model = model.into_decluttered().and_then(TypedModel::into_optimized).map_err(failed)?;
    let output = model.output_fact(0).map_err(failed)?;
    match output.shape.as_concrete() {
        Some(shape) if is_probability_shape(shape) => {}
        Some(shape) => return Err(probability_shape(shape)),
        None => return Err(load(format!("its first output has the open shape {output:?}"))),
    }
    model.into_runnable().map_err(failed)
}

/// A model and the shape that it declares for its only input, `None` for open dimensions; `rank` of
/// them if it declares nothing.
fn read(onnx: &[u8], rank: usize) -> Result<(InferenceModel, Vec<Option<usize>>), EngineError> {
    let failed = |error: TractError| load(format!("{error:#}"));
    // Declared output shapes name a symbolic batch; the concrete ones are inferred.
    let model = tract_onnx::onnx()
        .with_ignore_output_shapes(true)
        .model_for_read(&mut Cursor::new(onnx))
        .map_err(failed)?;
    let inputs = model.input_outlets().map_err(failed)?.len();
    if inputs != 1 {
        return Err(load(format!("it has {inputs} inputs")));
    }
    let declared = &model.input_fact(0).map_err(failed)?.shape;
    let declared = match declared.is_open() {
        true => vec![None; rank],
        false => declared
            .dims()
            .map(|dim| dim.concretize().and_then(|dim| dim.to_usize().ok()))
            .collect(),
    };
    Ok((model, declared))
}

/// A declared batch of any size is run as one image, if the graph lets it.
fn batch_of_one(mut declared: Vec<Option<usize>>) -> Vec<Option<usize>> {
    if let Some(batch) = declared.first_mut() {
        *batch = None;
    }
    declared
}

/// Keeps the first output, and of the two behind it, in their order, those of four dimensions: a feature
/// map, and the maps of the labels.
fn keep_outputs(model: &mut InferenceModel) -> TractResult<()> {
    let outputs = model.output_outlets()?.to_vec();
    let mut kept: Vec<OutletId> = outputs.iter().copied().take(1).collect();
    for &output in outputs.iter().take(MOST_OUTPUTS).skip(1) {
        if model.outlet_fact(output)?.shape.rank().concretize() != Some(4) {
            break;
        }
        kept.push(output);
    }
    model.select_output_outlets(&kept)
}

/// Plans that are kept: series of a department have a few lengths.
const MOST_PLANS: usize = 8;

/// Runs networks of sequences with tract. It cannot plan for a number of slices that is not known,
/// so each length of series gets a plan of its own when it first comes.
pub struct TractSequence {
    model: InferenceModel,
    columns: usize,
    /// Numbers of slices with their plans, the one used last at the end.
    plans: Mutex<Vec<(usize, Arc<TypedRunnableModel>)>>,
}

impl TractSequence {
    /// Loads an ONNX model for slices of `columns` values each.
    ///
    /// # Errors
    /// [`EngineError`] if tract does not take the model, or its input is another.
    pub fn load(onnx: &[u8], columns: usize) -> Result<Self, EngineError> {
        let read = || {
            let (model, declared) = read(onnx, 3)?;
            if !takes(&declared, columns) {
                return Err(wrong_input(NAME, &declared, columns));
            }
            Ok(Self { model, columns, plans: Mutex::default() })
        };
        let engine = caught(read)?;
        engine.plan(1)?;
        Ok(engine)
    }

    fn plan(&self, slices: usize) -> Result<Arc<TypedRunnableModel>, EngineError> {
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        let known = plans.iter().position(|(length, _)| *length == slices);
        let plan = match known {
            Some(index) => plans.remove(index).1,
            None => {
                let shape = [1, slices, self.columns];
                caught(|| planned(self.model.clone(), shape).map_err(|it| load(format!("{it:#}"))))?
            }
        };
        if plans.len() == MOST_PLANS {
            plans.remove(0);
        }
        plans.push((slices, Arc::clone(&plan)));
        Ok(plan)
    }
}

fn planned(mut model: InferenceModel, shape: [usize; 3]) -> TractResult<Arc<TypedRunnableModel>> {
    model.set_input_fact(0, f32::fact(shape).into())?;
    model.analyse(false)?;
    let outputs = model.output_outlets()?[..1].to_vec();
    model.select_output_outlets(&outputs)?;
    model.into_optimized()?.into_runnable()
}

/// tract may panic on a malformed graph; a file must not end the program.
fn caught<T>(work: impl FnOnce() -> Result<T, EngineError>) -> Result<T, EngineError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(load("the graph is malformed".to_owned())))
}

impl SequenceEngine for TractSequence {
    fn name(&self) -> &'static str {
        NAME
    }

    fn run(&self, input: &[f32]) -> Result<Vec<[f32; LABEL_COUNT]>, EngineError> {
        let slices = slices(input.len(), self.columns)?;
        let failed =
            |error: TractError| EngineError::Run { engine: NAME, reason: format!("{error:#}") };
        let tensor = Tensor::from_shape(&[1, slices, self.columns], input).map_err(failed)?;
        let outputs = self.plan(slices)?.run(tvec![tensor.into_tvalue()]).map_err(failed)?;
        let plain = outputs[0].try_as_plain_ram().map_err(failed)?;
        check_slices(outputs[0].shape(), plain.as_slice::<f32>().map_err(failed)?, slices)
    }
}
