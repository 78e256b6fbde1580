//! Frames of an enhanced multi-frame object: what stands in functional groups (PS3.3 C.7.6.16).

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::attributes::Attributes;
use super::dataset::WalkError;
use crate::ReadError;
use crate::formats::MAX_FRAMES;

/// The functional groups that hold something of what a CT image needs.
const GROUPS: [Tag; 7] = [
    tags::PIXEL_MEASURES_SEQUENCE,
    tags::PLANE_POSITION_SEQUENCE,
    tags::PLANE_ORIENTATION_SEQUENCE,
    tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE,
    tags::FRAME_VOILUT_SEQUENCE,
    tags::CT_IMAGE_FRAME_TYPE_SEQUENCE,
    tags::CT_RECONSTRUCTION_SEQUENCE,
];

/// NumberOfFrames; 1 if it is absent, or 0 as some writers say of a single frame.
pub(crate) fn frame_count(attributes: &Attributes<'_>) -> Result<usize, ReadError> {
    let Some(text) = attributes.text(tags::NUMBER_OF_FRAMES) else { return Ok(1) };
    let count = text.parse().ok().filter(|count| (0..=MAX_FRAMES).contains(count));
    count.map(|count: usize| count.max(1)).ok_or(ReadError::BadAttribute {
        attribute: "NumberOfFrames",
        found: text,
        expected: "1 to 16384",
    })
}

/// The attributes of each frame: those of the object, of the groups that all frames share, and of
/// the frame's own groups, the later going before the earlier.
pub(crate) fn frames<'a>(
    object: &Attributes<'a>,
    count: usize,
) -> Result<Vec<Attributes<'a>>, ReadError> {
    let broken = |_: WalkError| ReadError::Truncated { inside: "the functional groups" };
    let mut shared = object.clone();
    for item in object.items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, 1).map_err(broken)? {
        overlay(&mut shared, &item).map_err(broken)?;
    }
    let own = object.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, count).map_err(broken)?;
    if own.len() != count {
        return Err(ReadError::FunctionalGroups { frames: count, groups: own.len() });
    }
    let frame = |item: &Attributes<'a>| {
        let mut frame = shared.clone();
        overlay(&mut frame, item)?;
        Ok(frame)
    };
    own.iter().map(frame).collect::<Result<_, _>>().map_err(broken)
}

fn overlay<'a>(target: &mut Attributes<'a>, item: &Attributes<'a>) -> Result<(), WalkError> {
    for group in GROUPS {
        for content in item.items(group, 1)? {
            target.extend(content);
        }
    }
    // FrameType says of a frame what ImageType says of an object.
    if let Some(frame_type) = target.bytes(tags::FRAME_TYPE) {
        target.insert(tags::IMAGE_TYPE, frame_type);
    }
    Ok(())
}
