//! The images that are sent, as files.

use std::path::{Path, PathBuf};

use miette::{IntoDiagnostic, Result, WrapErr};

use crate::node::{Name, Slice, phantoms};

/// Images of a study.
const OF_STUDY: usize = 250;

/// Every so many images one is of full size, 525 kB.
const LARGE_EVERY: usize = 20;

/// A file to send.
#[derive(Debug, Clone)]
pub struct Image {
    /// What it is.
    pub name: Name,
    /// Where it is.
    pub path: PathBuf,
}

/// Makes `count` images in studies of 250. The first few are heads, scored and delivered, of 15 or 34
/// slices; what fills them up, and all other studies, are localizers, which nobody scores.
pub fn make(program: &Path, folder: &Path, count: usize) -> Result<Vec<Image>> {
    let mut heads = phantoms(program, &folder.join("small"), 4, 128, 12)?;
    heads.extend(phantoms(program, &folder.join("large"), 2, 512, 5)?);
    let small = phantoms(program, &folder.join("tiny"), 1, 64, 12)?;
    let (tiny, large) = (&small[0][0], &heads[4][0]);
    let files = folder.join("sent");
    std::fs::create_dir_all(&files).into_diagnostic()?;
    let mut images = Vec::with_capacity(count);
    for number in 0..count {
        let (study, image) = (number / OF_STUDY, number % OF_STUDY);
        let slice: Option<&Slice> = heads.get(study).and_then(|head| head.get(image));
        let filler = if number.is_multiple_of(LARGE_EVERY) { large } else { tiny };
        let name = Name { study, image, localizer: slice.is_none() };
        let path = files.join(format!("{number}.dcm"));
        std::fs::write(&path, slice.unwrap_or(filler).named(name)?)
            .into_diagnostic()
            .wrap_err("cannot write an image")?;
        images.push(Image { name, path });
    }
    Ok(images)
}

/// StudyInstanceUID of every study.
pub fn studies(images: &[Image]) -> impl Iterator<Item = String> + '_ {
    images.chunk_by(|a, b| a.name.study == b.name.study).map(|study| study[0].name.study_uid())
}
