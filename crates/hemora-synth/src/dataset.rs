//! A data set of phantoms in the layout of the RSNA 2019 challenge.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use hemora_ct::{LABEL_COUNT, Label};
use hemora_io::PixelStorage;
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::bleed::with_companions;
use crate::ids::CompetitionIds;
use crate::phantom::{Stream, generator};
use crate::write::write_files;
use crate::{Bleeds, HeadPhantom, PhantomOptions, SynthError};

/// Share of patients with hemorrhage in per cent.
const POSITIVE_PERCENT: usize = 45;
/// More patients than this are surely a mistake: they would be about 30 million files.
const MOST_PATIENTS: usize = 1_000_000;

/// What a data set holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DatasetSummary {
    /// Patients, each with one study of one series.
    pub patients: usize,
    /// Patients with hemorrhage in some slice.
    pub positive_patients: usize,
    /// Slices.
    pub slices: usize,
    /// Slices with each label, in label order.
    pub positive_slices: [usize; LABEL_COUNT],
}

/// Writes `dir/stage_2_train/ID_….dcm` and `dir/stage_2_train.csv` with one study for each of
/// `patients`. `options` gives the size of images and slices; bleeds and gantry tilt are drawn for
/// each patient (45 % of them have hemorrhage, every subtype among them; half of them tilt), and
/// the pixel spacing varies by 8 %.
/// `progress(done, total)` is called after each patient.
///
/// The folder is written beside and renamed when it is complete, the table last: where there is a
/// table, everything is there.
///
/// # Errors
/// [`SynthError`] if an option is out of range, the data set is there already or cannot be
/// written.
pub fn write_dataset(
    dir: &Path,
    seed: u64,
    patients: usize,
    options: &PhantomOptions,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<DatasetSummary, SynthError> {
    options.check()?;
    if !(1..=MOST_PATIENTS).contains(&patients) {
        let found = patients.to_string();
        let expected = "1 to 1000000";
        return Err(SynthError::Option { name: "number of patients", found, expected });
    }
    let (images, table) = (dir.join("stage_2_train"), dir.join("stage_2_train.csv"));
    for path in [&images, &table] {
        if path.exists() {
            return Err(SynthError::Exists(path.clone()));
        }
    }
    let partial = dir.join("stage_2_train.partial");
    if partial.exists() {
        // Left by a run that did not end.
        in_path(&partial, fs::remove_dir_all(&partial))?;
    }
    in_path(&partial, fs::create_dir_all(&partial))?;

    let mut random = generator(seed, Stream::Ids, 0);
    let mut ids = CompetitionIds::default();
    let mut summary = DatasetSummary { patients, ..DatasetSummary::default() };
    let mut rows: Vec<(String, [bool; LABEL_COUNT])> = Vec::new();
    for (done, bleeds) in plan(&mut random, patients).into_iter().enumerate() {
        let tilt_degrees =
            if random.random_bool(0.5) { 0.0 } else { random.random_range(5.0..24.0f64).round() };
        let spacing = (options.spacing * random.random_range(0.92..1.08)).clamp(0.1, 16.0);
        let bleeds = Bleeds::These(bleeds);
        let options = PhantomOptions { bleeds, tilt_degrees, spacing, ..options.clone() };
        let study = HeadPhantom::new(random.random(), options)?.render();
        let ids = ids.study(&mut random, study.slices.len());
        let storage = match random.random_range(0..20) {
            0..10 => PixelStorage::Unsigned12 { intercept: -1024 },
            10..19 => PixelStorage::Signed16 { intercept: -1024 },
            _ => PixelStorage::Signed16 { intercept: 0 },
        };
        let names = ids.sop_instance_uids.iter().map(|id| format!("{id}.dcm")).collect();
        write_files(&partial, &study, &ids, storage, names)?;
        summary.slices += study.slices.len();
        summary.positive_patients += usize::from(study.labels()[Label::Any.index()]);
        for (id, slice) in ids.sop_instance_uids.into_iter().zip(&study.slices) {
            for (count, &present) in summary.positive_slices.iter_mut().zip(&slice.labels) {
                *count += usize::from(present);
            }
            rows.push((id, slice.labels));
        }
        progress(done + 1, patients);
    }
    in_path(&images, fs::rename(&partial, &images))?;
    rows.sort();
    write_table(&table, &rows)?;
    Ok(summary)
}

/// The bleeds of each patient: a fixed share is positive and the subtypes take turns.
fn plan(random: &mut ChaCha8Rng, patients: usize) -> Vec<Vec<Label>> {
    let positive = (patients * POSITIVE_PERCENT).div_ceil(100);
    let mut bleeds: Vec<Vec<Label>> = vec![Vec::new(); patients];
    for turn in 0..positive.max(LABEL_COUNT - 1) {
        let first = Label::SUBTYPES[turn % (LABEL_COUNT - 1)];
        // With fewer positive patients than subtypes one patient has several.
        let patient = &mut bleeds[turn % positive];
        patient.extend(with_companions(random, first));
        patient.sort();
        patient.dedup();
    }
    bleeds.shuffle(random);
    bleeds
}

fn write_table(path: &Path, rows: &[(String, [bool; LABEL_COUNT])]) -> Result<(), SynthError> {
    let mut text = String::from("ID,Label\n");
    for (id, labels) in rows {
        for label in Label::ALL {
            let present = u8::from(labels[label.index()]);
            writeln!(text, "{id}_{label},{present}").expect("a string takes any text");
        }
    }
    let partial = path.with_extension("csv.partial");
    let write = || {
        let mut file = File::create(&partial)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&partial, path)
    };
    in_path(path, write())
}

fn in_path<T>(path: &Path, result: std::io::Result<T>) -> Result<T, SynthError> {
    result.map_err(|source| SynthError::Io { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn any_number_of_patients_covers_every_subtype() {
        for patients in [1, 2, 5, 11, 60] {
            let bleeds = plan(&mut ChaCha8Rng::seed_from_u64(patients as u64), patients);
            assert_eq!(bleeds.len(), patients);
            for label in Label::SUBTYPES {
                assert!(bleeds.iter().any(|labels| labels.contains(&label)), "{patients} {label}");
            }
            let positive = bleeds.iter().filter(|labels| !labels.is_empty()).count();
            assert_eq!(positive, (patients * 45).div_ceil(100));
        }
    }
}
