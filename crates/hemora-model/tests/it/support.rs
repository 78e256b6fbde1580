//! Archives made without the code under test.

use std::io::{Cursor, Write};

use hemora_model::Bundle;
pub use hemora_testing::bundles::{calibration, info, member, operating_point};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A zip archive of these entries.
pub fn archive<N: AsRef<str>>(entries: &[(N, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        let options = SimpleFileOptions::default().compression_method(method);
        writer.start_file(name.as_ref(), options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The archive of a description and of networks by their names.
pub fn stored(description: &serde_json::Value, networks: &[(String, Vec<u8>)]) -> Vec<u8> {
    let description = description.to_string();
    let mut entries = vec![("model.json", description.as_bytes()), ("card.md", b"".as_slice())];
    entries.extend(networks.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())));
    archive(&entries, CompressionMethod::Stored)
}

/// Why a bundle is refused.
pub fn refused(bytes: &[u8]) -> String {
    Bundle::from_bytes(bytes).unwrap_err().to_string()
}

/// Every truncation is refused; every flipped byte is refused or changes nothing; nothing panics.
pub fn assert_damage_is_noticed(bytes: &[u8]) {
    let whole = Bundle::from_bytes(bytes).unwrap();
    for length in 0..bytes.len() {
        assert!(Bundle::from_bytes(&bytes[..length]).is_err(), "{length} bytes");
    }
    for index in 0..bytes.len() {
        let mut flipped = bytes.to_vec();
        flipped[index] ^= 0x20;
        // Flips in unused header fields change nothing; all others are errors, never panics.
        if let Ok(bundle) = Bundle::from_bytes(&flipped) {
            assert_eq!(bundle.model_ref(), whole.model_ref(), "byte {index}");
            assert!(bundle.members().eq(whole.members()), "byte {index}");
            assert_eq!(bundle.card(), whole.card(), "byte {index}");
        }
    }
}
