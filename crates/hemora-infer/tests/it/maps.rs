//! Regions of a network that sees bright pixels, and only where they are.

use std::path::Path;
use std::sync::Mutex;

use hemora_ct::{ImagePlane, LABEL_COUNT, Label, Slice, Views};
use hemora_infer::{
    LoadedModel, MapKind, MapSink, ScoredSliceMaps, SeriesMaps, Triage, TriageInput,
};
use hemora_io::{NewSlice, PixelStorage, collect, write_slice};
use hemora_model::{Bundle, Member, ModelInfo, Region, SeriesResult};
use hemora_nn::{Conv, DenseHead, GraphBuilder, Init, Op, Padding, Tensor, Weights, onnx};

use crate::support::{AXIAL, SIZE, info, loaded, member};

/// Rows and columns of the images; the maps have 8 × 8 parts of 8 pixels.
const SIDE: usize = 64;

/// A network whose maps are bright where subdural hemorrhage is: log odds of 6 where all pixels are
/// white in the brain window, −6 where they are black.
fn bright_model(folder: &Path, views: Views) -> LoadedModel {
    let (mut builder, input) = GraphBuilder::new("bright", [3, SIZE, SIZE]).unwrap();
    let (padding, init) = (Padding::Same, Init::HeNormal);
    let conv =
        Conv { channels: LABEL_COUNT, kernel: 4, stride: 4, padding, groups: 1, bias: true, init };
    let maps = builder.conv("dense", input, conv).unwrap();
    builder.mark_features(maps);
    let of_maps = builder.add("of_maps", Op::LogMeanExp { sharpness: 5.0 }, &[maps]).unwrap();
    let pooled = builder.add("pool", Op::GlobalAveragePool, &[maps]).unwrap();
    let of_features =
        builder.linear("classifier", pooled, LABEL_COUNT, Init::GlorotUniform).unwrap();
    let both = builder.add("both", Op::Mean, &[of_features, of_maps]).unwrap();
    builder.mark_dense(DenseHead { maps, of_maps, of_features });
    builder.add("probabilities", Op::Sigmoid, &[both]).unwrap();
    let graph = builder.finish();
    let mut weights = Weights::default();
    let mut set = |name: &str, shape: &[usize], values: Vec<f32>| {
        weights.insert(name, Tensor { shape: shape.to_vec(), values });
    };
    let inputs = 3 * 16;
    let mut kernel = vec![0.0; LABEL_COUNT * inputs];
    kernel[Label::Subdural.index() * inputs..][..inputs].fill(6.0 / inputs as f32);
    let mut bias = vec![-6.0; LABEL_COUNT];
    bias[Label::Subdural.index()] = 0.0;
    set("dense.weight", &[LABEL_COUNT, 3, 4, 4], kernel);
    set("dense.bias", &[LABEL_COUNT], bias);
    set("classifier.weight", &[LABEL_COUNT, LABEL_COUNT], vec![0.0; LABEL_COUNT * LABEL_COUNT]);
    set("classifier.bias", &[LABEL_COUNT], vec![0.0; LABEL_COUNT]);
    let onnx = onnx::write(&graph, &weights).unwrap();
    let info = ModelInfo { members: vec![Member { views, ..member() }], ..info() };
    loaded(&Bundle::write(&folder.join("bright.hemora"), &info, onnx, "# Card\n").unwrap())
}

/// Three slices of a series, of which the second has a bright square, as they are stored.
fn write_series(folder: &Path, orientation: [f64; 6], square: [usize; 2]) {
    for index in 0..3 {
        let bright = |row: usize, column: usize| {
            let inside = |at: usize, first: usize| (first..first + 16).contains(&at);
            index == 1 && inside(row, square[0]) && inside(column, square[1])
        };
        let hu = (0..SIDE * SIDE).map(|at| if bright(at / SIDE, at % SIDE) { 90.0 } else { -50.0 });
        let position = [-10.0, -20.0, 5.0 * index as f64];
        let plane = ImagePlane::new(position, orientation, Some([0.5, 0.5])).unwrap();
        let slice = Slice::new(SIDE, SIDE, hu.collect(), Some(plane)).unwrap();
        let sop = format!("1.2.3.{index}");
        let new = NewSlice {
            sop_instance_uid: &sop,
            series_instance_uid: "1.2.3",
            study_instance_uid: "1.2",
            patient_id: "patient",
            series_description: "head",
            instance_number: 1,
            storage: PixelStorage::Signed16 { intercept: 0 },
            slice: &slice,
        };
        write_slice(&folder.join(format!("{index}.dcm")), &new).unwrap();
    }
}

/// The result of the series and its maps.
fn triage(orientation: [f64; 6], square: [usize; 2], views: Views) -> (SeriesResult, SeriesMaps) {
    let all = Mutex::new(Vec::new());
    let keep = |maps: SeriesMaps| all.lock().unwrap().push(maps);
    let series = triage_with(orientation, square, views, MapSink::Volumes(&keep));
    let mut all = all.into_inner().unwrap();
    assert_eq!(all.len(), 1);
    (series, all.remove(0))
}

/// The result of the series, whose maps go to `sink`.
fn triage_with(
    orientation: [f64; 6],
    square: [usize; 2],
    views: Views,
    sink: MapSink<'_>,
) -> SeriesResult {
    let folder = tempfile::tempdir().unwrap();
    let model = bright_model(folder.path(), views);
    let images = folder.path().join("images");
    std::fs::create_dir(&images).unwrap();
    write_series(&images, orientation, square);
    let collection = collect(&[images], &|_, _| ());
    let triage = Triage { maps: Some(sink), ..Triage::new(&model) };
    let go_on = |_| std::ops::ControlFlow::Continue(());
    let mut output = triage.run(TriageInput::Collection(&collection), &go_on).unwrap();
    output.result.studies.remove(0).series.remove(0)
}

/// The one region of the second slice; the others have none.
fn only_region(series: &SeriesResult) -> &Region {
    let [below, slice, above] = series.slices.as_slice() else { panic!("three slices") };
    assert!(below.regions.is_empty() && above.regions.is_empty());
    let [region] = slice.regions.as_slice() else { panic!("{:?}", slice.regions) };
    assert_eq!(region.label, Label::Subdural);
    region
}

#[test]
fn a_bright_square_is_found_where_the_file_has_it() {
    // Stored as shown, upside down and mirrored, and with rows and columns exchanged.
    let turned = [-1.0, 0.0, 0.0, 0.0, -1.0, 0.0];
    let transposed = [0.0, 1.0, 0.0, 1.0, 0.0, 0.0];
    for orientation in [AXIAL, turned, transposed] {
        for views in [Views::One, Views::Flip] {
            let (series, maps) = triage(orientation, [8, 32], views);
            let region = only_region(&series);
            let context = format!("{orientation:?} {views:?}: {region:?}");
            assert!(region.peak > 0.99, "{context}");
            // One of the four parts of the square, whose centres are 4 pixels from its sides.
            assert!((11.0..20.0).contains(&region.peak_row), "{context}");
            assert!((35.0..44.0).contains(&region.peak_column), "{context}");
            let plane =
                ImagePlane::new([-10.0, -20.0, 5.0], orientation, Some([0.5, 0.5])).unwrap();
            let place = plane.patient_from_voxel([region.peak_row, region.peak_column]);
            assert_eq!(region.peak_mm, place, "{context}");
            // 16 × 16 pixels of 0.25 mm², less the corners, which the map rounds off.
            let area = region.area_mm2.unwrap();
            assert!((52.0..66.0).contains(&area), "{context}");
            let [top, left, bottom, right] = region.bounds;
            let (rows, columns) = (6..=8, 30..=32);
            assert!(rows.contains(&top) && columns.contains(&left), "{context}");
            assert!((23..=25).contains(&bottom) && (47..=49).contains(&right), "{context}");

            let volumes = maps.volumes.unwrap();
            let [(Label::Subdural, volume)] = volumes.as_slice() else { panic!("one volume") };
            assert_eq!(volume.size, [SIDE, SIDE, 3]);
            let at = |row: usize, column: usize, slice: usize| {
                volume.voxels[(slice * SIDE + row) * SIDE + column]
            };
            assert!(at(16, 40, 1) > 250 && at(40, 16, 1) < 5 && at(16, 40, 0) < 5, "{context}");
            let found = volume.patient_from_voxel.map(|[a, b, c, d]| a * 40.0 + b * 16.0 + c + d);
            let expected = plane.patient_from_voxel([16.0, 40.0]).unwrap();
            for axis in 0..3 {
                assert!((found[axis] - expected[axis]).abs() < 1e-6, "{context}");
            }
        }
    }
}

#[test]
fn maps_of_single_slices_lie_over_the_upright_image() {
    let all = Mutex::new(Vec::new());
    let keep = |maps: Vec<ScoredSliceMaps>| all.lock().unwrap().extend(maps);
    let turned = [-1.0, 0.0, 0.0, 0.0, -1.0, 0.0];
    let series = triage_with(turned, [8, 32], Views::One, MapSink::Slices(&keep));
    let all = all.into_inner().unwrap();
    let [slice] = all.as_slice() else { panic!("{all:?}") };
    let scored = &series.slices[1];
    assert_eq!(
        (&slice.source, &slice.sop_instance_uid),
        (&scored.source, &scored.sop_instance_uid)
    );
    let [map] = slice.maps.as_slice() else { panic!("{slice:?}") };
    assert_eq!((map.label, map.kind), (Label::Subdural, MapKind::Probability));
    assert_eq!((map.plane.rows, map.plane.columns), (8, 8), "the network's own resolution");
    let highest = map.plane.values.iter().copied().fold(0f32, f32::max);
    assert_eq!(highest, only_region(&series).peak);
    // Rows 8 to 23 and columns 32 to 47 of 64 are rows 5 and 6 and columns 2 and 3 of the upright map.
    let is_bright = |at: usize| map.plane.values[at] > 0.9;
    let bright: Vec<[usize; 2]> =
        (0..64).filter(|&at| is_bright(at)).map(|at| [at / 8, at % 8]).collect();
    assert_eq!(bright, [[5, 2], [5, 3], [6, 2], [6, 3]]);
}
