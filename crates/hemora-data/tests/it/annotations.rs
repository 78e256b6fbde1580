//! Labels and annotations of which some are not known, from files to batches.

use std::path::Path;
use std::sync::Arc;

use hemora_ct::{InputRecipe, LABEL_COUNT, Label, Window};
use hemora_data::{
    Annotation, Augment, DataError, ImageSet, InMemorySet, JpegSet, Loader, LoaderError,
    LoaderOptions, WeightTable,
};

use crate::support::{write_flat_png, write_png};

const SIDE: usize = 32;

const SUBDURAL: u8 = 1 << Label::Subdural as u8;
const ANY: u8 = 1 << Label::Any as u8;
const EPIDURAL: u8 = 1 << Label::Epidural as u8;

const HEADER: &str = "ID,epidural,intraparenchymal,intraventricular,subarachnoid,subdural,any\n";

/// Writes an RGB PNG of these colours.
fn write_annotation(path: &Path, side: usize, colour: impl Fn(usize, usize) -> [u8; 3]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let file = std::fs::File::create(path).unwrap();
    let mut encoder = png::Encoder::new(file, side as u32, side as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let pixels: Vec<u8> = (0..side * side).flat_map(|at| colour(at / side, at % side)).collect();
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
}

/// The blob that is drawn and annotated.
fn in_blob(row: usize, column: usize) -> bool {
    (6..15).contains(&row) && (17..29).contains(&column) && (row, column) != (8, 19)
}

/// Four images: `a` without hemorrhage, `b` with a blob, `c` of which only `any` is known, and `d` of
/// which only one subtype is.
fn set(folder: &Path) -> InMemorySet {
    for id in ["a", "c", "d"] {
        write_flat_png(&folder.join(format!("images/{id}.png")), SIDE as u32, 100);
    }
    let blob: Vec<u8> =
        (0..SIDE * SIDE).map(|at| if in_blob(at / SIDE, at % SIDE) { 255 } else { 0 }).collect();
    write_png(&folder.join("images/b.png"), SIDE as u32, &blob);
    let text = format!("{HEADER}a,0,0,0,0,0,0\nb,0,,,,1,\nc,,,,,,1\nd,0,,,,,\n");
    std::fs::write(folder.join("labels.csv"), text).unwrap();
    let images =
        ImageSet::open_partial(&folder.join("images"), &folder.join("labels.csv")).unwrap();
    images.load(&recipe(), SIDE, &|_, _| {}).unwrap()
}

fn recipe() -> InputRecipe {
    let mut recipe = InputRecipe::grey(SIDE, Window::BRAIN);
    (recipe.mean, recipe.std) = (vec![0.0; 3], vec![1.0; 3]);
    recipe
}

fn options(map_stride: Option<usize>) -> LoaderOptions {
    LoaderOptions { batch: 4, shuffle: false, seed: 5, map_stride, ..LoaderOptions::default() }
}

fn loader(set: &Arc<InMemorySet>, augment: Option<Augment>, options: &LoaderOptions) -> Loader {
    Loader::new(set.clone(), vec![0, 1, 2, 3], None, recipe(), augment, options).unwrap()
}

#[test]
fn images_of_which_some_labels_are_known_come_to_the_batch_with_weights() {
    let folder = tempfile::tempdir().unwrap();
    let mut set = set(folder.path());
    let strict = ImageSet::open(&folder.path().join("images"), &folder.path().join("labels.csv"));
    assert!(strict.unwrap_err().to_string().contains("ID,Label"));
    let table = folder.path().join("weights.csv");
    std::fs::write(&table, "ID,weight\nb,0.5\n").unwrap();
    let weights = WeightTable::read(&table).unwrap();
    set.set_label_weights(|id| weights.weight(id).unwrap_or(1.0));
    assert_eq!(set.known(0), [true; LABEL_COUNT]);
    assert_eq!(set.known(1), [true, false, false, false, true, true]);
    assert_eq!((set.label_weight(0), set.label_weight(1)), (1.0, 0.5));
    // What is not known is not positive.
    assert_eq!(set.positives(), [0, 0, 0, 0, 1, 2]);
    let set = Arc::new(set);
    let batch = loader(&set, None, &options(None)).epoch(0).next().unwrap();
    assert_eq!(batch.indices(), [0, 1, 2, 3]);
    let rows = |values: &[f32]| values.as_chunks::<LABEL_COUNT>().0.to_vec();
    assert_eq!(rows(batch.labels())[1..3], [[0., 0., 0., 0., 1., 1.], [0., 0., 0., 0., 0., 1.]]);
    let known =
        [[1.; 6], [1., 0., 0., 0., 1., 1.], [0., 0., 0., 0., 0., 1.], [1., 0., 0., 0., 0., 0.]];
    assert_eq!(rows(batch.known()), known);
    assert_eq!(batch.label_weights(), [1.0, 0.5, 1.0, 1.0]);
    assert!(batch.maps().is_none());
}

#[test]
fn annotations_are_attached_at_the_working_size_and_make_labels_known() {
    let folder = tempfile::tempdir().unwrap();
    let mut set = set(folder.path());
    let at = |name: &str| folder.path().join("annotations").join(name);
    // Twice the working size: the nearest pixels are those of every second row and column.
    write_annotation(&at("b.png"), 2 * SIDE, |row, column| {
        [
            if in_blob(row / 2, column / 2) { SUBDURAL } else { 0 },
            if row < 2 { ANY | EPIDURAL } else { 0 },
            0,
        ]
    });
    write_annotation(&at("d.png"), SIDE, |row, _| [if row == 3 { SUBDURAL } else { 0 }, 0, 0]);
    write_annotation(&at("elsewhere.png"), SIDE, |_, _| [0; 3]);
    std::fs::write(at("notes.txt"), "no picture").unwrap();
    let report = set.annotate(&at("")).unwrap();
    assert_eq!((report.attached, report.without_image), (2, vec!["elsewhere".to_owned()]));
    let annotation = set.annotation(1).unwrap();
    assert_eq!((annotation.rows(), annotation.columns()), (SIDE, SIDE));
    for (at, (present, unknown)) in
        annotation.present().iter().zip(annotation.unknown()).enumerate()
    {
        let expected = if in_blob(at / SIDE, at % SIDE) { SUBDURAL | ANY } else { 0 };
        assert_eq!(*present, expected, "{at}");
        assert_eq!(*unknown, if at < SIDE { EPIDURAL | ANY } else { 0 }, "{at}");
    }
    assert!(set.annotation(0).is_none());
    // Of `d` no more than the missing epidural was known.
    assert_eq!(set.labels(3), [false, false, false, false, true, true]);
    assert_eq!(set.known(3), [true, false, false, false, true, true]);
    let again = set.annotate(&at("")).unwrap_err().to_string();
    assert!(again.contains("b.png") && again.contains("another folder"), "{again}");
}

#[test]
fn annotations_that_cannot_be_are_refused_with_file_and_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad/a.png");
    let mut set = set(folder.path());
    let mut refused = || match set.annotate(&folder.path().join("bad")) {
        Err(DataError::Annotation { path: named, source }) => {
            assert_eq!(named, path);
            source.to_string()
        }
        other => panic!("{other:?}"),
    };
    let spot = |colour: [u8; 3]| {
        write_annotation(
            &path,
            SIDE,
            move |row, column| {
                if (row, column) == (4, 7) { colour } else { [0; 3] }
            },
        );
    };
    for (colour, expected) in [
        ([64, 0, 0], "row 4, column 7 is (64, 0, 0)"),
        ([0, 128, 0], "below 64"),
        ([0, 0, 1], "blue 0"),
        ([SUBDURAL, SUBDURAL, 0], "`subdural` is both present and not known at row 4, column 7"),
        // The table says that `a` has no hemorrhage.
        ([SUBDURAL, 0, 0], "`subdural` is present, but the label table says"),
        ([ANY, 0, 0], "`any` is present"),
    ] {
        spot(colour);
        let message = refused();
        assert!(message.contains(expected), "{message}");
    }
    write_flat_png(&path, SIDE as u32, 0);
    assert!(refused().contains("expected RGB of 8 bits"));
    let good = {
        spot([0; 3]);
        std::fs::read(&path).unwrap()
    };
    std::fs::write(&path, &good[..good.len() / 2]).unwrap();
    assert!(refused().contains("not a readable PNG"));
    // Every cut and every flipped byte gives an annotation or an error, never a panic.
    for end in 0..good.len() {
        let mut flipped = good.clone();
        flipped[end] ^= 0x55;
        for bytes in [&good[..end], &flipped] {
            std::fs::write(&path, bytes).unwrap();
            let _ = Annotation::read(&path);
        }
    }
    let absent = set.annotate(&folder.path().join("nowhere")).unwrap_err().to_string();
    assert!(absent.contains("nowhere"), "{absent}");
}

/// The set with the blob annotated, and its top rows not known for `any` alone.
fn annotated(folder: &Path) -> Arc<InMemorySet> {
    let mut set = set(folder);
    write_annotation(&folder.join("annotations/b.png"), SIDE, |row, column| {
        [if in_blob(row, column) { SUBDURAL } else { 0 }, 0, 0]
    });
    // Where the blob of `b` would lie.
    write_annotation(&folder.join("annotations/c.png"), SIDE, |row, column| {
        [0, if in_blob(row, column) { ANY } else { 0 }, 0]
    });
    assert_eq!(set.annotate(&folder.join("annotations")).unwrap().attached, 2);
    Arc::new(set)
}

/// Means of the cells of `stride`² pixels.
fn cells(plane: &[f32], stride: usize) -> Vec<f32> {
    let side = SIDE / stride;
    let mean = |cell: usize| {
        let (row, column) = (cell / side * stride, cell % side * stride);
        let pixels =
            (0..stride * stride).map(|at| plane[(row + at / stride) * SIDE + column + at % stride]);
        pixels.sum::<f32>() / (stride * stride) as f32
    };
    (0..side * side).map(mean).collect()
}

#[test]
fn maps_move_as_the_image_does() {
    let folder = tempfile::tempdir().unwrap();
    let set = annotated(folder.path());
    let mirrored = Augment { flip: 1.0, ..Augment::off() };
    let turned = Augment {
        flip: 0.5,
        rotate_degrees: 60.0,
        shift: 0.3,
        scale: 0.3,
        shear_degrees: 20.0,
        crop: 0.5,
        ..Augment::off()
    };
    for (augment, stride) in
        [(None, 4), (Some(mirrored), 4), (Some(turned.clone()), 1), (Some(turned), 8)]
    {
        let side = SIDE / stride;
        for epoch in 0..4 {
            // `b` shows its own annotation, so its input is the warped mask. Drawn at the same place
            // of the order, `c` is moved alike, and has the mask among what is not known.
            let with = |index: usize| {
                let order = vec![index];
                let loader = Loader::new(
                    set.clone(),
                    order,
                    None,
                    recipe(),
                    augment.clone(),
                    &options(Some(stride)),
                );
                loader.unwrap().epoch(epoch).next().unwrap()
            };
            let (batch, other) = (with(1), with(2));
            let expected = cells(&batch.inputs()[..SIDE * SIDE], stride);
            let maps = batch.maps().unwrap();
            assert_eq!((maps.side, maps.present.len()), (side, LABEL_COUNT * side * side));
            let map = |values: &[f32], label: Label| {
                values[label.index() * side * side..][..side * side].to_vec()
            };
            for label in [Label::Subdural, Label::Any] {
                let found = map(maps.present, label);
                for (found, expected) in found.iter().zip(&expected) {
                    assert!((found - expected).abs() < 1e-5, "{label}: {found} {expected}");
                }
                assert_eq!(map(maps.known, label), vec![1.0; side * side]);
            }
            assert!(expected.iter().any(|part| *part > 0.2), "the blob is out of the picture");
            assert_eq!(map(maps.present, Label::Epidural), vec![0.0; side * side]);
            let maps = other.maps().unwrap();
            assert_eq!(map(maps.present, Label::Any), vec![0.0; side * side]);
            for (known, lost) in map(maps.known, Label::Any).iter().zip(&expected) {
                // Near the bound, the last bit decides.
                if (lost - 0.01).abs() > 1e-4 {
                    assert_eq!(*known, if *lost < 0.01 { 1.0 } else { 0.0 }, "{lost}");
                }
            }
        }
    }
}

#[test]
fn a_mirrored_map_is_the_mirror_of_the_map() {
    let folder = tempfile::tempdir().unwrap();
    let set = annotated(folder.path());
    let present = |augment| {
        let batch = loader(&set, augment, &options(Some(1))).epoch(0).next().unwrap();
        let maps = batch.maps().unwrap();
        let of = (LABEL_COUNT + Label::Subdural.index()) * SIDE * SIDE;
        maps.present[of..][..SIDE * SIDE].to_vec()
    };
    let plain = present(None);
    let mirrored = present(Some(Augment { flip: 1.0, ..Augment::off() }));
    for at in 0..SIDE * SIDE {
        let (row, column) = (at / SIDE, at % SIDE);
        assert_eq!(plain[at], if in_blob(row, column) { 1.0 } else { 0.0 });
        assert!((mirrored[at] - plain[row * SIDE + SIDE - 1 - column]).abs() < 1e-4, "{at}");
    }
}

#[test]
fn maps_of_images_without_annotation_say_what_their_labels_do() {
    let folder = tempfile::tempdir().unwrap();
    let set = Arc::new(set(folder.path()));
    let erased = Augment { erase: 1.0, border: 1.0, rotate_degrees: 10.0, ..Augment::off() };
    let batch = loader(&set, Some(erased), &options(Some(8))).epoch(0).next().unwrap();
    let maps = batch.maps().unwrap();
    assert!(maps.present.iter().all(|part| *part == 0.0));
    let expected = [[1.; 6], [1., 0., 0., 0., 0., 0.], [0.; 6], [1., 0., 0., 0., 0., 0.]];
    for (maps, known) in maps.known.chunks(16).zip(expected.as_flattened()) {
        assert_eq!(maps, [*known; 16]);
    }
}

#[test]
fn cells_must_fill_the_input() {
    let folder = tempfile::tempdir().unwrap();
    let set = Arc::new(set(folder.path()));
    for stride in [0, 5, 64] {
        let options = options(Some(stride));
        let refused = Loader::new(set.clone(), vec![0], None, recipe(), None, &options);
        assert!(matches!(refused, Err(LoaderError::MapStride { size: SIDE, .. })), "{stride}");
    }
}

#[test]
fn files_read_batch_by_batch_have_known_labels_and_maps_too() {
    let folder = tempfile::tempdir().unwrap();
    let images = folder.path().join("images");
    std::fs::create_dir_all(&images).unwrap();
    for id in ["a", "b"] {
        let path = images.join(format!("{id}.jpg"));
        let encoder = jpeg_encoder::Encoder::new_file(path, 90).unwrap();
        let side = SIDE as u16;
        encoder.encode(&[90; SIDE * SIDE], side, side, jpeg_encoder::ColorType::Luma).unwrap();
    }
    let labels = folder.path().join("labels.csv");
    std::fs::write(&labels, format!("{HEADER}a,0,0,0,0,0,0\nb,,,,,1,\n")).unwrap();
    let files = ImageSet::open_partial(&images, &labels).unwrap();
    let set = Arc::new(JpegSet::new(&files).unwrap());
    assert_eq!(set.known(1), [false, false, false, false, true, true]);
    let loader = Loader::new(set, vec![0, 1], None, recipe(), None, &options(Some(16))).unwrap();
    let batch = loader.epoch(0).next().unwrap();
    assert_eq!(batch.label_weights(), [1.0; 2]);
    assert_eq!(batch.known()[6..], [0.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
    assert_eq!(batch.maps().unwrap().known, [[1.0; 24], [0.0; 24]].concat());
}
