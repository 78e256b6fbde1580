//! ONNX Runtime, when its shared library is found.

use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use hemora_ct::LABEL_COUNT;
use ort::environment::Environment;
use ort::session::Session;
use ort::value::{TensorRef, ValueType};

use super::contract::{
    Engine, EngineError, MOST_OUTPUTS, Output, check_input_shape, check_length, check_output,
};
use super::runtime::runtime;
use super::sequence::{SequenceEngine, check_slices, slices, takes, wrong_input};

const NAME: &str = "onnxruntime";

/// Most sessions at once: each holds its own copy of the weights.
const MOST_SESSIONS: usize = 16;

/// Runs ONNX models with ONNX Runtime on the CPU.
///
/// Each session runs one image on one core; calls from several threads get sessions of their own.
/// That is faster on a series than sharing one image among cores, and no result can depend on how
/// an operation was split.
#[derive(Debug)]
pub struct OrtEngine {
    environment: Environment,
    onnx: Vec<u8>,
    shape: [usize; 4],
    /// How many of its outputs are read.
    outputs: usize,
    pool: Mutex<Pool>,
    returned: Condvar,
}

#[derive(Debug)]
struct Pool {
    idle: Vec<Session>,
    started: usize,
}

impl OrtEngine {
    /// Loads an ONNX model for images `[channels, size, size]`.
    ///
    /// The library is `library` (a file, or a folder or Python environment that holds it), or else
    /// the first that works of what HEMORA_ONNXRUNTIME or ORT_DYLIB_PATH names, of the `onnxruntime`
    /// package of Python, and of the system ([`find_onnxruntime`](crate::find_onnxruntime)).
    /// A process loads one library: a second call that names another one fails.
    ///
    /// # Errors
    /// [`EngineError::Library`] names what was tried; other variants if the model does not fit.
    pub fn load(
        onnx: &[u8],
        channels: usize,
        size: usize,
        library: Option<&Path>,
    ) -> Result<Self, EngineError> {
        Self::with_environment(runtime(library)?.environment, onnx, channels, size)
    }

    /// As [`OrtEngine::load`], with a library that is loaded already.
    pub(super) fn with_environment(
        environment: Environment,
        onnx: &[u8],
        channels: usize,
        size: usize,
    ) -> Result<Self, EngineError> {
        let shape = [1, channels, size, size];
        let session = session(&environment, onnx).map_err(|error| load(&error))?;
        let mut declared = declared(&session)?;
        if let Some(batch) = declared.first_mut() {
            *batch = None;
        }
        check_input_shape(&declared, shape)?;
        let maps = session.outputs().iter().take(MOST_OUTPUTS).skip(1).take_while(
            |output| matches!(output.dtype(), ValueType::Tensor { shape, .. } if shape.len() == 4),
        );
        let outputs = 1 + maps.count();
        let engine = Self {
            environment,
            onnx: onnx.to_vec(),
            shape,
            outputs,
            pool: Mutex::new(Pool { idle: vec![session], started: 1 }),
            returned: Condvar::new(),
        };
        // A declared output may leave dimensions open: one image tells.
        engine.run(&vec![0.0; shape.iter().product()])?;
        Ok(engine)
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An idle session, a new one while there are few, or the next that is returned.
    fn take(&self) -> Result<Session, EngineError> {
        let mut pool = self.pool();
        loop {
            if let Some(session) = pool.idle.pop() {
                return Ok(session);
            }
            if pool.started < MOST_SESSIONS {
                pool.started += 1;
                drop(pool);
                return session(&self.environment, &self.onnx).map_err(|error| {
                    self.pool().started -= 1;
                    self.returned.notify_one();
                    load(&error)
                });
            }
            pool = self.returned.wait(pool).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn put_back(&self, session: Session) {
        self.pool().idle.push(session);
        self.returned.notify_one();
    }
}

impl Engine for OrtEngine {
    fn name(&self) -> &'static str {
        NAME
    }

    fn run(&self, input: &[f32]) -> Result<Output, EngineError> {
        check_length(input.len(), self.shape)?;
        let mut session = self.take()?;
        let output = run(&mut session, self.shape, input, self.outputs);
        self.put_back(session);
        output
    }
}

fn run(
    session: &mut Session,
    shape: [usize; 4],
    input: &[f32],
    read: usize,
) -> Result<Output, EngineError> {
    let failed = |error: ort::Error| EngineError::Run { engine: NAME, reason: error.to_string() };
    let tensor = TensorRef::from_array_view((shape, input)).map_err(failed)?;
    let outputs = session.run(ort::inputs![tensor]).map_err(failed)?;
    let output = |index: usize| -> Result<(Vec<usize>, &[f32]), EngineError> {
        let (shape, values) = outputs[index].try_extract_tensor::<f32>().map_err(failed)?;
        Ok((shape.iter().map(|&size| usize::try_from(size).unwrap_or(0)).collect(), values))
    };
    let outputs = (0..read).map(output).collect::<Result<Vec<_>, _>>()?;
    let raw = |index: usize| {
        outputs.get(index).map(|(shape, values): &(Vec<usize>, &[f32])| (shape.as_slice(), *values))
    };
    check_output(raw(0).unwrap_or_default(), raw(1), raw(2))
}

fn load(error: &ort::Error) -> EngineError {
    EngineError::Load { engine: NAME, reason: error.to_string() }
}

fn session(environment: &Environment, onnx: &[u8]) -> Result<Session, ort::Error> {
    Session::builder(environment)?.with_intra_threads(1)?.commit_from_memory(onnx)
}

/// The shape that a model declares for its only input; `None` for open dimensions.
fn declared(session: &Session) -> Result<Vec<Option<usize>>, EngineError> {
    let [input] = session.inputs() else {
        let reason = format!("it has {} inputs", session.inputs().len());
        return Err(EngineError::Load { engine: NAME, reason });
    };
    let sizes = input.dtype().tensor_shape();
    Ok(sizes
        .map(|shape| shape.iter().map(|&size| usize::try_from(size).ok()).collect())
        .unwrap_or_default())
}

/// Runs networks of sequences with ONNX Runtime, one series at a time: they are small.
#[derive(Debug)]
pub struct OrtSequence {
    session: Mutex<Session>,
    columns: usize,
}

impl OrtSequence {
    /// Loads an ONNX model for slices of `columns` values each; `library` as of
    /// [`OrtEngine::load`].
    ///
    /// # Errors
    /// [`EngineError::Library`] names what was tried; other variants if the model does not fit.
    pub fn load(onnx: &[u8], columns: usize, library: Option<&Path>) -> Result<Self, EngineError> {
        let session =
            session(&runtime(library)?.environment, onnx).map_err(|error| load(&error))?;
        let declared = declared(&session)?;
        if !takes(&declared, columns) {
            return Err(wrong_input(NAME, &declared, columns));
        }
        Ok(Self { session: Mutex::new(session), columns })
    }
}

impl SequenceEngine for OrtSequence {
    fn name(&self) -> &'static str {
        NAME
    }

    fn run(&self, input: &[f32]) -> Result<Vec<[f32; LABEL_COUNT]>, EngineError> {
        let slices = slices(input.len(), self.columns)?;
        let failed =
            |error: ort::Error| EngineError::Run { engine: NAME, reason: error.to_string() };
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let tensor =
            TensorRef::from_array_view(([1, slices, self.columns], input)).map_err(failed)?;
        let outputs = session.run(ort::inputs![tensor]).map_err(failed)?;
        let (shape, values) = outputs[0].try_extract_tensor::<f32>().map_err(failed)?;
        let shape: Vec<usize> =
            shape.iter().map(|&size| usize::try_from(size).unwrap_or(0)).collect();
        check_slices(&shape, values, slices)
    }
}
