//! A small data set of phantoms.

use std::path::{Path, PathBuf};

use hemora_synth::{PhantomOptions, write_dataset};

/// Where a data set of phantoms lies, in the competition's layout.
#[derive(Debug, Clone)]
pub struct Phantoms {
    /// Folder of the DICOM files.
    pub images: PathBuf,
    /// Label table.
    pub labels: PathBuf,
}

impl Phantoms {
    /// Writes phantoms of `patients` patients into `folder`, a study each: images of `size` pixels a
    /// side, 12 mm apart, so that a head has few slices. The same seed gives the same bytes.
    ///
    /// # Panics
    /// If they cannot be written.
    pub fn write(folder: &Path, seed: u64, patients: usize, size: usize) -> Self {
        let options = PhantomOptions { slice_spacing: 12.0, ..PhantomOptions::default() };
        write_dataset(folder, seed, patients, &options.with_size(size), &|_, _| {})
            .unwrap_or_else(|error| panic!("cannot write phantoms: {error}"));
        Self { images: folder.join("stage_2_train"), labels: folder.join("stage_2_train.csv") }
    }
}
