//! The maps of a slice to the regions of its result.

use hemora_ct::Label;
use hemora_ct::{LABEL_COUNT, Plane, Probabilities, Turn, resize};
use hemora_io::SliceHeader;
use hemora_metrics::{Level, OperatingPoint, log_odds};
use hemora_model::Region;

use crate::maps::SliceMaps;

/// From here on a part of a map belongs to the area, and a slice has a label without a threshold.
const HALF: f32 = 0.5;

/// The probability from which on a slice has each label: the lowest threshold stored for slices, else 0.5.
pub(crate) fn thresholds(points: &[OperatingPoint]) -> [f64; LABEL_COUNT] {
    Label::ALL.map(|label| {
        // Below the threshold of a rule for new patients a label is absent: that is not to have it.
        let flags = |it: &&OperatingPoint| it.level == Level::Slice && !it.rule.is_by_group();
        let of_slices = points.iter().filter(flags).filter(|it| it.label == label);
        of_slices.map(|point| point.threshold).reduce(f64::min).unwrap_or(HALF.into())
    })
}

/// Where networks see the labels whose probabilities reach their `thresholds` on a slice.
pub(crate) fn regions(
    maps: &SliceMaps,
    header: &SliceHeader,
    probabilities: Probabilities,
    thresholds: &[f64; LABEL_COUNT],
) -> Vec<Region> {
    let has = |label: Label| f64::from(probabilities.get(label)) >= thresholds[label.index()];
    let region = |label: Label| {
        let map = maps.planes[label.index()].as_ref()?;
        Some(region(label, map, maps.image, header))
    };
    Label::ALL.into_iter().filter(|label| has(*label)).filter_map(region).collect()
}

/// The region of one map, which lies over an upright image of so many rows and columns.
fn region(label: Label, map: &Plane, image: [usize; 2], header: &SliceHeader) -> Region {
    let peak = map.values.iter().copied().fold(0.0, f32::max);
    let pixel =
        |at: f64, count: usize, pixels: usize| (at + 0.5) / count as f64 * pixels as f64 - 0.5;
    let [row, column] = hemora_ct::peak(&odds_of(map)).unwrap_or_default();
    let at = [pixel(row, map.rows, image[0]), pixel(column, map.columns, image[1])];
    // In the middle of the highest part the map is as high as that; beside it, perhaps below a half.
    let middle =
        [pixel(row.round(), map.rows, image[0]), pixel(column.round(), map.columns, image[1])];
    let turn = Turn::upright(header.plane);
    let last = image.map(|side| side - 1);
    let stored = turn.stored(last.map(|it| it as f64), at);
    let reached = match peak >= HALF {
        true => reached(&resize(map, image[0], image[1]), middle),
        false => None,
    };
    let nearest = [0, 1].map(|axis| (at[axis].round().max(0.0) as usize).min(last[axis]));
    let [low, high] = reached.as_ref().map_or([nearest; 2], |it| it.bounds);
    let [a, b] = [low, high].map(|corner| turn.stored(last, corner));
    let spacing = header.plane.and_then(|plane| plane.spacing);
    Region {
        label,
        peak,
        peak_row: stored[0],
        peak_column: stored[1],
        peak_mm: header.plane.and_then(|plane| plane.patient_from_voxel(stored)),
        area_mm2: reached
            .zip(spacing)
            .map(|(reached, [down, across])| reached.pixels as f64 * down * across),
        bounds: [a[0].min(b[0]), a[1].min(b[1]), a[0].max(b[0]), a[1].max(b[1])],
    }
}

/// The log odds of a map of probabilities.
fn odds_of(map: &Plane) -> Plane {
    let odds = |value: &f32| log_odds(f64::from(*value)) as f32;
    Plane { values: map.values.iter().map(odds).collect(), ..*map }
}

/// Connected pixels.
struct Reached {
    pixels: usize,
    /// First row and column, last row and column.
    bounds: [[usize; 2]; 2],
}

/// The pixels of at least [`HALF`] that touch each other side by side, from those around a place on.
/// `None` where none of these is.
fn reached(map: &Plane, at: [f64; 2]) -> Option<Reached> {
    let last = [map.rows - 1, map.columns - 1];
    let beside = |axis: usize| {
        let low = at[axis].max(0.0).floor() as usize;
        [low, low + 1].map(|it| it.min(last[axis]))
    };
    let mut open = Vec::new();
    for row in beside(0) {
        open.extend(beside(1).map(|column| [row, column]));
    }
    let mut seen = vec![false; map.values.len()];
    let (mut pixels, mut low, mut high) = (0, last, [0, 0]);
    while let Some([row, column]) = open.pop() {
        let place = row * map.columns + column;
        if seen[place] || map.values[place] < HALF {
            continue;
        }
        seen[place] = true;
        pixels += 1;
        low = [low[0].min(row), low[1].min(column)];
        high = [high[0].max(row), high[1].max(column)];
        open.extend((row > 0).then(|| [row - 1, column]));
        open.extend((row < last[0]).then_some([row + 1, column]));
        open.extend((column > 0).then(|| [row, column - 1]));
        open.extend((column < last[1]).then_some([row, column + 1]));
    }
    (pixels > 0).then_some(Reached { pixels, bounds: [low, high] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hemora_ct::ImagePlane;
    use hemora_io::{FileFormat, Source};
    use hemora_testing::bundles::operating_point;

    /// A header of 40 × 60 pixels, 0.5 mm between rows and 0.4 between columns.
    fn header(orientation: Option<[f64; 6]>) -> SliceHeader {
        let source = Source::File("slice.dcm".into());
        let position = [-10.0, -20.0, 30.0];
        let plane = orientation
            .map(|orientation| ImagePlane::new(position, orientation, Some([0.5, 0.4])).unwrap());
        SliceHeader { plane, ..SliceHeader::new(source, FileFormat::Dicom, [40, 60]) }
    }

    /// A map of 4 × 6 parts with two that are connected, and a third apart.
    fn map(image: [usize; 2], [first, beside, apart]: [f32; 3]) -> SliceMaps {
        let mut values = vec![0.0; 24];
        (values[6 + 1], values[6 + 2], values[3 * 6 + 5]) = (first, beside, apart);
        let plane = Plane { rows: 4, columns: 6, values };
        SliceMaps { image, planes: [(); LABEL_COUNT].map(|()| Some(plane.clone())) }
    }

    fn any(value: f32) -> Probabilities {
        Probabilities { any: value, ..Default::default() }
    }

    const AXIAL: [f64; 6] = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];

    #[test]
    fn a_region_has_the_maximum_and_the_area_that_is_connected_to_it() {
        let maps = map([40, 60], [0.9, 0.8, 0.85]);
        let found = regions(&maps, &header(Some(AXIAL)), any(0.6), &[0.5; LABEL_COUNT]);
        let [region] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((region.label, region.peak), (Label::Any, 0.9));
        // Parts are 10 × 10 pixels: the centre of the second lies between pixels 14 and 15. Of the log odds
        // −16.1, 2.2 and 1.4 in a row the vertex lies 0.457 of a part to the right.
        assert_eq!(region.peak_row, 14.5);
        assert!((region.peak_column - 19.08).abs() < 0.01, "{}", region.peak_column);
        let [x, y, z] = region.peak_mm.unwrap();
        let column = region.peak_column;
        assert!((x + 10.0 - column * 0.4).abs() < 1e-9 && (y + 20.0 - 14.5 * 0.5).abs() < 1e-9);
        assert_eq!(z, 30.0);
        let [top, left, bottom, right] = region.bounds;
        assert!((10..=12).contains(&top) && (17..=19).contains(&bottom), "{:?}", region.bounds);
        assert!((10..=12).contains(&left) && (26..=29).contains(&right), "{:?}", region.bounds);
        // About two parts of 20 mm², and not the third.
        let area = region.area_mm2.unwrap();
        assert!((20.0..40.0).contains(&area), "{area}");
    }

    #[test]
    fn images_stored_upside_down_have_their_regions_in_the_pixels_of_the_file() {
        let maps = map([40, 60], [0.9, 0.0, 0.0]);
        let upright = regions(&maps, &header(Some(AXIAL)), any(1.0), &[0.5; LABEL_COUNT]);
        let turned = [-1.0, 0.0, 0.0, 0.0, -1.0, 0.0];
        let stored = regions(&maps, &header(Some(turned)), any(1.0), &[0.5; LABEL_COUNT]);
        let (upright, stored) = (&upright[0], &stored[0]);
        assert_eq!((stored.peak_row, stored.peak_column), (39.0 - 14.5, 59.0 - 14.5));
        let [top, left, bottom, right] = upright.bounds;
        assert_eq!(stored.bounds, [39 - bottom, 59 - right, 39 - top, 59 - left]);
        assert_eq!(stored.area_mm2, upright.area_mm2);
        let [x, y, _] = stored.peak_mm.unwrap();
        assert!((x - (-10.0 - 44.5 * 0.4)).abs() < 1e-9 && (y - (-20.0 - 24.5 * 0.5)).abs() < 1e-9);
    }

    #[test]
    fn a_weak_maximum_has_no_area_and_one_without_a_plane_no_place() {
        let maps = map([40, 60], [0.3, 0.0, 0.0]);
        let found = regions(&maps, &header(None), any(0.2), &[0.1; LABEL_COUNT]);
        let [region] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((region.peak_mm, region.area_mm2), (None, None));
        assert_eq!(region.bounds, [15, 15, 15, 15]);
        assert!(regions(&maps, &header(None), any(0.2), &[0.5; LABEL_COUNT]).is_empty());
    }

    #[test]
    fn a_slice_has_a_label_from_the_lowest_threshold_for_slices_on() {
        let of_study = OperatingPoint { level: Level::Study, ..operating_point(0.01) };
        let points = [operating_point(0.4), operating_point(0.2), of_study];
        let found = thresholds(&points);
        assert_eq!(found[Label::Any.index()], 0.2);
        assert_eq!(found[Label::Subdural.index()], 0.5);
        assert_eq!(thresholds(&[]), [0.5; LABEL_COUNT]);
    }
}
