//! The maps of a series: as volumes that a viewer lays over its images, or slice by slice.

use std::collections::BTreeMap;

use hemora_ct::{GridImage, Label, StackGrid};
use hemora_io::{NewVolume, Series, SliceHeader, Study};
use hemora_model::{LabelMap, MapKind, SeriesResult, SliceResult};

use crate::maps::{SliceMaps, sample};
use crate::score::SliceScore;

/// Most rows and columns of a volume.
const MOST_SIDE: usize = 128;

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

/// The maps of a scored slice, of each label that has a region on it, at the networks' own resolution over
/// the upright image.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredSliceMaps {
    /// The slice's [`source`](hemora_model::SliceResult::source) in the result: UIDs may be shared.
    pub source: String,
    /// Its SOPInstanceUID there.
    pub sop_instance_uid: String,
    /// The maps, in label order.
    pub maps: Vec<LabelMap>,
}

/// Takes the maps of each scored series, from any thread.
#[derive(Clone, Copy)]
pub enum MapSink<'a> {
    /// As volumes.
    Volumes(&'a (dyn Fn(SeriesMaps) + Sync)),
    /// Slice by slice.
    Slices(&'a (dyn Fn(Vec<ScoredSliceMaps>) + Sync)),
}

/// The maps of a scored series, of the labels that have a region in it.
pub(crate) fn series_maps(
    study: &Study,
    series: &Series,
    result: &SeriesResult,
    maps: &BTreeMap<usize, &SliceMaps>,
) -> SeriesMaps {
    let has = |label: &Label| {
        let mut regions = result.slices.iter().flat_map(|slice| &slice.regions);
        regions.any(|region| region.label == *label)
    };
    let labels: Vec<Label> = Label::ALL.into_iter().filter(has).collect();
    SeriesMaps {
        study_instance_uid: study.id().into_owned(),
        series_instance_uid: series.id().into_owned(),
        volumes: volumes(maps, &series.slices, &labels),
    }
}

/// The maps of each slice of a result, of the labels that have a region there. `slices` are those of the
/// result.
pub(crate) fn slice_maps(
    slices: &[SliceScore],
    result: &SeriesResult,
    maps: &BTreeMap<usize, &SliceMaps>,
) -> Vec<ScoredSliceMaps> {
    let of = |(slice, result): (&SliceScore, &SliceResult)| {
        let planes = &maps.get(&slice.index)?.planes;
        let map = |label: Label| {
            let plane = planes[label.index()].clone()?;
            Some(LabelMap { label, kind: MapKind::Probability, plane })
        };
        let maps = result.regions.iter().filter_map(|region| map(region.label)).collect();
        let (source, sop_instance_uid) = (result.source.clone(), result.sop_instance_uid.clone());
        Some(ScoredSliceMaps { source, sop_instance_uid, maps })
    };
    let all = slices.iter().zip(&result.slices).filter_map(of);
    all.filter(|slice| !slice.maps.is_empty()).collect()
}

/// The volumes of `labels` of the slices that have maps, by their index among `headers`; each with its
/// header.
///
/// # Errors
/// Why they make no volume, as a text.
fn volumes(
    maps: &BTreeMap<usize, &SliceMaps>,
    headers: &[SliceHeader],
    labels: &[Label],
) -> Result<Vec<(Label, NewVolume)>, String> {
    if maps.is_empty() {
        return Err("the model's networks give no maps of probabilities".to_owned());
    }
    let image = |&index: &usize| -> GridImage {
        let header = &headers[index];
        (index, [header.rows, header.columns], header.plane)
    };
    let images: Vec<GridImage> = maps.keys().map(image).collect();
    let grid = StackGrid::new(&images, MOST_SIDE).map_err(|error| error.to_string())?;
    Ok(labels.iter().map(|&label| (label, volume(&grid, label, maps))).collect())
}

fn volume(grid: &StackGrid, label: Label, maps: &BTreeMap<usize, &SliceMaps>) -> NewVolume {
    let [rows, columns] = grid.reduced;
    let upright = grid.turn.size(grid.stored);
    let last = upright.map(|side| side as f64 - 1.0);
    let mut voxels = Vec::with_capacity(rows * columns * grid.shown.len());
    for shown in &grid.shown {
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
                    let part = (cell[axis] as f64 + 0.5) / grid.reduced[axis] as f64;
                    part * grid.stored[axis] as f64 - 0.5
                });
                let pixel = grid.turn.turned(last, pixel);
                let place = [0, 1].map(|axis| {
                    (pixel[axis] + 0.5) / upright[axis] as f64 * sides[axis] as f64 - 0.5
                });
                (sample(map, place) * 255.0).round() as u8
            }));
        }
    }
    let size = [columns, rows, grid.shown.len()];
    NewVolume { size, voxels, slope: 1.0 / 255.0, patient_from_voxel: grid.patient_from_voxel }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hemora_ct::{ImagePlane, LABEL_COUNT, Plane};
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
