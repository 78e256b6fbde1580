//! What is written is read.

use std::io::Read;

use hemora_objects::Place;
use hemora_testing::ObjectStorage;

use crate::place;

#[test]
fn what_is_written_is_listed_read_fetched_and_removed() {
    let Some(mut server) = ObjectStorage::start("scans") else { return };
    let place = place(&server, "2024/heads");
    assert_eq!(place.to_string(), "s3://scans/2024/heads");
    assert_eq!(place.local(), None);
    assert!(place.list("").unwrap().is_empty());
    assert_eq!(place.read("a.dcm", 10).unwrap(), None);
    assert_eq!(place.look_up("a.dcm").unwrap(), None);
    place.write("a.dcm", b"twelve bytes").unwrap();
    place.write("b/Köpfe 1%23+#?.dcm", b"").unwrap();
    place.below("b").unwrap().write("c.dcm", b"c").unwrap();
    // Another study whose name begins as this one's, and a folder's marker.
    self::place(&server, "2024").write("heads-of-others/d.dcm", b"d").unwrap();
    server.put_empty("2024/heads/b/");
    let listed = place.list("").unwrap();
    let names: Vec<(&str, u64)> = listed.iter().map(|it| (it.name.as_str(), it.size)).collect();
    assert_eq!(names, [("a.dcm", 12), ("b/Köpfe 1%23+#?.dcm", 0), ("b/c.dcm", 1)]);
    assert!(listed[0].version.is_some() && listed[0].modified.is_some());
    assert_eq!(place.list("b").unwrap(), listed[1..]);
    let found = place.look_up("a.dcm").unwrap().unwrap();
    assert_eq!(
        (&found.name, found.size, &found.version),
        (&listed[0].name, 12, &listed[0].version)
    );

    assert_eq!(place.read("a.dcm", 12).unwrap().unwrap(), b"twelve bytes");
    assert_eq!(place.read("b/Köpfe 1%23+#?.dcm", 0).unwrap().unwrap(), b"");
    let error = place.read("a.dcm", 11).unwrap_err().to_string();
    assert_eq!(error, "s3://scans/2024/heads/a.dcm has 12 bytes, and at most 11 are read");

    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("copy");
    assert!(!place.fetch("none", &to).unwrap() && !to.exists());
    assert!(place.fetch("a.dcm", &to).unwrap());
    assert_eq!(std::fs::read(&to).unwrap(), b"twelve bytes");
    place.write("a.dcm", b"other").unwrap();
    assert_eq!(place.read("a.dcm", 12).unwrap().unwrap(), b"other");
    place.remove("a.dcm").unwrap();
    place.remove("a.dcm").unwrap();
    assert_eq!(place.read("a.dcm", 12).unwrap(), None);
}

#[test]
fn objects_are_read_piece_by_piece_and_only_as_far_as_asked() {
    let Some(mut server) = ObjectStorage::start("scans") else { return };
    let place = place(&server, "");
    let bytes: Vec<u8> = (0..100_000_u32).map(|number| (number / 7) as u8).collect();
    place.write("slice", &bytes).unwrap();
    place.write("empty", b"").unwrap();
    server.requests();
    let mut object = place.open("slice", 1000).unwrap().unwrap();
    assert_eq!(object.size(), 100_000);
    let mut head = [0; 900];
    object.read_exact(&mut head).unwrap();
    assert_eq!(head[..], bytes[..900]);
    assert_eq!(server.requests().0.len(), 1);
    let mut rest = Vec::new();
    object.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, bytes[900..]);
    assert!(place.open("none", 1000).unwrap().is_none());
    let mut empty = place.open("empty", 1000).unwrap().unwrap();
    assert_eq!((empty.size(), empty.read(&mut head).unwrap()), (0, 0));

    let mut object = place.open("slice", 1000).unwrap().unwrap();
    place.write("slice", b"another version").unwrap();
    let error = object.read_to_end(&mut Vec::new()).unwrap_err().to_string();
    assert_eq!(error, "s3://scans/slice was replaced while it was read; try again");
}

#[test]
fn names_that_leave_the_place_are_asked_of_nobody() {
    let Some(mut server) = ObjectStorage::start("scans") else { return };
    let place = place(&server, "a");
    server.requests();
    for name in ["../b", "/b", "b/../../c", "", "b//c"] {
        assert!(place.write(name, b"").is_err() && place.read(name, 1).is_err(), "{name}");
    }
    assert!(Place::parse("s3://scans/../x").is_err() && Place::parse("s3://").is_err());
    assert!(server.requests().0.is_empty());
    // One that others put there is named, and no part of a list is taken for all of it.
    server.put_empty("a/b//c");
    let error = place.list("").unwrap_err().to_string();
    assert!(error.contains("s3://scans/a") && error.contains("rename it"), "{error}");
}
