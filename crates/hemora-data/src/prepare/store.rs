//! A split kept in the index: decided once, for every set that is prepared from it.

use std::path::Path;

use hemora_objects::Mirror;

use super::deal::{Dealt, Member, deal};
use super::error::PrepareError;
use super::selection::SplitRule;
use super::shared_pictures::SharedPictures;
use super::texts::Texts;
use crate::index::{IndexLock, IndexReader, Look, REPEATED_ID, SliceRow, write_index};
use crate::labels::pack;

/// What [`store_split`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SplitReport {
    /// Slices of each part, by name.
    pub parts: Vec<(String, usize)>,
    /// Usable slices without labels, which are in no part.
    pub unlabelled: usize,
    /// Usable slices with an id that an earlier row has, which are in no part.
    pub repeated_ids: usize,
    /// Slices of the split without PatientID: their studies and series stay together.
    pub without_patient: usize,
    /// Slices of the split that are the same picture as one of another patient.
    pub pictures: SharedPictures,
    /// Slices of the split that look the same as one of another patient, who may stand on another
    /// side.
    pub alike: usize,
}

/// Splits the labelled slices of an index by `rule` and writes their parts into its column `split`;
/// a split that is there is replaced. Sets prepared with [`SplitInto::Stored`](super::SplitInto)
/// share it, whatever slices they take. The same labels, patients, studies, series and pictures give the
/// same split. Memory holds a few hundred bytes a slice. An index in object storage is replaced as a whole.
///
/// # Errors
/// [`PrepareError`] if the index cannot be read or written, not be split so, or another run writes it.
pub fn store_split(index: &Path, rule: &SplitRule) -> Result<SplitReport, PrepareError> {
    let mirror = Mirror::of_file(index)?;
    mirror.need(mirror.path())?;
    let stored = store(mirror.path(), rule).map_err(|error| match error {
        PrepareError::Index(error) => PrepareError::Index(error.of_object(&mirror)),
        other => other,
    })?;
    mirror.publish(mirror.path())?;
    Ok(stored)
}

fn store(index: &Path, rule: &SplitRule) -> Result<SplitReport, PrepareError> {
    // An index that is not there needs no lock beside it.
    drop(IndexReader::open(index)?);
    let _lock = IndexLock::take(index)?;
    let mut texts = Texts::default();
    let mut members = Vec::new();
    let mut report = SplitReport::default();
    let stands_in_it = |row: &SliceRow| row.is_usable() && !row.has_flag(REPEATED_ID);
    for row in IndexReader::open(index)? {
        let row = row?;
        if !stands_in_it(&row) {
            report.repeated_ids += usize::from(row.is_usable());
            continue;
        }
        let Some(labels) = row.labels else {
            report.unlabelled += 1;
            continue;
        };
        report.without_patient += usize::from(row.patient_id.is_empty());
        let study = row.study_instance_uid.as_deref().unwrap_or_default();
        let [patient, study, series] =
            [&row.patient_id, study, &*row.series_name()].map(|text| texts.share(text));
        let id = texts.push(&row.id);
        let look = Look::of(&row);
        members.push(Member { id, labels: pack(labels), patient, study, series, look });
    }
    if members.is_empty() {
        return Err(PrepareError::NothingSelected);
    }
    let Dealt { names, parts, pictures, alike } = deal(&members, &texts, *rule)?;
    (report.pictures, report.alike) = (pictures, alike);
    drop((members, texts));
    report.parts = names.iter().map(|name| (name.clone(), 0)).collect();
    let mut parts = parts.into_iter();
    write_index(index, Some(rule), |writer| {
        for row in IndexReader::open(index)? {
            let mut row = row?;
            let part = if stands_in_it(&row) && row.labels.is_some() { parts.next() } else { None };
            row.split = part.map(|part| {
                let (name, count) = &mut report.parts[usize::from(part)];
                *count += 1;
                name.clone()
            });
            writer.push(row)?;
        }
        Ok::<(), PrepareError>(())
    })?;
    Ok(report)
}
