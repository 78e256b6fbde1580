//! Pairing images with labels and decoding them, on generated files.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::{write_flat_png, write_labels, write_png};
use hemora_ct::{Channel, InputRecipe, Label, Slice, Window};
use hemora_data::{DataError, Groups, ImageKind, ImageSet, InMemorySet};
use hemora_io::{NewSlice, PixelStorage, write_slice};

const BLEED: &[Label] = &[Label::Subdural, Label::Any];

fn silent(_: usize, _: usize) {}

fn recipe() -> InputRecipe {
    InputRecipe::grey(16, Window::BRAIN)
}

fn three_images(folder: &Path) -> ImageSet {
    for (name, value) in [("ID_b.png", 200), ("sub/ID_a.PNG", 100), ("ID_c.png", 50)] {
        write_flat_png(&folder.join("images").join(name), 20, value);
    }
    let labels = folder.join("labels.csv");
    write_labels(&labels, &[("ID_a", &[]), ("ID_b", BLEED), ("ID_c", &[])]);
    ImageSet::open(&folder.join("images"), &labels).unwrap()
}

#[test]
fn what_does_not_pair_up_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let images = folder.path().join("images");
    write_flat_png(&images.join("ID_unlabelled.png"), 8, 1);
    write_flat_png(&images.join("sub/ID_a.png"), 8, 1);
    std::fs::write(images.join("notes.txt"), "x").unwrap();
    write_flat_png(&images.join("ID_a.png"), 8, 1);
    let labels = folder.path().join("labels.csv");
    write_labels(&labels, &[("ID_a", BLEED), ("ID_absent", &[])]);

    let set = ImageSet::open(&images, &labels).unwrap();
    assert_eq!(set.kind(), ImageKind::WindowedPng);
    let ids: Vec<&str> = set.images().iter().map(|image| image.id.as_str()).collect();
    assert_eq!(ids, ["ID_a"]);
    assert_eq!(set.images()[0].labels, [false, false, false, false, true, true]);
    let report = set.report();
    assert_eq!(report.unlabelled, ["ID_unlabelled"]);
    assert_eq!(report.without_image, ["ID_absent"]);
    assert_eq!(report.repeated, [images.join("sub/ID_a.png")]);
    assert_eq!(report.other_files, 1);
}

#[test]
fn sets_that_cannot_be_used_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let images = folder.path().join("images");
    let labels = folder.path().join("labels.csv");
    write_labels(&labels, &[("ID_a", &[])]);
    let open = || ImageSet::open(&images, &labels).unwrap_err();
    assert!(matches!(open(), DataError::Folder { .. }));
    std::fs::create_dir(&images).unwrap();
    assert!(matches!(open(), DataError::NoImages(_)));
    write_flat_png(&images.join("scan1.png"), 8, 1);
    let message = open().to_string();
    assert!(message.contains("`scan1`") && message.contains("`ID_a`"), "{message}");
    std::fs::write(images.join("scan2.dcm"), "").unwrap();
    assert!(matches!(open(), DataError::MixedKinds { png: 1, dicom: 1, .. }));
    std::fs::write(&labels, "ID,Label\nID_a_any,maybe\n").unwrap();
    let message = open().to_string();
    assert!(message.contains("labels.csv") && message.contains("line 2"), "{message}");
}

#[test]
fn images_are_decoded_in_order_and_progress_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let most = AtomicUsize::new(0);
    let progress = |done, total| {
        assert_eq!(total, 3);
        most.fetch_max(done, Ordering::Relaxed);
    };
    let set = three_images(folder.path()).load(&recipe(), 16, &progress).unwrap();
    assert_eq!(most.into_inner(), 3);
    assert_eq!((set.len(), set.working_size()), (3, 16));
    for (index, (id, value)) in [("ID_a", 100), ("ID_b", 200), ("ID_c", 50)].iter().enumerate() {
        assert_eq!(set.id(index), *id);
        assert!(set.plane(index, 0).iter().all(|byte| byte == value));
    }
    assert_eq!(set.positives(), [0, 0, 0, 0, 1, 1]);
    assert!(set.labels(1)[Label::Any.index()]);
}

#[test]
fn unreadable_images_are_skipped_with_their_reason() {
    let folder = tempfile::tempdir().unwrap();
    let set = three_images(folder.path());
    std::fs::write(folder.path().join("images/sub/ID_a.PNG"), b"no image").unwrap();
    let decoded = set.load(&recipe(), 16, &silent).unwrap();
    assert_eq!((decoded.id(0), decoded.id(1)), ("ID_b", "ID_c"));
    assert_eq!((decoded.plane(0, 0)[0], decoded.plane(1, 0)[255]), (200, 50));
    assert_eq!(decoded.skipped().len(), 1);
    assert_eq!(decoded.skipped()[0].id, "ID_a");
    assert!(decoded.skipped()[0].reason.contains("PNG"), "{}", decoded.skipped()[0].reason);
    for name in ["ID_b.png", "ID_c.png"] {
        std::fs::remove_file(folder.path().join("images").join(name)).unwrap();
    }
    let error = set.load(&recipe(), 16, &silent).unwrap_err();
    assert!(matches!(error, DataError::AllSkipped { count: 3, .. }), "{error}");
}

#[test]
fn neighbours_and_impossible_sizes_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let set = three_images(folder.path());
    let mut stack = recipe();
    stack.channels[2] = Channel { window: Window::BRAIN, offset: 1 };
    let error = set.load(&stack, 16, &silent).unwrap_err();
    assert!(matches!(error, DataError::Neighbours { channel: 2, offset: 1 }), "{error}");
    let error = set.load(&recipe(), 1 << 20, &silent).unwrap_err();
    assert!(matches!(error, DataError::WorkingSize(_)), "{error}");
    let mut broken = recipe();
    broken.std[0] = 0.0;
    assert!(matches!(set.load(&broken, 16, &silent).unwrap_err(), DataError::Recipe(_)));
    let decoded = set.load(&recipe(), 16, &silent).unwrap();
    assert!(matches!(decoded.planes_for(&stack), Err(DataError::Neighbours { .. })));
}

#[test]
fn a_reduction_keeps_the_mean_grey() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("images/ID_a.png");
    // A fine checkerboard: whoever skips pixels gets black or white.
    let pixels: Vec<u8> =
        (0..128 * 128).map(|at| if (at + at / 128) % 2 == 0 { 0 } else { 255 }).collect();
    write_png(&image, 128, &pixels);
    let labels = folder.path().join("labels.csv");
    write_labels(&labels, &[("ID_a", &[])]);
    let set = ImageSet::open(image.parent().unwrap(), &labels).unwrap();
    let set = set.load(&recipe(), 32, &silent).unwrap();
    let inner = &set.plane(0, 0)[32 * 16..32 * 17];
    assert!(inner.iter().all(|value| (125..=130).contains(value)), "{inner:?}");
}

#[test]
fn dicom_is_windowed_by_the_recipe_and_knows_its_patient() {
    let folder = tempfile::tempdir().unwrap();
    let images = folder.path().join("images");
    std::fs::create_dir(&images).unwrap();
    for (id, patient, hu) in [("ID_a", "p1", 20.0), ("ID_b", "p1", 60.0), ("ID_c", "p2", 120.0)] {
        let slice = Slice::new(24, 24, vec![hu; 576], None).unwrap();
        let new = NewSlice {
            sop_instance_uid: id,
            series_instance_uid: &format!("ID_series_{patient}"),
            study_instance_uid: "ID_study",
            patient_id: patient,
            series_description: "",
            instance_number: 1,
            storage: PixelStorage::Signed16 { intercept: 0 },
            slice: &slice,
        };
        write_slice(&images.join(format!("{id}.dcm")), &new).unwrap();
    }
    std::fs::write(images.join("ID_d.dcm"), b"no image").unwrap();
    let labels = folder.path().join("labels.csv");
    write_labels(&labels, &[("ID_a", &[]), ("ID_b", BLEED), ("ID_c", &[]), ("ID_d", &[])]);

    let mut recipe = recipe();
    recipe.channels[1].window = Window::SUBDURAL;
    let set = ImageSet::open(&images, &labels).unwrap();
    assert_eq!(set.kind(), ImageKind::Dicom);
    let set = set.load(&recipe, 16, &silent).unwrap();
    assert_eq!((set.len(), set.skipped().len()), (3, 1));
    assert_eq!(set.planes_for(&recipe).unwrap(), [0, 1, 0]);
    // Brain 0 to 80 HU, subdural −20 to 180 HU.
    assert_eq!((set.plane(0, 0)[0], set.plane(1, 0)[0], set.plane(2, 0)[0]), (64, 191, 255));
    assert_eq!((set.plane(0, 1)[0], set.plane(2, 1)[0]), (51, 179));
    let bone = InputRecipe::grey(16, Window::BONE);
    assert!(matches!(set.planes_for(&bone), Err(DataError::Window { channel: 0, .. })));
    let groups = set.groups(&Groups::default());
    assert_eq!(groups, ["PatientID=p1", "PatientID=p1", "PatientID=p2"]);
}

#[test]
fn parts_must_fit() {
    let make = |planes: usize| {
        InMemorySet::from_windowed(16, vec!["a".into()], vec![[false; 6]], vec![0; planes])
    };
    assert_eq!(make(256).unwrap().len(), 1);
    assert!(matches!(make(255), Err(DataError::Parts(_))));
}
