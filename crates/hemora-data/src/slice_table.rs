//! The table of slices with what the network of single slices says of each: where a slice lies, to
//! whom it belongs, its fold, its labels and its out-of-fold probabilities.
//!
//! | column | type | holds |
//! |---|---|---|
//! | `series`, `study`, `patient`, `id` | text | SeriesInstanceUID (or another group), study, patient, slice |
//! | `z_mm` | f64, may be absent | place along the slice normal |
//! | `spacing_mm` | f64, may be absent | distance to the next slice along the normal |
//! | `fold` | i64, 0 or more | the fold whose model did not see the slice |
//! | `label_epidural` … `label_any` | f32, may be absent | 0 or 1 |
//! | `prob_epidural` … `prob_any` | f32 | 0 to 1 |
//!
//! The file is Parquet; CSV with the same columns is read as well. The rows of a series stand
//! together, in the order of `z_mm`.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hemora_ct::{LABEL_COUNT, Label, stack};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;

use crate::index::{Cell, Kind};
use crate::parquet_write::{schema, write_group};
use crate::table::{Table, TableError, shorten, with_file};

/// Rows of a group of the file.
const GROUP_ROWS: usize = 1 << 16;

/// What is known of one slice.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SliceScore {
    /// SeriesInstanceUID, or the name of another group of slices that lie in one stack.
    pub series: String,
    /// StudyInstanceUID.
    pub study: String,
    /// Patient, who is in one fold alone.
    pub patient: String,
    /// What the slice is called in label tables; each once.
    pub id: String,
    /// Place along the slice normal, mm.
    pub z_mm: Option<f64>,
    /// Distance to the next slice along the normal, mm.
    pub spacing_mm: Option<f64>,
    /// The fold whose model did not see the slice.
    pub fold: u32,
    /// Labels, 0 or 1, in label order.
    pub labels: [Option<f32>; LABEL_COUNT],
    /// Probabilities of that model in label order.
    pub probabilities: [f32; LABEL_COUNT],
}

/// Why a table of slices cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SliceTableError {
    /// The table cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The operating system refused to write.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// A patient is in two folds, so what is out of fold is not.
    #[error("patient `{patient}` is in folds {folds:?}; make the folds again, by patient")]
    Leak {
        /// The patient.
        patient: String,
        /// Two of the patient's folds.
        folds: [u32; 2],
    },
    /// Two rows have one id.
    #[error("slice `{0}` stands in two rows")]
    Repeated(String),
}

/// The slices of a data set in the order of their table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SliceTable {
    /// The rows.
    pub rows: Vec<SliceScore>,
}

impl SliceTable {
    /// Reads a Parquet or CSV file.
    ///
    /// # Errors
    /// [`SliceTableError`] names the file and the row.
    pub fn read(path: &Path) -> Result<Self, SliceTableError> {
        let table = with_file(path, |file| Self::from_table(Table::open(file)?))?;
        table.check()?;
        Ok(table)
    }

    fn from_table<R: Read>(table: Table<R>) -> Result<Self, TableError> {
        let texts = ["series", "study", "patient", "id"].map(|name| table.column(name));
        let [series, study, patient, id] = texts;
        let texts = [series?, study?, patient?, id?];
        let (z, spacing) = (table.column("z_mm")?, table.column("spacing_mm")?);
        let fold = table.column("fold")?;
        let mut numbers = Vec::with_capacity(2 * LABEL_COUNT);
        for prefix in ["label", "prob"] {
            for label in Label::ALL {
                numbers.push(table.column(&format!("{prefix}_{label}"))?);
            }
        }
        let mut rows = Vec::new();
        let wanted = texts.into_iter().chain([z, spacing, fold]).chain(numbers.iter().copied());
        table.only(wanted.collect::<Vec<_>>()).for_each(|_, fields| {
            let [series, study, patient, id] = texts.map(|at| fields[at].trim().to_owned());
            for (name, text) in [("series", &series), ("patient", &patient), ("id", &id)] {
                if text.is_empty() {
                    return Err(format!("the {name} is empty"));
                }
            }
            let fold = fields[fold].trim();
            let fold = fold.parse().map_err(|_| format!("`{}` is no fold", shorten(fold)))?;
            let millimetres = |at: usize| number(fields[at], f64::MIN..=f64::MAX, "length in mm");
            let mut labels = [None; LABEL_COUNT];
            let mut probabilities = [0.0; LABEL_COUNT];
            for label in Label::ALL.map(Label::index) {
                let value = number(fields[numbers[label]], 0.0..=1.0, "label")?;
                labels[label] = value.map(|value| value as f32);
                let at = numbers[LABEL_COUNT + label];
                let value = number(fields[at], 0.0..=1.0, "probability")?;
                probabilities[label] = value.ok_or("a probability is absent")? as f32;
            }
            let (z_mm, spacing_mm) = (millimetres(z)?, millimetres(spacing)?);
            rows.push(SliceScore {
                series,
                study,
                patient,
                id,
                z_mm,
                spacing_mm,
                fold,
                labels,
                probabilities,
            });
            Ok(())
        })?;
        Ok(Self { rows })
    }

    /// Writes a Parquet file beside `path`, which it then replaces.
    ///
    /// # Errors
    /// [`SliceTableError`] if a patient is in two folds, an id stands twice, or the operating
    /// system refuses.
    pub fn write(&self, path: &Path) -> Result<(), SliceTableError> {
        self.check()?;
        let failed = |source| SliceTableError::Io { path: path.to_owned(), source };
        let bytes = self.parquet().map_err(|error| failed(std::io::Error::other(error)))?;
        hemora_base::write_bytes(path, &bytes).map_err(failed)
    }

    fn parquet(&self) -> Result<Vec<u8>, ParquetError> {
        let names: Vec<String> = ["label", "prob"]
            .into_iter()
            .flat_map(|prefix| Label::ALL.map(|label| format!("{prefix}_{label}")))
            .collect();
        let mut columns = vec![
            ("series", Kind::Text),
            ("study", Kind::Text),
            ("patient", Kind::Text),
            ("id", Kind::Text),
            ("z_mm", Kind::Real),
            ("spacing_mm", Kind::Real),
            ("fold", Kind::Whole),
        ];
        columns.extend(names.iter().map(|name| (name.as_str(), Kind::Single)));
        let properties = Arc::new(WriterProperties::builder().build());
        let mut writer = SerializedFileWriter::new(Vec::new(), schema(&columns), properties)?;
        for rows in self.rows.chunks(GROUP_ROWS) {
            let cells: Vec<Vec<Cell>> = rows.iter().map(SliceScore::cells).collect();
            write_group(&mut writer, &columns, &cells)?;
        }
        writer.into_inner()
    }

    /// The places of each series' rows, from the lowest slice to the highest, in the order in which
    /// the series first appear. A series with a slice of unknown place keeps the order of the table.
    pub fn series(&self) -> Vec<Vec<usize>> {
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut series: Vec<Vec<usize>> = Vec::new();
        for (row, score) in self.rows.iter().enumerate() {
            let place = *places.entry(&score.series).or_insert_with(|| {
                series.push(Vec::new());
                series.len() - 1
            });
            series[place].push(row);
        }
        for rows in &mut series {
            let known = rows.iter().all(|&row| self.rows[row].z_mm.is_some());
            // Some places without the others would be no order.
            if known {
                let z_mm = |row: usize| self.rows[row].z_mm;
                rows.sort_by(|&a, &b| stack::compare_positions(z_mm(a), z_mm(b)));
            }
        }
        series
    }

    /// Number of folds: one more than the greatest.
    pub fn folds(&self) -> u32 {
        self.rows.iter().map(|row| row.fold.saturating_add(1)).max().unwrap_or(0)
    }

    /// No patient in two folds, no id twice.
    fn check(&self) -> Result<(), SliceTableError> {
        let mut folds: HashMap<&str, u32> = HashMap::new();
        let mut ids: HashSet<&str> = HashSet::with_capacity(self.rows.len());
        for row in &self.rows {
            let fold = *folds.entry(&row.patient).or_insert(row.fold);
            if fold != row.fold {
                let patient = shorten(&row.patient);
                return Err(SliceTableError::Leak { patient, folds: [fold, row.fold] });
            }
            if !ids.insert(&row.id) {
                return Err(SliceTableError::Repeated(shorten(&row.id)));
            }
        }
        Ok(())
    }
}

impl SliceScore {
    fn cells(&self) -> Vec<Cell> {
        let text = |text: &str| Cell::Text(Some(text.to_owned()));
        let mut cells = vec![
            text(&self.series),
            text(&self.study),
            text(&self.patient),
            text(&self.id),
            Cell::Real(self.z_mm),
            Cell::Real(self.spacing_mm),
            Cell::Whole(Some(i64::from(self.fold))),
        ];
        cells.extend(self.labels.map(|label| Cell::Real(label.map(f64::from))));
        cells.extend(self.probabilities.map(|value| Cell::Real(Some(f64::from(value)))));
        cells
    }
}

/// The number in a field; `None` if it is empty.
fn number(
    field: &str,
    range: std::ops::RangeInclusive<f64>,
    what: &str,
) -> Result<Option<f64>, String> {
    let field = field.trim();
    if field.is_empty() {
        return Ok(None);
    }
    match field.parse::<f64>() {
        Ok(value) if range.contains(&value) => Ok(Some(value)),
        _ => Err(format!("`{}` is no {what}", shorten(field))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(series: &str, id: &str, z_mm: Option<f64>, fold: u32) -> SliceScore {
        SliceScore {
            series: series.to_owned(),
            study: format!("study of {series}"),
            patient: format!("patient of {series}"),
            id: id.to_owned(),
            z_mm,
            spacing_mm: Some(0.625),
            fold,
            labels: [Some(0.0), Some(1.0), None, Some(0.0), Some(0.0), Some(1.0)],
            probabilities: [0.1, 1.0, 0.0, 0.3, 1e-7, 0.999_999],
        }
    }

    fn table() -> SliceTable {
        let rows = vec![
            score("b", "b2", Some(2.0), 1),
            score("a", "a1", Some(-7.5), 0),
            score("b", "b1", Some(-2.0), 1),
            score("c", "c2", None, 0),
            score("c", "c1", Some(-1.0), 0),
        ];
        SliceTable { rows }
    }

    #[test]
    fn what_is_written_is_read_bit_for_bit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("slices.parquet");
        table().write(&path).unwrap();
        assert_eq!(SliceTable::read(&path).unwrap(), table());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn series_are_in_the_order_of_their_slices() {
        assert_eq!(table().series(), [vec![2, 0], vec![1], vec![3, 4]]);
        assert_eq!((table().folds(), SliceTable::default().folds()), (2, 0));
    }

    #[test]
    fn csv_is_read_and_what_is_no_number_refused() {
        let labels = Label::ALL.map(|label| format!("label_{label}")).join(",");
        let values = Label::ALL.map(|label| format!("prob_{label}")).join(",");
        let header = format!("series,study,patient,id,z_mm,spacing_mm,fold,{labels},{values}");
        let read = |row: &str| {
            let text = format!("{header}\n{row}\n");
            SliceTable::from_table(Table::new(text.as_bytes()).unwrap())
        };
        let good = "s,t,p,i,1.5,,0,0,1,,0,0,1,.1,.2,.3,.4,.5,.6";
        let row = &read(good).unwrap().rows[0];
        assert_eq!((row.z_mm, row.spacing_mm, row.labels[2]), (Some(1.5), None, None));
        for (from, to, said) in [
            (".6", "1.6", "`1.6` is no probability"),
            (".6", "NaN", "`NaN` is no probability"),
            (".6", "", "a probability is absent"),
            ("1.5", "inf", "`inf` is no length in mm"),
            ("s,", ",", "the series is empty"),
            (",,0,", ",,-1,", "`-1` is no fold"),
        ] {
            let error = read(&good.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.starts_with("line 2") && error.contains(said), "{error}");
        }
    }

    #[test]
    fn a_patient_in_two_folds_and_an_id_twice_are_refused() {
        let mut leak = table();
        leak.rows[0].fold = 0;
        let path = Path::new("never written");
        assert!(matches!(leak.write(path), Err(SliceTableError::Leak { .. })));
        let mut twice = table();
        twice.rows[0].id = "b1".to_owned();
        assert!(matches!(twice.write(path), Err(SliceTableError::Repeated(_))));
    }
}
