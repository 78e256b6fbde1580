//! A PNG or JPEG picture of a slice.
#![no_main]

use hemora_io::{Source, jpeg_channels, read_slice};
use hemora_fuzz::{file, prepare};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: prepare(), |data: &[u8]| {
    let path = file("picture", data);
    let _ = jpeg_channels(&path);
    let window = "40/80".parse().expect("a window");
    let source = Source::Picture { file: Box::new(Source::File(path)), window };
    if let Ok((header, slice)) = read_slice(&source) {
        assert_eq!(slice.hu().len(), header.rows * header.columns);
        assert!(slice.hu().iter().all(|hu| (0.0..=80.0).contains(hu)));
    }
});
