//! Slices grouped into series and studies, ordered along the slice normal.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;

use hemora_ct::{GeometryError, ImagePlane, Slice, stack};

use crate::header::Member;
use crate::source::frame_number;
use crate::uid::dotted_uid;
use crate::{FileFormat, PictureWindow, ReadError, Reader, SliceHeader};

/// Something about a series that a reader should know.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SeriesWarning {
    /// The slices have no positions: after those that have one, in the order of InstanceNumber,
    /// then of the source.
    #[error("{0} slices have no position; they keep the order of their instance numbers")]
    NoPosition(usize),
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
    /// Images of several sizes or orientations under one SeriesInstanceUID: each kind is a series
    /// of its own here.
    #[error("the series has images of {parts} sizes or orientations; this is part {part}")]
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
    /// Several patients under one SeriesInstanceUID.
    #[error("the slices have {0} different patient IDs")]
    SeveralPatients(usize),
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
        "{count} slices have no {attribute}; an identifier derived from the names of their files \
         stands in its place"
    )]
    NoUid {
        /// Which UID.
        attribute: &'static str,
        /// How many slices.
        count: usize,
    },
}

/// The CT images of one SeriesInstanceUID, ordered along the slice normal (feet to head for an
/// axial head CT).
#[derive(Debug, Clone)]
pub struct Series {
    /// SeriesInstanceUID. Parts of a series that had to be split share it
    /// ([`SeriesWarning::Split`]). `None` if the files have none.
    pub uid: Option<String>,
    /// SeriesDescription of the first slice that has one.
    pub description: Option<String>,
    /// The slices in order.
    pub slices: Vec<SliceHeader>,
    /// What a reader should know of the series.
    pub warnings: Vec<SeriesWarning>,
    /// Reads the slices; all series of a collection share it.
    reader: Reader,
}

impl Series {
    /// What results call the series: its SeriesInstanceUID or, where the files have none, an
    /// identifier derived from those of the images.
    pub fn id(&self) -> Cow<'_, str> {
        derived(self.uid.as_deref(), "series", self.slices.iter().map(SliceHeader::image_id))
    }

    /// Decodes slice `index`, which must be below the number of `slices`, to HU. Files of several
    /// images are kept, as [`Reader`] says.
    ///
    /// # Errors
    /// As [`Reader::read_slice`].
    pub fn read_slice(&self, index: usize) -> Result<(SliceHeader, Slice), ReadError> {
        self.reader.read_slice(&self.slices[index].source)
    }
}

/// The series of one StudyInstanceUID.
#[derive(Debug, Clone)]
pub struct Study {
    /// StudyInstanceUID; `None` if the files have none.
    pub uid: Option<String>,
    /// PatientID, empty if absent.
    pub patient_id: String,
    /// The series, largest first, then by UID.
    pub series: Vec<Series>,
}

impl Study {
    /// What results call the study: its StudyInstanceUID or, where the files have none, an identifier
    /// derived from those of its series.
    pub fn id(&self) -> Cow<'_, str> {
        derived(self.uid.as_deref(), "study", self.series.iter().map(Series::id))
    }
}

/// A UID, or an identifier in its form that is always the same for the same `parts`.
fn derived<'a>(
    uid: Option<&'a str>,
    what: &str,
    parts: impl Iterator<Item = Cow<'a, str>>,
) -> Cow<'a, str> {
    uid.map_or_else(
        || {
            let parts: Vec<Cow<'_, str>> = parts.collect();
            Cow::Owned(dotted_uid(format!("{what} of {}", parts.join("\n")).as_bytes()))
        },
        Cow::Borrowed,
    )
}

/// Orders UIDs as texts, absent ones last.
pub(crate) fn compare_uids(a: Option<&str>, b: Option<&str>) -> Ordering {
    a.is_none().cmp(&b.is_none()).then_with(|| a.cmp(&b))
}

/// Cosine of 2 degrees: directions of one series differ by rounding only.
const SAME_DIRECTION: f64 = 0.999_39;
/// Distances that differ by a larger fraction of the median are uneven.
const UNEVEN: f64 = 0.1;
/// A smaller tilt is how a head lies, degrees.
const TILT: f64 = 1.0;

/// Orders the images of one SeriesInstanceUID. Images of another size or orientation cannot be
/// stacked (a localizer often shares the UID), so each kind becomes a series, largest first.
pub(crate) fn assemble(uid: Option<&str>, members: Vec<Member>, reader: &Reader) -> Vec<Series> {
    let mut parts: Vec<Vec<Member>> = Vec::new();
    for member in members {
        match parts.iter_mut().find(|part| alike(&part[0].header, &member.header)) {
            Some(part) => part.push(member),
            None => parts.push(vec![member]),
        }
    }
    // Slices without a plane go with the largest part of their size.
    parts.sort_by_key(|part| (part[0].header.plane.is_none(), std::cmp::Reverse(part.len())));
    let mut merged: Vec<Vec<Member>> = Vec::new();
    for part in parts {
        let no_plane = part[0].header.plane.is_none();
        let host =
            merged.iter_mut().find(|host| no_plane && same_size(&host[0].header, &part[0].header));
        match host {
            Some(host) => host.extend(part),
            None => merged.push(part),
        }
    }
    merged.sort_by_key(|part| std::cmp::Reverse(part.len()));
    let parts = merged.len();
    let numbered = merged.into_iter().enumerate();
    numbered
        .map(|(index, part)| {
            let (slices, warnings) = order(part, index + 1, parts);
            let description = slices.iter().find_map(|slice| slice.series_description.clone());
            let (uid, reader) = (uid.map(str::to_owned), reader.clone());
            Series { uid, description, slices, warnings, reader }
        })
        .collect()
}

fn same_size(a: &SliceHeader, b: &SliceHeader) -> bool {
    (a.rows, a.columns) == (b.rows, b.columns)
}

fn alike(a: &SliceHeader, b: &SliceHeader) -> bool {
    same_size(a, b)
        && match (a.plane, b.plane) {
            (Some(a), Some(b)) => {
                dot(a.row_direction, b.row_direction) > SAME_DIRECTION
                    && dot(a.column_direction, b.column_direction) > SAME_DIRECTION
            }
            (a, b) => a.is_none() && b.is_none(),
        }
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The slices of one part upwards, and what a reader should know of them.
fn order(
    mut members: Vec<Member>,
    part: usize,
    parts: usize,
) -> (Vec<SliceHeader>, Vec<SeriesWarning>) {
    let plane = members.iter().find_map(|member| member.header.plane);
    let normal = plane.map(stack::upward_normal);
    let position = |header: &SliceHeader| Some(header.plane.as_ref()?.distance_along(normal?));
    members.sort_by(|a, b| {
        let (a, b) = (&a.header, &b.header);
        let number = |header: &SliceHeader| header.instance_number.unwrap_or(i32::MAX);
        stack::compare_positions(position(a), position(b))
            .then_with(|| number(a).cmp(&number(b)))
            .then_with(|| a.source.cmp(&b.source))
    });
    let positions: Vec<f64> =
        members.iter().filter_map(|member| position(&member.header)).collect();
    let mut warnings = Vec::new();
    if parts > 1 {
        warnings.push(SeriesWarning::Split { part, parts });
    }
    warnings.extend(members.first().and_then(|member| match member.header.format {
        FileFormat::Dicom => None,
        FileFormat::Volume(format) => Some(SeriesWarning::Volume { format }),
        FileFormat::Picture(window) => Some(SeriesWarning::Pictures { window }),
    }));
    warnings.extend(identity_warnings(&members));
    warnings.extend(geometry_warnings(&members, plane));
    warnings.extend(distance_warnings(&positions));
    (members.into_iter().map(|member| member.header).collect(), warnings)
}

/// Gives one of the UIDs of a header.
type Uid = fn(&SliceHeader) -> Option<&str>;

fn identity_warnings(members: &[Member]) -> Vec<SeriesWarning> {
    let headers = || members.iter().map(|member| &member.header);
    let mut warnings = Vec::new();
    let uids: [(&'static str, Uid); 3] = [
        ("StudyInstanceUID", |header| header.study_instance_uid.as_deref()),
        ("SeriesInstanceUID", |header| header.series_instance_uid.as_deref()),
        ("SOPInstanceUID", |header| header.sop_instance_uid.as_deref()),
    ];
    for (attribute, uid) in uids {
        let count = headers().filter(|header| uid(header).is_none()).count();
        if count > 0 {
            warnings.push(SeriesWarning::NoUid { attribute, count });
        }
    }
    let mut known = BTreeSet::new();
    let images = headers().filter_map(|header| {
        Some((header.sop_instance_uid.as_deref()?, frame_number(&header.source)))
    });
    let shared = images.filter(|&image| !known.insert(image)).count();
    if shared > 0 {
        warnings.push(SeriesWarning::SharedUid(shared));
    }
    let patients: BTreeSet<&str> = headers().map(|header| &*header.patient_id).collect();
    if patients.len() > 1 {
        warnings.push(SeriesWarning::SeveralPatients(patients.len()));
    }
    warnings
}

fn geometry_warnings(members: &[Member], plane: Option<ImagePlane>) -> Vec<SeriesWarning> {
    let mut warnings = Vec::new();
    let mut bad = members.iter().filter_map(|member| member.geometry_error);
    if let Some(first) = bad.next() {
        warnings.push(SeriesWarning::BadGeometry { count: 1 + bad.count(), first });
    }
    let planes = || members.iter().map(|member| member.header.plane);
    let no_position = planes().filter(Option::is_none).count();
    if no_position > 0 {
        warnings.push(SeriesWarning::NoPosition(no_position));
    }
    let no_spacing = planes().flatten().filter(|plane| plane.spacing.is_none()).count();
    if no_spacing > 0 {
        warnings.push(SeriesWarning::NoSpacing(no_spacing));
    }
    match plane.map(|plane| plane.tilt_degrees()) {
        Some(angle) if angle > 45.0 => warnings.push(SeriesWarning::NotAxial(angle)),
        Some(angle) if angle > TILT => warnings.push(SeriesWarning::GantryTilt(angle)),
        _ => {}
    }
    warnings
}

/// Slices at one position, gaps of more than 1.5 times the median distance, and distances that
/// differ without being gaps. `positions` are those of the slices that have one, mm, upwards.
fn distance_warnings(positions: &[f64]) -> Vec<SeriesWarning> {
    let steps = stack::spacings(positions);
    let same = positions.len().saturating_sub(1) - steps.len();
    let mut warnings = Vec::new();
    if same > 0 {
        warnings.push(SeriesWarning::SamePosition(same));
    }
    let Some(median) = stack::median_spacing(positions) else { return warnings };
    let (gaps, steps): (Vec<f64>, Vec<f64>) =
        steps.into_iter().partition(|&step| step > 1.5 * median);
    let largest = |steps: &[f64]| steps.iter().copied().fold(0.0, f64::max);
    if !gaps.is_empty() {
        let missing = gaps.iter().map(|gap| (gap / median).round() as usize - 1).sum();
        let (count, largest) = (gaps.len(), largest(&gaps));
        warnings.push(SeriesWarning::Gaps { count, largest, median, missing });
    }
    let (smallest, largest) = (steps.iter().copied().fold(f64::MAX, f64::min), largest(&steps));
    if smallest < (1.0 - UNEVEN) * median || largest > (1.0 + UNEVEN) * median {
        warnings.push(SeriesWarning::UnevenSpacing { smallest, largest });
    }
    warnings
}
