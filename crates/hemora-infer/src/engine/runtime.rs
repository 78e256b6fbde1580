//! ONNX Runtime in this process: its library is looked for, tried, and loaded once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;

use super::contract::EngineError;
use super::library::{Finding, LibraryPlace, LibrarySearch, Surroundings, search};
use super::onnxruntime::OrtEngine;
use super::trial;

/// ONNX Runtime, loaded.
pub(super) struct Runtime {
    pub(super) environment: Environment,
    /// How it was found.
    pub(super) search: LibrarySearch,
}

/// The library that this process has, which cannot be exchanged, and what came of it.
struct Loaded {
    path: PathBuf,
    outcome: Result<Environment, String>,
    /// The search that led to it.
    search: LibrarySearch,
}

static LOADED: Mutex<Option<Loaded>> = Mutex::new(None);

/// Looks for ONNX Runtime, and loads and tries the first library that can be used, as an engine of this
/// process would. `library` is the only one that is looked at where it is given.
pub fn find_onnxruntime(library: Option<&Path>) -> LibrarySearch {
    open(library).0
}

/// ONNX Runtime for this process; loaded on first use.
///
/// # Errors
/// [`EngineError::Library`] names what was tried.
pub(super) fn runtime(library: Option<&Path>) -> Result<Runtime, EngineError> {
    let (search, environment) = open(library);
    match environment {
        Some(environment) => Ok(Runtime { environment, search }),
        None => Err(EngineError::Library { tried: search.tried() }),
    }
}

fn open(library: Option<&Path>) -> (LibrarySearch, Option<Environment>) {
    let mut search = search(library, &Surroundings::own());
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(loaded) = &*loaded {
        if library.is_none() && !search.off {
            return (loaded.search.clone(), loaded.outcome.clone().ok());
        }
        let environment = search.places.iter_mut().find_map(|place| known(place, loaded));
        return (search, environment);
    }
    for index in 0..search.places.len() {
        let place = &mut search.places[index];
        let (Finding::Untried, Some(path)) = (&place.finding, place.path.clone()) else { continue };
        let outcome = match load(&path) {
            Ok(environment) => {
                place.finding = Finding::Works;
                Ok(environment)
            }
            Err(Failure { reason, is_loaded }) => {
                place.finding = Finding::Fails(reason.clone());
                if !is_loaded {
                    continue;
                }
                Err(reason)
            }
        };
        let environment = outcome.clone().ok();
        *loaded = Some(Loaded { path, outcome, search: search.clone() });
        return (search, environment);
    }
    (search, None)
}

/// What is known of a place in a process that has a library.
fn known(place: &mut LibraryPlace, loaded: &Loaded) -> Option<Environment> {
    let path = place.path.as_ref().filter(|_| place.finding == Finding::Untried)?;
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if real(path) != real(&loaded.path) {
        let other = format!("this process already has {}", loaded.path.display());
        place.finding = Finding::Fails(other);
        return None;
    }
    place.finding = match &loaded.outcome {
        Ok(_) => Finding::Works,
        Err(reason) => Finding::Fails(reason.clone()),
    };
    loaded.outcome.clone().ok()
}

/// Why a library is not used.
struct Failure {
    reason: String,
    /// Whether the process keeps it all the same, so that no other can be tried.
    is_loaded: bool,
}

/// Loads a library and lets it compute.
fn load(path: &Path) -> Result<Environment, Failure> {
    // What does not load, has another interface or is too old is not kept. Any other call of `ort`
    // would panic without a library.
    let caught = catch_unwind(|| ort::init_from(path));
    let builder = match caught {
        Ok(Ok(builder)) => builder,
        Ok(Err(error)) => return Err(Failure { reason: error.to_string(), is_loaded: false }),
        Err(_) => return Err(Failure { reason: NO_INTERFACE.to_owned(), is_loaded: true }),
    };
    let environment = AssertUnwindSafe(|| {
        let environment = builder.with_name("hemora").with_telemetry(false).build();
        let environment = environment.map_err(|error| error.to_string())?;
        let onnx = trial::network().map_err(|error| error.to_string())?;
        let engine =
            OrtEngine::with_environment(environment.clone(), &onnx, trial::CHANNELS, trial::SIZE);
        trial::check(&engine.map_err(|error| error.to_string())?, &onnx)?;
        Ok(environment)
    });
    // `ort` panics where a library of a fitting version lacks the interface of that version.
    catch_unwind(environment)
        .unwrap_or_else(|_| Err(NO_INTERFACE.to_owned()))
        .map_err(|reason| Failure { reason, is_loaded: true })
}

const NO_INTERFACE: &str = "it has not the interface of ONNX Runtime 1.20";
