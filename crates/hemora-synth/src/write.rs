//! A study as a DICOM series.

use std::fs;
use std::path::{Path, PathBuf};

use hemora_io::{NewSlice, PixelStorage, write_slice};
use rayon::prelude::*;

use crate::{PhantomStudy, StudyIds, SynthError};

/// Writes one file a slice, `slice-001.dcm` and on, into `dir`, which is made if it is absent.
/// Gives the paths in the order of the slices.
///
/// # Errors
/// [`SynthError`] if there is not one identifier a slice or a file cannot be written; files
/// written before that stay.
pub fn write_study(
    dir: &Path,
    study: &PhantomStudy,
    ids: &StudyIds,
    storage: PixelStorage,
) -> Result<Vec<PathBuf>, SynthError> {
    let names = (1..=study.slices.len()).map(|number| format!("slice-{number:03}.dcm")).collect();
    write_files(dir, study, ids, storage, names)
}

/// As [`write_study`], under the given names.
pub(crate) fn write_files(
    dir: &Path,
    study: &PhantomStudy,
    ids: &StudyIds,
    storage: PixelStorage,
    names: Vec<String>,
) -> Result<Vec<PathBuf>, SynthError> {
    if ids.sop_instance_uids.len() != study.slices.len() {
        let (found, expected) = (ids.sop_instance_uids.len(), study.slices.len());
        return Err(SynthError::Ids { found, expected });
    }
    fs::create_dir_all(dir).map_err(|source| SynthError::Io { path: dir.to_owned(), source })?;
    names
        .into_par_iter()
        .enumerate()
        .map(|(index, name)| {
            let path = dir.join(name);
            let new = NewSlice {
                sop_instance_uid: &ids.sop_instance_uids[index],
                series_instance_uid: &ids.series_instance_uid,
                study_instance_uid: &ids.study_instance_uid,
                patient_id: &ids.patient_id,
                series_description: "head phantom",
                instance_number: index as i32 + 1,
                storage,
                slice: &study.slices[index].slice,
            };
            match write_slice(&path, &new) {
                Ok(()) => Ok(path),
                Err(source) => Err(SynthError::Slice { path, source }),
            }
        })
        .collect()
}
