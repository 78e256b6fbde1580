//! A split as a table: which image stands in which part, `ID,split`.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::table::{Table, TableError, shorten, with_file};

/// The parts of a split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Trained on.
    Train,
    /// Chosen on: the best epoch.
    Validation,
    /// Reported on, once.
    Test,
}

impl Part {
    /// All parts, in order.
    pub const ALL: [Part; 3] = [Part::Train, Part::Validation, Part::Test];

    /// `train`, `validation` or `test`, as tables have it.
    pub fn name(self) -> &'static str {
        match self {
            Part::Train => "train",
            Part::Validation => "validation",
            Part::Test => "test",
        }
    }
}

/// The part of each image. Images that it does not name belong to no part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SplitTable {
    parts: BTreeMap<Box<str>, Part>,
}

impl SplitTable {
    /// A table of these images.
    pub fn new<I: AsRef<str>>(parts: impl IntoIterator<Item = (I, Part)>) -> Self {
        Self { parts: parts.into_iter().map(|(id, part)| (id.as_ref().into(), part)).collect() }
    }

    /// Reads a CSV file with the columns `ID` and `split`, whose values are `train`, `validation`
    /// or `test`; other columns are passed over. `splits.csv` of a prepared set is one.
    ///
    /// # Errors
    /// [`TableError`] names the file, the line and what was expected.
    pub fn read(path: &Path) -> Result<Self, TableError> {
        with_file(path, |file| Self::from_rows(Table::open(file)?))
    }

    fn from_rows<R: Read>(table: Table<R>) -> Result<Self, TableError> {
        let (id, split) = (table.column("ID")?, table.column("split")?);
        let mut parts: BTreeMap<Box<str>, Part> = BTreeMap::new();
        table.only([id, split]).for_each(|_, fields| {
            let (image, name) = (fields[id].trim(), fields[split].trim());
            let part = Part::ALL.into_iter().find(|part| part.name() == name).ok_or_else(|| {
                format!("the split is `{}`; expected train, validation or test", shorten(name))
            })?;
            if image.is_empty() {
                return Err("column `ID` is empty; expected an image id".to_owned());
            }
            match parts.insert(image.into(), part) {
                Some(earlier) if earlier != part => Err(format!(
                    "`{}` stands in {} and in {}",
                    shorten(image),
                    earlier.name(),
                    part.name()
                )),
                _ => Ok(()),
            }
        })?;
        Ok(Self { parts })
    }

    /// The table as CSV, in the order of the ids.
    ///
    /// # Panics
    /// Never: memory takes all that is written.
    pub fn to_csv(&self) -> Vec<u8> {
        let mut table = csv::Writer::from_writer(Vec::new());
        table.write_record(["ID", "split"]).expect("memory takes all");
        for (id, part) in &self.parts {
            table.write_record([id, part.name()]).expect("memory takes all");
        }
        table.into_inner().expect("memory takes all")
    }

    /// The part of an image; `None` if the table does not name it.
    pub fn part(&self, id: &str) -> Option<Part> {
        self.parts.get(id).copied()
    }

    /// Ids and parts, in the order of the ids.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, Part)> {
        self.parts.iter().map(|(id, part)| (&**id, *part))
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// Whether it names no image.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let parts = [("ID_b", Part::Test), ("ID_a", Part::Train), ("ID_c", Part::Validation)];
        let table = SplitTable::new(parts);
        let text = table.to_csv();
        assert_eq!(text, b"ID,split\nID_a,train\nID_b,test\nID_c,validation\n");
        assert_eq!(SplitTable::from_rows(Table::new(&text[..]).unwrap()).unwrap(), table);
        assert_eq!((table.part("ID_b"), table.part("ID_z")), (Some(Part::Test), None));
    }

    #[test]
    fn other_columns_are_passed_over_and_other_parts_refused() {
        let text = "ID,PatientID,split\nID_a,p,train\nID_a,p,train\n";
        assert_eq!(SplitTable::from_rows(Table::new(text.as_bytes()).unwrap()).unwrap().len(), 1);
        let fold =
            SplitTable::from_rows(Table::new(&b"ID,split\nID_a,fold0\n"[..]).unwrap()).unwrap_err();
        assert!(fold.to_string().contains("line 2: the split is `fold0`"), "{fold}");
        let torn =
            SplitTable::from_rows(Table::new(&b"ID,split\nID_a,train\nID_a,test\n"[..]).unwrap())
                .unwrap_err();
        assert!(torn.to_string().contains("in train and in test"), "{torn}");
    }
}
