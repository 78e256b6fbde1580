//! What every engine takes and gives, and the checks on both.

use hemora_ct::{LABEL_COUNT, Label};

/// Runs one network. Many threads may call [`Engine::run`] at once; the same input gives the same
/// output whatever their number.
pub trait Engine: Send + Sync {
    /// `tract` or `onnxruntime`.
    fn name(&self) -> &'static str;

    /// Runs the network on one image, `[channels, size, size]` flattened.
    ///
    /// # Errors
    /// [`EngineError`] if the input has another length, the engine fails, or the output is not six
    /// probabilities.
    fn run(&self, input: &[f32]) -> Result<Output, EngineError>;
}

/// What a network predicts for one image.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// Probabilities (0 to 1) in label order.
    pub probabilities: [f32; LABEL_COUNT],
    /// The last feature map before pooling, if the network gives it.
    pub features: Option<FeatureMap>,
    /// The probability of each label in each part of the image, `[6, rows, columns]` in label order, if
    /// the network has a dense head.
    pub maps: Option<FeatureMap>,
}

/// A feature map `[channels, rows, columns]`.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureMap {
    /// Channels.
    pub channels: usize,
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// `channels × rows × columns` values, last dimension fastest.
    pub values: Vec<f32>,
}

impl FeatureMap {
    /// The mean of each channel over rows and columns.
    pub fn pooled(&self) -> Vec<f32> {
        let area = (self.rows * self.columns).max(1);
        let mean = |channel: &[f32]| {
            let sum: f64 = channel.iter().map(|&value| f64::from(value)).sum();
            (sum / area as f64) as f32
        };
        self.values.chunks(area).map(mean).collect()
    }
}

/// Why a network is not loaded or gives no result; the caller names the model or the slice.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The engine does not take the model.
    #[error(
        "{engine} cannot load the network: {reason}; expected an ONNX model from an image [N, channels, rows, columns] or slices [N, slices, columns] to six probabilities"
    )]
    Load {
        /// The engine.
        engine: &'static str,
        /// The message of the engine.
        reason: String,
    },
    /// The model was made for another image.
    #[error(
        "the network takes an input of shape {found}, but its input recipe makes {expected:?}; correct `input` in model.json"
    )]
    InputShape {
        /// Shape in the model; dimensions that it leaves open are `?`.
        found: String,
        /// Shape that the recipe makes.
        expected: [usize; 4],
    },
    /// The input has another length.
    #[error("the input has {found} values, the network takes {expected}")]
    InputLength {
        /// Values given.
        found: usize,
        /// Values that the network takes.
        expected: usize,
    },
    /// An output has an unusable shape.
    #[error("the network's output `{name}` has shape {found:?}; expected {expected}")]
    OutputShape {
        /// `probabilities`, `features` or `maps`.
        name: &'static str,
        /// Shape found.
        found: Vec<usize>,
        /// Shape expected.
        expected: &'static str,
    },
    /// An output is not a probability.
    #[error(
        "the network gives {value} as the probability of {label}; expected 0 to 1, the last layer must be a sigmoid"
    )]
    Probability {
        /// The label.
        label: Label,
        /// What came out.
        value: f32,
    },
    /// The engine failed on an image.
    #[error("{engine} failed: {reason}")]
    Run {
        /// The engine.
        engine: &'static str,
        /// The message of the engine.
        reason: String,
    },
    /// ONNX Runtime's library was not found or is not usable.
    #[error(
        "ONNX Runtime is not available: tried {tried}; install it with `pip install onnxruntime`, or set HEMORA_ONNXRUNTIME to a libonnxruntime file or to the Python environment that has it, or use the built-in engine `tract`"
    )]
    Library {
        /// The paths that were tried and what came of each.
        tried: String,
    },
    /// An unknown engine name.
    #[error("unknown engine `{0}`; expected auto, tract or onnxruntime")]
    Name(String),
}

/// How far rounding may carry a softmax over the ends of 0–1.
const ROUNDING: f32 = 1e-6;

/// Outputs that are read: probabilities, features, maps.
pub(super) const MOST_OUTPUTS: usize = 3;

/// An output as an engine gives it: its shape and its values.
pub(super) type Raw<'a> = (&'a [usize], &'a [f32]);

/// Checks the raw outputs of an engine: the probabilities, and what there is behind them of four
/// dimensions, the features and the maps.
pub(super) fn check_output(
    probabilities: Raw<'_>,
    features: Option<Raw<'_>>,
    maps: Option<Raw<'_>>,
) -> Result<Output, EngineError> {
    let (shape, values) = probabilities;
    let values: [f32; LABEL_COUNT] = match values.try_into() {
        Ok(values) if is_probability_shape(shape) => values,
        _ => return Err(probability_shape(shape)),
    };
    for (label, value) in Label::ALL.into_iter().zip(values) {
        check_probability(label, value)?;
    }
    let features = features.map(|raw| feature_map("features", raw, "[1, channels, rows, columns]"));
    let maps = maps.map(label_maps).transpose()?;
    let probabilities = values.map(|value| value.clamp(0.0, 1.0));
    Ok(Output { probabilities, features: features.transpose()?, maps })
}

fn check_probability(label: Label, value: f32) -> Result<(), EngineError> {
    // Written so that not a number fails.
    match (-ROUNDING..=1.0 + ROUNDING).contains(&value) {
        true => Ok(()),
        false => Err(EngineError::Probability { label, value }),
    }
}

/// The map of each label.
fn label_maps(raw: Raw<'_>) -> Result<FeatureMap, EngineError> {
    let expected = "[1, 6, rows, columns], a map for each label";
    let mut maps = feature_map("maps", raw, expected)?;
    if maps.channels != LABEL_COUNT {
        let found = raw.0.to_vec();
        return Err(EngineError::OutputShape { name: "maps", found, expected });
    }
    let area = maps.rows * maps.columns;
    for (label, map) in Label::ALL.into_iter().zip(maps.values.chunks_exact_mut(area)) {
        for value in map {
            check_probability(label, *value)?;
            *value = value.clamp(0.0, 1.0);
        }
    }
    Ok(maps)
}

/// Whether a shape is `[1, 6]`.
pub(super) fn is_probability_shape(shape: &[usize]) -> bool {
    shape == [1, LABEL_COUNT]
}

/// The error for a first output that is not `[1, 6]`.
pub(super) fn probability_shape(shape: &[usize]) -> EngineError {
    EngineError::OutputShape {
        name: "probabilities",
        found: shape.to_vec(),
        expected: "[1, 6], one probability for each label",
    }
}

fn feature_map(
    name: &'static str,
    (shape, values): Raw<'_>,
    expected: &'static str,
) -> Result<FeatureMap, EngineError> {
    match *shape {
        [1, channels, rows, columns]
            if !values.is_empty() && channels * rows * columns == values.len() =>
        {
            Ok(FeatureMap { channels, rows, columns, values: values.to_vec() })
        }
        _ => Err(EngineError::OutputShape { name, found: shape.to_vec(), expected }),
    }
}

/// Checks a model's declared input shape (`None` where it leaves a dimension open) against the
/// recipe's, batch dimension aside.
pub(super) fn check_input_shape(
    found: &[Option<usize>],
    expected: [usize; 4],
) -> Result<(), EngineError> {
    let fits = |(found, expected): (&Option<usize>, usize)| found.is_none_or(|it| it == expected);
    if found.len() == 4 && found.iter().zip(expected).all(fits) {
        return Ok(());
    }
    let found: Vec<String> =
        found.iter().map(|size| size.map_or("?".to_owned(), |size| size.to_string())).collect();
    Err(EngineError::InputShape { found: format!("[{}]", found.join(", ")), expected })
}

/// Checks the length of an input.
pub(super) fn check_length(found: usize, shape: [usize; 4]) -> Result<(), EngineError> {
    let expected = shape.iter().product();
    if found == expected { Ok(()) } else { Err(EngineError::InputLength { found, expected }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_six_probabilities_pass() {
        let good = [0.0, 1.0, 0.5, 0.25, 0.1, 1.0 + 1e-7];
        let output = check_output((&[1, 6], &good), None, None).unwrap();
        assert_eq!(output.probabilities, [0.0, 1.0, 0.5, 0.25, 0.1, 1.0]);
        for bad in [f32::NAN, f32::INFINITY, -0.1, 1.1, 3.7] {
            let mut values = good;
            values[4] = bad;
            let error = check_output((&[1, 6], &values), None, None).unwrap_err().to_string();
            assert!(error.contains("subdural") && error.contains(&bad.to_string()), "{error}");
        }
        let shape = check_output((&[6, 1], &good), None, None).unwrap_err().to_string();
        assert!(shape.contains("[6, 1]") && shape.contains("[1, 6]"), "{shape}");
        assert!(check_output((&[1, 2], &good[..2]), None, None).is_err());
    }

    #[test]
    fn feature_maps_must_fill_their_shape() {
        let good = ([1usize, 6].as_slice(), [0.5f32; 6].as_slice());
        let features = [1.0; 12];
        let output = check_output(good, Some((&[1, 3, 2, 2], &features)), None).unwrap();
        let map = output.features.unwrap();
        assert_eq!((map.channels, map.pooled()), (3, vec![1.0; 3]));
        let values = vec![0.0, 1.0, 2.0, 5.0];
        let map = FeatureMap { channels: 2, rows: 1, columns: 2, values };
        assert_eq!(map.pooled(), [0.5, 3.5]);
        for shape in [&[1usize, 3, 2, 3] as &[usize], &[2, 3, 2, 1], &[1, 12]] {
            assert!(check_output(good, Some((shape, &features)), None).is_err(), "{shape:?}");
        }
    }

    #[test]
    fn input_shapes_may_leave_dimensions_open() {
        let recipe = [1, 3, 224, 224];
        assert!(check_input_shape(&[None, Some(3), Some(224), Some(224)], recipe).is_ok());
        assert!(check_input_shape(&[None; 4], recipe).is_ok());
        let error = check_input_shape(&[None, Some(3), Some(256), Some(256)], recipe).unwrap_err();
        assert!(error.to_string().contains("[?, 3, 256, 256]"), "{error}");
        assert!(check_input_shape(&[None; 3], recipe).is_err());
        assert!(check_length(5, [1, 1, 2, 2]).is_err());
    }
}
