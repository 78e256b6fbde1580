//! A compressed frame; the first byte chooses the codec and the depth of the image around it.
#![no_main]

use hemora_io::{Source, read_slice};
use hemora_fuzz::{SYNTAXES, around_frame, file, prepare};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: prepare(), |data: &[u8]| {
    let Some((&selector, frame)) = data.split_first() else { return };
    let syntax = SYNTAXES[usize::from(selector) % SYNTAXES.len()];
    let bits = [16, 12, 8][usize::from(selector) / SYNTAXES.len() % 3];
    let path = file("frame.dcm", &around_frame(syntax, [21, 37], bits, frame));
    if let Ok((_, slice)) = read_slice(&Source::File(path)) {
        assert!(slice.hu().iter().all(|hu| hu.is_finite()));
    }
});
