//! Which images belong together (same patient or same series), from tables and headers.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use crate::table::{Table, TableError, shorten, with_file};
use crate::table_column::{GroupTable, TableColumn};

/// Name of the patient column, shared by tables and DICOM headers so that they meet.
pub(crate) const PATIENT: &str = "PatientID";
/// Name of the study column: a study is of one patient (PS3.3 A.1.2).
pub(crate) const STUDY: &str = "StudyInstanceUID";
/// Name of the series column; the wide tables call it `scan_id`.
pub(crate) const SERIES: &str = "SeriesInstanceUID";

/// Images merged into groups by everything they share (union-find).
///
/// Images and patients of the competition both have ids of the form `ID_…`, so a shared value
/// counts only with the name of its column.
#[derive(Debug, Clone, Default)]
pub struct Groups {
    /// Node of every image, by id.
    images: HashMap<Box<str>, usize>,
    /// Node of every shared value, by `column=value`.
    keys: HashMap<Box<str>, usize>,
    /// Union-find parents; a root is its own parent.
    parents: Vec<usize>,
    /// For a root, the smallest `column=value` of its group.
    names: Vec<Box<str>>,
}

impl Groups {
    /// Reads a table with one row an image: `id_column` names the image, `group_column` what it
    /// shares with others (`PatientID`, `SeriesInstanceUID`). Rows without a group are passed over.
    ///
    /// # Errors
    /// [`TableError`] names the file, the line and what was expected.
    pub fn from_csv(path: &Path, id_column: &str, group_column: &str) -> Result<Self, TableError> {
        with_file(path, |file| Self::from_rows(Table::open(file)?, id_column, group_column))
    }

    /// Reads a wide table with one row a series: `scan_id`, then one image in each of the columns
    /// `image_0`, `image_1` …, filled up with `Pad`.
    ///
    /// # Errors
    /// [`TableError`] names the file, the line and what was expected.
    pub fn from_series_csv(path: &Path) -> Result<Self, TableError> {
        with_file(path, |file| Self::from_series(Table::open(file)?))
    }

    /// Reads either kind of table.
    ///
    /// # Errors
    /// [`TableError`] names the file, the line and what was expected.
    pub fn from_table(table: &GroupTable) -> Result<Self, TableError> {
        match table {
            GroupTable::Series(path) => Self::from_series_csv(path),
            GroupTable::Column(TableColumn { table, id, column }) => {
                Self::from_csv(table, id, column)
            }
        }
    }

    fn from_rows<R: Read>(table: Table<R>, id: &str, group: &str) -> Result<Self, TableError> {
        let (id_column, group_column) = (table.column(id)?, table.column(group)?);
        let mut groups = Self::default();
        table.only([id_column, group_column]).for_each(|_, fields| {
            let image = fields[id_column].trim();
            if image.is_empty() {
                return Err(format!("column `{}` is empty; expected an image id", shorten(id)));
            }
            groups.join(image, group, fields[group_column].trim());
            Ok(())
        })?;
        Ok(groups)
    }

    fn from_series<R: Read>(table: Table<R>) -> Result<Self, TableError> {
        let series = table.column("scan_id")?;
        let is_image = |name: &str| {
            name.strip_prefix("image_").is_some_and(|number| number.parse::<u32>().is_ok())
        };
        let images: Vec<usize> =
            (0..table.header().len()).filter(|&at| is_image(&table.header()[at])).collect();
        if images.is_empty() {
            return Err(table.wrong_header("columns `image_0`, `image_1` …"));
        }
        let mut groups = Self::default();
        table.only(images.iter().copied().chain([series])).for_each(|_, fields| {
            let scan = fields[series].trim();
            if scan.is_empty() {
                return Err("column `scan_id` is empty; expected a series".to_owned());
            }
            for &column in &images {
                let image = fields[column].trim();
                if !image.is_empty() && image != "Pad" {
                    groups.join(image, SERIES, scan);
                }
            }
            Ok(())
        })?;
        Ok(groups)
    }

    /// Puts an image into the group of everything that shares `value` in `column`. An empty value
    /// says nothing.
    pub fn join(&mut self, image: &str, column: &str, value: &str) {
        if value.is_empty() {
            return;
        }
        let key = format!("{column}={value}");
        let key_node = match self.keys.get(key.as_str()) {
            Some(&node) => node,
            None => {
                let node = self.push(key.clone().into());
                self.keys.insert(key.into(), node);
                node
            }
        };
        match self.images.get(image) {
            Some(&node) => self.union(node, key_node),
            // An image needs no node of its own: it stands where its first key stands.
            None => {
                self.images.insert(image.into(), key_node);
            }
        }
    }

    /// Takes over what another table says; groups that share an image or a value become one.
    pub fn merge(&mut self, other: &Groups) {
        let mut here = vec![0; other.parents.len()];
        for (key, &node) in &other.keys {
            here[node] = match self.keys.get(key) {
                Some(&known) => known,
                None => {
                    let new = self.push(key.clone());
                    self.keys.insert(key.clone(), new);
                    new
                }
            };
        }
        for (node, &parent) in other.parents.iter().enumerate() {
            self.union(here[node], here[parent]);
        }
        for (image, &node) in &other.images {
            match self.images.get(image) {
                Some(&known) => self.union(known, here[node]),
                None => {
                    self.images.insert(image.clone(), here[node]);
                }
            }
        }
    }

    /// Whether anything is known of an image.
    pub fn knows(&self, image: &str) -> bool {
        self.images.contains_key(image)
    }

    /// The group of each image, by name. The name is a value that the group shares
    /// (`PatientID=…` before `SeriesInstanceUID=…`); an image of which nothing is known is a group
    /// of its own, named `image=<id>`.
    pub fn assign<I: AsRef<str>>(&self, images: impl IntoIterator<Item = I>) -> Vec<String> {
        let group = |id: I| match self.images.get(id.as_ref()) {
            Some(&node) => self.names[self.root(node)].to_string(),
            None => format!("image={}", id.as_ref()),
        };
        images.into_iter().map(group).collect()
    }

    fn push(&mut self, name: Box<str>) -> usize {
        self.parents.push(self.parents.len());
        self.names.push(name);
        self.parents.len() - 1
    }

    fn root(&self, mut node: usize) -> usize {
        while self.parents[node] != node {
            node = self.parents[node];
        }
        node
    }

    fn union(&mut self, a: usize, b: usize) {
        let (a, b) = (self.compress(a), self.compress(b));
        // The smaller name wins, so names do not depend on the order of the rows.
        let (root, child) = if self.names[a] <= self.names[b] { (a, b) } else { (b, a) };
        self.parents[child] = root;
    }

    /// Root of a node; halves its path on the way, so that long chains stay cheap.
    fn compress(&mut self, mut node: usize) -> usize {
        while self.parents[node] != node {
            self.parents[node] = self.parents[self.parents[node]];
            node = self.parents[node];
        }
        node
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLICES: &str = "Image,PatientID\nID_a,ID_1\nID_b,ID_1\nID_c,ID_2\nID_1,ID_3\nID_z,\n";
    const SCANS: &str =
        "scan_id,any,image_0,image_1,image_2\nID_s,0,ID_b,ID_c,Pad\nID_t,1,ID_d,ID_e,ID_f\n";

    #[test]
    fn patients_and_series_merge_whichever_comes_first() {
        let slices =
            Groups::from_rows(Table::new(SLICES.as_bytes()).unwrap(), "Image", PATIENT).unwrap();
        let scans = Groups::from_series(Table::new(SCANS.as_bytes()).unwrap()).unwrap();
        let mut forward = slices.clone();
        forward.merge(&scans);
        let mut backward = scans;
        backward.merge(&slices);
        let ids = ["ID_a", "ID_b", "ID_c", "ID_1", "ID_z", "ID_d", "ID_f", "ID_new"];
        let expected = [
            "PatientID=ID_1", // a and b are one patient,
            "PatientID=ID_1", // b and c one series:
            "PatientID=ID_1", // so c's patient is the same one under another id.
            "PatientID=ID_3", // The image ID_1 is not the patient ID_1.
            "image=ID_z",
            "SeriesInstanceUID=ID_t",
            "SeriesInstanceUID=ID_t",
            "image=ID_new",
        ];
        assert_eq!(forward.assign(ids), expected);
        assert_eq!(backward.assign(ids), expected);
        assert!(forward.knows("ID_c") && !forward.knows("ID_z"));
    }

    #[test]
    fn missing_columns_are_named() {
        let error = Groups::from_rows(Table::new(SLICES.as_bytes()).unwrap(), "Image", "Patient")
            .unwrap_err();
        assert!(error.to_string().contains("`Patient`"), "{error}");
        let error =
            Groups::from_series(Table::new(&b"scan_id,any\nID_s,1\n"[..]).unwrap()).unwrap_err();
        assert!(error.to_string().contains("image_0"), "{error}");
        let error =
            Groups::from_rows(Table::new(&b"Image,PatientID\n,p\n"[..]).unwrap(), "Image", PATIENT)
                .unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error}");
    }
}
