//! An upload that ends in the middle leaves nothing that anybody sees.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use hemora_objects::Place;
use hemora_testing::ObjectStorage;

use crate::{child, place, told};

/// A file of several parts.
fn file(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("large");
    File::create(&path).unwrap().set_len(40 << 20).unwrap();
    path
}

#[test]
fn an_upload_of_which_a_part_fails_is_given_up() {
    let Some(mut server) = ObjectStorage::start("scans") else { return };
    let place = place(&server, "out");
    let folder = tempfile::tempdir().unwrap();
    let from = file(folder.path());
    server.fail(100, "500", "PUT", "partNumber=3");
    let error = place.write_file("slices.parquet", &from).unwrap_err().to_string();
    assert!(error.starts_with("s3://scans/out/slices.parquet: "), "{error}");
    assert!(server.keys().is_empty() && server.unfinished_uploads().is_empty());
    server.heal();
    // A part that fails at first is sent again.
    server.fail(2, "503", "PUT", "partNumber=2");
    server.fail(1, "drop", "PUT", "partNumber=4");
    place.write_file("slices.parquet", &from).unwrap();
    assert_eq!(server.keys(), ["out/slices.parquet"]);
    assert_eq!(place.list("").unwrap()[0].size, 40 << 20);
    server.heal();
    // A later one that fails leaves the earlier one.
    server.fail(100, "500", "POST", "uploadId");
    File::create(&from).unwrap().set_len(20 << 20).unwrap();
    assert!(place.write_file("slices.parquet", &from).is_err());
    assert_eq!(place.list("").unwrap()[0].size, 40 << 20);
    let missing = folder.path().join("none");
    let error = place.write_file("x", &missing).unwrap_err().to_string();
    assert!(error.starts_with(missing.to_str().unwrap()), "{error}");
}

#[test]
fn a_program_that_is_killed_while_it_uploads_leaves_nothing() {
    let Some(mut server) = ObjectStorage::start("scans") else { return };
    let folder = tempfile::tempdir().unwrap();
    let from = file(folder.path());
    server.fail(100, "slow", "PUT", "partNumber");
    let arguments = [&*server.url("out"), from.to_str().unwrap()];
    let mut upload = child(&server, "interrupted::uploads", &arguments).spawn().unwrap();
    let start = Instant::now();
    let mut parts = 0;
    while parts < 5 {
        assert!(start.elapsed() < Duration::from_secs(60), "no part came");
        std::thread::sleep(Duration::from_millis(20));
        let (seen, _) = server.requests();
        parts += seen.iter().filter(|line| line.contains("partNumber")).count();
    }
    upload.kill().unwrap();
    upload.wait().unwrap();
    assert!(server.keys().is_empty());
    assert!(place(&server, "out").list("").unwrap().is_empty());
}

#[test]
#[ignore = "run by a_program_that_is_killed_while_it_uploads_leaves_nothing"]
fn uploads() {
    let [url, from] = &told()[..] else { panic!("a URL and a file") };
    Place::parse(url).unwrap().write_file("slices.parquet", Path::new(from)).unwrap();
}
