//! What is written is read back.

use hemora_ct::{ImagePlane, Slice};
use hemora_io::{NewSlice, PixelStorage, Source, WriteError, read_slice, write_slice};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::raw;

pub fn new_slice<'a>(slice: &'a Slice, storage: PixelStorage) -> NewSlice<'a> {
    NewSlice {
        sop_instance_uid: "ID_000012eaf",
        series_instance_uid: "ID_0ab5820b2a",
        study_instance_uid: "1.2.840.1.2.3",
        patient_id: "ID_f15c0eee",
        series_description: "Schädel nativ",
        instance_number: -3,
        storage,
        slice,
    }
}

fn tilted_plane() -> ImagePlane {
    let tilt = 0.384_f64;
    let orientation = [1.0, 0.0, 0.0, 0.0, tilt.cos(), -tilt.sin()];
    ImagePlane::new([-125.0, -115.897_980_123, 1.0 / 3.0], orientation, Some([0.48828125, 0.5]))
        .unwrap()
}

#[test]
fn hounsfield_units_come_back_exactly_in_both_storages() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slice.dcm");
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let storages = [
        (PixelStorage::Signed16 { intercept: -1024 }, -32768 - 1024, 32767 - 1024),
        (PixelStorage::Signed16 { intercept: 0 }, -32768, 32767),
        (PixelStorage::Unsigned12 { intercept: -1024 }, -1024, 3071),
        (PixelStorage::Unsigned12 { intercept: -100 }, -100, 3995),
    ];
    for (storage, low, high) in storages {
        let (rows, columns) = (random.random_range(1..40), random.random_range(1..40));
        let hu: Vec<f32> =
            (0..rows * columns).map(|_| random.random_range(low..=high) as f32).collect();
        let slice = Slice::new(rows, columns, hu, Some(tilted_plane())).unwrap();
        write_slice(&path, &new_slice(&slice, storage)).unwrap();
        let (header, read) = read_slice(&Source::File(path.clone())).unwrap();
        assert_eq!(read.hu(), slice.hu(), "{storage:?}");
        assert_eq!((read.rows(), read.columns()), (rows, columns));
        assert_eq!(header.image_id(), "ID_000012eaf");
        assert_eq!(header.series_instance_uid.as_deref(), Some("ID_0ab5820b2a"));
        assert_eq!(header.study_instance_uid.as_deref(), Some("1.2.840.1.2.3"));
        assert_eq!(header.patient_id, "ID_f15c0eee");
        assert_eq!(header.series_description.as_deref(), Some("Schädel nativ"));
        assert_eq!(header.instance_number, Some(-3));
        assert_eq!(header.window, Some(hemora_ct::Window::BRAIN));
        let (written, read) = (tilted_plane(), read.plane.unwrap());
        assert_eq!(read.spacing, written.spacing);
        for axis in 0..3 {
            assert!((read.position[axis] - written.position[axis]).abs() < 1e-9);
            assert!((read.column_direction[axis] - written.column_direction[axis]).abs() < 1e-9);
        }
    }
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing is left beside the file");
}

#[test]
fn values_outside_the_storage_are_clamped_and_fractions_rounded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slice.dcm");
    let hu = vec![-5000.0, f32::NEG_INFINITY, 9000.0, f32::INFINITY, 10.4, -0.6];
    let slice = Slice::new(2, 3, hu, None).unwrap();
    let storage = PixelStorage::Unsigned12 { intercept: -1024 };
    write_slice(&path, &new_slice(&slice, storage)).unwrap();
    let (header, read) = read_slice(&Source::File(path.clone())).unwrap();
    assert_eq!(read.hu(), [-1024.0, -1024.0, 3071.0, 3071.0, 10.0, -1.0]);
    assert_eq!(header.plane, None);
}

#[test]
fn what_has_no_form_in_dicom_is_refused_and_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = raw::write_file(folder.path(), "slice.dcm", b"old");
    let storage = PixelStorage::Signed16 { intercept: 0 };
    let refused = |slice: &Slice, change: &dyn Fn(&mut NewSlice<'_>)| {
        let mut new = new_slice(slice, storage);
        change(&mut new);
        let result = write_slice(&path, &new);
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        result
    };
    let good = Slice::new(1, 1, vec![0.0], None).unwrap();
    let wide = Slice::new(1, 70_000, vec![0.0; 70_000], None).unwrap();
    let hole = Slice::new(1, 1, vec![f32::NAN], None).unwrap();
    let mut lost = good.clone();
    lost.plane = Some(ImagePlane { position: [f64::NAN; 3], ..tilted_plane() });
    assert!(matches!(refused(&wide, &|_| ()), Err(WriteError::TooLarge { .. })));
    assert!(matches!(refused(&hole, &|_| ()), Err(WriteError::NotFinite(_))));
    assert!(matches!(refused(&lost, &|_| ()), Err(WriteError::NotFinite(_))));
    let text = refused(&good, &|new| new.patient_id = "a\\b");
    assert!(matches!(text, Err(WriteError::Text { .. })));
    let nowhere = folder.path().join("no/such/folder.dcm");
    assert!(matches!(write_slice(&nowhere, &new_slice(&good, storage)), Err(WriteError::Io(_))));
}
