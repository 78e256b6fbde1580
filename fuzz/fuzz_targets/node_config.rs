//! The configuration of a node: what is taken reads back as it is.
#![no_main]

use hemora_serve::Config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(config) = Config::parse(text) {
        let resolved = config.resolved();
        assert_eq!(Config::parse(&resolved).expect("what was taken is taken again"), config);
    }
});
