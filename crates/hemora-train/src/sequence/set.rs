//! The series of a table of slices, and what a network is shown of them.

use std::collections::HashMap;

use hemora_ct::LABEL_COUNT;
use hemora_data::{SliceFeatures, SliceScore, SliceTable};
use miette::{IntoDiagnostic, Result, bail, miette};

use super::config::SequenceConfig;
use crate::progress::say;

/// Distances between slices are given in units of this many mm, so that they are near 1.
const DISTANCE_UNIT_MM: f64 = 10.0;

/// What is known of each slice.
enum Inputs {
    /// Pooled features of a network of single slices.
    Features(SliceFeatures),
    /// For each label the probability, its differences to the slices before and after, the place
    /// in the series, the distance to the next slice, and what the first sequence model said.
    Probabilities {
        /// Of each row, where there is a first model.
        first: Option<Vec<[f32; LABEL_COUNT]>>,
    },
}

/// Series of slices in order.
pub struct SequenceSet {
    table: SliceTable,
    series: Vec<Vec<usize>>,
    /// Of each row its place in its series, from 0 at the lowest slice to 1 at the highest.
    places: Vec<f32>,
    inputs: Inputs,
}

impl SequenceSet {
    /// Reads the files that `config` names.
    ///
    /// # Errors
    /// A report that names the file and what does not fit.
    pub fn load(config: &SequenceConfig) -> Result<Self> {
        let table = SliceTable::read(&config.slices).into_diagnostic()?;
        if config.network != "sequence-features" {
            let first = config.first.as_ref().map(|path| {
                let first = SliceTable::read(path).into_diagnostic()?;
                said_first(&table, &first).map_err(|why| miette!("{}: {why}", path.display()))
            });
            return Self::new(table, Inputs::Probabilities { first: first.transpose()? });
        }
        let Some(path) = &config.features else { bail!("--features is not given") };
        let features = SliceFeatures::read(path).into_diagnostic()?;
        if features.rows() != table.rows.len() {
            bail!(
                "{} has the features of {} slices, {} has {}",
                path.display(),
                features.rows(),
                config.slices.display(),
                table.rows.len()
            );
        }
        Self::new(table, Inputs::Features(features))
    }

    fn new(table: SliceTable, inputs: Inputs) -> Result<Self> {
        let series = table.series();
        let mut places = vec![0.5; table.rows.len()];
        let mut unplaced = 0;
        for rows in &series {
            let fold = table.rows[rows[0]].fold;
            if let Some(row) = rows.iter().find(|row| table.rows[**row].fold != fold) {
                let name = &table.rows[*row].series;
                bail!("the slices of series `{name}` are in several folds: of several patients?");
            }
            unplaced += usize::from(rows.iter().any(|row| table.rows[*row].z_mm.is_none()));
            for (place, row) in rows.iter().enumerate().filter(|_| rows.len() > 1) {
                places[*row] = place as f32 / (rows.len() - 1) as f32;
            }
        }
        if unplaced > 0 {
            say(&format!("{unplaced} series have slices of unknown z: the table's order is used"));
        }
        Ok(Self { table, series, places, inputs })
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
            Inputs::Probabilities { first } => LABEL_COUNT * if first.is_some() { 6 } else { 5 },
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
        let first = match &self.inputs {
            Inputs::Features(features) => {
                return rows.iter().flat_map(|row| features.row(*row)).collect();
            }
            Inputs::Probabilities { first } => first,
        };
        let score = |row: usize| &self.table.rows[row];
        let mut values = Vec::with_capacity(rows.len() * self.columns());
        for (at, &row) in rows.iter().enumerate() {
            let own = score(row).probabilities;
            // At the ends there is nobody to differ from.
            let before = at.checked_sub(1).map_or(own, |at| score(rows[at]).probabilities);
            let after = rows.get(at + 1).map_or(own, |row| score(*row).probabilities);
            values.extend(own);
            values.extend((0..LABEL_COUNT).map(|label| own[label] - before[label]));
            values.extend((0..LABEL_COUNT).map(|label| own[label] - after[label]));
            values.extend([self.places[row]; LABEL_COUNT]);
            // The last slice has the distance of the one before it.
            let pair = if at + 1 < rows.len() { at } else { at.saturating_sub(1) };
            let next = rows.get(pair + 1).map(|row| score(*row));
            let distance = distance_mm(score(rows[pair]), next) / DISTANCE_UNIT_MM;
            values.extend([distance as f32; LABEL_COUNT]);
            if let Some(first) = first {
                values.extend(first[row]);
            }
        }
        values
    }
}

/// From a slice to the next that is read; what the table says of it where places are unknown.
fn distance_mm(slice: &SliceScore, next: Option<&SliceScore>) -> f64 {
    let places = next.and_then(|next| slice.z_mm.zip(next.z_mm));
    let apart = places.map(|(a, b)| (a - b).abs());
    apart.or(slice.spacing_mm.map(f64::abs)).unwrap_or(0.0)
}

/// The probabilities of the first model in the order of `table`.
fn said_first(table: &SliceTable, first: &SliceTable) -> Result<Vec<[f32; LABEL_COUNT]>, String> {
    let known: HashMap<&str, &SliceScore> =
        first.rows.iter().map(|row| (row.id.as_str(), row)).collect();
    let find = |row: &SliceScore| {
        let found = known.get(row.id.as_str());
        let found = found.ok_or_else(|| format!("it does not have slice `{}`", row.id))?;
        if found.fold != row.fold {
            let (id, was, is) = (&row.id, found.fold, row.fold);
            return Err(format!("slice `{id}` was in fold {was} and is in fold {is}"));
        }
        Ok(found.probabilities)
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
        SequenceSet::new(SliceTable { rows }, Inputs::Probabilities { first: None }).unwrap()
    }

    #[test]
    fn values_are_of_the_order_in_which_slices_are_read() {
        let set = set(&[5], 1);
        assert_eq!(set.columns(), 30);
        let columns = |rows: &[usize]| -> Vec<Vec<f32>> {
            let values = set.values(rows);
            values.chunks(30).map(|slice| (0..5).map(|kind| slice[6 * kind]).collect()).collect()
        };
        let near = |found: &[f32], expected: [f32; 5]| {
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
            }
        };
        let forward = columns(&[0, 1, 2, 3, 4]);
        near(&forward[0], [0.0, 0.0, -0.01, 0.0, 0.5]);
        near(&forward[2], [0.02, 0.01, -0.01, 0.5, 0.5]);
        near(&forward[4], [0.04, 0.01, 0.0, 1.0, 0.5]);
        // Backward the neighbours change sides; every second slice is twice as far.
        let backward = columns(&[4, 2, 0]);
        near(&backward[1], [0.02, -0.02, 0.02, 0.5, 1.0]);
        near(&backward[2], [0.0, -0.02, 0.0, 0.0, 1.0]);
        near(&columns(&[3])[0], [0.03, 0.0, 0.0, 0.75, 0.5]);
    }

    #[test]
    fn the_first_models_probabilities_are_found_by_slice_and_fold() {
        let set = set(&[3, 2], 2);
        let mut first = set.table().clone();
        first.rows.reverse();
        for row in &mut first.rows {
            row.probabilities = [0.9; LABEL_COUNT];
        }
        assert_eq!(said_first(set.table(), &first).unwrap(), [[0.9; LABEL_COUNT]; 5]);
        first.rows[0].fold = 0;
        assert!(said_first(set.table(), &first).unwrap_err().contains("was in fold 0"));
        first.rows.pop();
        assert!(said_first(set.table(), &first).unwrap_err().contains("does not have slice `0_0`"));
    }

    #[test]
    fn labels_are_known_or_not() {
        let mut set = set(&[2], 1);
        set.table.rows[1].labels[2] = None;
        assert_eq!((set.labels(0), set.labels(1)), (Some([1.0; 6]), None));
    }
}
