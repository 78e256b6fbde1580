//! Label tables of several forms, as rows to count.

use std::path::Path;

use hemora_ct::{LABEL_COUNT, Label};

use crate::labels::{LabelTable, parse_label};
use crate::table::{Table, TableError, with_file};

/// One row of a label table; what it does not name is empty.
pub(super) struct TableRow<'a> {
    pub(super) patient: &'a str,
    pub(super) study: &'a str,
    pub(super) series: &'a str,
    /// `None` if a label is empty.
    pub(super) labels: Option<[bool; LABEL_COUNT]>,
}

/// Calls `row` for every image, study or series of a table.
pub(super) fn read_table(path: &Path, row: &mut dyn FnMut(TableRow<'_>)) -> Result<(), TableError> {
    with_file(path, |file| {
        let table = Table::open(file)?;
        if table.competition().is_some() {
            for (_, labels) in LabelTable::from_table(table)?.iter() {
                row(TableRow { patient: "", study: "", series: "", labels: Some(labels) });
            }
            return Ok(());
        }
        let mut columns = [0; LABEL_COUNT];
        for label in Label::ALL {
            columns[label.index()] = table.column(label.name()).map_err(|_| {
                table.wrong_header("`ID,Label`, or a column for each label and `any`")
            })?;
        }
        let named = |names: &[&str]| names.iter().find_map(|name| table.column(name).ok());
        let patient = named(&["PatientID"]);
        let study = named(&["StudyInstanceUID"]);
        let series = named(&["SeriesInstanceUID", "scan_id"]);
        let wanted = columns.into_iter().chain([patient, study, series].into_iter().flatten());
        table.only(wanted).for_each(|_, fields| {
            let group = |column: Option<usize>| column.map_or("", |column| fields[column].trim());
            let labels = labels(fields, &columns)?;
            let (patient, study, series) = (group(patient), group(study), group(series));
            row(TableRow { patient, study, series, labels });
            Ok(())
        })
    })
}

fn labels(
    fields: &[&str],
    columns: &[usize; LABEL_COUNT],
) -> Result<Option<[bool; LABEL_COUNT]>, String> {
    let mut labels = [false; LABEL_COUNT];
    for label in Label::ALL {
        let read = parse_label(fields[columns[label.index()]]);
        match read.map_err(|found| format!("`{label}` is {found}"))? {
            Some(positive) => labels[label.index()] = positive,
            None => return Ok(None),
        }
    }
    Ok(Some(labels))
}
