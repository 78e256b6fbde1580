//! Reading tables of predictions: Hemora's own, a submission, or any with mapped columns.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use hemora_ct::{LABEL_COUNT, Label};
use hemora_data::{RowNumbers, Table, TableError, parse_label, shorten, with_file};
use sha2::{Digest, Sha256};

use crate::document::FileRef;
use crate::{EvaluateError, Tally};

/// Names of the column of ids that are tried when none is given.
const ID_COLUMNS: [&str; 6] = ["sop_instance_uid", "id", "ID", "SOPInstanceUID", "Image", "image"];

/// Columns of Hemora's results with the series and the study.
const SERIES: &str = "series_instance_uid";
const STUDY: &str = "study_instance_uid";

/// Column of Hemora's results that tells where a slice lies, mm.
const POSITION: &str = "z_mm";

/// Column of a training run's predictions that tells the patient or best known group.
const GROUP: &str = "group";

/// So little beyond 0 or 1 a probability is off by rounding.
const ROUNDING: f64 = 1e-5;

/// Which columns of a table of predictions hold what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapping {
    /// The column of ids; if absent, a known name.
    pub id: Option<String>,
    /// The columns of probabilities where they are not named after their label.
    pub columns: BTreeMap<Label, String>,
    /// The labels that are evaluated; all six if empty.
    pub only: Vec<Label>,
}

impl Mapping {
    /// The labels that are evaluated.
    pub fn labels(&self) -> Vec<Label> {
        let wanted = |label: &Label| self.only.is_empty() || self.only.contains(label);
        Label::ALL.into_iter().filter(wanted).collect()
    }

    fn column(&self, label: Label) -> &str {
        self.columns.get(&label).map_or(label.name(), String::as_str)
    }
}

/// The probabilities of a table, in its order.
#[derive(Debug, Clone)]
pub struct Predictions {
    /// Where they come from.
    pub path: PathBuf,
    /// Name, hash and rows of the file.
    pub file: FileRef,
    /// An id a slice, each once.
    pub ids: Vec<String>,
    /// The labels that are evaluated, in label order.
    pub labels: Vec<Label>,
    /// Of each label the probabilities, 0 to 1.
    pub probabilities: Vec<Vec<f64>>,
    /// Truth that stands in the same table (`label_any` …): of each slice the labels that are
    /// evaluated, `None` where one of them is empty.
    pub truth: Option<Vec<Option<Box<[bool]>>>>,
    /// Group of each slice, where the table tells.
    pub groups: Option<Vec<String>>,
    /// Series of each slice, where the table tells.
    pub series: Option<Vec<String>>,
    /// Study of each slice, where the table tells.
    pub studies: Option<Vec<String>>,
    /// Place of each slice along its normal, mm, where the table tells.
    pub positions: Option<Vec<Option<f64>>>,
}

/// What is wrong with rows.
#[derive(Default)]
struct Problems {
    not_numbers: Tally,
    out_of_range: Tally,
    doubled: Tally,
    incomplete: Tally,
    nameless: Tally,
    truth: Tally,
}

impl Predictions {
    /// Reads a table: `hemora triage`'s result.csv, `hemora-train`'s validation.csv, a competition
    /// submission (`ID,Label`), or any with a column of ids and one for each label; CSV or Parquet.
    ///
    /// # Errors
    /// [`EvaluateError`] names the file and, with counts, rows that are doubled or incomplete and
    /// values that are no probability; or the columns that are absent.
    pub fn read(path: &Path, mapping: &Mapping) -> Result<Self, EvaluateError> {
        let mut predictions = Self {
            path: path.to_owned(),
            file: FileRef::read(path)?,
            ids: Vec::new(),
            labels: mapping.labels(),
            probabilities: vec![Vec::new(); mapping.labels().len()],
            truth: None,
            groups: None,
            series: None,
            studies: None,
            positions: None,
        };
        let mut problems = Problems::default();
        let mut columns = None;
        with_file(path, |file| {
            let table = Table::open(file)?;
            // Whoever names columns says that it is a table of columns.
            let is_mapped = mapping.id.is_some() || !mapping.columns.is_empty();
            if let (false, Some(submission)) = (is_mapped, table.competition()) {
                return predictions.read_submission(table, submission, &mut problems);
            }
            match Columns::find(&table, mapping) {
                Ok(found) => predictions.read_wide(table, &found, &mut problems),
                Err(missing) => {
                    columns = Some((missing, table.header_text()));
                    Ok(())
                }
            }
        })?;
        if let Some((missing, header)) = columns {
            return Err(EvaluateError::Columns {
                path: path.to_owned(),
                missing,
                header,
                todo: "name columns with --id NAME and --column LABEL=NAME, or the labels to \
                       evaluate with --only",
            });
        }
        problems.check(path)?;
        predictions.file.rows = predictions.ids.len() as u64;
        Ok(predictions)
    }

    fn read_wide<R: Read>(
        &mut self,
        table: Table<R>,
        columns: &Columns,
        problems: &mut Problems,
    ) -> Result<(), TableError> {
        let mut seen: HashSet<Box<str>> = HashSet::new();
        let labels = self.labels.clone();
        let mut truth = Vec::new();
        let (mut groups, mut series, mut studies) = (Vec::new(), Vec::new(), Vec::new());
        let mut positions = Vec::new();
        let mut numbers = RowNumbers::default();
        table.only(columns.all()).for_each(|line, fields| {
            let id = fields[columns.id].trim();
            numbers.add(id);
            if id.is_empty() {
                problems.nameless.add(|| format!("line {line}"));
            } else if !seen.insert(id.into()) {
                problems.doubled.add(|| shorten(id));
            }
            for (index, &label) in labels.iter().enumerate() {
                let value = problems.probability(id, label, fields[columns.labels[index]]);
                self.probabilities[index].push(value);
            }
            if let Some(columns) = &columns.truth {
                let mut label = |(&column, label): (&usize, &Label)| {
                    parse_label(fields[column]).unwrap_or_else(|_| {
                        let found = shorten(fields[column]);
                        problems.truth.add(|| format!("{} {label} `{found}`", shorten(id)));
                        None
                    })
                };
                truth.push(columns.iter().zip(&labels).map(&mut label).collect());
            }
            for (column, values) in [
                (columns.group, &mut groups),
                (columns.series, &mut series),
                (columns.study, &mut studies),
            ] {
                if let Some(column) = column {
                    values.push(fields[column].trim().to_owned());
                }
            }
            if let Some(column) = columns.position {
                positions.push(fields[column].trim().parse().ok());
            }
            self.ids.push(id.to_owned());
            Ok(())
        })?;
        if columns.is_unnamed && numbers.are_all() {
            return Err(TableError::RowNumbers { todo: "name the column of ids with --id NAME" });
        }
        self.truth = columns.truth.is_some().then_some(truth);
        self.groups = columns.group.is_some().then_some(groups);
        self.series = columns.series.is_some().then_some(series);
        self.studies = columns.study.is_some().then_some(studies);
        self.positions = columns.position.is_some().then_some(positions);
        Ok(())
    }

    /// Six rows a slice, `<id>_<label>` and a probability.
    fn read_submission<R: Read>(
        &mut self,
        table: Table<R>,
        columns: [usize; 2],
        problems: &mut Problems,
    ) -> Result<(), TableError> {
        let mut indices: HashMap<Box<str>, usize> = HashMap::new();
        let mut rows: Vec<[Option<f64>; LABEL_COUNT]> = Vec::new();
        table.only(columns).for_each(|_, fields| {
            let [name, value] = columns.map(|column| fields[column]);
            let (id, label) =
                name.trim().rsplit_once('_').filter(|(id, _)| !id.is_empty()).ok_or_else(|| {
                    format!("the id `{}` is not `<image id>_<label>`", shorten(name))
                })?;
            let label: Label = shorten(label).parse()?;
            let index = match indices.get(id) {
                Some(&index) => index,
                None => {
                    indices.insert(id.into(), rows.len());
                    rows.push([None; LABEL_COUNT]);
                    self.ids.push(id.to_owned());
                    rows.len() - 1
                }
            };
            let value = problems.probability(id, label, value);
            if rows[index][label.index()].replace(value).is_some() {
                problems.doubled.add(|| shorten(name));
            }
            Ok(())
        })?;
        for (id, row) in self.ids.iter().zip(&rows) {
            for (index, &label) in self.labels.iter().enumerate() {
                if row[label.index()].is_none() {
                    problems.incomplete.add(|| format!("{}_{label}", shorten(id)));
                }
                self.probabilities[index].push(row[label.index()].unwrap_or(0.0));
            }
        }
        Ok(())
    }

    /// Whether the table is one that triage writes: its probabilities went through the calibration
    /// of the model's bundle.
    pub fn is_of_triage(&self) -> bool {
        self.series.is_some() && self.studies.is_some() && self.positions.is_some()
    }

    /// SHA-256 of the sorted ids, each with a line feed.
    pub fn ids_sha256(&self) -> String {
        let mut ids: Vec<&str> = self.ids.iter().map(String::as_str).collect();
        ids.sort_unstable();
        let mut hash = Sha256::new();
        for id in ids {
            hash.update(id.as_bytes());
            hash.update(b"\n");
        }
        hemora_base::hex(&hash.finalize())
    }
}

impl Problems {
    /// The probability in a field; 0 and a note if it is none.
    fn probability(&mut self, id: &str, label: Label, field: &str) -> f64 {
        let name = || format!("{} {label} `{}`", shorten(id), shorten(field));
        match field.trim().parse::<f64>() {
            // Sums in 32 bits end a little beside 0 and 1.
            Ok(value) if (-ROUNDING..=1.0 + ROUNDING).contains(&value) => {
                return value.clamp(0.0, 1.0);
            }
            Ok(value) if !value.is_nan() => self.out_of_range.add(name),
            _ => self.not_numbers.add(name),
        }
        0.0
    }

    fn check(self, path: &Path) -> Result<(), EvaluateError> {
        let kinds = [
            (self.nameless, "rows have no id", "give every row an id"),
            (self.doubled, "rows repeat an id", "keep one row of each"),
            (self.incomplete, "rows are missing", "a submission has six rows an image"),
            (
                self.not_numbers,
                "probabilities are not numbers",
                "find out why the model gave none; leaving these out would flatter it",
            ),
            (
                self.out_of_range,
                "probabilities are not in 0 to 1",
                "give probabilities, not log-odds or percent",
            ),
            (self.truth, "labels are not 0 or 1", "mend the table"),
        ];
        for (tally, what, todo) in kinds {
            if tally.count > 0 {
                return Err(EvaluateError::Rows { path: path.to_owned(), what, tally, todo });
            }
        }
        Ok(())
    }
}

/// Where a wide table has what.
struct Columns {
    id: usize,
    /// Whether nobody named the column of ids: they may be the numbers of the rows.
    is_unnamed: bool,
    labels: Vec<usize>,
    truth: Option<Vec<usize>>,
    group: Option<usize>,
    series: Option<usize>,
    study: Option<usize>,
    position: Option<usize>,
}

impl Columns {
    /// An error is the names that are absent.
    fn find<R: Read>(table: &Table<R>, mapping: &Mapping) -> Result<Self, String> {
        let column = |name: &str| table.find(name);
        let id = match &mapping.id {
            Some(name) => column(name).ok_or_else(|| format!("`{name}`"))?,
            None => table
                .find_id(&ID_COLUMNS)
                .ok_or_else(|| format!("of ids, such as `{}`", ID_COLUMNS.join("`, `")))?,
        };
        let labels = mapping.labels();
        let absent: Vec<&str> = labels
            .iter()
            .map(|&label| mapping.column(label))
            .filter(|name| column(name).is_none())
            .collect();
        if !absent.is_empty() {
            return Err(format!("`{}`", absent.join("`, `")));
        }
        Ok(Self {
            id,
            is_unnamed: mapping.id.is_none() && table.unnamed() == Some(id),
            truth: labels.iter().map(|label| column(&format!("label_{label}"))).collect(),
            labels: labels.iter().filter_map(|&label| column(mapping.column(label))).collect(),
            group: column(GROUP),
            series: column(SERIES),
            study: column(STUDY),
            position: column(POSITION),
        })
    }

    /// The columns that are read.
    fn all(&self) -> Vec<usize> {
        let known = [self.group, self.series, self.study, self.position];
        let known = known.into_iter().flatten().chain([self.id]);
        known.chain(self.labels.iter().chain(self.truth.iter().flatten()).copied()).collect()
    }
}
