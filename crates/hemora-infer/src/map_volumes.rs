//! The maps of a series as volumes that a viewer lays over its images.

use std::collections::BTreeMap;

use hemora_ct::{ImagePlane, Label, Turn, stack};
use hemora_io::{NewVolume, SliceHeader};

use crate::maps::{SliceMaps, sample};

/// Most rows and columns of a volume.
const MOST_SIDE: usize = 128;
/// Most slices of a volume.
const MOST_PLANES: usize = 2048;
/// Slices nearer to each other are no steps of a volume, mm.
const LEAST_STEP_MM: f64 = 0.2;
/// A slice of a volume that lies between two of the series shows the nearer, up to so far away, mm.
const NEAR_MM: f64 = 5.0;
/// How far pixel spacings of one series may differ, as a part.
const SAME_SPACING: f64 = 1e-3;

/// The maps of one scored series, where it has regions.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesMaps {
    /// StudyInstanceUID.
    pub study_instance_uid: String,
    /// SeriesInstanceUID; parts of a split series share it.
    pub series_instance_uid: String,
    /// For each label that has a region on a slice of the series, the probability of the label in each
    /// part, in 255ths, over the stored images reduced to at most 128 × 128; else why there are none.
    pub volumes: Result<Vec<(Label, NewVolume)>, String>,
}

/// Takes the maps of each scored series.
pub type MapSink<'a> = &'a (dyn Fn(SeriesMaps) + Sync);

/// The volumes of `labels` of the slices that have maps, by their index among `headers`; each with its
/// header.
///
/// # Errors
/// Why they make no volume, as a text.
pub(crate) fn volumes(
    maps: &BTreeMap<usize, &SliceMaps>,
    headers: &[SliceHeader],
    labels: &[Label],
) -> Result<Vec<(Label, NewVolume)>, String> {
    if maps.is_empty() {
        return Err("the model's networks give no maps of probabilities".to_owned());
    }
    let grid = Grid::new(maps, headers)?;
    let volume = |&label: &Label| (label, grid.volume(label, maps));
    Ok(labels.iter().map(volume).collect())
}

/// Where the voxels of a volume lie.
struct Grid {
    /// Rows and columns of the stored images.
    stored: [usize; 2],
    /// Rows and columns of the volume.
    reduced: [usize; 2],
    turn: Turn,
    /// For each slice of the volume the index of the slice that it shows.
    shown: Vec<Option<usize>>,
    patient_from_voxel: [[f64; 4]; 3],
}

impl Grid {
    fn new(maps: &BTreeMap<usize, &SliceMaps>, headers: &[SliceHeader]) -> Result<Self, String> {
        let placed = |&index: &usize| {
            let plane = headers[index].plane?;
            Some((index, plane, plane.spacing?))
        };
        let all: Option<Vec<_>> = maps.keys().map(placed).collect();
        let Some(slices) = all.filter(|all| !all.is_empty()) else {
            return Err("not all of its slices have a position and a pixel spacing".to_owned());
        };
        let (first, plane, spacing) = slices[0];
        let stored = [headers[first].rows, headers[first].columns];
        let differs = |&(index, other, [down, across]): &(usize, ImagePlane, [f64; 2])| {
            let near = |a: f64, b: f64| (a - b).abs() <= SAME_SPACING * b;
            [headers[index].rows, headers[index].columns] != stored
                || !stack::is_same_direction(other.orientation(), plane.orientation())
                || !near(down, spacing[0])
                || !near(across, spacing[1])
        };
        if slices.iter().any(differs) {
            return Err("its slices differ in size, pixel spacing or direction".to_owned());
        }
        let normal = stack::upward_normal(plane);
        let mut order: Vec<(f64, usize, ImagePlane)> = slices
            .into_iter()
            .map(|(index, plane, _)| (plane.distance_along(normal), index, plane))
            .collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let (shown, step) = planes(&order, normal)?;

        let scale = MOST_SIDE as f64 / stored[0].max(stored[1]) as f64;
        let reduced = match scale < 1.0 {
            true => stored.map(|side| ((side as f64 * scale).round() as usize).max(1)),
            false => stored,
        };
        // Pixels of the image in one of the volume.
        let ratio = [0, 1].map(|axis| stored[axis] as f64 / reduced[axis] as f64);
        let lowest = order[0].2;
        let corner = ratio.map(|ratio| (ratio - 1.0) / 2.0);
        let Some(origin) = lowest.patient_from_voxel(corner) else {
            return Err("its slices have no pixel spacing".to_owned());
        };
        let patient_from_voxel = std::array::from_fn(|axis| {
            [
                lowest.row_direction[axis] * spacing[1] * ratio[1],
                lowest.column_direction[axis] * spacing[0] * ratio[0],
                step[axis],
                origin[axis],
            ]
        });
        let turn = Turn::upright(Some(plane));
        Ok(Self { stored, reduced, turn, shown, patient_from_voxel })
    }

    fn volume(&self, label: Label, maps: &BTreeMap<usize, &SliceMaps>) -> NewVolume {
        let [rows, columns] = self.reduced;
        let upright = self.turn.size(self.stored);
        let last = upright.map(|side| side as f64 - 1.0);
        let mut voxels = Vec::with_capacity(rows * columns * self.shown.len());
        for shown in &self.shown {
            let map = shown.and_then(|index| maps.get(&index)?.planes[label.index()].as_ref());
            let Some(map) = map else {
                voxels.resize(voxels.len() + rows * columns, 0);
                continue;
            };
            let sides = [map.rows, map.columns];
            for row in 0..rows {
                voxels.extend((0..columns).map(|column| {
                    let cell = [row, column];
                    let pixel = [0, 1].map(|axis| {
                        let part = (cell[axis] as f64 + 0.5) / self.reduced[axis] as f64;
                        part * self.stored[axis] as f64 - 0.5
                    });
                    let pixel = self.turn.turned(last, pixel);
                    let place = [0, 1].map(|axis| {
                        (pixel[axis] + 0.5) / upright[axis] as f64 * sides[axis] as f64 - 0.5
                    });
                    (sample(map, place) * 255.0).round() as u8
                }));
            }
        }
        let size = [columns, rows, self.shown.len()];
        NewVolume { size, voxels, slope: 1.0 / 255.0, patient_from_voxel: self.patient_from_voxel }
    }
}

/// Which slice each slice of a volume shows, and the step from one to the next, mm. `order` are the slices
/// upwards: their positions, indices and planes.
///
/// A volume has one distance between slices. That of a series whose slices are further apart in one part
/// is the least, and slices in between show the nearest.
fn planes(
    order: &[(f64, usize, ImagePlane)],
    normal: [f64; 3],
) -> Result<(Vec<Option<usize>>, [f64; 3]), String> {
    let (lowest, highest) = (&order[0], &order[order.len() - 1]);
    let extent = highest.0 - lowest.0;
    if stack::is_same_position(lowest.0, highest.0) {
        // One slice does not say how thick it is.
        return Ok((vec![Some(lowest.1)], normal));
    }
    let positions: Vec<f64> = order.iter().map(|it| it.0).collect();
    let least = stack::spacings(&positions).into_iter().fold(extent, f64::min);
    let steps = (extent / least.max(LEAST_STEP_MM)).round().max(1.0);
    if steps >= MOST_PLANES as f64 {
        return Err(format!(
            "its slices lie {least:.2} mm apart over {extent:.0} mm, which makes more than \
             {MOST_PLANES} slices"
        ));
    }
    let step =
        std::array::from_fn(|axis| (highest.2.position[axis] - lowest.2.position[axis]) / steps);
    let reach = NEAR_MM.max(extent / steps);
    let shown = |at: usize| {
        let z = lowest.0 + at as f64 * extent / steps;
        let distance = |it: &&(f64, usize, ImagePlane)| (it.0 - z).abs();
        let nearest = order.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
        (distance(&nearest) <= reach).then_some(nearest.1)
    };
    Ok(((0..=steps as usize).map(shown).collect(), step))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hemora_ct::{LABEL_COUNT, Plane};
    use hemora_io::{FileFormat, Source};

    const AXIAL: [f64; 6] = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];

    fn header(position: [f64; 3], orientation: [f64; 6], size: [usize; 2]) -> SliceHeader {
        let source = Source::File("slice.dcm".into());
        let plane = ImagePlane::new(position, orientation, Some([0.5, 0.4])).unwrap();
        SliceHeader { plane: Some(plane), ..SliceHeader::new(source, FileFormat::Dicom, size) }
    }

    fn maps(image: [usize; 2], values: [f32; 4]) -> SliceMaps {
        let plane = Plane { rows: 2, columns: 2, values: values.to_vec() };
        SliceMaps { image, planes: [(); LABEL_COUNT].map(|()| Some(plane.clone())) }
    }

    fn volume(headers: &[SliceHeader], each: &[SliceMaps]) -> Result<NewVolume, String> {
        let maps = each.iter().enumerate().collect();
        let volumes = volumes(&maps, headers, &[Label::Any])?;
        Ok(volumes.into_iter().next().unwrap().1)
    }

    #[test]
    fn a_volume_lies_over_the_stored_images() {
        let size = [256, 512];
        // Stored upside down.
        let turned = [-1.0, 0.0, 0.0, 0.0, -1.0, 0.0];
        let headers = [0.0, 5.0, 10.0].map(|z| header([100.0, 60.0, z], turned, size));
        let each = [[0.0; 4], [0.0, 0.0, 0.0, 1.0], [0.0; 4]].map(|values| maps(size, values));
        let volume = volume(&headers, &each).unwrap();
        assert_eq!(volume.size, [128, 64, 3]);
        // The last part of the upright map is the first of the stored image.
        let slice = 128 * 64;
        let highest = volume.voxels.iter().enumerate().max_by_key(|it| *it.1).unwrap();
        assert_eq!((highest.0 / slice, *highest.1), (1, 255));
        assert_eq!([volume.voxels[slice], volume.voxels[2 * slice - 1]], [255, 0]);
        let at = |voxel: [f64; 3]| {
            volume
                .patient_from_voxel
                .map(|[a, b, c, d]| a * voxel[0] + b * voxel[1] + c * voxel[2] + d)
        };
        // Voxel 0 covers four pixels, whose centre is pixel 1.5.
        let expected = headers[1].plane.unwrap().patient_from_voxel([1.5, 1.5]).unwrap();
        let far = headers[2].plane.unwrap().patient_from_voxel([253.5, 509.5]).unwrap();
        for axis in 0..3 {
            assert!((at([0.0, 0.0, 1.0])[axis] - expected[axis]).abs() < 1e-9);
            assert!((at([127.0, 63.0, 2.0])[axis] - far[axis]).abs() < 1e-9);
        }
    }

    #[test]
    fn a_tilted_gantry_shears_the_volume() {
        let (sin, cos) = 20f64.to_radians().sin_cos();
        let tilted = [1.0, 0.0, 0.0, 0.0, cos, -sin];
        let size = [64, 64];
        let headers = [0.0, 5.0, 10.0].map(|z| header([0.0, 0.0, z], tilted, size));
        let volume = volume(&headers, &[0; 3].map(|_| maps(size, [0.5; 4]))).unwrap();
        assert_eq!(volume.patient_from_voxel.map(|row| row[2]), [0.0, 0.0, 5.0]);
        assert_eq!(volume.size, [64, 64, 3]);
        assert!(volume.voxels.iter().all(|&voxel| voxel == 128));
    }

    #[test]
    fn slices_at_uneven_distances_are_shown_by_the_nearest_and_gaps_stay_empty() {
        let size = [16, 16];
        let at = [0.0, 2.5, 5.0, 10.0, 40.0];
        let headers = at.map(|z| header([0.0, 0.0, z], AXIAL, size));
        let value = |index: usize| index as f32 * 0.2 + 0.2;
        let each = [0, 1, 2, 3, 4].map(|index| maps(size, [value(index); 4]));
        let volume = volume(&headers, &each).unwrap();
        assert_eq!(volume.size[2], 17);
        let firsts: Vec<u8> = volume.voxels.iter().step_by(256).copied().collect();
        assert_eq!(firsts[..3], [51, 102, 153]);
        assert_eq!((firsts[4], firsts[16], firsts[10]), (204, 255, 0));
        assert!([153, 204].contains(&firsts[3]), "{firsts:?}");
    }

    #[test]
    fn series_without_a_common_geometry_have_no_volumes() {
        let size = [16, 16];
        let one = |values| maps(size, values);
        let flat = header([0.0; 3], AXIAL, size);
        let nowhere = SliceHeader { plane: None, ..flat.clone() };
        let refused = |headers: [SliceHeader; 2]| {
            volume(&headers, &[one([0.1; 4]), one([0.2; 4])]).unwrap_err()
        };
        assert!(refused([flat.clone(), nowhere]).contains("position"));
        let larger = header([0.0, 0.0, 5.0], AXIAL, [32, 16]);
        assert!(refused([flat.clone(), larger]).contains("size"));
        let far = header([0.0, 0.0, 900_000.0], AXIAL, size);
        let near = header([0.0, 0.0, 1.0], AXIAL, size);
        let headers = [flat.clone(), near, far];
        let each = [0; 3].map(|_| one([0.1; 4]));
        assert!(volume(&headers, &each).unwrap_err().contains("2048"));
        assert!(volume(&[], &[]).unwrap_err().contains("no maps"));
        assert_eq!(volume(&[flat], &[one([0.5; 4])]).unwrap().size, [16, 16, 1]);
    }
}
