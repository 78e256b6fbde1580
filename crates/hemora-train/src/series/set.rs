//! The series of a table of slices, and what a network is shown of them.

use std::collections::HashMap;

use hemora_ct::{
    LABEL_COUNT, SequenceSlice, SeriesInput, places_along, probability_column_count,
    probability_columns,
};
use hemora_data::{SliceFeatures, SliceScore, SliceTable};

use super::SeriesError;
use super::config::SequenceConfig;
use crate::output::Reporter;
use crate::training::TrainError;

/// What is known of each slice.
enum Inputs {
    /// Pooled features of a network of single slices.
    Features(SliceFeatures),
    /// The same, and the position of the slice along the normal.
    FeaturesAndPositions(SliceFeatures),
    /// What [`probability_columns`] makes of the slices.
    Probabilities {
        /// Of each row, where there is a first model.
        first: Option<Vec<[f32; LABEL_COUNT]>>,
    },
}

/// Series of slices in order.
pub struct SequenceSet {
    table: SliceTable,
    series: Vec<Vec<usize>>,
    /// Of each row its rank in its series, from 0 at the lowest slice to 1 at the highest.
    ranks: Vec<f32>,
    inputs: Inputs,
}

impl SequenceSet {
    /// Reads the files that `config` names.
    ///
    /// # Errors
    /// [`TrainError`] names the file and what does not fit.
    pub fn load(config: &SequenceConfig, reporter: Reporter) -> Result<Self, TrainError> {
        let table = SliceTable::read(&config.slices)?;
        if !config.settings.reads_features() {
            let first = config.first.as_ref().map(|path| {
                let first = SliceTable::read(path)?;
                let wrong = |problem| SeriesError::FirstTable { path: path.clone(), problem };
                Ok::<_, TrainError>(first_probabilities(&table, &first).map_err(wrong)?)
            });
            let inputs = Inputs::Probabilities { first: first.transpose()? };
            return Self::new(table, inputs, reporter);
        }
        let inputs = features(config, 0, table.rows.len())?;
        Self::new(table, inputs, reporter)
    }

    /// Goes over to what the model of a fold, from 0, is shown.
    ///
    /// # Errors
    /// [`TrainError`] names the file and what does not fit.
    pub fn turn_to(&mut self, config: &SequenceConfig, fold: u32) -> Result<(), TrainError> {
        if config.has_features_by_fold() {
            let expected = self.columns();
            self.inputs = features(config, fold, self.table.rows.len())?;
            let found = self.columns();
            if found != expected {
                return Err(SeriesError::Columns { fold: fold + 1, found, expected }.into());
            }
        }
        Ok(())
    }

    fn new(table: SliceTable, inputs: Inputs, reporter: Reporter) -> Result<Self, TrainError> {
        let series = table.series();
        let mut ranks = vec![0.0; table.rows.len()];
        let mut unplaced = 0;
        for rows in &series {
            let fold = table.rows[rows[0]].fold;
            if let Some(row) = rows.iter().find(|row| table.rows[**row].fold != fold) {
                return Err(SeriesError::Torn(table.rows[*row].series.clone()).into());
            }
            unplaced += usize::from(rows.iter().any(|row| table.rows[*row].z_mm.is_none()));
            for (position, row) in rows.iter().enumerate() {
                ranks[*row] = SequenceSlice::rank_of(position, rows.len());
            }
        }
        if unplaced > 0 {
            let text =
                format!("{unplaced} series have slices of unknown z: the table's order is used");
            reporter.warn(&text);
        }
        Ok(Self { table, series, ranks, inputs })
    }

    /// The table of slices.
    pub fn table(&self) -> &SliceTable {
        &self.table
    }

    /// The rows of each series, from the lowest slice to the highest.
    pub fn series(&self) -> &[Vec<usize>] {
        &self.series
    }

    /// The fold of a series.
    pub fn fold(&self, series: usize) -> u32 {
        self.table.rows[self.series[series][0]].fold
    }

    /// Values of each slice.
    pub fn columns(&self) -> usize {
        match &self.inputs {
            Inputs::Features(features) => features.columns(),
            Inputs::FeaturesAndPositions(features) => features.columns() + 1,
            Inputs::Probabilities { first } => probability_column_count(first.is_some()),
        }
    }

    /// The labels of a row, if all six are known.
    pub fn labels(&self, row: usize) -> Option<[f32; LABEL_COUNT]> {
        let mut labels = [0.0; LABEL_COUNT];
        for (label, known) in labels.iter_mut().zip(self.table.rows[row].labels) {
            *label = known?;
        }
        Some(labels)
    }

    /// What the network is shown of slices that are read in the order of `rows`, `[slices,
    /// columns]`: neighbours are those in this order.
    pub fn values(&self, rows: &[usize]) -> Vec<f32> {
        match &self.inputs {
            Inputs::Features(features) => rows.iter().flat_map(|row| features.row(*row)).collect(),
            Inputs::FeaturesAndPositions(features) => {
                let positions = places_along(&self.slices(rows));
                let row = |(row, position): (&usize, f32)| features.row(*row).chain([position]);
                rows.iter().zip(positions).flat_map(row).collect()
            }
            Inputs::Probabilities { .. } => probability_columns(&self.slices(rows)),
        }
    }

    fn slices(&self, rows: &[usize]) -> Vec<SequenceSlice> {
        let first = match &self.inputs {
            Inputs::Probabilities { first } => first.as_ref(),
            _ => None,
        };
        let slice = |&row: &usize| {
            let score = &self.table.rows[row];
            SequenceSlice {
                z_mm: score.z_mm,
                spacing_mm: score.spacing_mm,
                rank: self.ranks[row],
                probabilities: score.probabilities,
                first: first.map(|first| first[row]),
            }
        };
        rows.iter().map(slice).collect()
    }
}

/// The features that the model of a fold reads, of so many slices.
fn features(config: &SequenceConfig, fold: u32, slices: usize) -> Result<Inputs, TrainError> {
    let Some(path) = config.fold_features(fold) else {
        return Err(SeriesError::NoFeatures(config.settings.network.clone()).into());
    };
    let features = SliceFeatures::read(&path)?;
    if features.rows() != slices {
        let (rows, table) = (features.rows(), config.slices.clone());
        return Err(SeriesError::Rows { features: path, rows, table, slices }.into());
    }
    Ok(match config.settings.plan()?.input {
        SeriesInput::FeaturesAndPositions => Inputs::FeaturesAndPositions(features),
        SeriesInput::Features | SeriesInput::Probabilities => Inputs::Features(features),
    })
}

/// The probabilities of the first model in the order of `table`.
fn first_probabilities(
    table: &SliceTable,
    first: &SliceTable,
) -> Result<Vec<[f32; LABEL_COUNT]>, String> {
    let by_id: HashMap<&str, &SliceScore> =
        first.rows.iter().map(|row| (row.id.as_str(), row)).collect();
    let find = |row: &SliceScore| {
        let score = by_id.get(row.id.as_str());
        let score = score.ok_or_else(|| format!("it does not have slice `{}`", row.id))?;
        if score.fold != row.fold {
            let (id, was, is) = (&row.id, score.fold, row.fold);
            return Err(format!("slice `{id}` was in fold {was} and is in fold {is}"));
        }
        Ok(score.probabilities)
    };
    table.rows.iter().map(find).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A set of one series a length, `series 0` in fold 0, `series 1` in fold 1 and so on.
    pub fn set(lengths: &[usize], folds: u32) -> SequenceSet {
        let mut rows = Vec::new();
        for (series, length) in lengths.iter().enumerate() {
            for slice in 0..*length {
                rows.push(SliceScore {
                    series: format!("series {series}"),
                    patient: format!("patient {series}"),
                    id: format!("{series}_{slice}"),
                    z_mm: Some(5.0 * slice as f64),
                    spacing_mm: Some(5.0),
                    fold: series as u32 % folds,
                    labels: [Some(f32::from(slice % 3 == 0)); LABEL_COUNT],
                    probabilities: [slice as f32 / 100.0; LABEL_COUNT],
                    ..SliceScore::default()
                });
            }
        }
        let inputs = Inputs::Probabilities { first: None };
        SequenceSet::new(SliceTable { rows }, inputs, Reporter::default()).unwrap()
    }

    impl SequenceSet {
        /// As if nobody had labelled a row.
        pub fn forget_labels(&mut self, row: usize) {
            self.table.rows[row].labels = [None; LABEL_COUNT];
        }
    }

    #[test]
    fn values_have_the_columns_of_the_network() {
        let mut set = set(&[5, 4], 1);
        let rows = set.series()[1].clone();
        assert_eq!(rows, [5, 6, 7, 8]);
        let values = set.values(&rows);
        assert_eq!((values.len(), set.columns()), (4 * 30, 30));
        // The rank of each slice of this series.
        let ranks: Vec<f32> = values.chunks(30).map(|slice| slice[18]).collect();
        assert_eq!(ranks, [0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0]);
        let first = Some(vec![[0.5; LABEL_COUNT]; 9]);
        set.inputs = Inputs::Probabilities { first };
        assert_eq!((set.values(&rows).len(), set.columns()), (4 * 36, 36));
        let mut features = SliceFeatures::zeros(9, 2);
        features.set(7, &[1.0, 2.0]);
        set.inputs = Inputs::FeaturesAndPositions(features.clone());
        assert_eq!(set.values(&[8, 7]), [0.0, 0.0, 0.0, 1.0, 2.0, -0.5]);
        assert_eq!(set.columns(), 3);
        set.inputs = Inputs::Features(features);
        assert_eq!((set.values(&[8, 7]), set.columns()), (vec![0.0, 0.0, 1.0, 2.0], 2));
    }

    #[test]
    fn the_first_models_probabilities_are_found_by_slice_and_fold() {
        let set = set(&[3, 2], 2);
        let mut first = set.table().clone();
        first.rows.reverse();
        for row in &mut first.rows {
            row.probabilities = [0.9; LABEL_COUNT];
        }
        assert_eq!(first_probabilities(set.table(), &first).unwrap(), [[0.9; LABEL_COUNT]; 5]);
        first.rows[0].fold = 0;
        assert!(first_probabilities(set.table(), &first).unwrap_err().contains("was in fold 0"));
        first.rows.pop();
        assert!(
            first_probabilities(set.table(), &first)
                .unwrap_err()
                .contains("does not have slice `0_0`")
        );
    }

    #[test]
    fn labels_are_known_or_not() {
        let mut set = set(&[2], 1);
        set.table.rows[1].labels[2] = None;
        assert_eq!((set.labels(0), set.labels(1)), (Some([1.0; 6]), None));
    }
}
