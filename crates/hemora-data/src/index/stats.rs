//! Counts of a data set, from its index or from label tables alone.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::path::Path;

use hemora_ct::{LABEL_COUNT, Label, stack};

use super::alike::Alike;
use super::file::{IndexError, IndexReader};
use super::row::SliceRow;
use super::tables::{TableRow, read_table};
use crate::table::TableError;

/// Number of subtypes.
const TYPES: usize = LABEL_COUNT - 1;

/// How often each value occurs, the most frequent first.
pub type Counted = Vec<(String, usize)>;

/// Counts of a data set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SetStats {
    /// Images, or rows of a table.
    pub rows: usize,
    /// Images that cannot be used; not among `rows`.
    pub failed: usize,
    /// Rows without labels.
    pub unlabelled: usize,
    /// Patients, as far as they are named.
    pub patients: usize,
    /// Studies, as far as they are named.
    pub studies: usize,
    /// Series. Images of one study, patient and folder without a SeriesInstanceUID are one; rows of
    /// a table that names none are of none.
    pub series: usize,
    /// Positive rows, in label order.
    pub positives: [usize; LABEL_COUNT],
    /// Rows with 0 to 5 subtypes.
    pub types: [usize; LABEL_COUNT],
    /// Rows with both of two subtypes, `[subtype][subtype]`.
    pub together: [[usize; TYPES]; TYPES],
    /// Rows whose `any` is not what their subtypes say.
    pub inconsistent: usize,
    /// Level/width of the declared windows, HU.
    pub windows: Counted,
    /// Rescale intercepts.
    pub intercepts: Counted,
    /// Bits and sign of the stored values.
    pub formats: Counted,
    /// Rows × columns.
    pub sizes: Counted,
    /// Pixel spacing in steps of 0.05 mm.
    pub pixel_spacing: Vec<(f64, usize)>,
    /// Median distance of the slices of each series in steps of 0.5 mm.
    pub slice_distance: Vec<(f64, usize)>,
    /// Part of pixels between 0 and 80 HU in steps of 0.05.
    pub in_window: Vec<(f64, usize)>,
    /// Flags.
    pub flags: Counted,
    /// Slices that look the same as a slice of another patient.
    pub alike: usize,
}

impl SetStats {
    /// Counts the rows of an index.
    ///
    /// # Errors
    /// [`IndexError`] if the index cannot be read.
    pub fn of_index(path: &Path) -> Result<Self, IndexError> {
        let mut counter = Counter::default();
        for row in IndexReader::open(path)? {
            counter.slice(&row?);
        }
        Ok(counter.finish())
    }

    /// Counts the rows of a label table: the competition's (`ID,Label`), or one with a column for
    /// each label and, if it has them, `PatientID`, `StudyInstanceUID` and `SeriesInstanceUID` or
    /// `scan_id`.
    ///
    /// # Errors
    /// [`TableError`] names the file, the line and what was expected.
    pub fn of_table(path: &Path) -> Result<Self, TableError> {
        let mut counter = Counter::default();
        read_table(path, &mut |row: TableRow<'_>| {
            counter.stats.rows += 1;
            counter.groups(row.patient, row.study, row.series);
            counter.labels(row.labels);
        })?;
        Ok(counter.finish())
    }
}

/// What is collected before the counts are put in order.
#[derive(Default)]
struct Counter {
    stats: SetStats,
    patients: HashSet<String>,
    studies: HashSet<String>,
    /// Places of the slices, mm, by series.
    series: HashMap<String, Vec<f32>>,
    windows: BTreeMap<String, usize>,
    intercepts: BTreeMap<String, usize>,
    formats: BTreeMap<String, usize>,
    sizes: BTreeMap<String, usize>,
    flags: BTreeMap<String, usize>,
    alike: Alike,
    pixel_spacing: Steps,
    in_window: Steps,
}

/// Counts of multiples of a step.
type Steps = BTreeMap<i64, usize>;

const SPACING_STEP: f64 = 0.05;
const DISTANCE_STEP: f64 = 0.5;
const WINDOW_STEP: f64 = 0.05;

impl Counter {
    fn slice(&mut self, row: &SliceRow) {
        if !row.is_usable() {
            self.stats.failed += 1;
            return;
        }
        self.stats.rows += 1;
        let study = row.study_instance_uid.as_deref().unwrap_or_default();
        let series = row.series_name();
        self.alike.add_row(row);
        self.groups(&row.patient_id, study, &series);
        if let (Some(z), Some(places)) = (row.z, self.series.get_mut(&*series)) {
            places.push(z as f32);
        }
        self.labels(row.labels);
        let window =
            row.window.map_or("none".to_owned(), |[level, width]| format!("{level}/{width}"));
        count(&mut self.windows, &window);
        count(&mut self.intercepts, &row.rescale_intercept.to_string());
        let sign = if row.signed { "signed" } else { "unsigned" };
        count(&mut self.formats, &format!("{} bits {sign}", row.bits_stored));
        count(&mut self.sizes, &format!("{} × {}", row.rows, row.columns));
        row.flags.iter().for_each(|flag| count(&mut self.flags, flag));
        if let Some([spacing, _]) = row.spacing {
            count_step(&mut self.pixel_spacing, spacing, SPACING_STEP);
        }
        count_step(&mut self.in_window, row.pct_in_window, WINDOW_STEP);
    }

    fn groups(&mut self, patient: &str, study: &str, series: &str) {
        let insert = |set: &mut HashSet<String>, name: &str| {
            if !name.is_empty() && !set.contains(name) {
                set.insert(name.to_owned());
            }
        };
        insert(&mut self.patients, patient);
        insert(&mut self.studies, study);
        if !series.is_empty() && !self.series.contains_key(series) {
            self.series.insert(series.to_owned(), Vec::new());
        }
    }

    fn labels(&mut self, labels: Option<[bool; LABEL_COUNT]>) {
        let Some(labels) = labels else {
            self.stats.unlabelled += 1;
            return;
        };
        let present = Label::SUBTYPES.map(|label| labels[label.index()]);
        let types = present.iter().filter(|present| **present).count();
        self.stats.types[types] += 1;
        self.stats.inconsistent += usize::from((types > 0) != labels[Label::Any.index()]);
        for (count, label) in self.stats.positives.iter_mut().zip(labels) {
            *count += usize::from(label);
        }
        for (row, first) in self.stats.together.iter_mut().zip(present) {
            for (count, second) in row.iter_mut().zip(present) {
                *count += usize::from(first && second);
            }
        }
    }

    fn finish(self) -> SetStats {
        let mut distances = Steps::default();
        let series = self.series.len();
        for mut places in self.series.into_values() {
            places.sort_by(f32::total_cmp);
            let positions: Vec<f64> = places.into_iter().map(f64::from).collect();
            if let Some(median) = stack::median_spacing(&positions) {
                count_step(&mut distances, median, DISTANCE_STEP);
            }
        }
        SetStats {
            patients: self.patients.len(),
            studies: self.studies.len(),
            series,
            windows: by_frequency(self.windows),
            intercepts: by_frequency(self.intercepts),
            formats: by_frequency(self.formats),
            sizes: by_frequency(self.sizes),
            flags: by_frequency(self.flags),
            alike: self.alike.count(),
            pixel_spacing: steps(self.pixel_spacing, SPACING_STEP),
            slice_distance: steps(distances, DISTANCE_STEP),
            in_window: steps(self.in_window, WINDOW_STEP),
            ..self.stats
        }
    }
}

fn count(counts: &mut BTreeMap<String, usize>, value: &str) {
    match counts.get_mut(value) {
        Some(count) => *count += 1,
        None => {
            counts.insert(value.to_owned(), 1);
        }
    }
}

fn count_step(counts: &mut Steps, value: f64, step: f64) {
    *counts.entry((value / step).round() as i64).or_default() += 1;
}

fn by_frequency(counts: BTreeMap<String, usize>) -> Counted {
    let mut counts: Counted = counts.into_iter().collect();
    // Stable, so equally frequent values stay in the order of their names.
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

fn steps(counts: Steps, step: f64) -> Vec<(f64, usize)> {
    counts.into_iter().map(|(place, count)| (place as f64 * step, count)).collect()
}

/// How many values of a kind are printed.
const PRINTED: usize = 8;

impl fmt::Display for SetStats {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "rows {}, patients {}, studies {}, series {}",
            self.rows, self.patients, self.studies, self.series
        )?;
        if self.failed > 0 {
            writeln!(out, "images that cannot be used: {}", self.failed)?;
        }
        if self.unlabelled > 0 {
            writeln!(out, "rows without labels: {}", self.unlabelled)?;
        }
        if self.inconsistent > 0 {
            writeln!(out, "rows whose `any` is not what their types say: {}", self.inconsistent)?;
        }
        if self.alike > 0 {
            writeln!(out, "slices that look alike a slice of another patient: {}", self.alike)?;
        }
        let labelled: usize = self.types.iter().sum();
        if labelled > 0 {
            writeln!(out, "\npositive rows")?;
            for label in Label::ALL {
                let count = self.positives[label.index()];
                let share = 100.0 * count as f64 / labelled as f64;
                writeln!(out, "  {label:<18}{count:>8}  {share:5.2} %")?;
            }
            writeln!(out, "\nrows by number of types")?;
            for (types, count) in self.types.iter().enumerate() {
                writeln!(out, "  {types}{count:>25}")?;
            }
            writeln!(out, "\nrows with both types")?;
            let short = |label: Label| label.name().chars().take(8).collect::<String>();
            write!(out, "  {:<18}", "")?;
            Label::SUBTYPES.iter().try_for_each(|label| write!(out, "{:>10}", short(*label)))?;
            writeln!(out)?;
            for label in Label::SUBTYPES {
                write!(out, "  {label:<18}")?;
                let row = self.together[label.index()];
                row.iter().try_for_each(|count| write!(out, "{count:>10}"))?;
                writeln!(out)?;
            }
        }
        for (title, counted) in [
            ("windows (level/width, HU)", &self.windows),
            ("rescale intercepts", &self.intercepts),
            ("stored values", &self.formats),
            ("sizes", &self.sizes),
            ("flags", &self.flags),
        ] {
            print_counted(
                out,
                title,
                counted.iter().map(|(value, count)| (value.clone(), *count)),
            )?;
        }
        for (title, counted) in [
            ("pixel spacing, mm", &self.pixel_spacing),
            ("slice distance, mm (series)", &self.slice_distance),
        ] {
            let rows = counted.iter().map(|(value, count)| (format!("{value:.2}"), *count));
            print_counted(out, title, rows)?;
        }
        Ok(())
    }
}

fn print_counted(
    out: &mut fmt::Formatter<'_>,
    title: &str,
    rows: impl ExactSizeIterator<Item = (String, usize)>,
) -> fmt::Result {
    let more = rows.len().saturating_sub(PRINTED);
    if rows.len() == 0 {
        return Ok(());
    }
    writeln!(out, "\n{title}")?;
    for (value, count) in rows.take(PRINTED) {
        writeln!(out, "  {value:<18}{count:>8}")?;
    }
    if more > 0 {
        writeln!(out, "  and {more} others")?;
    }
    Ok(())
}
