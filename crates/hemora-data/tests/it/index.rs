//! The index: columns, labels, bringing up to date, resuming.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::{python, shared_sample, write_labels};
use hemora_ct::{ImagePlane, Label, Slice};
use hemora_data::{
    Crop, InMemorySet, IndexError, IndexReader, IndexReport, PrepareRecipe, Selection, SliceRow,
    SplitInto, build_index, prepare,
};
use hemora_io::{NewSlice, PixelStorage, read_slice, write_slice};

fn silent(_: usize, _: usize) {}

pub fn write(path: &Path, id: &str, patient: &str, z: f64, hu: f32) {
    write_as(path, id, patient, z, hu, PixelStorage::Signed16 { intercept: -1024 });
}

fn write_as(path: &Path, id: &str, patient: &str, z: f64, hu: f32, storage: PixelStorage) {
    let orientation = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
    let plane = ImagePlane::new([0.0, 0.0, z], orientation, Some([0.5, 0.25])).unwrap();
    let mut pixels = vec![hu; 256];
    pixels[..64].fill(-1000.0);
    let slice = Slice::new(16, 16, pixels, Some(plane)).unwrap();
    let new = NewSlice {
        sop_instance_uid: id,
        series_instance_uid: "ID_series",
        study_instance_uid: "ID_study",
        patient_id: patient,
        series_description: "",
        instance_number: 1,
        storage,
        slice: &slice,
    };
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    write_slice(path, &new).unwrap();
}

struct Set {
    folder: tempfile::TempDir,
}

impl Set {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let set = Self { folder };
        write(&set.image("ID_a"), "ID_a", "p1", 10.0, 40.0);
        write(&set.image("ID_b"), "ID_b", "p1", 5.0, 120.0);
        write(&set.image("ID_c"), "ID_c", "p2", 0.0, 60.0);
        std::fs::write(set.image("ID_torn"), b"no image").unwrap();
        std::fs::write(set.path("images/notes.txt"), b"no image").unwrap();
        write_labels(
            &set.path("labels.csv"),
            &[("ID_a", &[Label::Subdural, Label::Any]), ("ID_b", &[]), ("ID_absent", &[])],
        );
        set
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn image(&self, id: &str) -> PathBuf {
        self.path(&format!("images/{id}.dcm"))
    }

    fn try_index(&self) -> Result<IndexReport, IndexError> {
        let (images, labels) = (self.path("images"), self.path("labels.csv"));
        build_index(&[images], &[labels], &self.path("set.parquet"), &silent)
    }

    fn index(&self) -> IndexReport {
        self.try_index().unwrap()
    }

    fn rows(&self) -> Vec<SliceRow> {
        IndexReader::open(&self.path("set.parquet")).unwrap().map(Result::unwrap).collect()
    }
}

#[test]
fn rows_say_what_the_files_hold() {
    let set = Set::new();
    let report = set.index();
    assert_eq!((report.slices, report.failed, report.other_files), (3, 1, 1));
    assert!(report.failures[0].contains("ID_torn"), "{:?}", report.failures);
    assert_eq!((report.read, report.unlabelled, report.repeated_ids), (4, 1, 0));
    assert_eq!((report.labels[0].used, &*report.labels[0].without_image[0]), (2, "ID_absent"));
    let rows = set.rows();
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, ["ID_a", "ID_b", "ID_c", ""]);
    let row = &rows[0];
    assert_eq!(
        (row.rows, row.columns, row.z, row.spacing),
        (16, 16, Some(10.0), Some([0.5, 0.25]))
    );
    assert_eq!((row.bits_stored, row.signed, row.rescale_intercept), (16, true, -1024.0));
    assert_eq!((row.pct_in_window, row.hu_min, row.hu_max), (0.75, -1000.0, 40.0));
    assert_eq!(row.labels, Some([false, false, false, false, true, true]));
    assert_eq!((row.patient_id.as_str(), row.tilt_degrees), ("p1", Some(0.0)));
    assert_eq!(row.sha256.len(), 64);
    assert_eq!((rows[1].pct_in_window, rows[2].labels), (0.0, None));
    assert!(rows[3].error.is_some() && !rows[3].is_usable());
    assert!(!set.path("set.parquet.parts").exists());
}

#[test]
fn only_what_changed_is_read_again() {
    let set = Set::new();
    set.index();
    let before = set.rows();
    let again = set.index();
    assert_eq!((again.unchanged, again.read, again.same_content), (4, 0, 0));
    assert_eq!(set.rows(), before);
    // Same bytes at another time, other bytes, a new file, a lost file, another table.
    let bytes = std::fs::read(set.image("ID_a")).unwrap();
    std::fs::remove_file(set.image("ID_a")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(20));
    std::fs::write(set.image("ID_a"), bytes).unwrap();
    write(&set.image("ID_b"), "ID_b", "p1", 5.0, 50.0);
    write(&set.image("ID_0"), "ID_0", "p0", 5.0, 50.0);
    std::fs::remove_file(set.image("ID_torn")).unwrap();
    write_labels(&set.path("labels.csv"), &[("ID_c", &[Label::Any])]);
    let third = set.index();
    assert_eq!((third.unchanged, third.same_content, third.read, third.gone), (1, 1, 2, 1));
    let rows = set.rows();
    assert_eq!(rows.len(), 4);
    assert_eq!((rows[2].id.as_str(), rows[2].pct_in_window), ("ID_b", 0.75));
    assert_eq!(rows.iter().filter(|row| row.labels.is_some()).count(), 1);
}

#[test]
fn a_killed_run_is_taken_up_where_it_was() {
    let set = Set::new();
    let labels = set.path("labels.csv");
    std::fs::write(&labels, "").unwrap();
    assert!(set.try_index().is_err());
    // Killed after the first chunk was written: its part is there, the index is not.
    write_labels(&labels, &[("ID_a", &[])]);
    set.index();
    let whole = std::fs::read(set.path("set.parquet")).unwrap();
    std::fs::create_dir(set.path("set.parquet.parts")).unwrap();
    std::fs::rename(set.path("set.parquet"), set.path("set.parquet.parts/000000.parquet")).unwrap();
    let report = set.index();
    assert_eq!((report.unchanged, report.read), (4, 0));
    assert_eq!(std::fs::read(set.path("set.parquet")).unwrap(), whole);
    let mut names: Vec<String> = std::fs::read_dir(set.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["images", "labels.csv", "set.parquet"]);
    // A file that vanished since the part was written is not in the index either.
    std::fs::create_dir(set.path("set.parquet.parts")).unwrap();
    std::fs::rename(set.path("set.parquet"), set.path("set.parquet.parts/000000.parquet")).unwrap();
    std::fs::remove_file(set.image("ID_b")).unwrap();
    let report = set.index();
    assert_eq!((report.slices, report.unchanged, report.read), (2, 3, 0));
    assert!(set.rows().iter().all(|row| row.id != "ID_b"));
}

#[test]
fn repeated_ids_are_flagged_and_counted() {
    let set = Set::new();
    write(&set.path("more/ID_a.dcm"), "ID_a", "p1", 10.0, 41.0);
    let most = AtomicUsize::new(0);
    let report = build_index(
        &[set.path("images"), set.path("more/ID_a.dcm")],
        &[],
        &set.path("set.parquet"),
        &|done, _| {
            most.fetch_max(done, Ordering::Relaxed);
        },
    )
    .unwrap();
    assert_eq!((report.slices, report.repeated_ids, most.into_inner()), (4, 1, 6));
    // The test's slices are soft tissue without bone.
    assert_eq!(set.rows()[4].flags, ["implausible_hu", "repeated_id"]);
}

#[test]
fn a_repaired_intercept_is_flagged() {
    let set = Set::new();
    // 12 bits, unsigned, intercept 0: the reader takes such values for HU + 1000
    // (docs/references.md#slice-preparation).
    let storage = PixelStorage::Unsigned12 { intercept: 0 };
    write_as(&set.image("ID_d"), "ID_d", "p3", 0.0, 40.0, storage);
    set.index();
    let rows = set.rows();
    let flagged = rows.iter().filter(|row| row.flags.iter().any(|it| it == "intercept_repaired"));
    assert_eq!(flagged.map(|row| row.id.as_str()).collect::<Vec<_>>(), ["ID_d"]);
}

#[test]
fn files_that_are_no_index_are_refused() {
    let set = Set::new();
    std::fs::write(set.path("set.parquet"), "no index").unwrap();
    let error = set.try_index().unwrap_err().to_string();
    assert!(error.contains("set.parquet") && error.contains("Parquet"), "{error}");
    std::fs::remove_file(set.path("set.parquet")).unwrap();
    set.index();
    let good = std::fs::read(set.path("set.parquet")).unwrap();
    let path = set.path("cut.parquet");
    for end in (0..good.len()).step_by(97) {
        std::fs::write(&path, &good[..end]).unwrap();
        assert!(IndexReader::open(&path).is_err(), "{end}");
    }
    let empty = set.path("empty");
    std::fs::create_dir(&empty).unwrap();
    let error = build_index(&[empty], &[], &set.path("x.parquet"), &silent).unwrap_err();
    assert!(matches!(error, IndexError::Empty(_)), "{error}");
}

#[test]
fn the_sample_is_indexed_and_opens_in_pyarrow() {
    let Some(sample) = shared_sample() else { return };
    let folder = tempfile::tempdir().unwrap();
    let index = folder.path().join("sample.parquet");
    let labels = [sample.join("stage_2_train.csv")];
    let report = build_index(&[sample.join("dicom")], &labels, &index, &silent).unwrap();
    assert_eq!((report.slices, report.failed, report.unlabelled), (205, 0, 0));
    assert!(report.labels[0].without_image.is_empty());
    let rows: Vec<SliceRow> = IndexReader::open(&index).unwrap().map(Result::unwrap).collect();
    let positive = rows.iter().filter(|row| row.labels.unwrap()[5]).count();
    assert_eq!((rows.len(), positive), (205, 42));
    let Some(python) = python() else { return };
    let program = "import sys\n\
                   try:\n    import pyarrow.parquet as parquet\n\
                   except ImportError:\n    sys.exit(9)\n\
                   table = parquet.read_table(sys.argv[1])\n\
                   print(table.num_rows, sum(table['any'].to_pylist()), table['id'][0])";
    let run = Command::new(python).args(["-c", program]).arg(&index).output().unwrap();
    if run.status.code() == Some(9) {
        eprintln!("skipped: the Python peers have no pyarrow");
        return;
    }
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let printed = String::from_utf8(run.stdout).unwrap();
    assert_eq!(printed.trim(), format!("205 42 {}", rows[0].id));
}

#[test]
fn frames_of_an_object_are_rows_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("images")).unwrap();
    // An enhanced CT object of two frames.
    let object = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/dicom/frames.dcm");
    std::fs::copy(object, path("images/frames.dcm")).unwrap();
    write(&path("images/ID_a.dcm"), "ID_a", "p1", 10.0, 40.0);
    // What a table says of the object is said of no frame.
    let labels: [(&str, &[Label]); 4] = [
        ("1.2.3-frame2", &[Label::Subdural, Label::Any]),
        ("frames-frame1", &[]),
        ("1.2.3", &[]),
        ("ID_a", &[]),
    ];
    write_labels(&path("labels.csv"), &labels);
    let index = path("set.parquet");
    let run = || build_index(&[path("images")], &[path("labels.csv")], &index, &silent).unwrap();
    let report = run();
    assert_eq!((report.slices, report.read, report.failed), (3, 2, 0));
    assert_eq!((report.unlabelled, report.repeated_ids), (0, 0));
    assert_eq!(report.labels[0].without_image, ["1.2.3"]);
    let rows =
        || -> Vec<SliceRow> { IndexReader::open(&index).unwrap().map(Result::unwrap).collect() };
    let before = rows();
    let frames: Vec<_> = before.iter().map(|row| (row.frame, row.id.as_str(), row.z)).collect();
    assert_eq!(
        frames,
        [
            (None, "ID_a", Some(10.0)),
            (Some(1), "frames-frame1", Some(0.0)),
            (Some(2), "1.2.3-frame2", Some(5.0))
        ]
    );
    assert_eq!(before[1].sop_instance_uid, before[2].sop_instance_uid);
    assert_eq!(before[2].labels, Some([false, false, false, false, true, true]));
    for row in &before {
        let (header, slice) = read_slice(&row.source()).unwrap();
        assert_eq!(header.source, row.source());
        let largest = slice.hu().iter().copied().fold(f32::MIN, f32::max);
        assert_eq!(row.hu_max, f64::from(largest));
    }
    // An object is one file: not read again, or all of its frames.
    let again = run();
    assert_eq!((again.unchanged, again.read, again.gone), (2, 0, 0));
    assert_eq!(rows(), before);
    std::fs::remove_file(path("images/frames.dcm")).unwrap();
    assert_eq!((run().gone, rows().len()), (2, 1));
}

#[test]
fn frames_are_prepared_like_slices() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let object = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/dicom/frames.dcm");
    write_labels(&path("labels.csv"), &[("1.2.3-frame1", &[]), ("1.2.3-frame2", &[])]);
    let index = path("set.parquet");
    build_index(&[object], &[path("labels.csv")], &index, &silent).unwrap();
    let recipe = PrepareRecipe::built_in("hu").unwrap();
    let recipe = PrepareRecipe { canvas: None, crop: Crop::Whole, ..recipe };
    let go = |_, _| std::ops::ControlFlow::Continue(());
    let split = SplitInto::Parts { validation: 0.0, test: 0.0 };
    let selection = Selection { split, ..Selection::default() };
    let report = prepare(&index, &path("hu"), &recipe, &selection, &go).unwrap();
    assert_eq!((report.slices, report.skipped.len()), (2, 0));
    let set = InMemorySet::open_hu(&path("hu"), 16, &silent).unwrap();
    let rows = IndexReader::open(&index).unwrap().map(Result::unwrap);
    for (place, row) in rows.enumerate() {
        assert_eq!(set.id(place), row.id);
        let (_, slice) = read_slice(&row.source()).unwrap();
        let hu: Vec<i16> = slice.hu().iter().map(|hu| *hu as i16).collect();
        assert_eq!(set.hu(place).unwrap(), hu);
    }
}

#[test]
fn damaged_indices_are_errors() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/index");
    let read =
        |path: &Path| -> Result<Vec<SliceRow>, IndexError> { IndexReader::open(path)?.collect() };
    // An offset below 0, on which the Parquet library panics.
    let error = read(&seeds.join("negative-offset.parquet")).unwrap_err().to_string();
    assert!(error.contains("negative-offset.parquet"), "{error}");
    let good = std::fs::read(seeds.join("set.parquet")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.parquet");
    let mut errors = 0;
    for place in (0..good.len()).step_by(7) {
        let mut bytes = good.clone();
        bytes[place] ^= 0xFF;
        std::fs::write(&path, bytes).unwrap();
        errors += usize::from(read(&path).is_err());
    }
    assert!(errors > 100, "{errors}");
}
