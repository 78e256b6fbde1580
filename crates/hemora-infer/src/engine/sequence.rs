//! Engines that run a network on all slices of a series, behind one trait.

use std::path::Path;

use hemora_ct::LABEL_COUNT;
use hemora_metrics::{log_odds, sigmoid};

use super::contract::{EngineError, check_output};
use super::onnxruntime::OrtSequence;
use super::tract::TractSequence;
use crate::EngineKind;

/// Runs one network of sequences, whose input is `[N, slices, columns]` and whose output is
/// `[N, slices, 6]` probabilities.
pub trait SequenceEngine: Send + Sync {
    /// `tract` or `onnxruntime`.
    fn name(&self) -> &'static str;

    /// Runs the network on one series, `slices × columns` values; gives probabilities (0 to 1) in
    /// label order for each slice.
    ///
    /// # Errors
    /// [`EngineError`] if the input is not whole slices, the engine fails, or the output is not six
    /// probabilities a slice.
    fn run(&self, input: &[f32]) -> Result<Vec<[f32; LABEL_COUNT]>, EngineError>;
}

/// Loads an ONNX model for slices of `columns` values each into the engine of `kind`, as
/// [`load_engine`](super::load_engine) does for images.
///
/// # Errors
/// [`EngineError`] if the engine is not available or does not take the model.
pub fn load_sequence_engine(
    kind: EngineKind,
    onnx: &[u8],
    columns: usize,
    library: Option<&Path>,
) -> Result<Box<dyn SequenceEngine>, EngineError> {
    let tract = || Ok(Box::new(TractSequence::load(onnx, columns)?) as Box<dyn SequenceEngine>);
    let runtime = || Ok(Box::new(OrtSequence::load(onnx, columns, library)?) as _);
    match kind {
        EngineKind::Tract => tract(),
        EngineKind::OnnxRuntime => runtime(),
        // What is wrong with the network itself tract says too.
        EngineKind::Auto => runtime().or_else(|_| tract()),
    }
}

/// What a network predicts for a series of `slices` slices, read both ways: of each the mean log odds as
/// a probability. `columns` gives the network's input, `[slices, columns]`, for the slices in the
/// order that it is asked for.
///
/// # Errors
/// [`EngineError`] as [`SequenceEngine::run`].
pub fn run_both_ways(
    engine: &dyn SequenceEngine,
    slices: usize,
    columns: impl Fn(&[usize]) -> Vec<f32>,
) -> Result<Vec<[f32; LABEL_COUNT]>, EngineError> {
    let forward: Vec<usize> = (0..slices).collect();
    let backward: Vec<usize> = forward.iter().rev().copied().collect();
    let mut mean = engine.run(&columns(&forward))?;
    let other = engine.run(&columns(&backward))?;
    for (one, other) in mean.iter_mut().zip(other.iter().rev()) {
        for (one, other) in one.iter_mut().zip(other) {
            let sum = log_odds(f64::from(*one)) + log_odds(f64::from(*other));
            *one = sigmoid(sum / 2.0) as f32;
        }
    }
    Ok(mean)
}

/// Slices of an input of `length` values, `columns` each.
pub(super) fn slices(length: usize, columns: usize) -> Result<usize, EngineError> {
    match length.checked_rem(columns) {
        Some(0) if length > 0 => Ok(length / columns),
        _ => Err(EngineError::InputLength { found: length, expected: columns }),
    }
}

/// The error for a model that takes something else.
pub(super) fn wrong_input(
    engine: &'static str,
    found: &[Option<usize>],
    columns: usize,
) -> EngineError {
    let found: Vec<String> =
        found.iter().map(|size| size.map_or("?".to_owned(), |size| size.to_string())).collect();
    let reason = format!("its input is [{}], not slices of {columns} values", found.join(", "));
    EngineError::Load { engine, reason }
}

/// Whether a declared input, with open dimensions as `None`, takes slices of `columns` values.
pub(super) fn takes(declared: &[Option<usize>], columns: usize) -> bool {
    declared.len() == 3 && declared[1].is_none() && declared[2].is_none_or(|it| it == columns)
}

/// Checks the raw output of an engine on a series.
pub(super) fn check_slices(
    shape: &[usize],
    values: &[f32],
    slices: usize,
) -> Result<Vec<[f32; LABEL_COUNT]>, EngineError> {
    if shape != [1, slices, LABEL_COUNT] {
        return Err(EngineError::OutputShape {
            name: "probabilities",
            found: shape.to_vec(),
            expected: "[1, slices, 6], one probability for each label of each slice",
        });
    }
    let (rows, _) = values.as_chunks::<LABEL_COUNT>();
    let check = |row: &[f32; LABEL_COUNT]| {
        check_output((&[1, LABEL_COUNT], row), None, None).map(|output| output.probabilities)
    };
    rows.iter().map(check).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_series_is_refused() {
        assert_eq!(slices(12, 4).unwrap(), 3);
        for (length, columns) in [(0, 4), (13, 4), (4, 0)] {
            assert!(slices(length, columns).is_err(), "{length} {columns}");
        }
        let half = [0.5; 12];
        assert_eq!(check_slices(&[1, 2, 6], &half, 2).unwrap(), [[0.5; 6]; 2]);
        assert!(check_slices(&[1, 6, 2], &half, 2).is_err());
        assert!(check_slices(&[1, 2, 6], &half, 3).is_err());
        assert!(check_slices(&[1, 2, 6], &[1.5; 12], 2).is_err());
    }
}
