//! Files that are gone or have changed since they were indexed.

use std::fs;

use hemora_testing::dicom_files;

use crate::support::{Archive, rows, run};

#[test]
fn gone_and_changed_files_are_named_and_the_rest_is_scored() {
    let archive = Archive::new(2);
    let files = dicom_files(&archive.images().join("first"));
    fs::remove_file(&files[0]).unwrap();
    let mut bytes = fs::read(&files[1]).unwrap();
    bytes.extend([0; 2]);
    fs::write(&files[1], bytes).unwrap();
    // Only touched.
    fs::write(&files[2], fs::read(&files[2]).unwrap()).unwrap();
    fs::remove_file(archive.images().join("head.nii.gz")).unwrap();
    let counts = run(&archive.share("1/1", "out")).unwrap().manifest.counts;
    assert_eq!(counts.rows, counts.slices + counts.skipped);
    let table =
        |name: &str| rows(&archive.path(&format!("out/shard-00001-of-00001.{name}.parquet")));
    let skipped = table("skipped");
    let of = |path: &str| -> Vec<&str> {
        let rows =
            skipped.iter().filter(|row| row["source"].contains(path) && row["failed"] == "1");
        rows.map(|row| row["reason"].as_str()).collect()
    };
    assert_eq!(of(files[0].to_str().unwrap()), ["the file is gone since it was indexed"]);
    assert!(of(files[1].to_str().unwrap())[0].contains("has changed since it was indexed"));
    assert!(of(files[2].to_str().unwrap()).is_empty());
    // Six slices of the volume, and the torn file.
    assert_eq!((of("head.nii.gz").len(), counts.failed), (6, 9));
    let studies = table("studies");
    assert_eq!(studies.len(), 3, "without the volume");
    let warned: Vec<&String> =
        studies.iter().map(|row| &row["warnings"]).filter(|it| it.contains("are gone")).collect();
    assert!(warned.len() == 1 && warned[0].contains("2 of the images"), "{warned:?}");
}

#[test]
fn a_share_without_a_study_is_whole_and_empty() {
    let archive = Archive::new(1);
    let outcomes = archive.shares(40, "out");
    assert!(outcomes.iter().any(|share| share.manifest.counts.rows == 0));
    let merged = archive.merge("out", "merged").unwrap();
    assert_eq!(merged.counts.studies, 3);
}
