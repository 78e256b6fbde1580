//! The competition's label table: one row an image and label, pivoted to one entry an image.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use hemora_ct::{LABEL_COUNT, Label};

use crate::table::{Table, TableError, shorten, with_file};

/// Every label of an image is known.
const COMPLETE: u8 = (1 << LABEL_COUNT) - 1;

/// The labels of images, in the order of their ids.
#[derive(Debug, Clone, Default)]
pub struct LabelTable {
    entries: Vec<(Box<str>, u8)>,
    report: LabelReport,
}

/// What a label table had beside its usable images.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelReport {
    /// Rows read, without the header.
    pub rows: usize,
    /// Rows that repeat an earlier row exactly; they were dropped (stage 1 has 24,
    /// docs/references.md#rsna-2019).
    pub duplicate_rows: usize,
    /// Images of the repeated rows, in the order of their ids.
    pub duplicated: Vec<String>,
    /// Images whose rows contradict each other; they were left out.
    pub conflicting: Vec<String>,
    /// Images that lack rows; they were left out.
    pub incomplete: Vec<Incomplete>,
    /// Images whose `any` is not what their subtypes say; they were kept as they stand.
    pub inconsistent: Vec<String>,
}

/// An image that lacks rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incomplete {
    /// The image.
    pub id: String,
    /// Labels without a row.
    pub missing: Vec<Label>,
}

/// What the rows so far say about an image: one bit a label.
#[derive(Default, Clone, Copy)]
struct Known {
    present: u8,
    positive: u8,
    repeated: bool,
    conflict: bool,
}

impl LabelTable {
    /// Reads a table, CSV or Parquet, with the columns `ID,Label`, whose ids are
    /// `<image id>_<label>` and whose labels are 0 or 1.
    ///
    /// # Errors
    /// [`TableError`] names the file, the line and what was expected.
    pub fn read(path: &Path) -> Result<Self, TableError> {
        with_file(path, |file| Self::from_table(Table::open(file)?))
    }

    /// The same from any reader of CSV; it need not be buffered.
    ///
    /// # Errors
    /// [`TableError`] names the line and what was expected.
    pub fn from_reader(input: impl Read) -> Result<Self, TableError> {
        Self::from_table(Table::new(input)?)
    }

    fn from_table<R: Read>(table: Table<R>) -> Result<Self, TableError> {
        if table.header() != ["ID", "Label"] {
            return Err(table.wrong_header("`ID,Label`, the competition's label table"));
        }
        let mut report = LabelReport::default();
        let mut images: HashMap<Box<str>, Known> = HashMap::new();
        table.for_each(|_, fields| {
            let (id, label, positive) = parse(fields)?;
            report.rows += 1;
            if !images.contains_key(id) {
                images.insert(id.into(), Known::default());
            }
            let known = images.get_mut(id).expect("the id was inserted above");
            let bit = 1u8 << label.index();
            if known.present & bit == 0 {
                known.present |= bit;
                known.positive |= if positive { bit } else { 0 };
            } else if (known.positive & bit != 0) == positive {
                report.duplicate_rows += 1;
                known.repeated = true;
            } else {
                known.conflict = true;
            }
            Ok(())
        })?;
        let mut images: Vec<(Box<str>, Known)> = images.into_iter().collect();
        images.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let mut entries = Vec::with_capacity(images.len());
        for (id, known) in images {
            if known.repeated {
                report.duplicated.push(id.to_string());
            }
            if known.conflict {
                report.conflicting.push(id.into());
            } else if known.present != COMPLETE {
                let missing = |label: &Label| known.present & (1 << label.index()) == 0;
                let missing = Label::ALL.into_iter().filter(missing).collect();
                report.incomplete.push(Incomplete { id: id.into(), missing });
            } else {
                let any = 1 << Label::Any.index();
                if (known.positive & any != 0) != (known.positive & !any != 0) {
                    report.inconsistent.push(id.to_string());
                }
                entries.push((id, known.positive));
            }
        }
        Ok(Self { entries, report })
    }

    /// Number of images with all their labels.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no image has all its labels.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The labels of an image, in label order.
    pub fn get(&self, id: &str) -> Option<[bool; LABEL_COUNT]> {
        Some(unpack(self.entries[self.position(id)?].1))
    }

    /// Place of an image in the order of the ids.
    pub(crate) fn position(&self, id: &str) -> Option<usize> {
        self.entries.binary_search_by(|(entry, _)| (**entry).cmp(id)).ok()
    }

    /// Ids and labels, in the order of the ids.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, [bool; LABEL_COUNT])> {
        self.entries.iter().map(|(id, bits)| (&**id, unpack(*bits)))
    }

    /// How many images are positive, per label.
    pub fn positives(&self) -> [usize; LABEL_COUNT] {
        count_positives(self.iter().map(|(_, labels)| labels))
    }

    /// What else the table had.
    pub fn report(&self) -> &LabelReport {
        &self.report
    }
}

/// How many of some labels are positive, per label.
pub(crate) fn count_positives(
    labels: impl IntoIterator<Item = [bool; LABEL_COUNT]>,
) -> [usize; LABEL_COUNT] {
    labels.into_iter().fold([0; LABEL_COUNT], |counts, labels| {
        std::array::from_fn(|label| counts[label] + usize::from(labels[label]))
    })
}

/// Labels from one bit each.
pub(crate) fn unpack(bits: u8) -> [bool; LABEL_COUNT] {
    std::array::from_fn(|label| bits & (1 << label) != 0)
}

/// Labels as one bit each.
pub(crate) fn pack(labels: [bool; LABEL_COUNT]) -> u8 {
    (0..).zip(labels).fold(0, |bits, (label, positive)| bits | u8::from(positive) << label)
}

fn parse<'a>(fields: &[&'a str]) -> Result<(&'a str, Label, bool), String> {
    let &[name, value] = fields else {
        return Err(format!("{} columns; expected an id and a label", fields.len()));
    };
    // Ids have underscores of their own, so only the last one parts the label.
    let (id, label) = name
        .rsplit_once('_')
        .filter(|(id, _)| !id.is_empty())
        .ok_or_else(|| format!("the id `{}` is not `<image id>_<label>`", shorten(name)))?;
    let label = shorten(label).parse()?;
    match value.trim() {
        "0" => Ok((id, label, false)),
        "1" => Ok((id, label, true)),
        other => Err(format!(
            "the label of `{}` is `{}`; expected 0 or 1 (a submission with probabilities is no \
             label table)",
            shorten(name),
            shorten(other)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn six(id: &str, positive: &[Label]) -> String {
        let row = |label: &Label| format!("{id}_{label},{}\n", u8::from(positive.contains(label)));
        Label::ALL.iter().map(row).collect()
    }

    fn read(rows: &str) -> Result<LabelTable, TableError> {
        LabelTable::from_reader(format!("ID,Label\n{rows}").as_bytes())
    }

    #[test]
    fn rows_are_pivoted_at_the_last_underscore() {
        let rows = six("ID_b_any", &[Label::Subdural, Label::Any]) + &six("ID_a", &[]);
        let table = read(&rows).unwrap();
        let ids: Vec<&str> = table.iter().map(|(id, _)| id).collect();
        assert_eq!(ids, ["ID_a", "ID_b_any"]);
        assert_eq!(table.get("ID_a"), Some([false; 6]));
        assert_eq!(table.get("ID_b_any"), Some([false, false, false, false, true, true]));
        assert_eq!(table.get("ID_b"), None);
        assert_eq!(table.positives(), [0, 0, 0, 0, 1, 1]);
        assert_eq!(table.report(), &LabelReport { rows: 12, ..LabelReport::default() });
    }

    #[test]
    fn duplicates_conflicts_and_gaps_are_named() {
        let rows = six("ID_twice", &[Label::Any, Label::Epidural]).repeat(2)
            + &six("ID_torn", &[])
            + "ID_torn_subdural,1\n"
            + "ID_part_any,1\nID_part_epidural,0\n"
            + &six("ID_odd", &[Label::Any]);
        let table = read(&rows).unwrap();
        let report = table.report();
        assert_eq!((report.rows, report.duplicate_rows), (27, 6));
        assert_eq!(report.duplicated, ["ID_twice"]);
        assert_eq!(report.conflicting, ["ID_torn"]);
        assert_eq!(report.inconsistent, ["ID_odd"]);
        assert_eq!(report.incomplete.len(), 1);
        assert_eq!(report.incomplete[0].id, "ID_part");
        assert_eq!(report.incomplete[0].missing, Label::SUBTYPES[1..]);
        let ids: Vec<&str> = table.iter().map(|(id, _)| id).collect();
        assert_eq!(ids, ["ID_odd", "ID_twice"]);
    }

    #[test]
    fn wrong_rows_are_refused_with_their_line() {
        for (row, expected) in [
            ("ID_a_chronic,0", "`chronic`"),
            ("ID_a_any,0.5", "expected 0 or 1"),
            ("ID_a_any,", "expected 0 or 1"),
            ("any,1", "<image id>_<label>"),
            ("_any,1", "<image id>_<label>"),
            ("ID_a_any,1,2", "the header has 2"),
        ] {
            let message = read(&format!("ID_a_any,1\n{row}\n")).unwrap_err().to_string();
            assert!(message.starts_with("line 3"), "{message}");
            assert!(message.contains(expected), "{message}");
        }
        let bytes = LabelTable::from_reader(&b"ID,Label\nID_\xfe_any,1\n"[..]).unwrap_err();
        assert!(bytes.to_string().contains("line 2"), "{bytes}");
        let header = LabelTable::from_reader(&b"Image,any\nID_a,1\n"[..]).unwrap_err();
        assert!(header.to_string().contains("`Image,any`"), "{header}");
        let absent = LabelTable::read(Path::new("/nowhere/labels.csv")).unwrap_err();
        assert!(absent.to_string().contains("/nowhere/labels.csv"), "{absent}");
    }
}
