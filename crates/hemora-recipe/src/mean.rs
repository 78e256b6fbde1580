//! Several networks' probabilities of the same slices, averaged.

use std::path::{Path, PathBuf};

use hemora_data::SliceTable;

use crate::RecipeError;

/// Writes the mean probabilities of tables of the same slices in the same order; all else is that of
/// the first.
///
/// # Errors
/// [`RecipeError`] if a table cannot be read, has other slices or folds than the first, or the mean
/// cannot be written.
pub(crate) fn write_mean(from: &[PathBuf], to: &Path) -> Result<(), RecipeError> {
    let mut mean = SliceTable::default();
    for (place, path) in from.iter().enumerate() {
        let table = SliceTable::read(path)?;
        if place == 0 {
            mean = table;
            continue;
        }
        let ids = |table: &SliceTable| -> Vec<(String, u32)> {
            table.rows.iter().map(|row| (row.id.clone(), row.fold)).collect()
        };
        if ids(&table) != ids(&mean) {
            let reason = "other slices or folds than the first network's".to_owned();
            return Err(RecipeError::Output { path: path.clone(), reason });
        }
        for (row, other) in mean.rows.iter_mut().zip(&table.rows) {
            for (sum, value) in row.probabilities.iter_mut().zip(other.probabilities) {
                *sum += value;
            }
        }
    }
    for row in &mut mean.rows {
        // Rounding may leave a mean of ones above 1.
        row.probabilities = row.probabilities.map(|sum| (sum / from.len() as f32).clamp(0.0, 1.0));
    }
    Ok(mean.write(to)?)
}

#[cfg(test)]
mod tests {
    use hemora_data::SliceScore;

    use super::*;

    #[test]
    fn probabilities_are_averaged_and_other_slices_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let write = |name: &str, id: &str, any: f32| {
            let mut row = SliceScore { id: id.into(), ..SliceScore::default() };
            (row.series, row.patient) = ("s".into(), "p".into());
            row.probabilities[5] = any;
            SliceTable { rows: vec![row] }.write(&path(name)).unwrap();
        };
        write("a.parquet", "ID_a", 0.25);
        write("b.parquet", "ID_a", 0.75);
        write("c.parquet", "ID_c", 0.75);
        write_mean(&[path("a.parquet"), path("b.parquet")], &path("mean.parquet")).unwrap();
        let mean = SliceTable::read(&path("mean.parquet")).unwrap();
        assert_eq!((mean.rows[0].id.as_str(), mean.rows[0].probabilities[5]), ("ID_a", 0.5));
        let error = write_mean(&[path("a.parquet"), path("c.parquet")], &path("other.parquet"));
        assert!(error.unwrap_err().to_string().contains("c.parquet: other slices"));
    }
}
