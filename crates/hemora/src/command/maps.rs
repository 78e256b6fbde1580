//! The volumes of `hemora triage --maps`: a file for each series and label.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use hemora_base::printable;
use hemora_infer::SeriesMaps;
use hemora_io::write_volume;
use miette::{IntoDiagnostic, Result, WrapErr};

use crate::output::{make_folder, refuse_filled};

/// Longest name that is made of an identifier, characters: file systems allow 255 bytes with the label.
const LONGEST: usize = 100;

/// A folder for volumes, `STUDY/SERIES-LABEL.nii.gz`.
pub struct MapFiles {
    folder: PathBuf,
    written: Mutex<Written>,
}

/// What became of the series so far.
#[derive(Default)]
struct Written {
    names: BTreeSet<PathBuf>,
    /// For each reason why a series has no volumes: the first such series, and how many.
    left_out: BTreeMap<String, (String, usize)>,
    failure: Option<miette::Report>,
}

impl MapFiles {
    /// Makes the folder.
    ///
    /// # Errors
    /// A report that names it, if it cannot be made or holds anything: an earlier run's volumes would look
    /// like this one's.
    pub fn new(folder: &Path) -> Result<Self> {
        refuse_filled(folder, "--maps")?;
        make_folder(folder)?;
        Ok(Self { folder: folder.to_owned(), written: Mutex::default() })
    }

    /// Writes the volumes of a series; nothing more after a failure.
    pub fn write(&self, maps: SeriesMaps) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if written.failure.is_none() {
            written.failure = self.write_series(&mut written, maps).err();
        }
    }

    fn write_series(&self, written: &mut Written, maps: SeriesMaps) -> Result<()> {
        let series = maps.series_instance_uid;
        let volumes = match maps.volumes {
            Ok(volumes) => volumes,
            Err(reason) => {
                written.left_out.entry(reason).or_insert((series, 0)).1 += 1;
                return Ok(());
            }
        };
        let folder = self.folder.join(file_name(&maps.study_instance_uid));
        let mut path = folder.join(file_name(&series));
        // Parts of a split series share their UID, and two patients may share all.
        for number in 2.. {
            if volumes.is_empty() || written.names.insert(path.clone()) {
                break;
            }
            path = folder.join(format!("{}-{number}", file_name(&series)));
        }
        for (label, volume) in volumes {
            make_folder(&folder)?;
            let mut name = path.clone().into_os_string();
            name.push(format!("-{label}.nii.gz"));
            write_volume(name.as_ref(), &volume)
                .into_diagnostic()
                .wrap_err_with(|| format!("cannot write {}", name.display()))?;
        }
        Ok(())
    }

    /// Prints to standard error which series have no volumes, and why.
    ///
    /// # Errors
    /// A report that names the file that could not be written.
    pub fn finish(self) -> Result<()> {
        let written = self.written.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(failure) = written.failure {
            return Err(failure);
        }
        for (reason, (series, count)) in written.left_out {
            let series = printable(&series);
            let which = match count {
                1 => format!("series {series}"),
                count => format!("{count} series, such as {series}"),
            };
            eprintln!("no maps of {which}: {reason}");
        }
        Ok(())
    }
}

/// An identifier as the name of a file or folder: it comes from a file and may hold anything.
fn file_name(uid: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let name: String =
        uid.chars().map(|c| if is_plain(c) { c } else { '_' }).take(LONGEST).collect();
    match name.starts_with('.') || name.is_empty() {
        true => format!("_{name}"),
        false => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hemora_ct::Label;
    use hemora_io::NewVolume;

    fn maps(study: &str, series: &str) -> SeriesMaps {
        let patient_from_voxel = [[1.0, 0.0, 0.0, 0.0]; 3];
        let volume = NewVolume { size: [1; 3], voxels: vec![1], slope: 1.0, patient_from_voxel };
        SeriesMaps {
            study_instance_uid: study.to_owned(),
            series_instance_uid: series.to_owned(),
            volumes: Ok(vec![(Label::Any, volume.clone()), (Label::Subdural, volume)]),
        }
    }

    #[test]
    fn identifiers_never_leave_the_folder() {
        assert_eq!(file_name("1.2.840"), "1.2.840");
        assert_eq!(file_name("../../etc/passwd"), "_.._.._etc_passwd");
        assert_eq!(file_name(""), "_");
        assert_eq!(file_name(".."), "_..");
        assert_eq!(file_name(&"é9".repeat(200)).len(), LONGEST);
    }

    #[test]
    fn series_of_one_name_do_not_overwrite_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let files = MapFiles::new(&folder.path().join("maps")).unwrap();
        files.write(maps("1.2", "1.2.3"));
        files.write(maps("1.2", "1.2.3"));
        files.write(SeriesMaps { volumes: Err("no spacing".to_owned()), ..maps("1.3", "1.3.1") });
        files.finish().unwrap();
        let study = folder.path().join("maps/1.2");
        let mut names: Vec<String> = std::fs::read_dir(&study)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let expected = ["1.2.3-2-any", "1.2.3-2-subdural", "1.2.3-any", "1.2.3-subdural"];
        assert_eq!(names, expected.map(|name| format!("{name}.nii.gz")));
        assert!(!folder.path().join("maps/1.3").exists());
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let files = MapFiles::new(folder.path()).unwrap();
        std::fs::write(folder.path().join("1.2"), "in the way").unwrap();
        files.write(maps("1.2", "1.2.3"));
        files.write(maps("1.4", "1.4.1"));
        let message = format!("{:?}", files.finish().unwrap_err());
        assert!(message.contains("1.2"), "{message}");
        assert!(!folder.path().join("1.4").exists(), "nothing after a failure");
    }
}
