//! A slice that is to be gathered: what is known of it before its pixels are read.

use std::path::PathBuf;

use hemora_ct::LABEL_COUNT;

use super::annotation::BoxInPixels;

/// The labels of a slice in label order; `None` where one is not known.
pub type SliceLabels = [Option<bool>; LABEL_COUNT];

/// Where a slice comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Set {
    /// Windowed pictures of the RSNA competition.
    RsnaPng,
    /// DICOM files of the RSNA competition.
    RsnaDicom,
    /// PHE-SICH-CT-IDS.
    PheSich,
    /// MBH-Seg25.
    MbhSeg,
}

impl Set {
    /// All of them, in the order in which they are gathered.
    pub const ALL: [Self; 4] = [Self::RsnaPng, Self::RsnaDicom, Self::PheSich, Self::MbhSeg];

    /// The name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::RsnaPng => "rsna-png",
            Self::RsnaDicom => "rsna-dicom",
            Self::PheSich => "phe-sich",
            Self::MbhSeg => "mbh-seg",
        }
    }

    /// What the labels of a slice weigh in training. Every patient of PHE-SICH bleeds, on one
    /// hospital's scanner: at full weight "this scanner" would come to mean "bleeds".
    pub fn weight(self) -> f64 {
        match self {
            Self::RsnaPng | Self::RsnaDicom | Self::MbhSeg => 1.0,
            Self::PheSich => 0.7,
        }
    }

    /// What stands before its patients, so that those of two sets are never one.
    pub(super) fn patients(self) -> &'static str {
        match self {
            Self::RsnaPng | Self::RsnaDicom => "rsna",
            Self::PheSich | Self::MbhSeg => self.name(),
        }
    }
}

/// The HU that black and white of an 8-bit picture stand for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct GreyScale {
    pub black: f32,
    pub white: f32,
}

impl GreyScale {
    /// The brain window, level 40 and width 80.
    pub const BRAIN: Self = Self { black: 0.0, white: 80.0 };
    /// PHE-SICH, estimated from its cerebrospinal fluid, brain and clot.
    pub const PHE_SICH: Self = Self { black: -20.0, white: 120.0 };
    /// MBH-Seg25: the value is the HU.
    pub const MBH_SEG: Self = Self { black: 0.0, white: 255.0 };

    /// HU of a grey value, 0 to 1.
    pub fn hu(self, grey: f32) -> f32 {
        self.black + grey * (self.white - self.black)
    }
}

/// The file with the pixels.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Pixels {
    /// An 8-bit grey PNG.
    Png(PathBuf, GreyScale),
    /// A DICOM file.
    Dicom(PathBuf),
}

/// What says something of single pixels.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Marks {
    /// Nothing does.
    None,
    /// Boxes of PHE-SICH around clot and oedema, of a slice that bleeds; there may be none.
    Boxes(Vec<BoxInPixels>),
    /// A mask of MBH-Seg25, from which the labels are taken; `doubtful` if its epidural pixels are.
    Types { path: PathBuf, doubtful: bool },
    /// A mask of intraparenchymal or intraventricular blood.
    Blood(PathBuf),
}

/// A slice that is to be gathered.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    pub set: Set,
    /// Name of its files in what is written.
    pub id: String,
    /// Its patient or what is best known, without the set's prefix.
    pub group: String,
    /// Its labels, but for those that [`Marks::Types`] gives.
    pub labels: SliceLabels,
    /// Place in its scan: slice number, or mm along the normal for DICOM.
    pub z: Option<f64>,
    pub pixels: Pixels,
    pub marks: Marks,
}
