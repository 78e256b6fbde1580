//! An index, as Parquet.
#![no_main]

use hemora_data::{IndexReader, SetStats};
use hemora_fuzz::{file, prepare};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: prepare(), |data: &[u8]| {
    let path = file("set.parquet", data);
    if let Ok(rows) = IndexReader::open(&path) {
        for row in rows.flatten().take(10_000) {
            let _ = row.source();
        }
    }
    let _ = SetStats::of_index(&path);
});
