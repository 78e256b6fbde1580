//! Gathering: every slice read, made and written, then the tables.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use hemora_ct::Label;
use rayon::prelude::*;

use super::collect::Collected;
use super::error::GatherError;
use super::item::{Item, Set, SliceLabels};
use super::options::GatherOptions;
use super::picture::{Made, make, png_bytes};
use super::report::{Report, SetReport, leave_out};
use crate::output::{FileError, Reporter, files};

/// What is kept of a slice whose files are written.
struct Written {
    labels: SliceLabels,
    annotated: bool,
    not_annotated: Option<String>,
}

/// Gathers the sets that `options` names. The tables are written last: where `labels.csv` is, everything
/// is there.
///
/// # Errors
/// [`GatherError`] names the folder, file or table.
pub fn gather(options: &GatherOptions) -> Result<(), GatherError> {
    let (folders, tables) = (options.dicom.len(), options.dicom_labels.len());
    if folders != tables {
        return Err(GatherError::Unpaired { folders, tables });
    }
    let reporter = Reporter::new(options.progress);
    let Collected { items, left_out, folders } = Collected::new(options)?;
    if folders.is_empty() {
        return Err(GatherError::NoSet);
    }
    let (items, repeated) = once_each(items);
    claim(&options.out)?;
    let bar = reporter.counter(items.len() as u64, "slices gathered");
    let written: Vec<Result<Written, String>> = items
        .par_iter()
        .map(|item| {
            let made = make(item, usize::from(options.size));
            let written = made.map(|made| write(&options.out, &item.id, made));
            bar.inc(1);
            // Of a slice that cannot be read the others do not suffer; of a full disk all do.
            written.map_or_else(|reason| Ok(Err(reason)), |written| written.map(Ok))
        })
        .collect::<Result<_, FileError>>()?;
    bar.finish();

    let mut sets: BTreeMap<Set, SetReport> =
        folders.keys().map(|&set| (set, SetReport::new(set))).collect();
    for (set, id, reason) in left_out.iter().chain(&repeated) {
        let report = sets.entry(*set).or_insert_with(|| SetReport::new(*set));
        leave_out(&mut report.left_out, reason, id);
    }
    let mut tables = Tables::new();
    for (item, written) in items.iter().zip(written) {
        let report = sets.get_mut(&item.set).expect("each set of an item has a folder");
        match written {
            Err(reason) => leave_out(&mut report.left_out, &reason, &item.id),
            Ok(Written { labels, annotated, not_annotated }) => {
                report.add(&item.group, &labels, annotated);
                tables.add(item, &labels);
                if let Some(reason) = not_annotated {
                    leave_out(&mut report.annotations_left_out, &reason, &item.id);
                }
            }
        }
    }
    for (&set, report) in &sets {
        if report.slices == 0 {
            let reasons = report.left_out.first_key_value();
            let reason = reasons.map_or("it has no picture", |(reason, _)| reason.as_str());
            let (path, reason) = (folders[&set].clone(), reason.to_owned());
            return Err(GatherError::NothingOf { set: set.name(), path, reason });
        }
        tell(reporter, set, report);
    }
    let slices = sets.values().map(|report| report.slices).sum();
    let sets = sets.into_iter().map(|(set, report)| (set.name(), report)).collect();
    tables.write(&options.out, &Report { size: options.size.into(), slices, sets })
}

/// The first slice of every id, in the order of the ids, and those that repeat one.
fn once_each(mut items: Vec<Item>) -> (Vec<Item>, Vec<(Set, String, String)>) {
    items.sort_by(|a, b| (&a.id, a.set).cmp(&(&b.id, b.set)));
    let (mut seen, mut repeated) = (HashSet::new(), Vec::new());
    items.retain(|item| {
        let first = seen.insert(item.id.clone());
        if !first {
            repeated.push((item.set, item.id.clone(), "another slice has its id".to_owned()));
        }
        first
    });
    (items, repeated)
}

/// Makes the folder, which must be new or empty.
fn claim(out: &Path) -> Result<(), GatherError> {
    files::create_folder(out)?;
    let mut entries = std::fs::read_dir(out).map_err(FileError::on("read the folder", out))?;
    if entries.next().is_some() {
        return Err(GatherError::NotEmpty(out.to_owned()));
    }
    files::create_folder(&out.join("images"))?;
    Ok(files::create_folder(&out.join("annotations"))?)
}

/// Writes the files of a slice.
fn write(out: &Path, id: &str, made: Made) -> Result<Written, FileError> {
    let Made { labels, side, grey, annotation, not_annotated } = made;
    // Not synced one by one: a gathering that was cut has no tables and is made again.
    let save = |folder: &str, colours, pixels: &[u8]| {
        let path = out.join(folder).join(format!("{id}.png"));
        let bytes = png_bytes(side, colours, pixels);
        bytes.and_then(|bytes| std::fs::write(&path, bytes)).map_err(FileError::on("write", &path))
    };
    save("images", png::ColorType::Grayscale, &grey)?;
    if let Some(annotation) = &annotation {
        save("annotations", png::ColorType::Rgb, &annotation.rgb())?;
    }
    Ok(Written { labels, annotated: annotation.is_some(), not_annotated })
}

fn tell(reporter: Reporter, set: Set, report: &SetReport) {
    reporter.log(&report.line(set));
    for (what, reasons) in
        [("slices", &report.left_out), ("annotations", &report.annotations_left_out)]
    {
        for (reason, left) in reasons {
            reporter.warn(&format!(
                "{}: {} {what} left out, {} first: {reason}",
                set.name(),
                left.count,
                left.examples[0]
            ));
        }
    }
}

/// The tables, row by row.
struct Tables {
    labels: String,
    patients: String,
    sets: String,
}

impl Tables {
    fn new() -> Self {
        Self {
            labels: format!("ID,{}\n", Label::ALL.map(Label::name).join(",")),
            patients: "ID,group\n".to_owned(),
            sets: "ID,set,weight,z\n".to_owned(),
        }
    }

    fn add(&mut self, item: &Item, labels: &SliceLabels) {
        let Item { set, id, group, z, .. } = item;
        let cells = labels.map(|label| match label {
            None => "",
            Some(false) => "0",
            Some(true) => "1",
        });
        self.labels += &format!("{id},{}\n", cells.join(","));
        // A patient's name is a header's or a table's: quoted, it cannot end its cell.
        let group = format!("{}:{group}", set.patients()).replace('"', "\"\"");
        self.patients += &format!("{id},\"{group}\"\n");
        let z = z.map_or_else(String::new, |z| z.to_string());
        self.sets += &format!("{id},{},{},{z}\n", set.name(), set.weight());
    }

    fn write(&self, out: &Path, report: &Report) -> Result<(), GatherError> {
        let path = out.join("gather.json");
        hemora_base::write_json(&path, report).map_err(FileError::on("write", &path))?;
        files::write(&out.join("patients.csv"), self.patients.as_bytes())?;
        files::write(&out.join("sets.csv"), self.sets.as_bytes())?;
        Ok(files::write(&out.join("labels.csv"), self.labels.as_bytes())?)
    }
}
