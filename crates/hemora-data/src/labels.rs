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
    /// `<image id>_<label>` and whose labels are what [`parse_label`] reads; a row without a label
    /// counts as one that is not there.
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

    /// The same from a table whose header is read.
    ///
    /// # Errors
    /// [`TableError`] names the line and what was expected.
    pub fn from_table<R: Read>(table: Table<R>) -> Result<Self, TableError> {
        let Some(columns) = table.competition() else {
            return Err(table.wrong_header("`ID,Label`, the competition's label table"));
        };
        let mut report = LabelReport::default();
        let mut images: HashMap<Box<str>, Known> = HashMap::new();
        table.only(columns).for_each(|_, fields| {
            let (id, label, positive) = parse(columns.map(|column| fields[column]))?;
            report.rows += 1;
            if !images.contains_key(id) {
                images.insert(id.into(), Known::default());
            }
            let known = images.get_mut(id).expect("the id was inserted above");
            let Some(positive) = positive else { return Ok(()) };
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

/// The label that a field of a table says, the same for every table: 0 or 1, as a whole number, with
/// a point or as `false` and `true`; `None` where the field is empty or, as some write that, NaN.
///
/// # Errors
/// What stands there instead, and what was expected.
pub fn parse_label(field: &str) -> Result<Option<bool>, String> {
    let field = field.trim();
    let is = |word: &str| field.eq_ignore_ascii_case(word);
    if field.is_empty() || is("nan") {
        return Ok(None);
    }
    if is("false") || is("true") {
        return Ok(Some(is("true")));
    }
    match field.parse::<f64>() {
        Ok(0.0) => Ok(Some(false)),
        Ok(1.0) => Ok(Some(true)),
        _ => Err(format!("`{}`; expected 0 or 1", shorten(field))),
    }
}

fn parse([name, value]: [&str; 2]) -> Result<(&str, Label, Option<bool>), String> {
    // Ids have underscores of their own, so only the last one parts the label.
    let (id, label) = name
        .rsplit_once('_')
        .filter(|(id, _)| !id.is_empty())
        .ok_or_else(|| format!("the id `{}` is not `<image id>_<label>`", shorten(name)))?;
    let label = shorten(label).parse()?;
    let value = parse_label(value).map_err(|found| {
        format!(
            "the label of `{}` is {found} (a submission with probabilities is no label table)",
            shorten(name)
        )
    })?;
    Ok((id, label, value))
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
    fn labels_are_read_as_others_write_them() {
        for (text, label) in [("0", false), (" 1.0", true), ("0.000", false), ("True", true)] {
            assert_eq!(parse_label(text), Ok(Some(label)), "{text}");
        }
        assert_eq!([parse_label(""), parse_label("NaN")], [Ok(None), Ok(None)]);
        for text in ["0.5", "2", "-1", "yes", "1e-9"] {
            assert!(parse_label(text).unwrap_err().contains("expected 0 or 1"), "{text}");
        }
        let rows = six("ID_a", &[Label::Any, Label::Subdural]);
        let floats = rows.replace(",1\n", ",1.0\n").replace(",0\n", ",0.0\n");
        let plain = read(&rows).unwrap();
        for text in [
            format!("ID,Label\n{floats}"),
            format!("id,LABEL\n{rows}"),
            // With pandas' index.
            format!(
                ",ID,Label\n{}",
                rows.lines().fold(String::new(), |all, row| all + "7," + row + "\n")
            ),
        ] {
            let table = LabelTable::from_reader(text.as_bytes()).unwrap();
            assert_eq!(table.get("ID_a"), plain.get("ID_a"), "{text}");
        }
        // A row without a label says nothing.
        let table = read(&(rows + "ID_b_any,\n")).unwrap();
        assert_eq!((table.len(), table.report().incomplete.len()), (1, 1));
    }

    #[test]
    fn wrong_rows_are_refused_with_their_line() {
        for (row, expected) in [
            ("ID_a_chronic,0", "`chronic`"),
            ("ID_a_any,0.5", "expected 0 or 1"),
            ("ID_a_any,2", "expected 0 or 1"),
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
