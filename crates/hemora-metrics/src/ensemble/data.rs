//! Out-of-fold predictions of several models of the same slices.

use hemora_ct::{LABEL_COUNT, Label};

use crate::error::{check_probabilities, lengths};
use crate::{MetricError, log_loss};

/// Most models of an ensemble.
pub const MOST_MODELS: usize = 32;

/// Out-of-fold predictions of several models of the same slices, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct OutOfFold {
    models: Vec<Vec<[f32; LABEL_COUNT]>>,
    labels: Vec<[Option<bool>; LABEL_COUNT]>,
    folds: Vec<u32>,
}

impl OutOfFold {
    /// `models` are the probabilities of each model, slice by slice in label order; `labels` those of
    /// the slices as far as they are known; `folds` the fold of each slice, whose models did not see it.
    ///
    /// # Errors
    /// [`MetricError`] if there is no model or more than [`MOST_MODELS`], lengths differ, or a
    /// probability is not in 0 to 1.
    pub fn new(
        models: Vec<Vec<[f32; LABEL_COUNT]>>,
        labels: Vec<[Option<bool>; LABEL_COUNT]>,
        folds: Vec<u32>,
    ) -> Result<Self, MetricError> {
        if !(1..=MOST_MODELS).contains(&models.len()) {
            let (option, value) = ("number of models", models.len().to_string());
            return Err(MetricError::Option { option, value, expected: "1 to 32" });
        }
        lengths("folds", folds.len(), "label rows", labels.len())?;
        for model in &models {
            lengths("probability rows", model.len(), "label rows", labels.len())?;
            let values: Vec<f64> = model.as_flattened().iter().copied().map(f64::from).collect();
            check_probabilities(&values)?;
        }
        Ok(Self { models, labels, folds })
    }

    /// Number of models.
    pub fn models(&self) -> usize {
        self.models.len()
    }

    /// Number of slices.
    pub fn slices(&self) -> usize {
        self.labels.len()
    }

    /// The folds that there are, ascending.
    pub fn folds(&self) -> Vec<u32> {
        let mut folds = self.folds.clone();
        folds.sort_unstable();
        folds.dedup();
        folds
    }

    /// Fold of a slice.
    pub fn fold(&self, slice: usize) -> u32 {
        self.folds[slice]
    }

    /// Probability that a model gives a slice.
    pub fn probability(&self, model: usize, slice: usize, label: Label) -> f64 {
        f64::from(self.models[model][slice][label.index()])
    }

    /// Whether a slice has a label, where that is known.
    pub fn truth(&self, slice: usize, label: Label) -> Option<bool> {
        self.labels[slice][label.index()]
    }

    /// The slices of which a label is known, those of `without` left out.
    pub fn known(&self, label: Label, without: Option<u32>) -> Vec<usize> {
        let is_known = |&slice: &usize| {
            self.truth(slice, label).is_some() && without != Some(self.folds[slice])
        };
        (0..self.slices()).filter(is_known).collect()
    }

    /// Mean log loss of a label over the slices of which it is known, nats; `None` without any.
    ///
    /// # Errors
    /// [`MetricError`] if a probability is not in 0 to 1.
    pub fn log_loss(
        &self,
        label: Label,
        probability: impl Fn(usize) -> f64,
    ) -> Result<Option<f64>, MetricError> {
        let known = self.known(label, None);
        let probabilities: Vec<f64> = known.iter().map(|&slice| probability(slice)).collect();
        let truth: Vec<bool> = known.iter().filter_map(|&slice| self.truth(slice, label)).collect();
        log_loss(&probabilities, &truth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused() {
        let model = || vec![[0.5f32; LABEL_COUNT]; 2];
        let labels = || vec![[Some(true); LABEL_COUNT]; 2];
        let new = |models, labels, folds| OutOfFold::new(models, labels, folds);
        assert!(new(vec![model()], labels(), vec![0, 1]).is_ok());
        assert!(matches!(new(vec![], labels(), vec![0, 1]), Err(MetricError::Option { .. })));
        let many = vec![model(); MOST_MODELS + 1];
        assert!(matches!(new(many, labels(), vec![0, 1]), Err(MetricError::Option { .. })));
        let short = vec![model(), model()[..1].to_vec()];
        assert!(matches!(new(short, labels(), vec![0, 1]), Err(MetricError::Lengths { .. })));
        assert!(matches!(new(vec![model()], labels(), vec![0]), Err(MetricError::Lengths { .. })));
        for (value, at) in [(f32::NAN, 7), (1.5, 11)] {
            let mut wrong = model();
            wrong.as_flattened_mut()[at] = value;
            let error = new(vec![model(), wrong], labels(), vec![0, 1]).unwrap_err();
            assert!(
                matches!(
                    error,
                    MetricError::NotANumber { index } | MetricError::Probability { index, .. }
                    if index == at
                ),
                "{error}"
            );
        }
    }
}
