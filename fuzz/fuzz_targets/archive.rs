//! Zip and tar archives: their directories, the names and the contents of their entries.
#![no_main]

use hemora_io::{collect, list_sources, read_bytes};
use hemora_fuzz::{file, prepare};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: prepare(), |data: &[u8]| {
    for name in ["archive.zip", "archive.tar"] {
        let paths = [file(name, data)];
        for source in list_sources(&paths).sources.iter().take(16) {
            let _ = read_bytes(source);
        }
        let found = collect(&paths, &|_, _| ());
        let _ = found.skipped.iter().map(|skipped| skipped.reason.to_string()).count();
    }
});
