//! Class-activation maps (Zhou et al. 2016, "Learning Deep Features for Discriminative
//! Localization"): where in the image a network with global average pooling sees a label.

use hemora_ct::{LABEL_COUNT, Label, Plane};
use hemora_model::{LabelMap, MapKind};
use hemora_nn::onnx::{self, OnnxError};

use crate::FeatureMap;

/// The weights `[6, channels]` of the linear layer behind global average pooling.
#[derive(Debug, Clone, PartialEq)]
pub struct Classifier {
    channels: usize,
    weight: Vec<f32>,
}

impl Classifier {
    /// Weights of six units by `channels` inputs, unit by unit in label order; `None` if they are
    /// not six times the channels or not finite.
    pub fn new(channels: usize, weight: Vec<f32>) -> Option<Self> {
        let fits = channels > 0 && channels.checked_mul(LABEL_COUNT) == Some(weight.len());
        (fits && weight.iter().all(|value| value.is_finite())).then_some(Self { channels, weight })
    }

    /// The classifier of an ONNX model: the linear layer that its probabilities come from. `None`
    /// if the model ends in another way; then there are no activation maps.
    ///
    /// # Errors
    /// [`OnnxError`] if the bytes are not an ONNX model.
    pub fn from_onnx(bytes: &[u8]) -> Result<Option<Self>, OnnxError> {
        Ok(onnx::classifier(bytes)?
            .filter(|layer| layer.units == LABEL_COUNT)
            .and_then(|layer| Self::new(layer.inputs, layer.weight)))
    }

    /// The map of one label: the features weighted by the label's weights, negative values cut,
    /// scaled to a largest value of 1. `None` if nothing speaks for the label, or the features are
    /// not those that the classifier takes.
    pub fn map(&self, features: &FeatureMap, label: Label) -> Option<LabelMap> {
        let area = features.rows.checked_mul(features.columns)?;
        if features.channels != self.channels
            || area.checked_mul(self.channels) != Some(features.values.len())
            || area == 0
        {
            return None;
        }
        let weights = &self.weight[label.index() * self.channels..][..self.channels];
        let mut values = vec![0f32; area];
        for (weight, channel) in weights.iter().zip(features.values.chunks_exact(area)) {
            for (value, feature) in values.iter_mut().zip(channel) {
                *value += weight * feature;
            }
        }
        let largest = values.iter().copied().fold(0f32, f32::max);
        // Not a number never is the largest, so it has to be looked for.
        if largest <= 0.0 || values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        for value in &mut values {
            *value = value.max(0.0) / largest;
        }
        let plane = Plane { rows: features.rows, columns: features.columns, values };
        Some(LabelMap { label, kind: MapKind::Activation, plane })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two channels of 2 × 2: a spot top left and a spot bottom right.
    fn features() -> FeatureMap {
        let values = vec![4.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0];
        FeatureMap { channels: 2, rows: 2, columns: 2, values }
    }

    fn classifier() -> Classifier {
        let mut weight = vec![0.0; 12];
        weight[0..2].copy_from_slice(&[1.0, -1.0]);
        weight[2..4].copy_from_slice(&[-1.0, -0.5]);
        weight[10..12].copy_from_slice(&[0.5, 1.0]);
        Classifier::new(2, weight).unwrap()
    }

    #[test]
    fn weights_choose_the_channels_and_negative_evidence_is_cut() {
        let map = classifier().map(&features(), Label::Epidural).unwrap();
        assert_eq!(map.plane.values, [1.0, 0.25, 0.0, 0.0]);
        let map = classifier().map(&features(), Label::Any).unwrap();
        assert_eq!(map.plane.values, [1.0, 0.25, 0.5, 1.0]);
        let upsampled = map.upsampled(4, 6);
        assert_eq!((upsampled.rows, upsampled.columns, upsampled.values[0]), (4, 6, 1.0));
    }

    #[test]
    fn no_evidence_is_no_map() {
        assert_eq!(classifier().map(&features(), Label::Intraparenchymal), None);
        assert_eq!(classifier().map(&features(), Label::Subdural), None);
    }

    #[test]
    fn features_that_do_not_fit_give_no_map() {
        let other = FeatureMap { channels: 1, rows: 2, columns: 4, ..features() };
        assert_eq!(classifier().map(&other, Label::Any), None);
        let short = FeatureMap { rows: 3, ..features() };
        assert_eq!(classifier().map(&short, Label::Any), None);
        let mut broken = features();
        broken.values[1] = f32::NAN;
        assert_eq!(classifier().map(&broken, Label::Any), None);
        assert_eq!(Classifier::new(2, vec![0.0; 11]), None);
        assert_eq!(Classifier::new(usize::MAX, vec![0.0; 12]), None);
    }
}
