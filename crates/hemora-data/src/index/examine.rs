//! One file to the rows of its images in the index.

use std::path::Path;

use hemora_base::sha256_hex;
use hemora_ct::{Fingerprint, Slice, Window, hu_problems, hu_range, part_in_window, stack};
use hemora_io::{ReadError, SliceHeader, Source, SourceList, decode_slices, read_bytes};

use super::row::{SliceRow, is_file_name};
use super::stamp::FileStamp;

/// A smaller angle to the transverse plane is how a head lies, degrees.
const TILT: f64 = 1.0;
/// From here on a slice is sagittal or coronal rather than axial, degrees.
const NOT_AXIAL: f64 = 45.0;

/// Flag of a localizer.
pub(crate) const LOCALIZER: &str = "localizer";
/// Flag of an image without SeriesInstanceUID.
pub(crate) const NO_SERIES: &str = "no_series";

/// What looking at a source gave.
#[derive(Debug)]
pub(super) enum Examined {
    /// Size and time are those of the known rows: the file was not opened.
    Unchanged(Vec<SliceRow>),
    /// Another time but the same bytes: no image was decoded.
    SameContent(Vec<SliceRow>),
    /// Read.
    Read(Vec<SliceRow>),
    /// Not a CT image, and nobody said it was.
    OtherFile,
    /// The path cannot stand in a table.
    Unnamed(String),
}

/// Looks at a source, given the rows that an earlier run made of it.
pub(super) fn examine(source: &Source, known: Vec<SliceRow>, list: &SourceList) -> Examined {
    let (entry, entry_name) = match source {
        Source::Entry { index, name, .. } => (Some(*index as u64), Some(name.clone())),
        // The list that is indexed has neither frames nor pictures, and only files on disk.
        Source::File(_) | Source::Frame { .. } | Source::Picture { .. } | Source::Bytes { .. } => {
            (None, None)
        }
    };
    let path = source.file();
    let Some(path_text) = path.to_str() else {
        return Examined::Unnamed(format!("{source}: the path is not UTF-8 text; rename it"));
    };
    let mut row = SliceRow { path: path_text.to_owned(), entry, entry_name, ..SliceRow::default() };
    match list.state(source).map(FileStamp::from) {
        Ok(FileStamp { size, modified_ns }) => {
            (row.file_size, row.modified_ns) = (size, modified_ns)
        }
        Err(error) => return failed(row, source, error.into(), list),
    }
    let is_known = |same: fn(&SliceRow, &SliceRow) -> bool| {
        !known.is_empty() && known.iter().all(|known| same(known, &row))
    };
    let same_size = is_known(|known, row| known.file_size == row.file_size);
    if same_size && is_known(|known, row| known.modified_ns == row.modified_ns) {
        return Examined::Unchanged(known);
    }
    let bytes = match read_bytes(source) {
        Ok(bytes) => bytes,
        Err(error) => return failed(row, source, error, list),
    };
    row.sha256 = sha256_hex(&bytes);
    if same_size && known.iter().all(|known| known.sha256 == row.sha256) {
        let modified_ns = row.modified_ns;
        let with_time = |known| SliceRow { modified_ns, ..known };
        return Examined::SameContent(known.into_iter().map(with_time).collect());
    }
    let mut rows = Vec::new();
    let each = |header: SliceHeader, image: Result<Slice, ReadError>| {
        let mut row = row.clone();
        if let Source::Frame { number, .. } = header.source {
            row.frame = Some(number as u64);
        }
        match image {
            Ok(slice) => fill(&mut row, &header, &slice, path),
            Err(error) => {
                // Whoever reads the study must know that an image of it is missing.
                row.study_instance_uid.clone_from(&header.study_instance_uid);
                row.error = Some(error.to_string());
            }
        }
        rows.push(row);
    };
    match decode_slices(source, bytes, each) {
        Ok(()) => Examined::Read(rows),
        Err(error) => failed(row, source, error, list),
    }
}

fn failed(mut row: SliceRow, source: &Source, error: ReadError, list: &SourceList) -> Examined {
    let reason = list.reason(source, error);
    if !reason.is_failure() {
        return Examined::OtherFile;
    }
    row.error = Some(reason.to_string());
    Examined::Read(vec![row])
}

/// What an image that was read says of itself.
fn fill(row: &mut SliceRow, header: &SliceHeader, slice: &Slice, path: &Path) {
    describe(row, header, path);
    row.pct_in_window = part_in_window(slice.hu(), Window::BRAIN);
    [row.hu_min, row.hu_max] = hu_range(slice.hu()).map(f64::from);
    row.fingerprint = Some(Fingerprint::of_slice(slice, Window::BRAIN));
    row.flags = flags(row, header, !hu_problems(slice).is_empty());
}

fn describe(row: &mut SliceRow, header: &SliceHeader, path: &Path) {
    // Frames share the UID of their object.
    let end = row.frame.map(|number| format!("-frame{number}")).unwrap_or_default();
    row.id = [header.sop_instance_uid.as_deref(), Some(stem(path))]
        .into_iter()
        .flatten()
        .map(|id| format!("{id}{end}"))
        .find(|id| is_file_name(id))
        .unwrap_or_else(|| format!("sha256-{}{end}", &row.sha256[..16]));
    row.sop_instance_uid.clone_from(&header.sop_instance_uid);
    row.series_instance_uid.clone_from(&header.series_instance_uid);
    row.study_instance_uid.clone_from(&header.study_instance_uid);
    row.patient_id.clone_from(&header.patient_id);
    row.patient_age = header.patient_age;
    row.patient_sex.clone_from(&header.patient_sex);
    row.manufacturer.clone_from(&header.manufacturer);
    row.scanner_model.clone_from(&header.scanner_model);
    row.convolution_kernel.clone_from(&header.convolution_kernel);
    row.instance_number = header.instance_number.map(i64::from);
    (row.rows, row.columns) = (header.rows as u64, header.columns as u64);
    if let Some(plane) = header.plane {
        row.z = Some(stack::position(plane));
        row.tilt_degrees = Some(plane.tilt_degrees());
        row.spacing = plane.spacing;
        let cosines = plane.row_direction.into_iter().chain(plane.column_direction);
        // Without the sign of zeros.
        let texts = cosines.map(|cosine| format!("{}", (cosine * 1e4).round() / 1e4 + 0.0));
        row.orientation = Some(texts.collect::<Vec<_>>().join(","));
    }
    row.slice_thickness = header.slice_thickness;
    row.bits_allocated = header.stored.bits_allocated.into();
    row.bits_stored = header.stored.bits_stored.into();
    row.signed = header.stored.signed;
    row.rescale_slope = header.rescale_slope;
    row.rescale_intercept = header.rescale_intercept;
    row.window = header.window.map(|window| [window.level.into(), window.width.into()]);
}

/// The file's name without its extension, by which label tables may know it.
pub(super) fn stem(path: &Path) -> &str {
    path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default()
}

/// What is unusual of an image, in alphabetical order.
fn flags(row: &SliceRow, header: &SliceHeader, implausible: bool) -> Vec<String> {
    let tilt = row.tilt_degrees.unwrap_or(0.0);
    let flags = [
        ("gantry_tilt", tilt > TILT && tilt <= NOT_AXIAL),
        ("implausible_hu", implausible),
        ("intercept_repaired", header.intercept_repaired),
        (LOCALIZER, header.is_localizer()),
        ("no_patient", header.patient_id.is_empty()),
        ("no_position", header.plane.is_none()),
        (NO_SERIES, header.series_instance_uid.is_none()),
        ("not_axial", tilt > NOT_AXIAL),
    ];
    flags.into_iter().filter(|(_, set)| *set).map(|(name, _)| name.to_owned()).collect()
}
