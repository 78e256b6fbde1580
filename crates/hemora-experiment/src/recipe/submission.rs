//! Predictions as the competition wants them: `ID,Label`, six rows a slice.

use std::fmt::Write as _;
use std::path::Path;

use hemora_ct::{LABEL_COUNT, Label};
use hemora_data::{SliceTable, Table, with_file};

use crate::recipe::RecipeError;
use crate::recipe::step::write_whole;

/// Writes `ID_…_label,probability` for every slice of a table: one of slices with their scores
/// (Parquet), or triage's `result.csv`.
///
/// # Errors
/// [`RecipeError`] if the table cannot be read, two slices have one id, or the file cannot be
/// written.
pub(crate) fn write_submission(from: &Path, to: &Path) -> Result<(), RecipeError> {
    let mut rows = match from.extension().is_some_and(|end| end == "parquet") {
        true => of_slices(from)?,
        false => of_triage(from)?,
    };
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    if let Some(pair) = rows.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        let reason = format!("`{}` stands twice; expected each slice once", pair[0].0);
        return Err(RecipeError::Output { path: from.to_owned(), reason });
    }
    let mut text = String::from("ID,Label\n");
    for (id, probabilities) in &rows {
        for label in Label::ALL {
            let _ = writeln!(text, "{id}_{label},{}", probabilities[label.index()]);
        }
    }
    write_whole(to, text.as_bytes())
}

type Rows = Vec<(String, [f32; LABEL_COUNT])>;

fn of_slices(path: &Path) -> Result<Rows, RecipeError> {
    let table = SliceTable::read(path)?;
    Ok(table.rows.into_iter().map(|row| (row.id, row.probabilities)).collect())
}

fn of_triage(path: &Path) -> Result<Rows, RecipeError> {
    let mut rows = Vec::new();
    with_file(path, |file| {
        let table = Table::new(file)?;
        let id = table.column("sop_instance_uid")?;
        let columns = Label::ALL.map(|label| table.column(label.name()));
        let mut places = [0; LABEL_COUNT];
        for (place, column) in places.iter_mut().zip(columns) {
            *place = column?;
        }
        table.for_each(|_, fields| {
            let mut probabilities = [0f32; LABEL_COUNT];
            for (value, &place) in probabilities.iter_mut().zip(&places) {
                let text = fields[place];
                *value = text.parse().map_err(|_| format!("`{text}` is no probability"))?;
            }
            rows.push((fields[id].to_owned(), probabilities));
            Ok(())
        })?;
        Ok(())
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
    }
}
