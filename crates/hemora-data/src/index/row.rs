//! One row of the index: what is known of one image.

use std::path::PathBuf;

use hemora_ct::{Fingerprint, LABEL_COUNT, Label};
use hemora_io::Source;

use super::cells::{Cell, Cells, Kind, at_least_0};

/// One image: a file, an entry of a zip archive, or a frame of either.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SliceRow {
    /// The file, or the archive.
    pub path: String,
    /// Index of the entry in the archive.
    pub entry: Option<u64>,
    /// Name of the entry in the archive.
    pub entry_name: Option<String>,
    /// Number of the frame, from 1, in an object of several, or of the slice in a volume.
    pub frame: Option<u64>,
    /// Bytes of the file or archive.
    pub file_size: u64,
    /// When the file or archive was last changed, nanoseconds since 1970.
    pub modified_ns: i64,
    /// SHA-256 of the bytes of the file or entry, hexadecimal; empty if they could not be read.
    pub sha256: String,
    /// Why the image cannot be used; `None` for a usable one.
    pub error: Option<String>,
    /// What the image is called in label tables and prepared sets; empty if it cannot be used.
    pub id: String,
    /// SOPInstanceUID.
    pub sop_instance_uid: String,
    /// SeriesInstanceUID.
    pub series_instance_uid: String,
    /// StudyInstanceUID.
    pub study_instance_uid: String,
    /// PatientID, empty if absent.
    pub patient_id: String,
    /// PatientAge, years.
    pub patient_age: Option<f64>,
    /// PatientSex.
    pub patient_sex: Option<String>,
    /// Manufacturer of the scanner.
    pub manufacturer: Option<String>,
    /// ManufacturerModelName of the scanner.
    pub scanner_model: Option<String>,
    /// ConvolutionKernel.
    pub convolution_kernel: Option<String>,
    /// InstanceNumber.
    pub instance_number: Option<i64>,
    /// Rows, pixels.
    pub rows: u64,
    /// Columns, pixels.
    pub columns: u64,
    /// Place along the slice normal, mm; grows to the head for axial slices.
    pub z: Option<f64>,
    /// Angle to the transverse plane, degrees.
    pub tilt_degrees: Option<f64>,
    /// Distance between rows and between columns, mm.
    pub spacing: Option<[f64; 2]>,
    /// SliceThickness, mm.
    pub slice_thickness: Option<f64>,
    /// BitsAllocated.
    pub bits_allocated: u64,
    /// BitsStored.
    pub bits_stored: u64,
    /// Whether stored values are two's complement.
    pub signed: bool,
    /// RescaleSlope.
    pub rescale_slope: f64,
    /// RescaleIntercept.
    pub rescale_intercept: f64,
    /// Level and width of the first declared window, HU.
    pub window: Option<[f64; 2]>,
    /// Part of pixels between 0 and 80 HU.
    pub pct_in_window: f64,
    /// Lowest HU.
    pub hu_min: f64,
    /// Highest HU.
    pub hu_max: f64,
    /// What the image looks like in the brain window.
    pub fingerprint: Option<Fingerprint>,
    /// Labels in label order, if a table has them.
    pub labels: Option<[bool; LABEL_COUNT]>,
    /// What is unusual, such as `gantry_tilt`, in alphabetical order.
    pub flags: Vec<String>,
    /// The part of the stored split that it is in.
    pub split: Option<String>,
}

use Kind::{Bool, Real, Text, Whole};

/// The column of the stored split, which earlier versions did not write.
pub(crate) const SPLIT: &str = "split";

/// Names and kinds of the columns, in the order of the cells of a row.
pub(crate) const COLUMNS: [(&str, Kind); 45] = [
    ("path", Text),
    ("entry", Whole),
    ("entry_name", Text),
    ("frame", Whole),
    ("file_size", Whole),
    ("modified_ns", Whole),
    ("sha256", Text),
    ("error", Text),
    ("id", Text),
    ("sop_instance_uid", Text),
    ("series_instance_uid", Text),
    ("study_instance_uid", Text),
    ("patient_id", Text),
    ("patient_age", Real),
    ("patient_sex", Text),
    ("manufacturer", Text),
    ("scanner_model", Text),
    ("convolution_kernel", Text),
    ("instance_number", Whole),
    ("rows", Whole),
    ("columns", Whole),
    ("z", Real),
    ("tilt_degrees", Real),
    ("row_spacing", Real),
    ("column_spacing", Real),
    ("slice_thickness", Real),
    ("bits_allocated", Whole),
    ("bits_stored", Whole),
    ("signed", Bool),
    ("rescale_slope", Real),
    ("rescale_intercept", Real),
    ("window_level", Real),
    ("window_width", Real),
    ("pct_in_window", Real),
    ("hu_min", Real),
    ("hu_max", Real),
    ("fingerprint", Text),
    ("epidural", Bool),
    ("intraparenchymal", Bool),
    ("intraventricular", Bool),
    ("subarachnoid", Bool),
    ("subdural", Bool),
    ("any", Bool),
    ("flags", Text),
    (SPLIT, Text),
];

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
            (Some(index), Some(name)) => {
                Source::ZipEntry { archive: path, index, name: name.clone() }
            }
            _ => Source::File(path),
        }
    }

    /// Whether the image can be used.
    pub fn is_usable(&self) -> bool {
        self.error.is_none()
    }

    /// The row as cells, one a column.
    pub(crate) fn cells(&self) -> Vec<Cell> {
        let text = |value: &str| Cell::Text((!value.is_empty()).then(|| value.to_owned()));
        let whole = |value: u64| Cell::Whole(i64::try_from(value).ok());
        // A file that cannot be used has no pixels to say anything of.
        let known = self.is_usable();
        let real = |value: f64| Cell::Real(Some(value).filter(|_| known));
        let [row_spacing, column_spacing] = self.spacing.map_or([None; 2], |pair| pair.map(Some));
        let [level, width] = self.window.map_or([None; 2], |pair| pair.map(Some));
        let mut cells = vec![
            text(&self.path),
            Cell::Whole(self.entry.and_then(|entry| i64::try_from(entry).ok())),
            Cell::Text(self.entry_name.clone()),
            Cell::Whole(self.frame.and_then(|frame| i64::try_from(frame).ok())),
            whole(self.file_size),
            Cell::Whole(Some(self.modified_ns)),
            text(&self.sha256),
            Cell::Text(self.error.clone()),
            text(&self.id),
            text(&self.sop_instance_uid),
            text(&self.series_instance_uid),
            text(&self.study_instance_uid),
            text(&self.patient_id),
            Cell::Real(self.patient_age),
            Cell::Text(self.patient_sex.clone()),
            Cell::Text(self.manufacturer.clone()),
            Cell::Text(self.scanner_model.clone()),
            Cell::Text(self.convolution_kernel.clone()),
            Cell::Whole(self.instance_number),
            whole(self.rows),
            whole(self.columns),
            Cell::Real(self.z),
            Cell::Real(self.tilt_degrees),
            Cell::Real(row_spacing),
            Cell::Real(column_spacing),
            Cell::Real(self.slice_thickness),
            whole(self.bits_allocated),
            whole(self.bits_stored),
            Cell::Bool(Some(self.signed).filter(|_| known)),
            real(self.rescale_slope),
            real(self.rescale_intercept),
            Cell::Real(level),
            Cell::Real(width),
            real(self.pct_in_window),
            real(self.hu_min),
            real(self.hu_max),
            Cell::Text(self.fingerprint.map(|fingerprint| fingerprint.to_string())),
        ];
        let label = |label: Label| Cell::Bool(self.labels.map(|labels| labels[label.index()]));
        cells.extend(Label::ALL.map(label));
        cells.push(text(&self.flags.join(";")));
        cells.push(Cell::Text(self.split.clone()));
        cells
    }

    /// The row of cells in the order of [`COLUMNS`].
    ///
    /// # Errors
    /// What is missing.
    pub(crate) fn from_cells(cells: impl IntoIterator<Item = Cell>) -> Result<Self, String> {
        let mut cells = Cells(cells.into_iter());
        let row = Self {
            path: cells.text()?.filter(|path| !path.is_empty()).ok_or("a row has no path")?,
            entry: cells.whole()?.map(at_least_0).transpose()?,
            entry_name: cells.text()?,
            frame: cells.whole()?.map(at_least_0).transpose()?,
            file_size: cells.count()?,
            modified_ns: cells.whole()?.unwrap_or_default(),
            sha256: cells.text()?.unwrap_or_default(),
            error: cells.text()?,
            id: cells.text()?.unwrap_or_default(),
            sop_instance_uid: cells.text()?.unwrap_or_default(),
            series_instance_uid: cells.text()?.unwrap_or_default(),
            study_instance_uid: cells.text()?.unwrap_or_default(),
            patient_id: cells.text()?.unwrap_or_default(),
            patient_age: cells.real()?,
            patient_sex: cells.text()?,
            manufacturer: cells.text()?,
            scanner_model: cells.text()?,
            convolution_kernel: cells.text()?,
            instance_number: cells.whole()?,
            rows: cells.count()?,
            columns: cells.count()?,
            z: cells.real()?,
            tilt_degrees: cells.real()?,
            spacing: cells.pair()?,
            slice_thickness: cells.real()?,
            bits_allocated: cells.count()?,
            bits_stored: cells.count()?,
            signed: cells.bool()?.unwrap_or_default(),
            rescale_slope: cells.real()?.unwrap_or_default(),
            rescale_intercept: cells.real()?.unwrap_or_default(),
            window: cells.pair()?,
            pct_in_window: cells.real()?.unwrap_or_default(),
            hu_min: cells.real()?.unwrap_or_default(),
            hu_max: cells.real()?.unwrap_or_default(),
            fingerprint: cells.text()?.map(|digits| digits.parse()).transpose()?,
            labels: cells.labels()?,
            flags: cells
                .text()?
                .map(|flags| flags.split(';').map(str::to_owned).collect())
                .unwrap_or_default(),
            split: cells.text()?.filter(|part| !part.is_empty()),
        };
        if row.is_usable() && !is_file_name(&row.id) {
            return Err(format!("{}: the id is no file name", row.path));
        }
        Ok(row)
    }
}

/// Whether a text can be the name of a file everywhere: ids come from headers and tables.
pub(crate) fn is_file_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=128).contains(&text.len()) && !text.starts_with('.') && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
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
            patient_age: Some(61.0),
            patient_sex: Some("F".into()),
            scanner_model: Some("X".into()),
            fingerprint: Some("0f".repeat(32).parse().unwrap()),
            ..SliceRow::default()
        };
        assert_eq!(row.cells().len(), COLUMNS.len());
        for (cell, (name, kind)) in row.cells().iter().zip(COLUMNS) {
            let own = match cell {
                Cell::Text(_) => Text,
                Cell::Whole(_) => Whole,
                Cell::Real(_) => Real,
                Cell::Bool(_) => Bool,
            };
            assert_eq!(own, kind, "{name}");
        }
        let frame = SliceRow { frame: Some(2), ..row.clone() };
        let object = Box::new(row.source());
        assert_eq!(frame.source(), Source::Frame { object, number: 2 });
        assert_eq!(SliceRow::from_cells(frame.cells()), Ok(frame));
        assert_eq!(SliceRow::from_cells(row.cells()), Ok(row.clone()));
        assert!(matches!(row.source(), Source::ZipEntry { index: 3, .. }));
        let failed =
            SliceRow { path: "a".into(), error: Some("cut off".into()), ..SliceRow::default() };
        assert_eq!(SliceRow::from_cells(failed.cells()), Ok(failed));
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
