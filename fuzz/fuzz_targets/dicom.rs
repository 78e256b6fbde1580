//! A DICOM file: meta header, data set, identity, functional groups, pixels.
#![no_main]

use hemora_io::{Source, collect, read_headers, read_identity, read_slice};
use hemora_fuzz::{file, prepare};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: prepare(), |data: &[u8]| {
    let path = file("image.dcm", data);
    let headers = read_headers(&Source::File(path.clone())).unwrap_or_default();
    // A frame of a long object reads as its other frames do.
    for header in headers.iter().take(3) {
        if let Ok((read, slice)) = read_slice(&header.source) {
            assert_eq!(read, *header);
            assert_eq!(slice.hu().len(), header.rows * header.columns);
            assert!(slice.hu().iter().all(|hu| hu.is_finite()));
        }
    }
    let _ = read_identity(&path);
    let found = collect(&[path], &|_, _| ());
    assert!(found.studies.len() + found.skipped.len() > 0);
});
