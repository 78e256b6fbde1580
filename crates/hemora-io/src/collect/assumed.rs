//! Geometry of which a file has a part only, settled by the other slices of the series.

use std::collections::BTreeMap;

use hemora_ct::{ImagePlane, stack};

use super::series::{Kind, kind};
use crate::AssumedGeometry;
use crate::header::{AXIAL, Member};

/// Row and column directions of sagittal and coronal slices, as viewers show them.
const SAGITTAL: [f64; 6] = [0.0, 1.0, 0.0, 0.0, 0.0, -1.0];
const CORONAL: [f64; 6] = [1.0, 0.0, 0.0, 0.0, 0.0, -1.0];

/// Puts the planes that were assumed of files alone into their headers, corrected, or leaves them out
/// where they do not hold.
///
/// An absent orientation is that of other slices of the same kind or, where none has one, that of
/// slices whose positions differ along one axis alone. SliceLocation counts from an origin of
/// its own, so it stands in for positions only where no slice of the kind has one.
pub(super) fn settle(members: &mut [Member]) {
    if members.iter().all(|member| member.assumed.is_none()) {
        return;
    }
    let mut kinds: BTreeMap<Kind, Vec<usize>> = BTreeMap::new();
    for (index, member) in members.iter().enumerate() {
        kinds.entry(kind(&member.header)).or_default().push(index);
    }
    for kind in kinds.into_values() {
        settle_kind(members, &kind);
    }
}

fn settle_kind(members: &mut [Member], kind: &[usize]) {
    use AssumedGeometry::{Orientation, Position, PositionAndOrientation};
    let planes = |wanted: &[Option<AssumedGeometry>]| -> Vec<ImagePlane> {
        let planes = kind.iter().map(|&index| match members[index].assumed {
            Some((absent, plane)) => (Some(absent), Some(plane)),
            None => (None, members[index].header.plane),
        });
        planes.filter(|(absent, _)| wanted.contains(absent)).filter_map(|it| it.1).collect()
    };
    let oriented = planes(&[None, Some(Position)]).first().copied();
    let positioned = planes(&[None, Some(Orientation)]);
    let lone = planes(&[Some(Orientation)]);
    let located = planes(&[Some(Position), Some(PositionAndOrientation)]);
    let orientation = match oriented {
        Some(plane) => Some(plane.orientation()),
        None => orientation_of(&lone),
    };
    let locations = located.iter().map(|plane| stack::position(*plane));
    let use_location = positioned.is_empty() && (located.len() == 1 || differ(locations));
    for &index in kind {
        let member = &mut members[index];
        let Some((absent, plane)) = member.assumed.take() else { continue };
        let plane = match absent {
            Orientation => orientation.and_then(|orientation| {
                ImagePlane::new(plane.position, orientation, plane.spacing).ok()
            }),
            Position | PositionAndOrientation => use_location.then_some(plane),
        };
        (member.header.plane, member.header.assumed) = (plane, plane.map(|_| absent));
    }
}

/// The orientation of slices of which only positions are known: along which axis alone they
/// differ. A single slice is taken for axial.
fn orientation_of(planes: &[ImagePlane]) -> Option<[f64; 6]> {
    if planes.len() == 1 {
        return Some(AXIAL);
    }
    let extent = |axis: usize| {
        let along = || planes.iter().map(move |plane| plane.position[axis]);
        along().fold(f64::MIN, f64::max) - along().fold(f64::MAX, f64::min)
    };
    [(0, SAGITTAL), (1, CORONAL), (2, AXIAL)].into_iter().find_map(|(axis, orientation)| {
        // A millimetre for rounding; a tenth for a table that is not quite level.
        let others = extent((axis + 1) % 3).max(extent((axis + 2) % 3));
        let alone = extent(axis) > stack::SAME_POSITION_MM && others <= (extent(axis) / 10.0);
        alone.then_some(orientation)
    })
}

fn differ(mut positions: impl Iterator<Item = f64>) -> bool {
    let Some(first) = positions.next() else { return false };
    positions.any(|position| !stack::is_same_position(first, position))
}
