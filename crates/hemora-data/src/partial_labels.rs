//! Label tables of which some labels are not known: `ID,Label` rows that are missing, or a column a
//! label with empty cells.

use std::io::Read;
use std::path::Path;

use hemora_ct::{LABEL_COUNT, Label};

use crate::labels::{Collected, LabelTable, parse_label};
use crate::table::{Table, TableError, shorten, with_file};

/// Names of the column of ids where each label has a column.
const ID_COLUMNS: [&str; 3] = ["ID", "id", "sop"];

impl LabelTable {
    /// Reads a table, CSV or Parquet, of which some labels may not be known: `ID,Label` as
    /// [`LabelTable::read`] reads it, where a label without a row or with an empty one is not known;
    /// or a column of ids (`ID`, `id` or `sop`) and one for each label, where an empty cell is not
    /// known. An image with at least one known label is kept.
    ///
    /// What the known labels imply is known too: without hemorrhage there is none of the subtypes,
    /// with a subtype there is one, and with none of all subtypes there is none.
    ///
    /// # Errors
    /// [`TableError`] names the file, the line and what was expected.
    pub fn read_partial(path: &Path) -> Result<Self, TableError> {
        with_file(path, |file| Self::partial_from_table(Table::open(file)?))
    }

    fn partial_from_table<R: Read>(table: Table<R>) -> Result<Self, TableError> {
        let collected = match table.competition() {
            Some(columns) => Collected::competition(table, columns)?,
            None => read_wide(table)?,
        };
        Ok(collected.into_table(true))
    }
}

fn read_wide<R: Read>(table: Table<R>) -> Result<Collected, TableError> {
    let wrong = || {
        let names = Label::ALL.map(Label::name).join(", ");
        table.wrong_header(&format!(
            "`ID,Label`, or a column of ids named ID, id or sop and the columns {names}"
        ))
    };
    let id = ID_COLUMNS.iter().find_map(|name| table.find(name)).ok_or_else(wrong)?;
    let mut columns = [0; LABEL_COUNT];
    for label in Label::ALL {
        columns[label.index()] = table.find(label.name()).ok_or_else(wrong)?;
    }
    let mut collected = Collected::default();
    table.only(columns.into_iter().chain([id])).for_each(|_, fields| {
        let id = fields[id].trim();
        if id.is_empty() {
            return Err("the id is empty; expected an image id".to_owned());
        }
        let mut labels = [None; LABEL_COUNT];
        for label in Label::ALL {
            labels[label.index()] =
                parse_label(fields[columns[label.index()]]).map_err(|found| {
                    format!("`{label}` of `{}` is {found}, or nothing", shorten(id))
                })?;
        }
        collected.row(id, Label::ALL.into_iter().zip(labels));
        Ok(())
    })?;
    Ok(collected)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "sop,epidural,intraparenchymal,intraventricular,subarachnoid,subdural,any";

    fn partial(text: &str) -> Result<LabelTable, TableError> {
        LabelTable::partial_from_table(Table::new(text.as_bytes())?)
    }

    /// Of each label `1`, `0` or `?`, in label order.
    fn cells(table: &LabelTable, id: &str) -> String {
        let (labels, known) = (table.get(id).unwrap(), table.known(id).unwrap());
        let cell = |(label, known)| if known { ["0", "1"][usize::from(label)] } else { "?" };
        // What is not known reads false.
        assert!(labels.iter().zip(known).all(|(label, known)| known || !label), "{id}");
        labels.into_iter().zip(known).map(cell).collect()
    }

    #[test]
    fn both_layouts_keep_images_with_unknown_labels_and_infer_what_is_implied() {
        let wide = format!(
            "{HEADER}\na,0,0,0,0,0,0\nb,,,,,,1\nc,,,,,,0\nd,,1,,0,,\ne,0,0,0,0,0,\nf,,,,,,\n\
             g,0,,nan,,,\n"
        );
        let mut long = String::from("ID,Label\n");
        for row in wide.lines().skip(1) {
            let fields: Vec<&str> = row.split(',').collect();
            for (label, cell) in Label::ALL.iter().zip(&fields[1..]) {
                // Some unknown labels have an empty row, others none.
                if !cell.is_empty() || *label == Label::Any {
                    long += &format!("{}_{label},{cell}\n", fields[0]);
                }
            }
        }
        for text in [wide.replace("sop", "ID"), wide.replace("sop", "id"), wide, long] {
            let table = partial(&text).unwrap();
            assert_eq!(cells(&table, "a"), "000000");
            assert_eq!(cells(&table, "b"), "?????1");
            assert_eq!(cells(&table, "c"), "000000");
            assert_eq!(cells(&table, "d"), "?1?0?1");
            assert_eq!(cells(&table, "e"), "000000");
            assert_eq!(cells(&table, "g"), "0?????");
            assert_eq!((table.len(), table.known("f")), (6, None));
            let report = table.report();
            assert_eq!(report.partial, 3);
            assert_eq!(report.incomplete.len(), 1);
            assert_eq!(report.incomplete[0].id, "f");
            assert_eq!(report.incomplete[0].missing, Label::ALL);
        }
    }

    #[test]
    fn a_table_read_strictly_knows_all_labels_and_leaves_the_others_out() {
        let rows: String = Label::ALL.iter().map(|label| format!("a_{label},0\n")).collect();
        let text = format!("ID,Label\n{rows}b_any,1\n");
        let strict = LabelTable::from_reader(text.as_bytes()).unwrap();
        assert_eq!((strict.known("a"), strict.known("b")), (Some([true; LABEL_COUNT]), None));
        assert_eq!((strict.report().partial, strict.report().incomplete.len()), (0, 1));
        assert_eq!(cells(&partial(&text).unwrap(), "b"), "?????1");
    }

    #[test]
    fn contradictions_and_repetitions_are_named() {
        let text = format!(
            "{HEADER}\nodd,,1,,,,0\nempty,0,0,0,0,0,1\ntorn,,,,,,1\ntorn,,,,,,0\ntwice,1,,,,,\n\
             twice,1,,,,,\ntwo,1,,,,,\ntwo,,0,,,,\n"
        );
        let table = partial(&text).unwrap();
        let report = table.report();
        assert_eq!(report.inconsistent, ["empty", "odd"]);
        assert_eq!(report.conflicting, ["torn"]);
        assert_eq!((report.rows, report.duplicate_rows), (8, 1));
        assert_eq!(report.duplicated, ["twice"]);
        assert_eq!(cells(&table, "odd"), "?1???0");
        assert_eq!(cells(&table, "two"), "10???1");
    }

    #[test]
    fn wrong_tables_are_refused() {
        let wrong = |text: &str| partial(text).err().unwrap().to_string();
        assert!(wrong("sop,any\na,1\n").contains("intraparenchymal"));
        assert!(wrong(&HEADER.replace("sop", "slice")).contains("ID, id or sop"));
        let message = wrong(&format!("{HEADER}\na,0,0,0,0,0,0\nb,0.5,,,,,\n"));
        assert!(message.starts_with("line 3: `epidural` of `b` is `0.5`"), "{message}");
        assert!(wrong(&format!("{HEADER}\n,0,0,0,0,0,0\n")).contains("the id is empty"));
    }
}
