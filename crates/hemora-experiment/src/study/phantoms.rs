//! A study's images where there are none: phantoms, indexed and prepared as real ones are.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use hemora_data::{Output, PrepareRecipe, PreparedSet, Selection, build_index, prepare};
use hemora_synth::{PhantomOptions, write_dataset};

use crate::engine::claim;
use crate::study::{SetRequest, StudyError};

/// Which phantoms are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phantoms {
    /// Patients, one study each.
    pub patients: usize,
    /// Seed.
    pub seed: u64,
    /// Rows and columns of the images.
    pub size: usize,
}

/// Makes phantoms in `folder`, or takes those that are there: DICOM files, their index, and the set
/// that the recipe `howard` makes of them. `progress(what, done, total)` is called from any thread.
///
/// # Errors
/// [`StudyError`] of the step that failed, or if the folder has other phantoms.
pub fn phantoms(
    folder: &Path,
    wanted: Phantoms,
    progress: &(dyn Fn(&str, usize, usize) + Sync),
) -> Result<SetRequest, StudyError> {
    let Phantoms { patients, seed, size } = wanted;
    let (data, index) = (folder.join("dicom"), folder.join("index.parquet"));
    let prepared = folder.join("prepared");
    let about = format!("{patients} patients, seed {seed}, {size} pixels\n");
    let settings = folder.join("about.txt");
    if !claim(&settings, &about)? {
        return Err(StudyError::OtherSettings(settings));
    }
    if !PreparedSet::is_one(&prepared) {
        let labels = data.join("stage_2_train.csv");
        if !labels.exists() {
            let options = PhantomOptions::default().with_size(size);
            let made = |done, total| progress("phantoms made", done, total);
            write_dataset(&data, seed, patients, &options, &made)?;
        }
        let indexed = |done, total| progress("slices indexed", done, total);
        let images: Vec<PathBuf> = vec![data.join("stage_2_train")];
        build_index(&images, &[labels], &index, &indexed)?;
        let prepared_slices = |done, total| {
            progress("slices prepared", done, total);
            ControlFlow::Continue(())
        };
        prepare(&index, &prepared, &recipe(size), &Selection::default(), &prepared_slices)?;
    }
    Ok(SetRequest {
        images: prepared,
        z: Some(index.display().to_string()),
        name: Some(format!("{patients} phantoms, seed {seed}, {size} pixels")),
        ..SetRequest::default()
    })
}

/// The seed study's recipe for images of this size: enlarging them first would only take time.
fn recipe(size: usize) -> PrepareRecipe {
    let howard = PrepareRecipe::built_in("howard").expect("built in");
    let Output::Jpeg { .. } = howard.output else { unreachable!("howard makes JPEG") };
    PrepareRecipe {
        name: format!("howard at {size} pixels"),
        canvas: Some(size),
        size: howard.size.map(|of_howard| of_howard.min(size)),
        ..howard
    }
}
