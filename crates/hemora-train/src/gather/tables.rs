//! The tables of the sets: labels of which some are not known, patients, places, boxes.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use hemora_ct::Label;
use hemora_data::{GroupTable, Groups, Table, TableError, parse_label, shorten, with_file};

use super::annotation::BoxInPixels;
use super::item::SliceLabels;

/// Names that a column of image ids has.
const IDS: [&str; 4] = ["sop", "ID", "Image", "ImageId"];
/// Names that a column of patients has.
const PATIENTS: [&str; 2] = ["patient", "PatientID"];
/// Names that a column of places in the scan has.
const PLACES: [&str; 2] = ["slice", "z"];
/// Height and width of the pictures that the boxes of PHE-SICH are of, pixels.
pub(super) const PHE_SIDE: usize = 288;

/// A row of PHE-SICH's table of slices.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PheSlice {
    pub patient: String,
    pub z: f64,
    pub boxes: Vec<BoxInPixels>,
}

/// Whether an id may name a file: letters, digits, `.`, `_` and `-`, and no point in front.
pub(super) fn is_file_name(id: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    !id.is_empty() && id.len() <= 128 && !id.starts_with('.') && id.chars().all(plain)
}

/// Reads some columns of a table with one row an image, each by the first of its names that the header
/// has, and calls `row(id, fields)` for every row.
fn each_image(
    path: &Path,
    columns: &[&[&str]],
    mut row: impl FnMut(&str, &[&str]) -> Result<(), String>,
) -> Result<(), TableError> {
    with_file(path, |file| {
        let table = Table::open(file)?;
        let find = |names: &[&str]| {
            let found = names.iter().find_map(|name| table.find(name));
            let expected = || table.wrong_header(&format!("a column `{}`", names.join("` or `")));
            found.ok_or_else(expected)
        };
        let id = find(&IDS)?;
        let columns: Vec<usize> =
            columns.iter().map(|names| find(names)).collect::<Result<_, _>>()?;
        let all: Vec<usize> = std::iter::once(id).chain(columns.iter().copied()).collect();
        table.only(all).for_each(|_, fields| {
            let image = fields[id].trim();
            if !is_file_name(image) {
                return Err(format!("the id `{}` cannot name a file", shorten(image)));
            }
            let picked: Vec<&str> = columns.iter().map(|&column| fields[column].trim()).collect();
            row(image, &picked)
        })
    })
}

/// Keeps one row an image.
fn insert<T>(rows: &mut BTreeMap<String, T>, id: &str, row: T) -> Result<(), String> {
    match rows.insert(id.to_owned(), row) {
        None => Ok(()),
        Some(_) => Err(format!("`{id}` has an earlier row; expected one row an image")),
    }
}

fn number(field: &str, what: &str) -> Result<f64, String> {
    let number = field.parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| format!("the {what} is `{}`; expected a number", shorten(field)))
}

fn patient(field: &str) -> Result<String, String> {
    match field {
        "" => Err("the patient is empty; expected a name".to_owned()),
        name => Ok(name.to_owned()),
    }
}

/// A table with a column a label, where an empty cell is a label that is not known.
pub(super) fn wide_labels(path: &Path) -> Result<BTreeMap<String, SliceLabels>, TableError> {
    let names = Label::ALL.map(|label| [label.name()]);
    let columns: Vec<&[&str]> = names.iter().map(|name| &name[..]).collect();
    let mut rows = BTreeMap::new();
    each_image(path, &columns, |id, fields| {
        let mut labels = SliceLabels::default();
        for (label, field) in labels.iter_mut().zip(fields) {
            *label = parse_label(field).map_err(|found| format!("a label is {found}"))?;
        }
        insert(&mut rows, id, labels)
    })?;
    Ok(rows)
}

/// `slices.csv` of PHE-SICH.
pub(super) fn phe_slices(path: &Path) -> Result<BTreeMap<String, PheSlice>, TableError> {
    let columns: [&[&str]; 3] = [&["patient"], &["z"], &["boxes_x0_y0_x1_y1_in_288"]];
    let mut rows = BTreeMap::new();
    each_image(path, &columns, |id, fields| {
        let slice = PheSlice {
            patient: patient(fields[0])?,
            z: number(fields[1], "slice number")?,
            boxes: boxes(fields[2])?,
        };
        insert(&mut rows, id, slice)
    })?;
    Ok(rows)
}

/// `info.csv` of MBH-Seg25: the volume and the slice number of each slice.
pub(super) fn mbh_slices(path: &Path) -> Result<BTreeMap<String, (String, f64)>, TableError> {
    let mut rows = BTreeMap::new();
    each_image(path, &[&["patient"], &["z"]], |id, fields| {
        insert(&mut rows, id, (patient(fields[0])?, number(fields[1], "slice number")?))
    })?;
    Ok(rows)
}

/// Boxes as `x0 y0 x1 y1`, one after the other.
fn boxes(field: &str) -> Result<Vec<BoxInPixels>, String> {
    let wrong = || {
        format!(
            "the boxes are `{}`; expected x0 y0 x1 y1 for each, whole numbers from 0 to {}, the \
             second corner not before the first",
            shorten(field),
            PHE_SIDE - 1
        )
    };
    let parts = field.split([' ', ';']).filter(|part| !part.is_empty());
    let numbers: Vec<usize> =
        parts.map(|part| part.parse().map_err(|_| wrong())).collect::<Result<_, _>>()?;
    if !numbers.len().is_multiple_of(4) {
        return Err(wrong());
    }
    let corners = |corners: &[usize]| {
        let within = BoxInPixels {
            left: corners[0],
            top: corners[1],
            right: corners[2],
            bottom: corners[3],
        };
        let ordered = within.left <= within.right && within.top <= within.bottom;
        let inside = within.right < PHE_SIDE && within.bottom < PHE_SIDE;
        (ordered && inside).then_some(within).ok_or_else(wrong)
    };
    numbers.chunks_exact(4).map(corners).collect()
}

/// What tables say of the competition's slices: who shares a patient or series, and the place in the
/// scan where a table has it.
pub(super) fn patients(
    tables: &[GroupTable],
) -> Result<(Groups, HashMap<String, f64>), TableError> {
    let (mut groups, mut places) = (Groups::default(), HashMap::new());
    for table in tables {
        match table {
            GroupTable::Series(path) if !has_column(path, "scan_id")? => {
                each_image(path, &[&PATIENTS], |id, fields| {
                    groups.join(id, "PatientID", fields[0]);
                    Ok(())
                })?;
                if let Some(name) = first_column(path, &PLACES)? {
                    each_image(path, &[&[name]], |id, fields| {
                        if !fields[0].is_empty() {
                            places.insert(id.to_owned(), number(fields[0], "slice number")?);
                        }
                        Ok(())
                    })?;
                }
            }
            table => groups.merge(&Groups::from_table(table)?),
        }
    }
    Ok((groups, places))
}

fn has_column(path: &Path, name: &'static str) -> Result<bool, TableError> {
    Ok(first_column(path, &[name])?.is_some())
}

fn first_column(path: &Path, names: &[&'static str]) -> Result<Option<&'static str>, TableError> {
    with_file(path, |file| {
        let table = Table::open(file)?;
        Ok(names.iter().find(|name| table.find(name).is_some()).copied())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn an_empty_cell_is_a_label_that_is_not_known() {
        let header = "sop,epidural,intraparenchymal,intraventricular,subarachnoid,subdural,any\n";
        let table = write(&format!("{header}ID_a,0,0,0,0,0,0\nID_b,,1,,,,1\n"));
        let labels = wide_labels(table.path()).unwrap();
        assert_eq!(labels["ID_a"], [Some(false); 6]);
        assert_eq!(labels["ID_b"], [None, Some(true), None, None, None, Some(true)]);
        for (rows, expected) in [
            ("ID_a,0,0,0,0,0,2\n", "`2`; expected 0 or 1"),
            ("ID_a,0,0,0,0,0,0\nID_a,0,0,0,0,0,0\n", "earlier row"),
            ("../a,0,0,0,0,0,0\n", "cannot name a file"),
        ] {
            let table = write(&format!("{header}{rows}"));
            let message = wide_labels(table.path()).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
            assert!(message.contains(&table.path().display().to_string()), "{message}");
        }
        let short = write("sop,any\nID_a,0\n");
        let message = wide_labels(short.path()).unwrap_err().to_string();
        assert!(message.contains("a column `epidural`"), "{message}");
    }

    #[test]
    fn boxes_are_whole_and_inside() {
        let expected = BoxInPixels { left: 1, top: 2, right: 3, bottom: 287 };
        assert_eq!(boxes("1 2 3 287"), Ok(vec![expected]));
        assert_eq!(boxes("1 2 3 287;1 2 3 287"), Ok(vec![expected; 2]));
        assert_eq!(boxes(""), Ok(Vec::new()));
        for wrong in ["1 2 3", "1 2 3 288", "3 2 1 4", "1 -2 3 4", "1 2 3 4.5", "a b c d"] {
            let message = boxes(wrong).unwrap_err();
            assert!(message.contains(wrong) && message.contains("x0 y0 x1 y1"), "{message}");
        }
    }

    #[test]
    fn patients_of_tables_of_slices_and_of_series_meet() {
        let slices = write("sop,patient,scan,slice\nID_a,ID_p,s,7\nID_b,ID_p,s,\n");
        let series = write("scan_id,image_0,image_1\nID_s,ID_b,ID_c\n");
        let tables = [&slices, &series].map(|table| GroupTable::Series(table.path().to_owned()));
        let (groups, places) = patients(&tables).unwrap();
        let patient = "PatientID=ID_p".to_owned();
        assert_eq!(groups.assign(["ID_a", "ID_c"]), [patient.clone(), patient]);
        assert_eq!(groups.assign(["ID_d"]), ["image=ID_d"]);
        assert_eq!(places, HashMap::from([("ID_a".to_owned(), 7.0)]));
        let wrong = write("sop,person\nID_a,ID_p\n");
        let tables = [GroupTable::Series(wrong.path().to_owned())];
        let message = patients(&tables).unwrap_err().to_string();
        assert!(message.contains("`patient` or `PatientID`"), "{message}");
    }
}
