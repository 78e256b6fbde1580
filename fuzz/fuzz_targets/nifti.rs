//! A NIfTI volume, plain or in gzip.
#![no_main]

use hemora_io::{FileFormat, Source, read_headers, read_slice};
use hemora_fuzz::{file, prepare};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: prepare(), |data: &[u8]| {
    let headers = read_headers(&Source::File(file("volume.nii", data))).unwrap_or_default();
    for header in headers.first().into_iter().chain(headers.last()) {
        if header.format == FileFormat::Dicom {
            continue;
        }
        // What its header accepts can be decoded.
        let (read, slice) = read_slice(&header.source).expect("a slice of a checked volume");
        assert_eq!(read, *header);
        assert_eq!(slice.hu().len(), header.rows * header.columns);
        assert!(slice.hu().iter().all(|hu| hu.is_finite()));
        assert!(slice.plane.is_some());
    }
});
