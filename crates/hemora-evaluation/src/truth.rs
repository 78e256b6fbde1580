//! The labels of slices, from a competition table or a table with a column a label, CSV or Parquet.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::path::Path;

use hemora_ct::Label;
use hemora_data::{LabelTable, RowNumbers, Table, TableError, parse_label, shorten, with_file};

use crate::document::FileRef;
use crate::{EvaluateError, Tally};

/// Names of the column of ids in a table with a column a label.
const ID_COLUMNS: [&str; 6] = ["Image", "id", "ID", "image", "SOPInstanceUID", "sop_instance_uid"];

/// What keeps rows of a label table from giving labels.
const CONFLICTING: &str = "slices have label rows that contradict each other";
const INCOMPLETE: &str = "slices lack some of their labels";

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
    /// Predicted slices with rows in the label table that give no labels, with the reason.
    pub(crate) unusable: [(Tally, &'static str); 2],
    /// Whether they stand in the table of the predictions.
    pub(crate) is_own: bool,
}

/// The labels of slices by id; of each the labels asked for, in their order.
#[derive(Debug)]
pub(crate) struct Truth {
    pub(crate) file: FileRef,
    slices: HashMap<Box<str>, Box<[bool]>>,
    /// Slices whose rows contradict each other.
    conflicting: HashSet<Box<str>>,
    /// Slices without some of the labels.
    incomplete: HashSet<Box<str>>,
    /// What a reader of the evaluation must know of the table.
    pub(crate) warnings: Vec<String>,
}

impl Truth {
    /// Reads `ID,Label` rows as the competition has them, or a table with a column of ids and one
    /// of 0 and 1 for each of `labels`.
    pub(crate) fn read(path: &Path, labels: &[Label]) -> Result<Self, EvaluateError> {
        let mut truth = Self {
            file: FileRef::read(path)?,
            slices: HashMap::new(),
            conflicting: HashSet::new(),
            incomplete: HashSet::new(),
            warnings: Vec::new(),
        };
        let mut problems = Problems::default();
        with_file(path, |file| {
            let table = Table::open(file)?;
            match table.competition() {
                Some(_) => truth.read_competition(table, labels),
                None => truth.read_wide(table, labels, &mut problems),
            }
        })?;
        problems.check(path)?;
        for (ids, what) in [(&truth.conflicting, CONFLICTING), (&truth.incomplete, INCOMPLETE)] {
            if !ids.is_empty() {
                let mut ids: Vec<&str> = ids.iter().map(|id| &**id).collect();
                ids.sort_unstable();
                let mut tally = Tally::default();
                ids.iter().for_each(|id| tally.add(|| shorten(id)));
                let (file, count) = (&truth.file.file, tally.count);
                let text = format!("{file}: {count} {what}, and have no labels here: {tally}");
                truth.warnings.push(text);
            }
        }
        truth.file.rows = truth.slices.len() as u64;
        Ok(truth)
    }

    /// The labels of the slices `ids`.
    pub(crate) fn join(mut self, ids: &[String]) -> Joined {
        let labelled = self.slices.len() as u64;
        let rows = ids.iter().map(|id| self.slices.remove(id.as_str())).collect();
        let among = |of: &HashSet<Box<str>>| {
            let mut tally = Tally::default();
            ids.iter()
                .filter(|id| of.contains(id.as_str()))
                .for_each(|id| tally.add(|| shorten(id)));
            tally
        };
        let unusable =
            [(among(&self.conflicting), CONFLICTING), (among(&self.incomplete), INCOMPLETE)];
        let mut left: Vec<&str> = self.slices.keys().map(|id| &**id).collect();
        left.sort_unstable();
        let mut unpredicted = Tally::default();
        left.into_iter().for_each(|id| unpredicted.add(|| shorten(id)));
        Joined { file: self.file, rows, labelled, unpredicted, unusable, is_own: false }
    }

    fn read_competition<R: Read>(
        &mut self,
        table: Table<R>,
        labels: &[Label],
    ) -> Result<(), TableError> {
        let table = LabelTable::from_table(table)?;
        let report = table.report();
        self.conflicting = report.conflicting.iter().map(|id| id.as_str().into()).collect();
        self.incomplete = report.incomplete.iter().map(|row| row.id.as_str().into()).collect();
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

    fn read_wide<R: Read>(
        &mut self,
        table: Table<R>,
        labels: &[Label],
        problems: &mut Problems,
    ) -> Result<(), TableError> {
        let id = table.find_id(&ID_COLUMNS).ok_or_else(|| {
            table.wrong_header("`ID,Label`, or a column of ids named Image, id or SOPInstanceUID")
        })?;
        let is_unnamed = table.unnamed() == Some(id);
        let column = |label: &Label| {
            let named = table.find(&format!("label_{label}"));
            named.map_or_else(|| table.column(label.name()), Ok)
        };
        let columns = labels.iter().map(column).collect::<Result<Vec<_>, TableError>>()?;
        let mut numbers = RowNumbers::default();
        table.only(columns.iter().copied().chain([id])).for_each(|_, fields| {
            let id = fields[id].trim();
            numbers.add(id);
            let mut label = |&column: &usize| {
                parse_label(fields[column]).unwrap_or_else(|_| {
                    let found = shorten(fields[column]);
                    problems.wrong.add(|| format!("{} `{found}`", shorten(id)));
                    Some(false)
                })
            };
            let row: Option<Box<[bool]>> = columns.iter().map(&mut label).collect();
            let Some(row) = row else {
                self.incomplete.insert(id.into());
                return Ok(());
            };
            match self.slices.get(id) {
                Some(other) if *other == row => problems.doubled.add(|| shorten(id)),
                Some(_) => problems.torn.add(|| shorten(id)),
                None => {
                    self.slices.insert(id.into(), row);
                }
            }
            Ok(())
        })?;
        if is_unnamed && numbers.are_all() {
            return Err(TableError::RowNumbers { todo: "call the column of ids `id`" });
        }
        // Another row of the slice has all labels.
        self.incomplete.retain(|id| !self.slices.contains_key(id));
        Ok(())
    }
}

/// What is wrong with rows of a table with a column a label.
#[derive(Default)]
struct Problems {
    torn: Tally,
    doubled: Tally,
    wrong: Tally,
}

impl Problems {
    fn check(self, path: &Path) -> Result<(), EvaluateError> {
        for (tally, what, todo) in [
            (self.torn, "rows contradict an earlier row of their id", "keep the row that is right"),
            (self.doubled, "rows repeat an id", "keep one row of each"),
            (self.wrong, "labels are not 0 or 1", "give labels, not probabilities"),
        ] {
            if tally.count > 0 {
                return Err(EvaluateError::Rows { path: path.to_owned(), what, tally, todo });
            }
        }
        Ok(())
    }
}
