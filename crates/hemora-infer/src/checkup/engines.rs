//! The engines with the network of a model: whether they work, how fast, and whether they agree.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use hemora_ct::LABEL_COUNT;
use hemora_model::Bundle;
use serde::Serialize;

use crate::{EngineKind, LibrarySearch, load_engine};

/// How long each engine runs images.
const MEASURED: Duration = Duration::from_millis(700);
/// Images after which an engine is known well enough.
const MOST_IMAGES: usize = 64;

/// An engine with the first network of a model.
#[derive(Debug, Clone, Serialize)]
pub struct EngineCheck {
    /// `tract` or `onnxruntime`.
    pub name: &'static str,
    /// Whether it loads the network and computes.
    pub works: bool,
    /// Why it does not.
    pub reason: Option<String>,
    /// ONNX Runtime's library.
    pub library: Option<PathBuf>,
    /// The version that the library's name ends with.
    pub library_version: Option<String>,
    /// Images a second on one core.
    pub images_per_s: Option<f64>,
    /// Largest difference of a probability from tract's on one image.
    pub difference: Option<f32>,
}

/// Checks tract, and ONNX Runtime as `search` found it.
pub(super) fn check(model: &Bundle, search: &LibrarySearch) -> [EngineCheck; 2] {
    let (tract, expected) = run(EngineKind::Tract, model);
    let (mut runtime, found) = run(EngineKind::OnnxRuntime, model);
    let largest = |a: [f32; LABEL_COUNT], b: [f32; LABEL_COUNT]| {
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    runtime.difference = expected.zip(found).map(|(a, b)| largest(a, b));
    runtime.library = search.working().and_then(|place| place.path.clone());
    let name = runtime.library.as_ref().and_then(|path| path.file_name()?.to_str());
    runtime.library_version = name.and_then(version);
    [tract, runtime]
}

/// How many times as fast as the first the second engine is.
pub(super) fn gain([tract, runtime]: &[EngineCheck; 2]) -> Option<f64> {
    Some(runtime.images_per_s? / tract.images_per_s?)
}

/// Loads the first network of slices and runs images; also gives the probabilities of one.
fn run(kind: EngineKind, model: &Bundle) -> (EngineCheck, Option<[f32; LABEL_COUNT]>) {
    let mut check = EngineCheck {
        name: if kind == EngineKind::Tract { "tract" } else { "onnxruntime" },
        works: false,
        reason: None,
        library: None,
        library_version: None,
        images_per_s: None,
        difference: None,
    };
    match measure(kind, model) {
        Ok((rate, probabilities)) => {
            (check.works, check.images_per_s) = (true, Some(rate));
            (check, Some(probabilities))
        }
        Err(reason) => {
            check.reason = Some(reason);
            (check, None)
        }
    }
}

fn measure(kind: EngineKind, model: &Bundle) -> Result<(f64, [f32; LABEL_COUNT]), String> {
    let (member, networks) = model.members().next().ok_or("the model has no network")?;
    let (channels, size) = (member.input.channels.len(), member.input.size);
    let loaded = load_engine(kind, &networks.slices, channels, size, None);
    let engine = loaded.map_err(|error| error.to_string())?.engine;
    let image: Vec<f32> =
        (0..channels * size * size).map(|at| (at % 251) as f32 / 125.0 - 1.0).collect();
    let run = || engine.run(&image).map_err(|error| error.to_string());
    // The first image allocates.
    let probabilities = run()?.probabilities;
    let (start, mut images) = (Instant::now(), 0);
    while images < MOST_IMAGES && start.elapsed() < MEASURED {
        run()?;
        images += 1;
    }
    Ok((images as f64 / start.elapsed().as_secs_f64(), probabilities))
}

/// The version in the name of a library, for instance of `libonnxruntime.so.1.23.2`.
fn version(name: &str) -> Option<String> {
    let first = name.find(|c: char| c.is_ascii_digit())?;
    let is_version = |c: char| c == '.' || c.is_ascii_digit();
    let version: String = name[first..].chars().take_while(|&c| is_version(c)).collect();
    Some(version.trim_end_matches('.').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_of_the_name() {
        for (name, expected) in [
            ("libonnxruntime.so.1.23.2", Some("1.23.2")),
            ("libonnxruntime.1.23.2.dylib", Some("1.23.2")),
            ("libonnxruntime.so", None),
        ] {
            assert_eq!(version(name).as_deref(), expected, "{name}");
        }
    }
}
