//! Tables of predictions, CSV: what `hemora evaluate` reads.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use hemora_ct::{LABEL_COUNT, Label};

use super::files::FileError;

/// A row of a table of predictions.
#[derive(Debug, Clone, Copy)]
pub struct PredictedRow<'a> {
    /// The image's id.
    pub id: &'a str,
    /// Its patient or best known group.
    pub group: &'a str,
    /// All labels, in label order; `None` where it is not known.
    pub truth: [Option<bool>; LABEL_COUNT],
    /// One for each label of the table.
    pub probabilities: &'a [f32],
}

/// Writes rows with the columns id, group, and of each label its truth and its probability. Ids and
/// groups stand in it as they are, quoted where CSV asks for it; a truth that is not known is empty.
///
/// # Errors
/// [`FileError`] if the file cannot be written.
pub fn write_predictions<'a>(
    path: &Path,
    labels: &[Label],
    rows: impl Iterator<Item = PredictedRow<'a>>,
) -> Result<(), FileError> {
    let written = hemora_base::write_whole(path, |file| -> std::io::Result<()> {
        let mut table = csv::Writer::from_writer(file);
        let mut head = vec!["id".to_owned(), "group".to_owned()];
        head.extend(labels.iter().map(|label| format!("label_{label}")));
        head.extend(labels.iter().map(ToString::to_string));
        table.write_record(&head)?;
        for PredictedRow { id, group, truth, probabilities } in rows {
            let mut cells = vec![id.to_owned(), group.to_owned()];
            let truth = |label: &Label| {
                truth[label.index()].map_or_else(String::new, |truth| u8::from(truth).to_string())
            };
            cells.extend(labels.iter().map(truth));
            cells.extend(probabilities.iter().map(ToString::to_string));
            table.write_record(&cells)?;
        }
        table.flush()
    });
    written.map_err(FileError::on("write", path))
}

/// Those of `ids` that none of the tables that [`write_predictions`] wrote has.
///
/// # Errors
/// [`FileError`] if a table cannot be read.
pub fn not_predicted<'a>(
    tables: &[PathBuf],
    ids: impl Iterator<Item = &'a str>,
) -> Result<Vec<&'a str>, FileError> {
    let mut predicted = HashSet::new();
    for path in tables {
        for row in read_ids(path).map_err(|error| FileError::on("read", path)(error.into()))? {
            predicted.insert(row);
        }
    }
    Ok(ids.filter(|id| !predicted.contains(*id)).collect())
}

fn read_ids(path: &Path) -> Result<Vec<String>, csv::Error> {
    let mut table = csv::ReaderBuilder::new().flexible(true).from_path(path)?;
    table.records().map(|row| Ok(row?.get(0).unwrap_or_default().to_owned())).collect()
}

/// Appends a table to others with the same columns, whose head stands once.
///
/// # Errors
/// [`FileError`] if a table cannot be read or written.
pub fn join_predictions(parts: &[PathBuf], path: &Path) -> Result<(), FileError> {
    let written = hemora_base::write_whole(path, |file| -> std::io::Result<()> {
        let mut all = csv::Writer::from_writer(file);
        for (number, part) in parts.iter().enumerate() {
            let mut table = csv::ReaderBuilder::new().has_headers(false).from_path(part)?;
            for row in table.byte_records().skip(usize::from(number > 0)) {
                all.write_byte_record(&row?)?;
            }
        }
        all.flush()
    });
    written.map_err(FileError::on("join the folds' predictions into", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_an_empty_cell() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("validation.csv");
        let mut truth = [Some(false); LABEL_COUNT];
        (truth[4], truth[5]) = (None, Some(true));
        let row = PredictedRow { id: "a", group: "p", truth, probabilities: &[0.25, 0.5] };
        write_predictions(&path, &[Label::Subdural, Label::Any], [row].into_iter()).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "id,group,label_subdural,label_any,subdural,any\na,p,,1,0.25,0.5\n");
    }

    #[test]
    fn ids_come_back_as_they_were_whatever_they_hold() {
        let folder = tempfile::tempdir().unwrap();
        let ids = ["plain", "a,b", "a;b", "say \"no\"", "two\nlines"];
        let parts = [folder.path().join("1.csv"), folder.path().join("2.csv")];
        for (part, ids) in parts.iter().zip([&ids[..2], &ids[2..]]) {
            let row = |id: &&'static str| PredictedRow {
                id,
                group: "one, two",
                truth: [Some(true); LABEL_COUNT],
                probabilities: &[0.25],
            };
            write_predictions(part, &[Label::Any], ids.iter().map(row)).unwrap();
        }
        let all = folder.path().join("all.csv");
        join_predictions(&parts, &all).unwrap();
        assert_eq!(read_ids(&all).unwrap(), ids);
        let text = std::fs::read_to_string(&all).unwrap();
        assert!(text.starts_with("id,group,label_any,any\nplain,\"one, two\",1,0.25\n"), "{text}");
        let asked = ["a,b", "a b", "two\nlines", "other"];
        let missing = not_predicted(&parts, asked.into_iter()).unwrap();
        assert_eq!(missing, ["a b", "other"]);
        // The reader of `hemora evaluate` sees the same ids.
        let table = hemora_data::Table::new(std::fs::File::open(&all).unwrap()).unwrap();
        let mut read = Vec::new();
        let row = |_, fields: &[&str]| {
            read.push(fields[0].to_owned());
            Ok(())
        };
        table.for_each(row).unwrap();
        assert_eq!(read, ids);
    }
}
