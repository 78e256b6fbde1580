//! The images that are sent, as files.

use std::collections::BTreeMap;
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

/// Small heads of 15 slices and large ones of 34.
const SMALL: usize = 16;
const LARGE: usize = 4;

/// The last image of every so many studies comes late.
const LATE_EVERY: usize = 3;

/// Makes `count` images in studies of 250. Every other study has a head, until there are 20: it is scored
/// and delivered. What fills them up, and all of the other studies, are localizers, which nobody scores.
pub fn make(program: &Path, folder: &Path, count: usize) -> Result<Vec<Image>> {
    let mut heads = phantoms(program, &folder.join("large"), LARGE, 512, 5)?;
    let large = heads[0][0].clone();
    heads.extend(phantoms(program, &folder.join("small"), SMALL, 128, 12)?);
    let tiny = phantoms(program, &folder.join("tiny"), 1, 64, 12)?[0][0].clone();
    let files = folder.join("sent");
    std::fs::create_dir_all(&files).into_diagnostic()?;
    let mut images = Vec::with_capacity(count);
    for number in 0..count {
        let (study, image) = (number / OF_STUDY, number % OF_STUDY);
        let head = heads.get(study / 2).filter(|_| study.is_multiple_of(2));
        let slice: Option<&Slice> = head.and_then(|head| head.get(image));
        let filler = if number.is_multiple_of(LARGE_EVERY) { &large } else { &tiny };
        let name = Name { study, image, localizer: slice.is_none() };
        let path = files.join(format!("{number}.dcm"));
        std::fs::write(&path, slice.unwrap_or(filler).named(name)?)
            .into_diagnostic()
            .wrap_err("cannot write an image")?;
        images.push(Image { name, path });
    }
    Ok(images)
}

/// Whether an image is sent after the results of all others are delivered, so that its study is scored again.
pub fn is_late(image: &Image) -> bool {
    image.name.study.is_multiple_of(LATE_EVERY) && image.name.image == OF_STUDY - 1
}

/// StudyInstanceUID of every study.
pub fn studies(images: &[Image]) -> impl Iterator<Item = String> + use<> {
    let studies: BTreeMap<usize, String> =
        images.iter().map(|image| (image.name.study, image.name.study_uid())).collect();
    studies.into_values()
}
