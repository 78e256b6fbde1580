//! Image files paired with their labels: a data set on disk, before anything is decoded.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};

use hemora_ct::{LABEL_COUNT, RecipeError};

use crate::annotation::AnnotationError;
use crate::labels::{LabelReport, LabelTable};
use crate::table::TableError;

/// How deep folders are searched: data sets have one folder a patient, study and series.
const MAX_DEPTH: usize = 16;

/// What the image files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageKind {
    /// 8-bit grey, windowed by whoever made the files: no longer HU, so every channel of a recipe
    /// gets the same values whatever its window says.
    WindowedPng,
    /// JPEG of a prepared set, grey or three channels, windowed by its recipe: a colour is a
    /// channel of the network's input.
    PreparedJpeg,
    /// DICOM: HU, windowed as the recipe says.
    Dicom,
}

/// One image with its labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageEntry {
    /// Id: the file's name without its extension, as the label table has it.
    pub id: String,
    /// The file.
    pub path: PathBuf,
    /// Labels, in label order; one that is not known reads false.
    pub labels: [bool; LABEL_COUNT],
    /// Which labels are known, in label order: all, unless [`ImageSet::open_partial`] paired them.
    pub known: [bool; LABEL_COUNT],
}

/// What did not pair up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PairingReport {
    /// Ids of images without labels.
    pub unlabelled: Vec<String>,
    /// Ids of labels without an image.
    pub without_image: Vec<String>,
    /// Files with an id that an earlier file has; they are not used.
    pub repeated: Vec<PathBuf>,
    /// Files that are neither `.png`, `.jpg` nor `.dcm`, folders that cannot be read or lie too deep.
    pub other_files: usize,
    /// What the label table had beside usable images.
    pub labels: LabelReport,
}

/// Why a data set cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The label table cannot be used.
    #[error(transparent)]
    Labels(#[from] TableError),
    /// The folder of images cannot be read.
    #[error("{}: cannot read the folder of images: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// The folder has no images.
    #[error(
        "{}: no `.png`, `.jpg` or `.dcm` files here; give the folder of the images",
        .0.display()
    )]
    NoImages(PathBuf),
    /// PNG, JPEG and DICOM in one folder.
    #[error(
        "{}: {png} PNG, {jpeg} JPEG and {dicom} DICOM files; expected one kind, as they are \
         windowed differently",
        path.display()
    )]
    MixedKinds {
        /// The folder.
        path: PathBuf,
        /// PNG files found.
        png: usize,
        /// JPEG files found.
        jpeg: usize,
        /// DICOM files found.
        dicom: usize,
    },
    /// Not one image has labels.
    #[error(
        "none of {images} images has labels: images are named like `{image}`, labels like `{label}`"
    )]
    NothingPaired {
        /// Number of images.
        images: usize,
        /// The first image's id.
        image: String,
        /// The first labelled id.
        label: String,
    },
    /// The recipe is not usable.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The recipe wants neighbouring slices.
    #[error(
        "channel {channel} of the recipe takes the slice at offset {offset}, but these are single \
         images that know no neighbours; use a recipe with offset 0, or `hemora prepare --recipe hu`"
    )]
    Neighbours {
        /// The channel.
        channel: usize,
        /// Its offset, slices.
        offset: i32,
    },
    /// The set was loaded for another recipe.
    #[error(
        "channel {channel} of the recipe has the window {level}/{width}, which was not loaded; load \
         the images with this recipe"
    )]
    Window {
        /// The channel.
        channel: usize,
        /// Its level, HU.
        level: f32,
        /// Its width, HU.
        width: f32,
    },
    /// The recipe has another number of channels than the images.
    #[error(
        "the images have {planes} channels, the recipe {channels}; expected as many, or grey images"
    )]
    ChannelCount {
        /// Channels of the images.
        planes: usize,
        /// Channels of the recipe.
        channels: usize,
    },
    /// HU are not known.
    #[error("these images were windowed before; only DICOM files can be loaded in HU")]
    NoHu,
    /// Only prepared JPEGs are decoded batch by batch.
    #[error("these images are no JPEGs of a prepared set, which alone are read batch by batch")]
    NotPrepared,
    /// A prepared set in HU that cannot be used.
    #[error("{}: {reason}", path.display())]
    Shard {
        /// The shard.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// Working size out of bounds.
    #[error("working size {0} is not between 16 and 2048 pixels")]
    WorkingSize(usize),
    /// The decoded images do not fit.
    #[error("{0} bytes of decoded images do not fit into memory; use a smaller working size")]
    TooLarge(u128),
    /// Nothing could be decoded.
    #[error("none of {count} images could be read; the first, {}: {reason}", path.display())]
    AllSkipped {
        /// Number of images.
        count: usize,
        /// The first image.
        path: PathBuf,
        /// Why it was skipped.
        reason: String,
    },
    /// An annotation that cannot be used.
    #[error("{}: {source}", path.display())]
    Annotation {
        /// The annotation, or the folder of them.
        path: PathBuf,
        /// What was found.
        source: AnnotationError,
    },
    /// Parts given by hand do not belong together.
    #[error("{0}")]
    Parts(String),
}

/// Images with labels, in the order of their ids.
#[derive(Debug, Clone)]
pub struct ImageSet {
    kind: ImageKind,
    images: Vec<ImageEntry>,
    report: PairingReport,
}

impl ImageSet {
    /// Pairs the images below the folder `images` with the label table `labels` by id. No image
    /// is opened.
    ///
    /// # Errors
    /// [`DataError`] if the folder or the table cannot be read, there are no images, both kinds of
    /// images, or no image has labels.
    pub fn open(images: &Path, labels: &Path) -> Result<Self, DataError> {
        Self::pair(images, &LabelTable::read(labels)?)
    }

    /// The same with images of which only some labels are known, of a table that
    /// [`LabelTable::read_partial`] reads.
    ///
    /// # Errors
    /// As [`ImageSet::open`].
    pub fn open_partial(images: &Path, labels: &Path) -> Result<Self, DataError> {
        Self::pair(images, &LabelTable::read_partial(labels)?)
    }

    fn pair(images: &Path, table: &LabelTable) -> Result<Self, DataError> {
        let mut report = PairingReport { labels: table.report().clone(), ..Default::default() };
        let mut files = Files::default();
        let folder = |source| DataError::Folder { path: images.to_owned(), source };
        walk(images, 0, &mut files).map_err(folder)?;
        report.other_files = files.other;
        let counts = (files.png.len(), files.jpeg.len(), files.dicom.len());
        let (kind, mut paths) = match counts {
            (0, 0, 0) => return Err(DataError::NoImages(images.to_owned())),
            (_, 0, 0) => (ImageKind::WindowedPng, files.png),
            (0, _, 0) => (ImageKind::PreparedJpeg, files.jpeg),
            (0, 0, _) => (ImageKind::Dicom, files.dicom),
            (png, jpeg, dicom) => {
                return Err(DataError::MixedKinds { path: images.to_owned(), png, jpeg, dicom });
            }
        };
        paths.sort_unstable();
        let mut by_id: BTreeMap<String, PathBuf> = BTreeMap::new();
        for (id, path) in paths {
            match by_id.entry(id) {
                Entry::Vacant(entry) => {
                    entry.insert(path);
                }
                Entry::Occupied(_) => report.repeated.push(path),
            }
        }
        let absent = |id: &str| !by_id.contains_key(id);
        report.without_image =
            table.iter().map(|(id, _)| id).filter(|id| absent(id)).map(str::to_owned).collect();
        let count = by_id.len();
        let mut paired = Vec::new();
        for (id, path) in by_id {
            match table.get(&id).zip(table.known(&id)) {
                Some((labels, known)) => paired.push(ImageEntry { id, path, labels, known }),
                None => report.unlabelled.push(id),
            }
        }
        if paired.is_empty() {
            return Err(DataError::NothingPaired {
                images: count,
                image: report.unlabelled.first().cloned().unwrap_or_default(),
                label: report.without_image.first().cloned().unwrap_or_default(),
            });
        }
        Ok(Self { kind, images: paired, report })
    }

    /// What the image files are.
    pub fn kind(&self) -> ImageKind {
        self.kind
    }

    /// The images that have labels.
    pub fn images(&self) -> &[ImageEntry] {
        &self.images
    }

    /// Leaves out the images whose id is not `wanted`, before anything is decoded.
    pub fn keep(&mut self, wanted: impl Fn(&str) -> bool) {
        self.images.retain(|image| wanted(&image.id));
    }

    /// What did not pair up.
    pub fn report(&self) -> &PairingReport {
        &self.report
    }
}

/// Files found, as (id, path).
#[derive(Default)]
struct Files {
    png: Vec<(String, PathBuf)>,
    jpeg: Vec<(String, PathBuf)>,
    dicom: Vec<(String, PathBuf)>,
    other: usize,
}

fn walk(folder: &Path, depth: usize, files: &mut Files) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        // Links to folders are not followed: they can lead in a circle.
        if entry.file_type()?.is_dir() {
            if depth + 1 >= MAX_DEPTH || walk(&path, depth + 1, files).is_err() {
                files.other += 1;
            }
            continue;
        }
        let id = path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned);
        let extension = path.extension().map(|end| end.to_ascii_lowercase());
        match (id, extension.as_deref().and_then(|end| end.to_str())) {
            (Some(id), Some("png")) if path.is_file() => files.png.push((id, path)),
            (Some(id), Some("jpg" | "jpeg")) if path.is_file() => files.jpeg.push((id, path)),
            (Some(id), Some("dcm")) if path.is_file() => files.dicom.push((id, path)),
            _ => files.other += 1,
        }
    }
    Ok(())
}
