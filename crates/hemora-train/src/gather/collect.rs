//! Which slices the named sets have, from folders and tables, before any pixel is read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hemora_data::{Groups, LabelTable};
use hemora_io::{Source, read_header};

use super::error::GatherError;
use super::item::{GreyScale, Item, Marks, Pixels, Set, SliceLabels};
use super::options::GatherOptions;
use super::tables::{is_file_name, mbh_slices, patients, phe_slices, wide_labels};
use crate::output::FileError;

/// The volume of MBH-Seg25 whose epidural pixels, in the skull base, are doubtful.
const DOUBTFUL: &str = "MBH173";

/// What the named sets have.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub items: Vec<Item>,
    /// Set, id and reason of slices that are left out.
    pub left_out: Vec<(Set, String, String)>,
    /// Folder of each set, for messages.
    pub folders: BTreeMap<Set, PathBuf>,
}

impl Collected {
    /// Lists what `options` names.
    ///
    /// # Errors
    /// [`GatherError`] names the folder or table.
    pub fn new(options: &GatherOptions) -> Result<Self, GatherError> {
        let (mut groups, places) = patients(&options.rsna_patients)?;
        let masks = match &options.masks {
            Some(folder) => files(folder, "png")?,
            None => BTreeMap::new(),
        };
        let marks = |id: &str| masks.get(id).cloned().map_or(Marks::None, Marks::Blood);
        let mut all = Self::default();
        if let (Some(folder), Some(table)) = (&options.rsna_png, &options.rsna_labels) {
            let labels = LabelTable::read(table)?;
            all.pair(Set::RsnaPng, folder, "png", &labels, |id, labels, path| {
                let pixels = Pixels::Png(path, GreyScale::BRAIN);
                let (z, marks) = (places.get(id).copied(), marks(id));
                Ok(Item { z, ..item(Set::RsnaPng, id, labels, pixels, marks) })
            })?;
        }
        for (folder, table) in options.dicom.iter().zip(&options.dicom_labels) {
            let labels = LabelTable::read(table)?;
            all.pair(Set::RsnaDicom, folder, "dcm", &labels, |id, labels, path| {
                let header = read_header(&Source::File(path.clone()));
                let header = header.map_err(|error| error.to_string())?;
                groups.join(id, "PatientID", &header.patient_id);
                groups.join(id, "StudyInstanceUID", known(&header.study_instance_uid));
                groups.join(id, "SeriesInstanceUID", known(&header.series_instance_uid));
                let along = header.plane.map(|plane| plane.distance_along(plane.normal()));
                // Micrometres: what is finer is rounding.
                let z = along.map(|z| (z * 1000.0).round() / 1000.0);
                let item = item(Set::RsnaDicom, id, labels, Pixels::Dicom(path), marks(id));
                Ok(Item { z, ..item })
            })?;
        }
        all.name_groups(&groups);
        if let Some(folder) = &options.phe_sich {
            all.phe_sich(folder)?;
        }
        if let Some(folder) = &options.mbh_seg {
            all.mbh_seg(folder)?;
        }
        Ok(all)
    }

    fn leave_out(&mut self, set: Set, id: &str, reason: impl Into<String>) {
        self.left_out.push((set, id.to_owned(), reason.into()));
    }

    /// The files of a folder that have labels; `make` says what is known of each.
    fn pair(
        &mut self,
        set: Set,
        folder: &Path,
        extension: &str,
        labels: &LabelTable,
        mut make: impl FnMut(&str, SliceLabels, PathBuf) -> Result<Item, String>,
    ) -> Result<(), GatherError> {
        self.folders.insert(set, folder.to_owned());
        for (id, path) in files(folder, extension)? {
            match labels.get(&id) {
                None => {
                    self.leave_out(set, &id, "all six labels are needed, and the table lacks some")
                }
                Some(labels) => match make(&id, labels.map(Some), path) {
                    Ok(item) => self.items.push(item),
                    Err(reason) => self.leave_out(set, &id, reason),
                },
            }
        }
        Ok(())
    }

    /// The groups of the competition's slices, which tables and headers tell together.
    fn name_groups(&mut self, groups: &Groups) {
        let names = groups.assign(self.items.iter().map(|item| &item.id));
        for (item, name) in self.items.iter_mut().zip(names) {
            item.group = name;
        }
    }

    fn phe_sich(&mut self, folder: &Path) -> Result<(), GatherError> {
        let set = Set::PheSich;
        self.folders.insert(set, folder.to_owned());
        let labels = wide_labels(&folder.join("labels.csv"))?;
        let mut slices = phe_slices(&folder.join("slices.csv"))?;
        for (id, path) in files(&folder.join("png"), "png")? {
            let (Some(labels), Some(slice)) = (labels.get(&id), slices.remove(&id)) else {
                self.leave_out(set, &id, "labels.csv or slices.csv has no row of it");
                continue;
            };
            let [_, clot, .., any] = *labels;
            let bleeds = clot == Some(true) && any == Some(true);
            let marks = match (bleeds, slice.boxes.is_empty()) {
                (true, _) => Marks::Boxes(slice.boxes),
                (false, true) if any == Some(false) => Marks::None,
                (false, true) => {
                    self.leave_out(set, &id, "nothing says whether it bleeds");
                    continue;
                }
                (false, false) => {
                    self.leave_out(set, &id, "it has boxes, but not both labels of a clot");
                    continue;
                }
            };
            let pixels = Pixels::Png(path, GreyScale::PHE_SICH);
            let item = item(set, &id, *labels, pixels, marks);
            self.items.push(Item { group: slice.patient, z: Some(slice.z), ..item });
        }
        Ok(())
    }

    fn mbh_seg(&mut self, folder: &Path) -> Result<(), GatherError> {
        let set = Set::MbhSeg;
        self.folders.insert(set, folder.to_owned());
        let slices = mbh_slices(&folder.join("info.csv"))?;
        let mut masks = files(&folder.join("masks"), "png")?;
        for (id, path) in files(&folder.join("png"), "png")? {
            let (Some((volume, z)), Some(mask)) = (slices.get(&id), masks.remove(&id)) else {
                self.leave_out(set, &id, "it has no mask, or info.csv has no row of it");
                continue;
            };
            let marks = Marks::Types { path: mask, doubtful: volume == DOUBTFUL };
            let pixels = Pixels::Png(path, GreyScale::MBH_SEG);
            let item = item(set, &id, SliceLabels::default(), pixels, marks);
            self.items.push(Item { group: volume.clone(), z: Some(*z), ..item });
        }
        Ok(())
    }
}

fn item(set: Set, id: &str, labels: SliceLabels, pixels: Pixels, marks: Marks) -> Item {
    Item { set, id: id.to_owned(), group: String::new(), labels, z: None, pixels, marks }
}

fn known(name: &Option<String>) -> &str {
    name.as_deref().unwrap_or_default()
}

/// The files of a folder with this extension, by the rest of their names.
fn files(folder: &Path, extension: &str) -> Result<BTreeMap<String, PathBuf>, FileError> {
    let mut files = BTreeMap::new();
    let failed = |source| FileError::on("read the folder", folder)(source);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let id = path.file_stem().and_then(|stem| stem.to_str()).filter(|id| is_file_name(id));
        let fits = path.extension().is_some_and(|it| it.eq_ignore_ascii_case(extension));
        if let (Some(id), true) = (id, fits) {
            files.insert(id.to_owned(), path.clone());
        }
    }
    Ok(files)
}
