//! The tables of a share and of what is merged: their columns, and results as rows of them.

use std::path::Path;

use hemora_ct::{LABEL_COUNT, Label, NOTICE, Probabilities};
use hemora_data::{Cell, CellReader, CellTableError, CellWriter, Columns, Kind};
use hemora_model::{SeriesResult, SliceResult, StudyResult};
use serde::Serialize;

use crate::ArchiveError;
use crate::rank::Rank;
use crate::store::Store;

/// A row of a table.
pub(crate) type Row = Vec<Cell>;

/// The tables of a share, in the order in which they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TableKind {
    /// A row a study, the most suspicious first.
    Studies,
    /// A row a slice, in the order of the studies' keys.
    Slices,
    /// A row an image without a result, in the order of the studies' keys.
    Skipped,
}

impl TableKind {
    pub(crate) const ALL: [Self; 3] = [Self::Studies, Self::Slices, Self::Skipped];

    /// Its name in manifests.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Studies => "studies",
            Self::Slices => "slices",
            Self::Skipped => "skipped",
        }
    }

    /// Its file's name behind `stem`.
    pub(crate) fn file(self, stem: &str) -> String {
        format!("{stem}.{}.parquet", self.name())
    }

    pub(crate) fn columns(self) -> Columns {
        match self {
            Self::Studies => STUDIES,
            Self::Slices => SLICES,
            Self::Skipped => SKIPPED,
        }
    }

    /// Opens the table.
    pub(crate) fn open(self, path: &Path) -> Result<CellReader, ArchiveError> {
        CellReader::open(path, self.columns()).map_err(in_table(path.display()))
    }

    /// Writes the table with the rows that `fill` gives, and says how many they are and what SHA-256 it has.
    pub(crate) fn write(
        self,
        store: &Store,
        name: &str,
        fill: impl FnOnce(&mut dyn FnMut(Row) -> Result<(), ArchiveError>) -> Result<(), ArchiveError>,
    ) -> Result<(u64, String), ArchiveError> {
        let failed = || in_table(store.name_of(name));
        let facts = [("hemora.table", self.name()), ("hemora.notice", NOTICE)];
        store.build(name, |file| {
            let mut writer = CellWriter::new(file, self.columns(), &facts).map_err(failed())?;
            fill(&mut |row| writer.push(row).map_err(failed()))?;
            writer.finish().map_err(failed())
        })
    }
}

/// Names the table in an error.
pub(crate) fn in_table(file: impl ToString) -> impl FnOnce(CellTableError) -> ArchiveError {
    move |source| ArchiveError::Table { file: file.to_string(), source }
}

/// `any` is the sixth of the probabilities, which follow two identifiers.
const STUDIES: Columns = &[
    ("study_instance_uid", Kind::Text),
    ("patient_id", Kind::Text),
    ("epidural", Kind::Single),
    ("intraparenchymal", Kind::Single),
    ("intraventricular", Kind::Single),
    ("subarachnoid", Kind::Single),
    ("subdural", Kind::Single),
    ("any", Kind::Single),
    ("verdict_epidural", Kind::Text),
    ("verdict_intraparenchymal", Kind::Text),
    ("verdict_intraventricular", Kind::Text),
    ("verdict_subarachnoid", Kind::Text),
    ("verdict_subdural", Kind::Text),
    ("verdict_any", Kind::Text),
    ("certainty", Kind::Text),
    ("flags", Kind::Text),
    ("series", Kind::Whole),
    ("slices", Kind::Whole),
    ("warnings", Kind::Text),
    ("study_key", Kind::Text),
];
const FIRST_PROBABILITY: usize = 2;
const VERDICT_OF_ANY: usize = FIRST_PROBABILITY + 2 * LABEL_COUNT - 1;
const SLICE_COUNT: usize = 17;

const SLICES: Columns = &[
    ("study_key", Kind::Text),
    ("study_instance_uid", Kind::Text),
    ("patient_id", Kind::Text),
    ("series_instance_uid", Kind::Text),
    ("sop_instance_uid", Kind::Text),
    ("source", Kind::Text),
    ("z_mm", Kind::Real),
    ("epidural", Kind::Single),
    ("intraparenchymal", Kind::Single),
    ("intraventricular", Kind::Single),
    ("subarachnoid", Kind::Single),
    ("subdural", Kind::Single),
    ("any", Kind::Single),
    ("regions", Kind::Text),
];

const SKIPPED: Columns = &[
    ("study_key", Kind::Text),
    ("source", Kind::Text),
    ("reason", Kind::Text),
    ("failed", Kind::Bool),
];

fn text(text: &str) -> Cell {
    Cell::Text(Some(text.to_owned()))
}

/// A list as JSON; a gap if it is empty.
fn json<T: Serialize>(list: &[T]) -> Cell {
    let text = (!list.is_empty()).then(|| serde_json::to_string(list));
    Cell::Text(text.map(|text| text.expect("results are documents")))
}

fn count(count: usize) -> Cell {
    Cell::Whole(Some(i64::try_from(count).unwrap_or(i64::MAX)))
}

fn probabilities(probabilities: Probabilities) -> impl Iterator<Item = Cell> {
    probabilities.to_array().into_iter().map(|value| Cell::Real(Some(f64::from(value))))
}

/// A study as a row.
pub(crate) fn study_row(key: &str, study: &StudyResult) -> Row {
    let mut row = vec![text(&study.study_instance_uid), text(&study.patient_id)];
    row.extend(probabilities(study.probabilities));
    row.extend(Label::ALL.map(|label| {
        let said = study.certainty.iter().find(|said| said.label == label);
        Cell::Text(said.map(|said| said.verdict.words().to_owned()))
    }));
    row.extend([json(&study.certainty), json(&study.flags), count(study.series.len())]);
    row.push(count(study.series.iter().map(|series| series.slices.len()).sum()));
    let of_series = study.series.iter().flat_map(|series| {
        let name = &series.series_instance_uid;
        series.warnings.iter().map(move |warning| format!("series {name}: {warning}"))
    });
    let warnings: Vec<String> = study.warnings.iter().cloned().chain(of_series).collect();
    row.push(Cell::Text((!warnings.is_empty()).then(|| warnings.join("\n"))));
    row.push(text(key));
    row
}

/// A slice as a row.
pub(crate) fn slice_row(
    key: &str,
    study: &StudyResult,
    series: &SeriesResult,
    slice: &SliceResult,
) -> Row {
    let texts = [
        key,
        &study.study_instance_uid,
        &study.patient_id,
        &series.series_instance_uid,
        &slice.sop_instance_uid,
        &slice.source,
    ];
    let mut row: Row = texts.into_iter().map(text).collect();
    row.push(Cell::Real(slice.z_mm));
    row.extend(probabilities(slice.probabilities));
    row.push(json(&slice.regions));
    row
}

/// An image without a result as a row.
pub(crate) fn skipped_row(key: &str, source: &str, reason: &str, failed: bool) -> Row {
    vec![text(key), text(source), text(reason), Cell::Bool(Some(failed))]
}

/// The text of a cell; empty at a gap.
fn text_at(row: &Row, at: usize) -> &str {
    match row.get(at) {
        Some(Cell::Text(Some(text))) => text,
        _ => "",
    }
}

/// The key of a row of slices or of skipped images.
pub(crate) fn key_of(row: &Row) -> &str {
    text_at(row, 0)
}

/// Source, reason and whether it failed, of a row of skipped images.
pub(crate) fn skipped_of(row: &Row) -> (&str, &str, bool) {
    (text_at(row, 1), text_at(row, 2), row.get(3) == Some(&Cell::Bool(Some(true))))
}

/// The rank of a row of studies.
pub(crate) fn rank_of(row: &Row) -> Rank {
    let any = probabilities_of(row)[Label::Any.index()];
    Rank { any, study: text_at(row, 0).to_owned(), patient: text_at(row, 1).to_owned() }
}

/// The probabilities of a row of studies.
pub(crate) fn probabilities_of(row: &Row) -> [f32; LABEL_COUNT] {
    std::array::from_fn(|label| match row.get(FIRST_PROBABILITY + label) {
        Some(Cell::Real(Some(value))) => *value as f32,
        _ => f32::NAN,
    })
}

/// What is said of any hemorrhage, and the number of slices, of a row of studies.
pub(crate) fn verdict_and_slices_of(row: &Row) -> (&str, u64) {
    let slices = match row.get(SLICE_COUNT) {
        Some(Cell::Whole(Some(count))) => u64::try_from(*count).unwrap_or(0),
        _ => 0,
    };
    (text_at(row, VERDICT_OF_ANY), slices)
}

#[cfg(test)]
mod tests {
    use hemora_ct::Label;

    use super::*;

    #[test]
    fn places_of_columns_are_those_of_their_names() {
        let name = |columns: Columns, at: usize| columns[at].0;
        for label in Label::ALL {
            assert_eq!(name(STUDIES, FIRST_PROBABILITY + label.index()), label.name());
            assert_eq!(name(SLICES, 7 + label.index()), label.name());
        }
        assert_eq!(name(STUDIES, VERDICT_OF_ANY), "verdict_any");
        assert_eq!(name(STUDIES, SLICE_COUNT), "slices");
        let study = StudyResult {
            study_instance_uid: "1.2".to_owned(),
            patient_id: "A".to_owned(),
            probabilities: Probabilities { any: 0.75, ..Probabilities::default() },
            flags: Vec::new(),
            certainty: Vec::new(),
            series: Vec::new(),
            warnings: vec!["one".to_owned(), "two".to_owned()],
        };
        let row = study_row("key", &study);
        assert_eq!(row.len(), STUDIES.len());
        assert_eq!(rank_of(&row), Rank::of(&study));
        assert_eq!(verdict_and_slices_of(&row), ("", 0));
        assert_eq!(text_at(&row, 18), "one\ntwo");
        let skipped = skipped_row("key", "a.dcm", "gone", true);
        assert_eq!((key_of(&skipped), skipped_of(&skipped)), ("key", ("a.dcm", "gone", true)));
    }
}
