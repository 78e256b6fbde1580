//! Weights of timm and torchvision under the names used here.

use std::collections::HashMap;
use std::path::Path;

use hemora_nn::{Imported, Summary, import, networks};

use crate::BundlingError;
use crate::error::{read, write};

/// Images that are as wide as any network asks for: the size does not matter to weights.
const SIZE: usize = 224;

/// Writes the weights in `weights`, a safetensors file of timm or torchvision, to `out` as weights of
/// `network`, for images of so many channels, and gives what was imported and the number of the
/// network's trainable parameters with six labels.
///
/// # Errors
/// [`BundlingError`] names the file and the tensor that does not fit, or the networks that there are.
pub fn import_weights(
    weights: &Path,
    network: &str,
    channels: usize,
    out: &Path,
) -> Result<(Imported, u64), BundlingError> {
    let options = networks::Options { channels, size: SIZE, ..networks::Options::default() };
    let Some(graph) = networks::build(network, &options) else {
        let names = networks::names().collect::<Vec<_>>().join(", ");
        let (problem, advice) = ("no network has this name", format!("choose one of {names}"));
        return Err(BundlingError::unfit(format!("`{network}`"), problem, advice));
    };
    let graph =
        graph.map_err(|source| BundlingError::Graph { path: weights.to_owned(), source })?;
    let imported = import(&graph, &read(weights)?)
        .map_err(|source| BundlingError::Import { path: weights.to_owned(), source })?;
    let file = weights.file_name().unwrap_or(weights.as_os_str()).to_string_lossy();
    let metadata = HashMap::from([
        ("network".to_owned(), network.to_owned()),
        ("imported_from".to_owned(), file.into_owned()),
    ]);
    let bytes = imported.weights.to_safetensors(metadata).map_err(BundlingError::weights(out))?;
    write(out, &bytes)?;
    Ok((imported, Summary::new(&graph).trainable as u64))
}
