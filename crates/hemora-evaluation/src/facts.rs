//! What an index knows of the slices that are evaluated.

use std::collections::HashMap;
use std::path::Path;

use hemora_ct::{Fingerprint, LABEL_COUNT};
use hemora_data::{IndexReader, SliceRow, shorten};
use hemora_io::Source;

use crate::document::FileRef;
use crate::{EvaluateError, Tally};

/// One slice of an index.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Where its pixels are.
    pub source: Source,
    /// Its labels in label order, if the index has them.
    pub labels: Option<[bool; LABEL_COUNT]>,
    /// PatientID, empty if unknown.
    pub patient: String,
    /// StudyInstanceUID, empty if unknown.
    pub study: String,
    /// SeriesInstanceUID; of a slice without one what [`SliceRow::series_name`] says.
    pub series: String,
    /// Position along the slice normal, mm.
    pub z: Option<f64>,
    /// The same as a part of its series' extent, 0 at the feet to 1 at the head.
    pub height: Option<f64>,
    /// BitsStored.
    pub bits_stored: u64,
    /// Level and width of the declared window, HU.
    pub window: Option<[f64; 2]>,
    /// SliceThickness, mm.
    pub thickness: Option<f64>,
    /// Angle to the transverse plane, degrees.
    pub tilt: Option<f64>,
    /// Manufacturer and model.
    pub scanner: Option<String>,
    /// ConvolutionKernel.
    pub kernel: Option<String>,
    /// Years.
    pub age: Option<f64>,
    /// PatientSex.
    pub sex: Option<String>,
    /// SHA-256 of the file.
    pub sha256: String,
    /// What it looks like.
    pub fingerprint: Option<Fingerprint>,
}

/// An index read for some ids.
#[derive(Debug)]
pub(crate) struct IndexFacts {
    pub(crate) file: FileRef,
    /// Of each id what the index knows, `None` if it has no such slice.
    pub(crate) slices: Vec<Option<Facts>>,
    /// Slices with labels in the index.
    pub(crate) labelled: u64,
    /// Those that are not among the ids.
    pub(crate) unpredicted: Tally,
    /// What a reader must know of the index.
    pub(crate) warnings: Vec<String>,
}

impl IndexFacts {
    /// Reads the rows whose id or SOPInstanceUID is among `ids`.
    pub(crate) fn read(path: &Path, ids: &[String]) -> Result<Self, EvaluateError> {
        let mut file = FileRef::read(path)?;
        let indices: HashMap<&str, usize> =
            ids.iter().enumerate().map(|(slice, id)| (id.as_str(), slice)).collect();
        let mut slices: Vec<Option<Facts>> = vec![None; ids.len()];
        let mut extents: HashMap<String, [f64; 2]> = HashMap::new();
        let (mut labelled, mut unpredicted) = (0, Tally::default());
        let (mut repeated, mut unusable) = (Tally::default(), Tally::default());
        for row in IndexReader::open(path)? {
            let row = row?;
            file.rows += 1;
            let name = |text: &str| indices.get(text).copied();
            let slice = name(&row.id).or_else(|| name(row.sop_instance_uid.as_deref()?));
            if !row.is_usable() {
                if let Some(slice) = slice {
                    unusable.add(|| shorten(&ids[slice]));
                }
                continue;
            }
            if let Some(z) = row.z {
                let extent = extents.entry(row.series_name().into_owned()).or_insert([z, z]);
                *extent = [extent[0].min(z), extent[1].max(z)];
            }
            labelled += u64::from(row.labels.is_some());
            match slice.map(|slice| (slice, &mut slices[slice])) {
                Some((_, slot @ None)) => *slot = Some(facts(row)),
                Some((slice, Some(_))) => repeated.add(|| shorten(&ids[slice])),
                None if row.labels.is_some() => unpredicted.add(|| shorten(&row.id)),
                None => {}
            }
        }
        for slice in slices.iter_mut().flatten() {
            let Some([low, high]) = extents.get(&slice.series) else { continue };
            slice.height = slice.z.filter(|_| high > low).map(|z| (z - low) / (high - low));
        }
        let mut warnings = Vec::new();
        for (tally, what) in [
            (repeated, "slices stand in the index more than once; the first row counts"),
            (unusable, "predicted slices stand in the index as files that cannot be used"),
        ] {
            if tally.count > 0 {
                warnings.push(format!("{}: {} {what}: {tally}", file.file, tally.count));
            }
        }
        Ok(Self { file, slices, labelled, unpredicted, warnings })
    }
}

fn facts(row: SliceRow) -> Facts {
    let scanner: Vec<String> =
        [row.manufacturer.clone(), row.scanner_model.clone()].into_iter().flatten().collect();
    Facts {
        source: row.source(),
        series: row.series_name().into_owned(),
        labels: row.labels,
        patient: row.patient_id,
        study: row.study_instance_uid.unwrap_or_default(),
        z: row.z,
        height: None,
        bits_stored: row.bits_stored,
        window: row.window,
        thickness: row.slice_thickness,
        tilt: row.tilt_degrees,
        scanner: (!scanner.is_empty()).then(|| scanner.join(" ")),
        kernel: row.convolution_kernel,
        age: row.patient_age,
        sex: row.patient_sex,
        sha256: row.sha256,
        fingerprint: row.fingerprint,
    }
}
