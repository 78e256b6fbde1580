//! Annotations: which labels each pixel of a picture has, and which are not known there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hemora_ct::{LABEL_COUNT, Label};
use hemora_io::{PngError, PngPixels, read_png_pixels};
use rayon::prelude::*;

use crate::images::DataError;
use crate::memory::{InMemorySet, Item};

/// Bits that no label has.
const NO_LABEL: u8 = !((1 << LABEL_COUNT) - 1);

const ANY: u8 = 1 << Label::Any as u8;

/// Of each pixel of a picture, row by row, one bit a label (`1 << label.index()`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    rows: usize,
    columns: usize,
    present: Vec<u8>,
    unknown: Vec<u8>,
}

/// Why an annotation cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnnotationError {
    /// Not an 8-bit PNG that can be read.
    #[error(transparent)]
    Png(#[from] PngError),
    /// Another kind of picture.
    #[error(
        "{0} channels; expected RGB of 8 bits: red the labels that are present, green those that are \
         not known, one bit each, and blue 0"
    )]
    Channels(usize),
    /// A colour that no annotation has.
    #[error(
        "row {row}, column {column} is ({}, {}, {}); expected red and green below 64, one bit a \
         label, and blue 0", .colour[0], .colour[1], .colour[2]
    )]
    Colour {
        /// Row, from 0.
        row: usize,
        /// Column, from 0.
        column: usize,
        /// Red, green and blue.
        colour: [u8; 3],
    },
    /// A label that is present and not known in one pixel.
    #[error("`{label}` is both present and not known at row {row}, column {column}")]
    Both {
        /// The label.
        label: Label,
        /// Row, from 0.
        row: usize,
        /// Column, from 0.
        column: usize,
    },
    /// A label that the image does not have.
    #[error(
        "`{0}` is present, but the label table says that the image has none; mend the annotation or \
         the label"
    )]
    Denied(Label),
    /// A second annotation of an image.
    #[error("the image has an annotation from another folder; keep one of them")]
    Second,
}

/// What [`InMemorySet::annotate`] found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnnotationReport {
    /// Images that got an annotation.
    pub attached: usize,
    /// Ids of annotations without an image in the set.
    pub without_image: Vec<String>,
}

impl Annotation {
    /// Reads an 8-bit RGB PNG of the picture's shape: red has the bits of the labels that are present
    /// in a pixel, green of those that are not known there, blue is 0. Where a subtype is present, so
    /// is `any`; where `any` is known to be absent, so are the subtypes.
    ///
    /// # Errors
    /// [`AnnotationError`] says what was found instead.
    pub fn read(path: &Path) -> Result<Self, AnnotationError> {
        let PngPixels { rows, columns, channels, bytes } = read_png_pixels(path)?;
        if channels != 3 {
            return Err(AnnotationError::Channels(channels));
        }
        let mut annotation = Self { rows, columns, present: Vec::new(), unknown: Vec::new() };
        for (at, &colour) in bytes.as_chunks::<3>().0.iter().enumerate() {
            let ([mut present, mut unknown, blue], row, column) =
                (colour, at / columns, at % columns);
            if (present | unknown) & NO_LABEL != 0 || blue != 0 {
                return Err(AnnotationError::Colour { row, column, colour });
            }
            if let Some(label) = first_label(present & unknown) {
                return Err(AnnotationError::Both { label, row, column });
            }
            if present != 0 {
                present |= ANY;
                unknown &= !ANY;
            } else if unknown & ANY == 0 {
                unknown = 0;
            }
            annotation.present.push(present);
            annotation.unknown.push(unknown);
        }
        Ok(annotation)
    }

    /// Height of the picture, pixels.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Width of the picture, pixels.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Labels that are present in each pixel, one bit each.
    pub fn present(&self) -> &[u8] {
        &self.present
    }

    /// Labels that are not known in each pixel, one bit each.
    pub fn unknown(&self) -> &[u8] {
        &self.unknown
    }

    /// The labels that are present in any pixel, one bit each.
    fn all_present(&self) -> u8 {
        self.present.iter().fold(0, |all, bits| all | bits)
    }

    /// The nearest pixels at `side` × `side`.
    fn resized(self, side: usize) -> Self {
        if (self.rows, self.columns) == (side, side) {
            return self;
        }
        let nearest = |at: usize, length: usize| (2 * at + 1) * length / (2 * side);
        let columns: Vec<usize> = (0..side).map(|at| nearest(at, self.columns)).collect();
        let plane = |pixels: &[u8]| {
            let row = |at: usize| &pixels[nearest(at, self.rows) * self.columns..][..self.columns];
            (0..side).flat_map(|at| columns.iter().map(move |column| row(at)[*column])).collect()
        };
        let (present, unknown) = (plane(&self.present), plane(&self.unknown));
        Self { rows: side, columns: side, present, unknown }
    }
}

/// The first label of some bits.
fn first_label(bits: u8) -> Option<Label> {
    Label::ALL.into_iter().find(|label| bits & (1 << label.index()) != 0)
}

impl InMemorySet {
    /// Attaches the annotations in `folder`, `<image id>.png` each as [`Annotation::read`] reads it, to
    /// the images of the set, at the nearest pixels of the working size: they are of the picture that
    /// the set shows, upright. Where a label of an image is not known, but present in a pixel, it is
    /// known from then on. Other files are passed over.
    ///
    /// # Errors
    /// [`DataError::Annotation`] names the file, and the label that is present in a pixel though the
    /// image is known to be without.
    pub fn annotate(&mut self, folder: &Path) -> Result<AnnotationReport, DataError> {
        let mut files = annotation_files(folder).map_err(|error| DataError::Annotation {
            path: folder.to_owned(),
            source: PngError::from(error).into(),
        })?;
        let side = self.working_size;
        let attach = |item: &mut Item| -> Result<bool, DataError> {
            let Some(path) = files.get(&item.id) else { return Ok(false) };
            let attached = Annotation::read(path).and_then(|read| item.attach(read, side));
            let refused = |source| DataError::Annotation { path: path.clone(), source };
            attached.map(|()| true).map_err(refused)
        };
        let attached: Vec<_> = self.items.par_iter_mut().map(attach).collect();
        let mut report = AnnotationReport::default();
        for (item, attached) in self.items.iter().zip(attached) {
            if attached? {
                report.attached += 1;
                files.remove(&item.id);
            }
        }
        report.without_image = files.into_keys().collect();
        Ok(report)
    }

    /// The annotation of an image at the working size, if it has one.
    pub fn annotation(&self, index: usize) -> Option<&Annotation> {
        self.items[index].annotation.as_ref()
    }
}

impl Item {
    fn attach(&mut self, annotation: Annotation, side: usize) -> Result<(), AnnotationError> {
        if self.annotation.is_some() {
            return Err(AnnotationError::Second);
        }
        // Of all pixels, as the nearest ones may miss a small bleed.
        let present = annotation.all_present();
        for label in Label::ALL.into_iter().filter(|label| present & (1 << label.index()) != 0) {
            if self.known[label.index()] && !self.labels[label.index()] {
                return Err(AnnotationError::Denied(label));
            }
            self.known[label.index()] = true;
            self.labels[label.index()] = true;
        }
        self.annotation = Some(annotation.resized(side));
        Ok(())
    }
}

/// The PNG files of a folder by their ids.
fn annotation_files(folder: &Path) -> std::io::Result<BTreeMap<String, PathBuf>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_png = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("png"));
        let id = path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned);
        if let Some(id) = id.filter(|_| is_png && path.is_file()) {
            files.insert(id, path);
        }
    }
    Ok(files)
}
