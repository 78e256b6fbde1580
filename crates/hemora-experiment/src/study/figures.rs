//! The figures of predictions: accuracy at one half, mean squared error, AUC with intervals.

use std::path::Path;

use hemora_ct::Label;
use hemora_data::{Table, with_file};
use hemora_metrics::{
    BootstrapOptions, Clusters, Confusion, Interval, LabelColumn, Level, MeasureOptions,
    MetricError, OperatingPoint, OperatingRule, measure,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::study::StudyError;

/// The threshold of accuracy and of the confusion matrix, the seed study's; nothing is tuned.
pub const THRESHOLD: f64 = 0.5;

/// The figures of one label on the test images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelFigures {
    /// The label.
    pub label: Label,
    /// Test images.
    pub images: u64,
    /// Those that have the label.
    pub positives: u64,
    /// Patients, or best known groups, with such an image.
    pub positive_groups: u64,
    /// Share of right decisions at a threshold of one half.
    pub accuracy: Interval,
    /// Mean squared error of the probability: the Brier score.
    pub mse: Interval,
    /// Area under the receiver operating characteristic.
    pub auc: Interval,
    /// Decisions at a threshold of one half.
    pub confusion: Confusion,
    /// Receiver operating characteristic, `[1 − specificity, sensitivity]`, thinned.
    pub roc: Vec<[f64; 2]>,
}

/// Measures the columns of some images, `groups[i]` the patient of image `i`, whose slices are
/// resampled together.
///
/// # Errors
/// [`MetricError`] if a probability is not in 0 to 1.
pub fn figures<G: Ord>(
    columns: &[LabelColumn],
    groups: &[G],
    resamples: usize,
    seed: u64,
) -> Result<Vec<LabelFigures>, MetricError> {
    let points: Vec<OperatingPoint> = columns.iter().map(|column| half(column.label)).collect();
    let bootstrap = BootstrapOptions { repeats: resamples, seed, ..BootstrapOptions::default() };
    let options = MeasureOptions { bootstrap: Some(bootstrap), ..MeasureOptions::default() };
    let measured = measure(columns, &Clusters::new(groups), &points, &options)?;
    let images = measured.items;
    let figures = measured.labels.into_iter().map(|label| LabelFigures {
        label: label.label,
        images,
        positives: label.positives,
        positive_groups: label.positive_groups,
        accuracy: label.decisions[0].accuracy,
        mse: label.brier,
        auc: label.auroc,
        confusion: label.decisions[0].counts,
        roc: label.roc,
    });
    Ok(figures.collect())
}

fn half(label: Label) -> OperatingPoint {
    OperatingPoint {
        name: format!("fixed={THRESHOLD}"),
        label,
        level: Level::Slice,
        threshold: THRESHOLD,
        rule: OperatingRule::Fixed(THRESHOLD),
        calibrated: false,
        sensitivity: None,
        specificity: None,
        positives: 0,
        origin: None,
    }
}

/// What the trainer predicted: ids, and a column a label.
#[derive(Debug, Clone, PartialEq)]
pub struct Predicted {
    /// Images in the order of the columns.
    pub ids: Vec<String>,
    /// Probabilities and truth.
    pub columns: Vec<LabelColumn>,
}

impl Predicted {
    /// Reads `test.csv` of a run: `id`, `label_…` and a probability of each of `labels`.
    ///
    /// # Errors
    /// [`StudyError::Table`] names the line.
    pub fn read(path: &Path, labels: &[Label]) -> Result<Self, StudyError> {
        let empty = |&label| LabelColumn { label, probabilities: Vec::new(), truth: Vec::new() };
        let mut read = Self { ids: Vec::new(), columns: labels.iter().map(empty).collect() };
        with_file(path, |file| {
            let table = Table::new(file)?;
            let id = table.column("id")?;
            let found: Vec<[usize; 2]> = labels
                .iter()
                .map(|label| {
                    Ok([table.column(&format!("label_{label}"))?, table.column(label.name())?])
                })
                .collect::<Result<_, hemora_data::TableError>>()?;
            table.for_each(|_, fields| {
                read.ids.push(fields[id].to_owned());
                for (column, [truth, probability]) in read.columns.iter_mut().zip(&found) {
                    column.truth.push(fields[*truth] == "1");
                    let value = fields[*probability].parse::<f64>();
                    column.probabilities.push(value.map_err(|_| {
                        format!(
                            "the probability is `{}`",
                            hemora_data::shorten(fields[*probability])
                        )
                    })?);
                }
                Ok(())
            })
        })?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_worked_by_hand() {
        let column = LabelColumn {
            label: Label::Any,
            probabilities: vec![0.9, 0.4, 0.5, 0.1],
            truth: vec![true, true, false, false],
        };
        let any = &figures(&[column], &["a", "b", "c", "d"], 50, 0).unwrap()[0];
        assert_eq!((any.images, any.positives, any.positive_groups), (4, 2, 2));
        assert_eq!(any.accuracy.value, Some(0.5));
        // One half is called positive.
        assert_eq!((any.confusion.true_positives, any.confusion.false_positives), (1, 1));
        assert_eq!(any.auc.value, Some(0.75));
        let mse = (0.01 + 0.36 + 0.25 + 0.01) / 4.0;
        assert!((any.mse.value.unwrap() - mse).abs() < 1e-12);
        assert!(any.auc.low <= any.auc.value && any.auc.value <= any.auc.high);
    }

    #[test]
    fn a_table_of_the_trainer_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.csv");
        let text = "id,group,label_any,any\nID_a,p,1,0.75\nID_b,q;r,0,0.5\n";
        std::fs::write(&path, text).unwrap();
        let read = Predicted::read(&path, &[Label::Any]).unwrap();
        assert_eq!(read.ids, ["ID_a", "ID_b"]);
        assert_eq!(read.columns[0].probabilities, [0.75, 0.5]);
        assert_eq!(read.columns[0].truth, [true, false]);
        let missing = Predicted::read(&path, &[Label::Epidural]).unwrap_err();
        assert!(missing.to_string().contains("label_epidural"), "{missing}");
    }
}
