//! What a reader should know of a series.

use std::fmt;

use hemora_ct::GeometryError;

use crate::{AssumedGeometry, PictureWindow};

/// Something about a series that a reader should know.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SeriesWarning {
    /// The slices have no positions: after those that have one, in the order of InstanceNumber,
    /// then of the source.
    #[error(
        "{count} slices have neither ImagePositionPatient nor a SliceLocation that could be used; \
         they stand in the order of their {order}"
    )]
    NoPosition {
        /// How many slices.
        count: usize,
        /// What decides their order.
        order: SliceOrder,
    },
    /// Slices with a part of their geometry alone; the rest was assumed.
    #[error("{count} slices have no {}; {}", geometry.absent(), instead(*geometry))]
    Assumed {
        /// How many slices.
        count: usize,
        /// What was assumed.
        geometry: AssumedGeometry,
    },
    /// Values of position, orientation or spacing that cannot be used.
    #[error("{count} slices have a geometry that cannot be used: {first}")]
    BadGeometry {
        /// How many slices.
        count: usize,
        /// What is wrong with the first of them.
        first: GeometryError,
    },
    /// Slices without PixelSpacing.
    #[error("{0} slices have no pixel spacing; distances in the image are unknown")]
    NoSpacing(usize),
    /// Images of several sizes or orientations, localizers and others, or several passes over the
    /// same positions under one SeriesInstanceUID: each is a series of its own here.
    #[error(
        "the series has {parts} parts, since its images differ in size, orientation or kind or lie \
         several times at the same positions; this is part {part}"
    )]
    Split {
        /// Number of this part, from 1.
        part: usize,
        /// How many parts.
        parts: usize,
    },
    /// Slices where another slice lies.
    #[error("{0} slices lie where another slice already lies")]
    SamePosition(usize),
    /// Different images that claim to be one.
    #[error("{0} slices share their SOPInstanceUID with another, different slice")]
    SharedUid(usize),
    /// Distances that are larger than they should be.
    #[error(
        "{count} gaps between slices: up to {largest:.1} mm where {median:.1} mm is usual; about \
         {missing} slices could be missing"
    )]
    Gaps {
        /// How many distances exceed 1.5 times the median.
        count: usize,
        /// The largest of them, mm.
        largest: f64,
        /// The median distance, mm.
        median: f64,
        /// Slices that would fill the gaps.
        missing: usize,
    },
    /// Distances that differ, gaps aside, as where the base of the skull was cut thinner.
    #[error("the slices are {smallest:.2} to {largest:.2} mm apart")]
    UnevenSpacing {
        /// The smallest distance, mm.
        smallest: f64,
        /// The largest distance that is no gap, mm.
        largest: f64,
    },
    /// An axial series that was taken with a tilted gantry.
    #[error("the gantry is tilted by {0:.1} degrees")]
    GantryTilt(f64),
    /// Sagittal or coronal slices.
    #[error("not axial: the slices stand at {0:.0} degrees to the transverse plane")]
    NotAxial(f64),
    /// Several patients under one StudyInstanceUID: each is a study of its own here.
    #[error(
        "the StudyInstanceUID stands for {0} different values of PatientID; each patient is a study \
         of its own here"
    )]
    SeveralPatients(usize),
    /// A header that names another part of the body.
    #[error("{attribute} is {value:?}, expected a head: the probabilities mean little elsewhere")]
    OtherBodyPart {
        /// The attribute.
        attribute: &'static str,
        /// Its value.
        value: String,
    },
    /// The series is a volume without identifiers.
    #[error(
        "made of a {format} volume, which says nothing of patient and study: the identifiers are \
         computed from its content"
    )]
    Volume {
        /// Name of the format, such as `NIfTI`.
        format: &'static str,
    },
    /// The series is a folder of pictures.
    #[error(
        "made of pictures in the window {window}: HU below {:.0} and above {:.0} are cut off; the \
         identifiers and the order of the slices are those of the files' names",
        window.lowest(),
        window.highest()
    )]
    Pictures {
        /// The window that the user declared.
        window: PictureWindow,
    },
    /// A UID is absent. Slices without a StudyInstanceUID or SeriesInstanceUID are held together.
    #[error(
        "{count} slices have no {attribute}; an identifier derived from the images stands in its place"
    )]
    NoUid {
        /// Which UID.
        attribute: &'static str,
        /// How many slices.
        count: usize,
    },
}

/// By what slices without a position are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SliceOrder {
    /// InstanceNumber.
    InstanceNumber,
    /// InstanceNumber is absent from some; then the names of the files.
    FileName,
}

impl fmt::Display for SliceOrder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::InstanceNumber => "instance numbers",
            Self::FileName => "files' names, since InstanceNumber is absent too",
        })
    }
}

/// What stands in for an absent part of the geometry.
fn instead(geometry: AssumedGeometry) -> &'static str {
    match geometry {
        AssumedGeometry::Orientation => {
            "that of the other slices, or the axis along which the positions differ, stands in for it"
        }
        AssumedGeometry::Position => "SliceLocation stands in for it",
        AssumedGeometry::PositionAndOrientation => {
            "SliceLocation stands in for the position, and the slices are taken for axial"
        }
    }
}
