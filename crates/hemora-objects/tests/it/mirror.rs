//! Copies on this machine of what is in object storage.

use std::path::{Path, PathBuf};

use hemora_objects::Mirror;
use hemora_testing::ObjectStorage;

use crate::{child, place, told};

#[test]
fn copies_are_fetched_published_and_given_up() {
    let Some(mut server) = ObjectStorage::start("scans") else { return };
    let place = place(&server, "out");
    place.write("set/a/b", b"there").unwrap();
    place.write("set/c", b"there, too").unwrap();
    place.write("settings", b"another's").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut works = child(&server, "mirror::works_on_copies", &[&server.url("out/set")]);
    let output = works.env("TMPDIR", folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(server.keys(), ["out/set/a/b", "out/set/d/e", "out/set/f", "out/settings"]);
    assert_eq!(place.read("set/d/e", 99).unwrap().unwrap(), b"made here");
    // Nothing is left on this machine.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
#[ignore = "run by copies_are_fetched_published_and_given_up"]
fn works_on_copies() {
    let url = told().remove(0);
    let mirror = Mirror::of(Path::new(&url)).unwrap();
    let file = |name: &str| mirror.path().join(name);
    assert!(mirror.is_remote() && !mirror.path().exists());
    assert_eq!(mirror.objects(mirror.path()).unwrap(), ["a/b", "c"]);
    assert_eq!(mirror.objects(&file("a")).unwrap(), ["b"]);
    assert_eq!(mirror.shown(&file("a/b")), PathBuf::from(format!("{url}/a/b")));
    assert!(mirror.fetch(&file("a/b")).unwrap() && !mirror.fetch(&file("none")).unwrap());
    assert_eq!(std::fs::read(file("a/b")).unwrap(), b"there");
    let error = mirror.need(&file("none")).unwrap_err().to_string();
    assert_eq!(error, format!("{url}/none: there is no such object"));
    std::fs::create_dir(file("d")).unwrap();
    std::fs::write(file("d/e"), b"made here").unwrap();
    mirror.publish(&file("d/e")).unwrap();
    for _ in 0..2 {
        mirror.release(&file("d/e")).unwrap();
        mirror.remove(&file("c")).unwrap();
    }
    assert!(!file("d/e").exists());
    mirror.write(&file("f"), b"never here").unwrap();
    assert!(!file("f").exists());
    // What is no copy of an object is neither sent nor removed.
    let elsewhere = [PathBuf::from("/etc/hostname"), file("../../../../etc/hostname")];
    for path in &elsewhere {
        assert!(mirror.publish(path).is_err() && mirror.remove(path).is_err());
        assert!(mirror.release(path).is_err() && mirror.fetch(path).is_err());
    }
    let bucket = Path::new("s3://scans");
    let of_bucket = Mirror::of(bucket).unwrap();
    assert_eq!(of_bucket.objects(of_bucket.path()).unwrap().len(), 4);
    assert!(of_bucket.objects(mirror.path()).is_err(), "a folder of another mirror");
    assert!(Mirror::of_file(bucket).is_err() && Mirror::of_file(Path::new(&url)).is_ok());
}
