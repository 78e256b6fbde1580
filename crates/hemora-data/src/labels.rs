//! The competition's label table: one row an image and label, pivoted to one entry an image.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use hemora_ct::{LABEL_COUNT, Label};

use crate::known_labels::{COMPLETE, Known};
use crate::table::{Table, TableError, shorten, with_file};

/// The labels of images, in the order of their ids.
#[derive(Debug, Clone, Default)]
pub struct LabelTable {
    entries: Vec<Entry>,
    report: LabelReport,
}

/// The labels of an image, one bit each.
#[derive(Debug, Clone)]
struct Entry {
    id: Box<str>,
    positive: u8,
    known: u8,
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
    /// Images that lack rows; they were left out. Of a table read with
    /// [`LabelTable::read_partial`], those of which no label is known.
    pub incomplete: Vec<Incomplete>,
    /// Images whose `any` is not what their subtypes say; they were kept as they stand.
    pub inconsistent: Vec<String>,
    /// Images of which some labels are known and some are not, which only
    /// [`LabelTable::read_partial`] keeps.
    pub partial: usize,
}

/// An image that lacks rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incomplete {
    /// The image.
    pub id: String,
    /// Labels without a row.
    pub missing: Vec<Label>,
}

/// The rows of a table by image, before it is decided which images are kept.
#[derive(Default)]
pub(crate) struct Collected {
    images: HashMap<Box<str>, Known>,
    pub(crate) report: LabelReport,
}

impl Collected {
    /// Reads `ID,Label` rows from the columns `columns`.
    pub(crate) fn competition<R: Read>(
        table: Table<R>,
        columns: [usize; 2],
    ) -> Result<Self, TableError> {
        let mut all = Self::default();
        table.only(columns).for_each(|_, fields| {
            let (id, label, positive) = parse(columns.map(|column| fields[column]))?;
            all.row(id, [(label, positive)]);
            Ok(())
        })?;
        Ok(all)
    }

    /// Takes in a row: labels of an image, those that it gives.
    pub(crate) fn row(
        &mut self,
        id: &str,
        labels: impl IntoIterator<Item = (Label, Option<bool>)>,
    ) {
        self.report.rows += 1;
        if !self.images.contains_key(id) {
            self.images.insert(id.into(), Known::default());
        }
        let known = self.images.get_mut(id).expect("the id was inserted above");
        let (mut given, mut repeated) = (0, 0);
        for (label, positive) in labels {
            let Some(positive) = positive else { continue };
            given += 1;
            repeated += usize::from(known.add(label, positive));
        }
        if given > 0 && given == repeated {
            self.report.duplicate_rows += 1;
            known.repeated = true;
        }
    }

    /// The table of the images of which all labels are known, or with `partial` at least one.
    pub(crate) fn into_table(self, partial: bool) -> LabelTable {
        let Self { images, mut report } = self;
        let mut images: Vec<(Box<str>, Known)> = images.into_iter().collect();
        images.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let mut entries = Vec::with_capacity(images.len());
        for (id, mut known) in images {
            if known.repeated {
                report.duplicated.push(id.to_string());
            }
            if known.conflict {
                report.conflicting.push(id.into());
                continue;
            }
            if partial {
                known.infer();
            }
            if known.present == 0 || (!partial && known.present != COMPLETE) {
                let missing = |label: &Label| known.present & (1 << label.index()) == 0;
                let missing = Label::ALL.into_iter().filter(missing).collect();
                report.incomplete.push(Incomplete { id: id.into(), missing });
                continue;
            }
            if known.is_inconsistent() {
                report.inconsistent.push(id.to_string());
            }
            report.partial += usize::from(known.present != COMPLETE);
            entries.push(Entry { id, positive: known.positive, known: known.present });
        }
        LabelTable { entries, report }
    }
}

impl LabelTable {
    /// Reads a table, CSV or Parquet, with the columns `ID,Label`, whose ids are
    /// `<image id>_<label>` and whose labels are what [`parse_label`] reads; a row without a label
    /// counts as one that is not there. Images of which not all labels are known are left out:
    /// [`LabelTable::read_partial`] keeps them.
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
        Ok(Collected::competition(table, columns)?.into_table(false))
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The labels of an image, in label order; one that is not known reads false.
    pub fn get(&self, id: &str) -> Option<[bool; LABEL_COUNT]> {
        Some(unpack(self.entries[self.position(id)?].positive))
    }

    /// Which labels of an image are known, in label order: all, unless the table was read with
    /// [`LabelTable::read_partial`].
    pub fn known(&self, id: &str) -> Option<[bool; LABEL_COUNT]> {
        Some(unpack(self.entries[self.position(id)?].known))
    }

    /// Place of an image in the order of the ids.
    pub(crate) fn position(&self, id: &str) -> Option<usize> {
        self.entries.binary_search_by(|entry| (*entry.id).cmp(id)).ok()
    }

    /// Ids and labels, in the order of the ids.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, [bool; LABEL_COUNT])> {
        self.entries.iter().map(|entry| (&*entry.id, unpack(entry.positive)))
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
