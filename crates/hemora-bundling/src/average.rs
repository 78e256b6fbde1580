//! The mean of several networks' weights as one network.

use std::path::{Path, PathBuf};

use hemora_model::{SliceNetwork, TrainedNetwork};
use hemora_nn::Weights;

use crate::BundlingError;
use crate::error::write;
use crate::trained::TrainedSlices;

/// A mean that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Average {
    /// The network.
    pub network: String,
    /// How many networks' weights it is the mean of.
    pub count: usize,
}

/// Writes the mean of the weights in `parts`, files that hemora-train wrote, to `out`. The parts must be
/// one network, trained for one task on one input; their figures are not the mean's, which has none.
///
/// # Errors
/// [`BundlingError`] names the file and what differs from the first, or that there is none.
pub fn average(parts: &[PathBuf], out: &Path) -> Result<Average, BundlingError> {
    let parts: Vec<TrainedSlices> =
        parts.iter().map(|path| TrainedSlices::read(path)).collect::<Result<_, _>>()?;
    let Some(first) = parts.first() else {
        return Err(BundlingError::unfit("average", "no networks", "name at least two"));
    };
    for part in &parts {
        let (own, expected) = (&part.network, &first.network);
        let differs = [
            ("network", own.network != expected.network),
            ("task", own.task != expected.task),
            ("input", own.input != expected.input),
        ];
        if let Some((what, _)) = differs.iter().find(|(_, differs)| *differs) {
            return Err(BundlingError::unfit(
                part.path.display().to_string(),
                format!("another {what} than that of {}", first.path.display()),
                "average networks of one kind that were trained for one task on one input",
            ));
        }
    }
    let all: Vec<&Weights> = parts.iter().map(|part| &part.weights).collect();
    let mean = Weights::mean(&all).map_err(BundlingError::weights(&first.path))?;
    let SliceNetwork { network, task, input, .. } = first.network.clone();
    let trained = TrainedNetwork::Slices(SliceNetwork {
        network: network.clone(),
        task,
        input,
        fold: None,
        validation: Vec::new(),
        averaged: u32::try_from(parts.len()).ok(),
    });
    let bytes = mean.to_safetensors(trained.to_metadata()).map_err(BundlingError::weights(out))?;
    write(out, &bytes)?;
    Ok(Average { network, count: parts.len() })
}
