//! The images of a study: labels, patients and, where known, positions. No pixels are read.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use hemora_ct::{LABEL_COUNT, Label};
use hemora_data::{
    GroupTable, Groups, ImageKind, ImageSet, IndexReader, LabelTable, PreparedSet, Table,
    TableColumn, TableColumnError, with_file,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::study::StudyError;

/// Where the images of a study are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SetRequest {
    /// A prepared set, or a folder of windowed PNG or prepared JPEG.
    pub images: PathBuf,
    /// The label table; a prepared set has its own.
    pub labels: Option<PathBuf>,
    /// Tables of patients or series, as `hemora-train --groups` takes them.
    pub groups: Vec<String>,
    /// Positions along the body axis: an index (`.parquet`), or `CSV:ID_COLUMN:Z_COLUMN`.
    pub z: Option<String>,
    /// What the results call the set; the folder's name without it.
    pub name: Option<String>,
}

/// One image.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Its id.
    pub id: String,
    /// Its labels, in label order.
    pub labels: [bool; LABEL_COUNT],
    /// Its patient, or the best known group.
    pub group: String,
    /// Whether anything is known of its patient or series.
    pub known: bool,
    /// Position along the body axis, mm.
    pub z: Option<f64>,
}

impl Item {
    /// Number of subtypes; `None` if `any` contradicts them.
    pub fn types(&self) -> Option<usize> {
        let types = Label::SUBTYPES.iter().filter(|label| self.labels[label.index()]).count();
        ((types > 0) == self.labels[Label::Any.index()]).then_some(types)
    }
}

/// The images of a study, in the order of their ids.
#[derive(Debug, Clone, PartialEq)]
pub struct StudySet {
    /// The images.
    pub items: Vec<Item>,
    /// Where the trainer finds the images.
    pub images: PathBuf,
    /// The label table.
    pub labels: PathBuf,
    /// Tables of groups.
    pub groups: Vec<String>,
    /// What the results call the set.
    pub name: String,
}

/// What a set holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetSummary {
    /// Its name.
    pub name: String,
    /// Images with labels.
    pub images: u64,
    /// Images with each label.
    pub positives: BTreeMap<Label, u64>,
    /// Images with 0, 1, … subtypes.
    pub by_types: Vec<u64>,
    /// Patients, or best known groups, of the images of which one is known.
    pub known_groups: u64,
    /// Images of which neither patient nor series is known: each counts as a patient of its own, so
    /// that a split by patient may still part a patient's images.
    pub unknown_patients: u64,
    /// Images whose position is known.
    pub with_z: u64,
}

impl StudySet {
    /// Pairs images with labels, groups and positions.
    ///
    /// # Errors
    /// [`StudyError`] names the file and what to do.
    pub fn open(request: &SetRequest) -> Result<Self, StudyError> {
        let mut groups = Groups::default();
        let images = &request.images;
        let (labels, found) = if PreparedSet::is_one(images) {
            let prepared = PreparedSet::open(images)?;
            groups.merge(&prepared.groups()?);
            let labels = request.labels.clone().unwrap_or_else(|| prepared.labels());
            let table = LabelTable::read(&labels)?;
            let found = table.iter().map(|(id, labels)| (id.to_owned(), labels)).collect();
            (labels, found)
        } else {
            let Some(labels) = request.labels.clone() else {
                return Err(StudyError::Option {
                    name: "labels",
                    found: format!("none for {}, which is no prepared set", images.display()),
                    expected: "a label table, or a folder that `hemora prepare` wrote".to_owned(),
                });
            };
            let files = ImageSet::open(images, &labels)?;
            if files.kind() == ImageKind::Dicom {
                return Err(StudyError::Dicom(images.clone()));
            }
            let found: Vec<_> =
                files.images().iter().map(|image| (image.id.clone(), image.labels)).collect();
            (labels, found)
        };
        for table in &request.groups {
            let table: GroupTable = table.parse().map_err(refuse("--groups"))?;
            groups.merge(&Groups::from_table(&table)?);
        }
        let z = request.z.as_deref().map(read_z).transpose()?.unwrap_or_default();
        let names = groups.assign(found.iter().map(|(id, _): &(String, _)| id));
        let items = found.into_iter().zip(names).map(|((id, labels), group)| Item {
            known: groups.knows(&id),
            z: z.get(&id).copied(),
            id,
            labels,
            group,
        });
        let folder = images.file_name().unwrap_or(images.as_os_str()).to_string_lossy();
        Ok(Self {
            items: items.collect(),
            images: images.clone(),
            labels,
            groups: request.groups.clone(),
            name: request.name.clone().unwrap_or_else(|| folder.into_owned()),
        })
    }

    /// Counts.
    pub fn summary(&self) -> SetSummary {
        let mut by_types = vec![0; LABEL_COUNT];
        for types in self.items.iter().filter_map(Item::types) {
            by_types[types] += 1;
        }
        let with = |label: Label| {
            self.items.iter().filter(|item| item.labels[label.index()]).count() as u64
        };
        let known = self.items.iter().filter(|item| item.known);
        let groups: BTreeSet<&str> = known.map(|item| item.group.as_str()).collect();
        SetSummary {
            name: self.name.clone(),
            images: self.items.len() as u64,
            positives: Label::ALL.into_iter().map(|label| (label, with(label))).collect(),
            by_types,
            known_groups: groups.len() as u64,
            unknown_patients: self.items.iter().filter(|item| !item.known).count() as u64,
            with_z: self.items.iter().filter(|item| item.z.is_some()).count() as u64,
        }
    }
}

/// Positions by image.
fn read_z(source: &str) -> Result<HashMap<String, f64>, StudyError> {
    if source.ends_with(".parquet") {
        let mut positions = HashMap::new();
        for row in IndexReader::open(Path::new(source))? {
            let row = row?;
            if let (true, Some(z)) = (row.is_usable(), row.z) {
                positions.insert(row.id, z);
            }
        }
        return Ok(positions);
    }
    let column: TableColumn = source.parse().map_err(refuse("--z"))?;
    let read = |file| {
        let table = Table::new(file)?;
        let (id, z) = (table.column(&column.id)?, table.column(&column.column)?);
        let mut positions = HashMap::new();
        table.for_each(|_, fields| {
            // A position that is absent or no number is not known.
            if let Some(z) = fields[z].trim().parse().ok().filter(|z: &f64| z.is_finite()) {
                positions.insert(fields[id].trim().to_owned(), z);
            }
            Ok(())
        })?;
        Ok(positions)
    };
    Ok(with_file(&column.table, read)?)
}

/// An error for a text that names no table.
fn refuse(flag: &'static str) -> impl FnOnce(TableColumnError) -> StudyError {
    move |source| StudyError::TableColumn { flag, source }
}
