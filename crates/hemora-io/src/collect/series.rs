//! Slices grouped into series and studies, ordered along the slice normal.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use hemora_ct::stack::{self, PassSlice};
use hemora_ct::{ImagePlane, Slice};

use super::assumed::settle;
use super::body_part::other_body_part;
use super::levels::Levels;
use super::spacing::distance_warnings;
use super::warning::{SeriesWarning, SliceOrder};
use crate::header::Member;
use crate::objects::AHEAD;
use crate::source::{folder_of, frame_number};
use crate::uid::dotted_uid;
use crate::{AssumedGeometry, FileFormat, ReadError, Reader, SliceHeader};

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
    /// identifier derived from the patient and the images; and from the folder, where images have
    /// but the names of their files, which are the same in many folders.
    pub fn id(&self) -> Cow<'_, str> {
        let patient = self.slices.iter().map(|slice| &slice.patient_id).find(|id| !id.is_empty());
        let unnamed = self.slices.iter().find(|slice| slice.sop_instance_uid.is_none());
        let place = || {
            let folder = unnamed.map(|slice| Cow::Owned(folder_of(&slice.source)));
            patient.map(|id| Cow::Borrowed(&**id)).into_iter().chain(folder)
        };
        let images = self.slices.iter().map(SliceHeader::image_id);
        derived(self.uid.as_deref(), "series", || place().chain(images))
    }

    /// The lowest and the highest level of the slices' centres in the patient (z), mm; `None` where
    /// no slice has a position.
    pub fn levels(&self) -> Option<[f64; 2]> {
        Levels::from_series(self).ends()
    }

    /// Decodes slice `index`, which must be below the number of `slices`, to HU. It lies where its
    /// header in `slices` says. Files of several images are kept, as [`Reader`] says.
    ///
    /// # Errors
    /// As [`Reader::read_slice`], and if the image has another size by now.
    pub fn read_slice(&self, index: usize) -> Result<(SliceHeader, Slice), ReadError> {
        let header = self.slices[index].clone();
        let next = self.slices.iter().skip(index + 1).take(AHEAD);
        self.reader.fetch_ahead(next.map(|header| &header.source));
        let (found, mut slice) = self.reader.read_slice(&header.source)?;
        if [found.rows, found.columns] != [header.rows, header.columns] {
            return Err(ReadError::BadAttribute {
                attribute: "Rows × Columns",
                found: format!("{} × {}", found.rows, found.columns),
                expected: "what they were when the series was read: the file has changed since",
            });
        }
        slice.plane = header.plane;
        Ok((header, slice))
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
    /// derived from its patient and those of its series.
    pub fn id(&self) -> Cow<'_, str> {
        let patient = std::iter::once(Cow::Borrowed(&*self.patient_id));
        let series = self.series.iter().map(Series::id);
        derived(self.uid.as_deref(), "study", || patient.chain(series))
    }
}

/// A UID, or an identifier in its form that is always the same for the same `parts`.
fn derived<'a, I: Iterator<Item = Cow<'a, str>>>(
    uid: Option<&'a str>,
    what: &str,
    parts: impl FnOnce() -> I,
) -> Cow<'a, str> {
    uid.map_or_else(
        || {
            let parts: Vec<Cow<'_, str>> = parts().collect();
            Cow::Owned(dotted_uid(format!("{what} of {}", parts.join("\n")).as_bytes()))
        },
        Cow::Borrowed,
    )
}

/// Orders UIDs as texts, absent ones last.
pub(crate) fn compare_uids(a: Option<&str>, b: Option<&str>) -> Ordering {
    a.is_none().cmp(&b.is_none()).then_with(|| a.cmp(&b))
}

/// A smaller tilt is how a head lies, degrees.
const TILT: f64 = 1.0;

/// Orders the images of one SeriesInstanceUID. Images of another size or orientation cannot be
/// stacked (a localizer often shares the UID), nor can those of a second pass over the same
/// positions, so each kind and each pass becomes a series, largest first.
pub(crate) fn assemble(
    uid: Option<&str>,
    mut members: Vec<Member>,
    reader: &Reader,
) -> Vec<Series> {
    settle(&mut members);
    let mut kinds: BTreeMap<Kind, Vec<Member>> = BTreeMap::new();
    for member in members {
        kinds.entry(kind(&member.header)).or_default().push(member);
    }
    let mut parts: Vec<Vec<Member>> = kinds.into_values().flat_map(split).collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    let count = parts.len();
    let numbered = parts.into_iter().enumerate();
    numbered
        .map(|(index, part)| {
            let (slices, warnings) = order(part, index + 1, count);
            let description = slices.iter().find_map(|slice| slice.series_description.clone());
            let (uid, reader) = (uid.map(str::to_owned), reader.clone());
            Series { uid, description, slices, warnings, reader }
        })
        .collect()
}

/// Whether an image is a localizer, and its size: images that differ in it cannot be stacked.
pub(super) type Kind = (bool, usize, usize);

pub(super) fn kind(header: &SliceHeader) -> Kind {
    (header.is_localizer(), header.rows, header.columns)
}

/// Images of one kind by their directions and passes, as the preparation of a data set splits them.
fn split(members: Vec<Member>) -> Vec<Vec<Member>> {
    let orientation = |member: &Member| member.header.plane.map(|plane| plane.orientation());
    let entries: Vec<_> = members.iter().map(|member| (orientation(member), 1)).collect();
    let directions = parts(stack::stack_numbers(&entries), members);
    directions.into_iter().flat_map(|members| parts(passes(&members), members)).collect()
}

/// Members by their numbers, the lowest first.
fn parts(numbers: Vec<usize>, members: Vec<Member>) -> Vec<Vec<Member>> {
    let mut parts: BTreeMap<usize, Vec<Member>> = BTreeMap::new();
    for (number, member) in numbers.into_iter().zip(members) {
        parts.entry(number).or_default().push(member);
    }
    parts.into_values().collect()
}

/// The pass of each image of one direction. One that claims to be an earlier one stays with it: two
/// copies of an image are no second pass, however their headers differ.
fn passes(members: &[Member]) -> Vec<usize> {
    let positions = stack::positions(members.iter().map(|member| member.header.plane));
    let mut known = BTreeMap::new();
    let mut slices = Vec::new();
    // The place in `slices` of each image, or of that which it claims to be.
    let mut places = Vec::new();
    for (Member { header, .. }, position) in members.iter().zip(positions) {
        let place = slices.len();
        match image_uid(header).map(|uid| known.entry(uid)) {
            Some(Entry::Occupied(earlier)) => {
                places.push(*earlier.get());
                continue;
            }
            Some(Entry::Vacant(new)) => _ = new.insert(place),
            None => {}
        }
        places.push(place);
        slices.push(PassSlice {
            position,
            acquisition: header.acquisition_number.map(i64::from),
            instance: header.instance_number.map(i64::from),
        });
    }
    let numbers = stack::pass_numbers(&slices);
    places.into_iter().map(|place| numbers[place]).collect()
}

/// What no two images should share: SOPInstanceUID and, of an object of several, the frame.
fn image_uid(header: &SliceHeader) -> Option<(&str, Option<usize>)> {
    Some((header.sop_instance_uid.as_deref()?, frame_number(&header.source)))
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
    let positions: Vec<(f64, Option<f64>)> = members
        .iter()
        .filter_map(|member| Some((position(&member.header)?, member.header.slice_thickness)))
        .collect();
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
    let headers = members.iter().map(|member| &member.header);
    if let Some((attribute, value)) = other_body_part(headers) {
        warnings.push(SeriesWarning::OtherBodyPart { attribute, value });
    }
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
    let shared = headers().filter_map(image_uid).filter(|&image| !known.insert(image)).count();
    if shared > 0 {
        warnings.push(SeriesWarning::SharedUid(shared));
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
    let assumed = members.iter().filter_map(|member| member.header.assumed);
    let mut counts: BTreeMap<AssumedGeometry, usize> = BTreeMap::new();
    assumed.for_each(|geometry| *counts.entry(geometry).or_default() += 1);
    let assumed = |(geometry, count)| SeriesWarning::Assumed { count, geometry };
    warnings.extend(counts.into_iter().map(assumed));
    let no_position = members.iter().filter(|member| member.header.plane.is_none());
    let count = no_position.clone().count();
    if count > 0 {
        let numbered = no_position.clone().all(|member| member.header.instance_number.is_some());
        let order = if numbered { SliceOrder::InstanceNumber } else { SliceOrder::FileName };
        warnings.push(SeriesWarning::NoPosition { count, order });
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
