//! One row of the index: what is known of one image.

use std::borrow::Cow;
use std::path::PathBuf;

use hemora_base::sha256_hex;
use hemora_ct::{Fingerprint, LABEL_COUNT};
use hemora_io::Source;

use super::cells::{Cell, Cells, Kind};
use super::columns::Field;

/// Declares the row: each field with its type and the names of its columns, in the order of the
/// file. Struct, columns, cells and reading follow from it.
macro_rules! slice_row {
    ($($(#[$doc:meta])* $field:ident: $type:ty = [$($column:literal),+],)+) => {
        /// One image: a file, an entry of a zip archive, or a frame of either.
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct SliceRow {
            $($(#[$doc])* pub $field: $type,)+
        }

        /// Names and kinds of the columns, in the order of the cells of a row.
        pub(crate) const COLUMNS: &[(&str, Kind)] =
            &[$($(($column, <$type as Field>::KIND),)+)+];

        impl SliceRow {
            /// The row as cells, one a column.
            pub(crate) fn cells(&self) -> Vec<Cell> {
                // A file that cannot be used has no pixels that could have values.
                let usable = self.is_usable();
                let mut cells = Vec::with_capacity(COLUMNS.len());
                $(self.$field.write(usable, &mut cells);)+
                cells
            }

            /// Takes the cells of a row one after the other.
            fn take(cells: &mut Cells<impl Iterator<Item = Cell>>) -> Result<Self, String> {
                Ok(Self { $($field: Field::read(cells)?,)+ })
            }
        }
    };
}

slice_row! {
    /// The file, or the archive.
    path: String = ["path"],
    /// Index of the entry in the archive.
    entry: Option<u64> = ["entry"],
    /// Name of the entry in the archive.
    entry_name: Option<String> = ["entry_name"],
    /// Number of the frame, from 1, in an object of several, or of the slice in a volume.
    frame: Option<u64> = ["frame"],
    /// Bytes of the file or archive.
    file_size: u64 = ["file_size"],
    /// When the file or archive was last changed, nanoseconds since 1970.
    modified_ns: i64 = ["modified_ns"],
    /// SHA-256 of the bytes of the file or entry, hexadecimal; empty if they could not be read.
    sha256: String = ["sha256"],
    /// Why the image cannot be used; `None` for a usable one.
    error: Option<String> = ["error"],
    /// What the image is called in label tables and prepared sets; empty if it cannot be used.
    id: String = ["id"],
    /// SOPInstanceUID, if any.
    sop_instance_uid: Option<String> = ["sop_instance_uid"],
    /// SeriesInstanceUID, if any.
    series_instance_uid: Option<String> = ["series_instance_uid"],
    /// StudyInstanceUID, if any.
    study_instance_uid: Option<String> = ["study_instance_uid"],
    /// PatientID, empty if absent.
    patient_id: String = ["patient_id"],
    /// PatientAge, years.
    patient_age: Option<f64> = ["patient_age"],
    /// PatientSex.
    patient_sex: Option<String> = ["patient_sex"],
    /// Manufacturer of the scanner.
    manufacturer: Option<String> = ["manufacturer"],
    /// ManufacturerModelName of the scanner.
    scanner_model: Option<String> = ["scanner_model"],
    /// ConvolutionKernel.
    convolution_kernel: Option<String> = ["convolution_kernel"],
    /// InstanceNumber.
    instance_number: Option<i64> = ["instance_number"],
    /// Rows, pixels.
    rows: u64 = ["rows"],
    /// Columns, pixels.
    columns: u64 = ["columns"],
    /// Place along the slice normal, mm; grows to the head for axial slices.
    z: Option<f64> = ["z"],
    /// Angle to the transverse plane, degrees.
    tilt_degrees: Option<f64> = ["tilt_degrees"],
    /// Distance between rows and between columns, mm.
    spacing: Option<[f64; 2]> = ["row_spacing", "column_spacing"],
    /// SliceThickness, mm.
    slice_thickness: Option<f64> = ["slice_thickness"],
    /// BitsAllocated.
    bits_allocated: u64 = ["bits_allocated"],
    /// BitsStored.
    bits_stored: u64 = ["bits_stored"],
    /// Whether stored values are two's complement.
    signed: bool = ["signed"],
    /// RescaleSlope.
    rescale_slope: f64 = ["rescale_slope"],
    /// RescaleIntercept.
    rescale_intercept: f64 = ["rescale_intercept"],
    /// Level and width of the first declared window, HU.
    window: Option<[f64; 2]> = ["window_level", "window_width"],
    /// Part of pixels between 0 and 80 HU.
    pct_in_window: f64 = ["pct_in_window"],
    /// Lowest HU.
    hu_min: f64 = ["hu_min"],
    /// Highest HU.
    hu_max: f64 = ["hu_max"],
    /// What the image looks like in the brain window.
    fingerprint: Option<Fingerprint> = ["fingerprint"],
    /// Labels in label order, if a table has them.
    labels: Option<[bool; LABEL_COUNT]> = ["epidural", "intraparenchymal", "intraventricular", "subarachnoid", "subdural", "any"],
    /// What is unusual, such as `gantry_tilt`, in alphabetical order.
    flags: Vec<String> = ["flags"],
    /// The part of the stored split that it is in.
    split: Option<String> = ["split"],
    /// Directions of rows and columns in the patient, six cosines with commas between them.
    orientation: Option<String> = ["orientation"],
}

/// Columns that earlier versions did not write: of the stored split, and of the directions.
pub(crate) const LATER_COLUMNS: [&str; 2] = ["split", "orientation"];

/// What earlier versions wrote for a UID that a file does not have: the slices of all such files would
/// be of one series.
const NO_UID: &str = "unknown";

impl SliceRow {
    /// Where the image is.
    pub fn source(&self) -> Source {
        let object = self.object();
        match self.frame.and_then(|frame| usize::try_from(frame).ok()) {
            Some(number) => Source::Frame { object: Box::new(object), number },
            None => object,
        }
    }

    /// The file or entry that the image is in.
    pub(crate) fn object(&self) -> Source {
        let path = PathBuf::from(&self.path);
        match (self.entry.and_then(|entry| usize::try_from(entry).ok()), &self.entry_name) {
            (Some(index), Some(name)) => Source::Entry { archive: path, index, name: name.clone() },
            _ => Source::File(path),
        }
    }

    /// What its series is called: its SeriesInstanceUID or, without one, a name of its study, its
    /// patient and the folder or object that it lies in: of slices that have none, those that share
    /// these belong together.
    pub fn series_name(&self) -> Cow<'_, str> {
        if let Some(uid) = &self.series_instance_uid {
            return Cow::Borrowed(uid);
        }
        let place = match (&self.entry_name, self.frame) {
            (Some(name), Some(_)) => format!("{}\0{name}", self.path),
            (None, Some(_)) => self.path.clone(),
            (Some(name), None) => format!("{}\0{}", self.path, folder(name)),
            (None, None) => folder(&self.path).to_owned(),
        };
        let study = self.study_instance_uid.as_deref().unwrap_or_default();
        let text = [study, &self.patient_id, &place].join("\0");
        Cow::Owned(format!("no-uid-{}", &sha256_hex(text.as_bytes())[..16]))
    }

    /// Whether it has a flag.
    pub(crate) fn has_flag(&self, name: &str) -> bool {
        self.flags.iter().any(|flag| flag == name)
    }

    /// Whether the image can be used.
    pub fn is_usable(&self) -> bool {
        self.error.is_none()
    }

    /// The row of cells in the order of [`COLUMNS`].
    ///
    /// # Errors
    /// What is missing.
    pub(crate) fn from_cells(cells: impl IntoIterator<Item = Cell>) -> Result<Self, String> {
        let mut row = Self::take(&mut Cells(cells.into_iter()))?;
        if row.path.is_empty() {
            return Err("a row has no path".to_owned());
        }
        for uid in
            [&mut row.sop_instance_uid, &mut row.series_instance_uid, &mut row.study_instance_uid]
        {
            *uid = uid.take().filter(|uid| !uid.is_empty() && uid != NO_UID);
        }
        row.split = row.split.filter(|part| !part.is_empty());
        if row.is_usable() && !is_file_name(&row.id) {
            return Err(format!("{}: the id is no file name", row.path));
        }
        Ok(row)
    }
}

fn folder(path: &str) -> &str {
    path.rfind('/').map_or("", |at| &path[..at])
}

/// Whether a text can be the name of a file everywhere: ids come from headers and tables.
pub(crate) fn is_file_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=128).contains(&text.len()) && !text.starts_with('.') && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use hemora_ct::Label;

    use super::*;

    #[test]
    fn rows_survive_as_cells() {
        let row = SliceRow {
            path: "a/b.zip".into(),
            entry: Some(3),
            entry_name: Some("x.dcm".into()),
            id: "ID_1".into(),
            spacing: Some([0.5, 0.25]),
            labels: Some([false, true, false, false, false, true]),
            flags: vec!["gantry_tilt".into(), "no_patient".into()],
            hu_min: -1024.0,
            split: Some("fold2".into()),
            orientation: Some("1,0,0,0,1,0".into()),
            patient_age: Some(61.0),
            patient_sex: Some("F".into()),
            scanner_model: Some("X".into()),
            fingerprint: Some("0f".repeat(32).parse().unwrap()),
            ..SliceRow::default()
        };
        assert_eq!(row.cells().len(), COLUMNS.len());
        for (cell, (name, kind)) in row.cells().iter().zip(COLUMNS) {
            let own = match cell {
                Cell::Text(_) => Kind::Text,
                Cell::Whole(_) => Kind::Whole,
                Cell::Real(_) => Kind::Real,
                Cell::Bool(_) => Kind::Bool,
            };
            assert_eq!(own, *kind, "{name}");
        }
        let names: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), 46);
        assert_eq!(names[37..43], Label::ALL.map(Label::name));
        let frame = SliceRow { frame: Some(2), ..row.clone() };
        let object = Box::new(row.source());
        assert_eq!(frame.source(), Source::Frame { object, number: 2 });
        assert_eq!(SliceRow::from_cells(frame.cells()), Ok(frame));
        assert_eq!(SliceRow::from_cells(row.cells()), Ok(row.clone()));
        assert!(matches!(row.source(), Source::Entry { index: 3, .. }));
        let failed =
            SliceRow { path: "a".into(), error: Some("cut off".into()), ..SliceRow::default() };
        assert_eq!(SliceRow::from_cells(failed.cells()), Ok(failed));
    }

    #[test]
    fn slices_without_a_series_belong_to_their_study_patient_and_folder() {
        let row = |path: &str, patient: &str, study: &str| SliceRow {
            path: path.into(),
            patient_id: patient.into(),
            study_instance_uid: Some(study.into()),
            ..SliceRow::default()
        };
        let name = |row: SliceRow| row.series_name().into_owned();
        let one = name(row("a/1.dcm", "A", "1"));
        assert_eq!(name(row("a/2.dcm", "A", "1")), one);
        for other in [row("b/1.dcm", "A", "1"), row("a/1.dcm", "B", "1"), row("a/1.dcm", "A", "2")]
        {
            assert_ne!(name(other), one);
        }
        let frame = |path: &str| SliceRow { frame: Some(3), ..row(path, "A", "1") };
        assert_ne!(name(frame("a/1.dcm")), name(frame("a/2.dcm")));
        let known = SliceRow { series_instance_uid: Some("1.2".into()), ..row("a", "A", "1") };
        assert_eq!(name(known), "1.2");
    }

    #[test]
    fn an_unknown_uid_of_an_earlier_version_is_none() {
        let row = |path: &str, uid: &str| SliceRow {
            path: path.into(),
            id: "ID_1".into(),
            sop_instance_uid: Some(uid.into()),
            series_instance_uid: Some(uid.into()),
            study_instance_uid: Some(uid.into()),
            ..SliceRow::default()
        };
        let read = |row: &SliceRow| SliceRow::from_cells(row.cells()).unwrap();
        let [one, other] = ["a/1.dcm", "b/1.dcm"].map(|path| read(&row(path, "unknown")));
        assert_eq!((&one.sop_instance_uid, &one.study_instance_uid), (&None, &None));
        assert_eq!(one.series_instance_uid, None);
        assert_ne!(one.series_name(), other.series_name());
        let known = row("a", "1.2.3");
        assert_eq!(read(&known), known);
    }

    #[test]
    fn cells_that_make_no_row_are_refused() {
        let good = SliceRow { path: "a".into(), id: "b".into(), ..SliceRow::default() };
        let bad = |at: usize, cell: Cell| {
            let mut cells = good.cells();
            cells[at] = cell;
            SliceRow::from_cells(cells).unwrap_err()
        };
        assert!(bad(0, Cell::Text(None)).contains("no path"));
        assert!(bad(1, Cell::Whole(Some(-1))).contains("-1"));
        assert!(bad(1, Cell::Text(None)).contains("kind"));
        for id in ["../../etc/passwd", ".hidden", "a/b", "", "a\0b"] {
            assert!(bad(8, Cell::Text(Some(id.into()))).contains("file name"), "{id}");
        }
        assert!(SliceRow::from_cells([]).is_err());
    }
}
