//! Images in object storage: what is in a bucket gives what the same files give in a folder.

use std::path::Path;

use hemora_data::{IndexReader, SliceRow};
use hemora_testing::content;

use super::{Twice, hemora, runs, text};

/// The rows of an index, without where and when they were found.
fn rows(index: &Path) -> Vec<SliceRow> {
    let rows = IndexReader::open(index).unwrap().map(Result::unwrap);
    rows.map(|row| {
        let name = row.path.rsplit('/').next().unwrap().to_owned();
        SliceRow { path: name, modified_ns: 0, ..row }
    })
    .collect()
}

#[test]
fn an_index_of_a_bucket_is_that_of_the_folder_and_is_prepared_alike() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut twice) = Twice::new(folder.path()) else { return };
    let [local, remote] = ["local", "remote"].map(|name| folder.path().join(name));
    let indexes = [&local, &remote].map(|path| path.with_extension("parquet"));
    let paths = [twice.folder.to_str().unwrap().to_owned(), twice.url.clone()];
    let mut said = Vec::new();
    for (path, index) in paths.iter().zip(&indexes) {
        let (index, labels) = (index.to_str().unwrap(), twice.labels.to_str().unwrap());
        let arguments = ["index", path, "--labels", labels, "--out", index];
        said.push(runs(&twice.server, &arguments, 3).replace(index, "INDEX"));
    }
    assert_eq!(twice.of_folder(&said[1]), said[0]);
    let [of_folder, of_bucket] = [&indexes[0], &indexes[1]].map(|index| rows(index));
    assert!(of_folder.len() > 20);
    assert_eq!(of_folder, of_bucket);
    // Each object was fetched once, several at a time.
    let (seen, most) = twice.server.requests();
    let fetched = seen.iter().filter(|line| line.starts_with("GET") && line.contains(".dcm"));
    assert_eq!(fetched.count(), of_bucket.len());
    assert!((4..=16).contains(&most), "{most} at the same time");

    // Again: nothing is fetched but what was replaced.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let replaced = of_bucket.iter().find(|row| row.error.is_none()).unwrap();
    let bytes = std::fs::read(twice.folder.join(&replaced.path)).unwrap();
    twice.place.write(&replaced.path, &bytes).unwrap();
    twice.server.requests();
    let arguments = ["index", &twice.url, "--out", indexes[1].to_str().unwrap()];
    let said = runs(&twice.server, &arguments, 3);
    assert!(said.contains("(0 read, ") && said.contains(" 1 only touched)"), "{said}");
    let (seen, _) = twice.server.requests();
    let fetched = seen.iter().filter(|line| line.starts_with("GET") && line.contains(".dcm"));
    assert_eq!(fetched.count(), 1, "{seen:?}");

    let labels = twice.labels.to_str().unwrap();
    runs(
        &twice.server,
        &["index", &twice.url, "--labels", labels, "--out", indexes[1].to_str().unwrap()],
        3,
    );
    for (index, out) in indexes.iter().zip([&local, &remote]) {
        let arguments =
            ["prepare", index.to_str().unwrap(), "--recipe=howard", "--out", out.to_str().unwrap()];
        runs(&twice.server, &arguments, 0);
    }
    for name in ["labels.csv", "splits.csv"] {
        let [a, b] = [&local, &remote].map(|set| std::fs::read_to_string(set.join(name)).unwrap());
        assert_eq!(a, b, "{name}");
    }
    let [a, b] = [&local, &remote].map(|set| content(&set.join("images")));
    assert!(!a.is_empty() && a == b);
}

#[test]
fn a_bucket_is_triaged_as_the_folder_is() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut twice) = Twice::new(folder.path()) else { return };
    let out = folder.path().join("out");
    let triaged = |path: &str| {
        let arguments = ["triage", path, "--out", out.to_str().unwrap(), "--json"];
        let printed = hemora(&twice.server, &arguments);
        assert_eq!(printed.status.code(), Some(3), "{}", text(&printed));
        serde_json::from_slice::<serde_json::Value>(&printed.stdout).unwrap()
    };
    let of_folder = triaged(twice.folder.to_str().unwrap());
    let of_bucket = triaged(&twice.url);
    // A piece with the header and the whole for the pixels, several objects at a time.
    let (seen, most) = twice.server.requests();
    let fetched = seen.iter().filter(|line| line.starts_with("GET") && line.contains("ID_"));
    let images =
        twice.place.list("").unwrap().iter().filter(|it| it.name.starts_with("ID_")).count();
    assert!(fetched.count() <= 2 * images, "{seen:?}");
    assert!((4..=24).contains(&most), "{most} at the same time");
    let of_bucket = twice.of_folder(&of_bucket.to_string());
    let of_bucket: serde_json::Value = serde_json::from_str(&of_bucket).unwrap();
    assert_eq!(of_bucket, of_folder);
    // One object, that the user names; a folder with a slash; one that is not there; an archive.
    let first = twice.place.list("").unwrap()[1].name.clone();
    let out = out.to_str().unwrap();
    runs(&twice.server, &["triage", &format!("{}/{first}", twice.url), "--out", out], 0);
    runs(&twice.server, &["triage", &format!("{}/", twice.url), "--out", out], 3);
    let said = runs(&twice.server, &["triage", &format!("{}/none", twice.url), "--out", out], 1);
    assert!(said.contains("/none: does not exist"), "{said}");
    twice.place.write("more/archive.zip", b"PK").unwrap();
    let said = runs(&twice.server, &["triage", &format!("{}/more", twice.url), "--out", out], 1);
    assert!(said.contains("archive.zip: an archive in object storage is not opened"), "{said}");
    // What the server says is said once, with the object.
    twice.server.fail(100, "503", "GET", "prefix");
    let said = runs(&twice.server, &["triage", &twice.url, "--out", out], 1);
    let expected = format!("{}: {} fails (SlowDown", twice.url, twice.server.endpoint());
    assert!(said.contains(&expected), "{said}");
}
