//! Shares and what they make in object storage, against moto's S3 server.

use std::panic::{AssertUnwindSafe, catch_unwind};

use hemora_archive::{ShareTriage, merge};
use hemora_objects::Place;
use hemora_testing::{ObjectStorage, content};

use crate::support::{Archive, run};

#[test]
fn shares_in_object_storage_are_those_of_a_folder() {
    let Some(mut server) = ObjectStorage::start("scans") else { return };
    let place = |prefix: &str, server: &ObjectStorage| {
        Place::parse_with_variables(&server.url(prefix), &server.variables()).unwrap()
    };
    let archive = Archive::new(20);
    archive.shares(1, "shares");
    archive.merge("shares", "result").unwrap();
    let (shares, result) = (place("job/shares", &server), place("job/result", &server));
    let share = ShareTriage { out: shares.clone(), ..archive.share("1/1", "unused") };
    let whole = || shares.look_up("shard-00001-of-00001.part/00000.json").unwrap().is_some();
    let stop = |_: usize, _: usize| assert!(!whole(), "stopped on purpose");
    assert!(catch_unwind(AssertUnwindSafe(|| share.run(&stop))).is_err());
    let is_of_a_chunk = |key: &String| key.contains(".part/00000.");
    assert_eq!(server.keys().iter().filter(|key| is_of_a_chunk(key)).count(), 5);
    assert!(merge(std::slice::from_ref(&shares), &result, &|_, _| {}).is_err());

    assert!(!run(&share).unwrap().was_done);
    assert!(run(&share).unwrap().was_done);
    merge(std::slice::from_ref(&shares), &result, &|_, _| {}).unwrap();
    for (place, folder) in [(&shares, "shares"), (&result, "result")] {
        let files = content(&archive.path(folder));
        let names: Vec<String> = place.list("").unwrap().into_iter().map(|it| it.name).collect();
        assert!(names.iter().eq(files.keys().map(|path| path.to_str().unwrap())), "{names:?}");
        for (name, bytes) in names.iter().zip(files.values()) {
            assert!(place.read(name, 1 << 30).unwrap().as_ref() == Some(bytes), "{name}");
        }
    }
    assert!(!archive.path("unused").exists());
}
