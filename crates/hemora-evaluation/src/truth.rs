//! The labels of slices, from a competition table or a table with a column a label, CSV or Parquet.

use std::collections::HashMap;
use std::path::Path;

use hemora_ct::Label;
use hemora_data::{LabelTable, Table, TableError, shorten, with_file};

use crate::document::FileRef;
use crate::{EvaluateError, Tally};

/// Names of the column of ids in a table with a column a label.
const ID_COLUMNS: [&str; 6] = ["Image", "id", "ID", "image", "SOPInstanceUID", "sop_instance_uid"];

/// The labels of the predicted slices, and what is left over.
#[derive(Debug)]
pub(crate) struct Joined {
    pub(crate) file: FileRef,
    /// Of each predicted slice its labels, if it has some.
    pub(crate) rows: Vec<Option<Box<[bool]>>>,
    /// Slices with labels.
    pub(crate) labelled: u64,
    /// Those of them without a prediction.
    pub(crate) unpredicted: Tally,
}

/// The labels of slices by id; of each the labels asked for, in their order.
#[derive(Debug)]
pub(crate) struct Truth {
    pub(crate) file: FileRef,
    slices: HashMap<Box<str>, Box<[bool]>>,
    /// What a reader of the evaluation must know of the table.
    pub(crate) warnings: Vec<String>,
}

impl Truth {
    /// Reads `ID,Label` rows as the competition has them, or a table with a column of ids and one
    /// of 0 and 1 for each of `labels`.
    pub(crate) fn read(path: &Path, labels: &[Label]) -> Result<Self, EvaluateError> {
        let mut truth =
            Self { file: FileRef::read(path)?, slices: HashMap::new(), warnings: Vec::new() };
        let header = with_file(path, |file| Ok(Table::open(file)?.header().to_vec()))?;
        if header == ["ID", "Label"] {
            truth.read_competition(path, labels)?;
        } else {
            truth.read_wide(path, labels)?;
        }
        truth.file.rows = truth.slices.len() as u64;
        Ok(truth)
    }

    /// The labels of the slices `ids`.
    pub(crate) fn join(mut self, ids: &[String]) -> Joined {
        let labelled = self.slices.len() as u64;
        let rows = ids.iter().map(|id| self.slices.remove(id.as_str())).collect();
        let mut left: Vec<&str> = self.slices.keys().map(|id| &**id).collect();
        left.sort_unstable();
        let mut unpredicted = Tally::default();
        left.into_iter().for_each(|id| unpredicted.add(|| shorten(id)));
        Joined { file: self.file, rows, labelled, unpredicted }
    }

    fn read_competition(&mut self, path: &Path, labels: &[Label]) -> Result<(), EvaluateError> {
        let table = LabelTable::read(path)?;
        let report = table.report();
        let unusable = [
            (report.conflicting.len(), "images have rows that contradict each other"),
            (report.incomplete.len(), "images lack rows"),
        ];
        for (count, what) in unusable {
            if count > 0 {
                self.warnings
                    .push(format!("{}: {count} {what}; they have no labels here", self.file.file));
            }
        }
        if !report.inconsistent.is_empty() {
            self.warnings.push(format!(
                "{}: of {} images `any` contradicts their subtypes: {}",
                self.file.file,
                report.inconsistent.len(),
                report.inconsistent.iter().take(5).cloned().collect::<Vec<_>>().join(", ")
            ));
        }
        for (id, all) in table.iter() {
            self.slices.insert(id.into(), labels.iter().map(|label| all[label.index()]).collect());
        }
        Ok(())
    }

    fn read_wide(&mut self, path: &Path, labels: &[Label]) -> Result<(), EvaluateError> {
        let (mut doubled, mut wrong) = (Tally::default(), Tally::default());
        with_file(path, |file| {
            let table = Table::open(file)?;
            let find = |name: &str| table.header().iter().position(|column| column == name);
            let id = ID_COLUMNS.into_iter().find_map(find).ok_or_else(|| {
                table.wrong_header(
                    "`ID,Label`, or a column of ids named Image, id or SOPInstanceUID",
                )
            })?;
            let column = |label: &Label| {
                let named = find(&format!("label_{label}"));
                named.map_or_else(|| table.column(label.name()), Ok)
            };
            let columns = labels.iter().map(column).collect::<Result<Vec<_>, TableError>>()?;
            table.for_each(|_, fields| {
                let id = fields[id].trim();
                let mut row = Vec::with_capacity(columns.len());
                for &column in &columns {
                    row.push(match fields[column].trim() {
                        "0" | "0.0" => false,
                        "1" | "1.0" => true,
                        other => {
                            wrong.add(|| format!("{} `{}`", shorten(id), shorten(other)));
                            false
                        }
                    });
                }
                if self.slices.insert(id.into(), row.into()).is_some() {
                    doubled.add(|| shorten(id));
                }
                Ok(())
            })
        })?;
        for (tally, what, todo) in [
            (doubled, "rows repeat an id", "keep one row of each"),
            (wrong, "labels are not 0 or 1", "give labels, not probabilities"),
        ] {
            if tally.count > 0 {
                return Err(EvaluateError::Rows { path: path.to_owned(), what, tally, todo });
            }
        }
        Ok(())
    }
}
