//! Predictions as the competition wants them: `ID,Label`, six rows a slice.

use std::fmt::Write as _;
use std::path::Path;

use hemora_ct::{LABEL_COUNT, Label};
use hemora_data::{SliceTable, SliceTableError, Table, TableError, with_file};

use crate::engine::{ConvertError, write_text};

/// Writes `ID_…_label,probability` for every slice of a table: one of slices with their scores
/// (Parquet), or triage's `result.csv`.
///
/// # Errors
/// The file and what was found and expected, if the table cannot be read, has two slices with one
/// id, or the file cannot be written.
pub(super) fn write_submission(from: &Path, to: &Path) -> Result<(), ConvertError> {
    let mut rows = match from.extension().is_some_and(|end| end == "parquet") {
        true => rows_of_slices(from)?,
        false => rows_of_triage(from)?,
    };
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    if let Some(pair) = rows.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        let file = from.display();
        let id = &pair[0].0;
        return Err(format!("{file}: `{id}` stands twice; expected each slice once").into());
    }
    let mut text = String::from("ID,Label\n");
    for (id, probabilities) in &rows {
        for label in Label::ALL {
            let _ = writeln!(text, "{id}_{label},{}", probabilities[label.index()]);
        }
    }
    Ok(write_text(to, text.as_bytes())?)
}

type Rows = Vec<(String, [f32; LABEL_COUNT])>;

fn rows_of_slices(path: &Path) -> Result<Rows, SliceTableError> {
    let table = SliceTable::read(path)?;
    Ok(table.rows.into_iter().map(|row| (row.id, row.probabilities)).collect())
}

fn rows_of_triage(path: &Path) -> Result<Rows, TableError> {
    let mut rows = Vec::new();
    with_file(path, |file| {
        let table = Table::new(file)?;
        let id = table.column("sop_instance_uid")?;
        let found = Label::ALL.map(|label| table.column(label.name()));
        let mut columns = [0; LABEL_COUNT];
        for (column, found) in columns.iter_mut().zip(found) {
            *column = found?;
        }
        table.for_each(|_, fields| {
            let mut probabilities = [0f32; LABEL_COUNT];
            for (value, &column) in probabilities.iter_mut().zip(&columns) {
                let text = fields[column];
                *value = text.parse().map_err(|_| format!("`{text}` is no probability"))?;
            }
            rows.push((fields[id].to_owned(), probabilities));
            Ok(())
        })
    })?;
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_becomes_six_rows_a_slice_and_repeats_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("result.csv"), folder.path().join("submission.csv"));
        let head = "sop_instance_uid,epidural,intraparenchymal,intraventricular,subarachnoid,\
                    subdural,any\n";
        let two = format!("{head}ID_b,0.1,0.2,0.3,0.4,0.5,0.6\nID_a,0,0,0,0,0,1\n");
        std::fs::write(&from, &two).unwrap();
        write_submission(&from, &to).unwrap();
        let text = std::fs::read_to_string(&to).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 13);
        assert_eq!([lines[0], lines[6], lines[7]], ["ID,Label", "ID_a_any,1", "ID_b_epidural,0.1"]);
        std::fs::write(&from, format!("{two}ID_a,0,0,0,0,0,1\n")).unwrap();
        assert!(
            write_submission(&from, &to).unwrap_err().to_string().contains("`ID_a` stands twice")
        );
        // What is wrong with a table is an error of its own, not only words.
        std::fs::write(&from, format!("{head}ID_b,0.1,0.2,much,0.4,0.5,0.6\n")).unwrap();
        let error = write_submission(&from, &to).unwrap_err();
        assert!(error.is::<TableError>() && error.to_string().contains("`much`"), "{error}");
    }
}
