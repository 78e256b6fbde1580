//! Files in memory.

use std::ops::ControlFlow;
use std::sync::Arc;

use hemora_io::{ReadOptions, Source, SourceList, collect_sources, read_slice};

use crate::raw::{Raw, write_file};

#[test]
fn files_in_memory_are_read_as_those_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let path = write_file(folder.path(), "1.dcm", &Raw::image().file());
    let bytes = std::fs::read(&path).unwrap();
    let files = [("up/1.dcm", bytes), ("x.zip", b"PK\x03\x04".to_vec()), ("a.txt", b"no".to_vec())];
    let files = files.map(|(name, bytes)| (name.to_owned(), Arc::from(bytes)));
    let read = |go_on| {
        let list = SourceList::from_files(files.clone());
        collect_sources(list, &ReadOptions::default(), &|_, _| go_on)
    };
    let collection = read(ControlFlow::Continue(())).unwrap();
    let header = &collection.studies[0].series[0].slices[0];
    assert_eq!(header.source.to_string(), "up/1.dcm");
    assert_eq!(read_slice(&header.source).unwrap().1, read_slice(&Source::File(path)).unwrap().1);
    let reasons: Vec<String> =
        collection.skipped.iter().map(|file| file.reason.to_string()).collect();
    assert_eq!(reasons.len(), 2);
    assert!(reasons[1].contains("archive inside an archive or in memory"), "{reasons:?}");
    assert!(read(ControlFlow::Break(())).is_none());
}
