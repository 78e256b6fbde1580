//! What the fuzz targets share: inputs as files, DICOM files around a frame, silent panics.

#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::sync::LazyLock;

use tempfile::TempDir;

/// A folder of this process, in `TMPDIR`, which `cargo xtask fuzz` puts into memory and empties.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().expect("a folder for inputs"));

/// Writes an input as a file; every call with one name gives the same path.
pub fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = FOLDER.path().join(name);
    std::fs::create_dir_all(path.parent().expect("a name in the folder")).expect("a folder");
    std::fs::write(&path, bytes).expect("room for an input");
    path
}

/// Before the first input: no threads beside the fuzzer's, and panics that a reader catches on
/// purpose are no findings. Others still are: libFuzzer's harness aborts on what leaves a target.
pub fn prepare() {
    let threads = rayon::ThreadPoolBuilder::new().num_threads(1).build_global();
    threads.expect("the first to ask for threads");
    std::panic::set_hook(Box::new(|panic| {
        const CAUGHT: [&str; 4] = ["/openjp2-", "/pure_jpegls-", "/jxl-", "/parquet-"];
        let file = panic.location().map(|place| place.file()).unwrap_or_default();
        if !CAUGHT.iter().any(|name| file.contains(name)) {
            eprintln!("{panic}");
            std::process::abort();
        }
    }));
}

/// Splits an input at its first `marker`: targets that read several files from one input.
pub fn parts<'a>(data: &'a [u8], marker: &[u8]) -> (&'a [u8], &'a [u8]) {
    match data.windows(marker.len()).position(|window| window == marker) {
        Some(at) => (&data[..at], &data[at + marker.len()..]),
        None => (data, &[]),
    }
}

/// A CT image file in explicit little endian around one compressed frame.
pub fn around_frame(syntax: &str, [rows, columns]: [u16; 2], bits: u16, frame: &[u8]) -> Vec<u8> {
    let signed = u16::from(bits == 16);
    let mut file = vec![0; 128];
    file.extend(b"DICM");
    text(&mut file, [2, 0x10], b"UI", syntax);
    text(&mut file, [8, 0x16], b"UI", "1.2.840.10008.5.1.4.1.1.2");
    text(&mut file, [8, 0x60], b"CS", "CT");
    for (element, value) in [
        (0x02, 1),
        (0x10, rows),
        (0x11, columns),
        (0x100, if bits > 8 { 16 } else { 8 }),
        (0x101, bits),
        (0x102, bits - 1),
        (0x103, signed),
    ] {
        push(&mut file, [0x28, element], b"US", &value.to_le_bytes());
    }
    text(&mut file, [0x28, 0x1052], b"DS", "-1024");
    text(&mut file, [0x28, 0x1053], b"DS", "1");
    file.extend([0xE0, 0x7F, 0x10, 0x00]);
    file.extend(b"OB\0\0\xFF\xFF\xFF\xFF");
    for fragment in [&[][..], frame] {
        file.extend([0xFE, 0xFF, 0x00, 0xE0]);
        file.extend((fragment.len().next_multiple_of(2) as u32).to_le_bytes());
        file.extend(fragment);
        file.extend(vec![0; fragment.len() % 2]);
    }
    file.extend([0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]);
    file
}

fn text(file: &mut Vec<u8>, tag: [u16; 2], vr: &[u8; 2], value: &str) {
    let mut value = value.as_bytes().to_vec();
    if value.len() % 2 == 1 {
        value.push(if vr == b"UI" { 0 } else { b' ' });
    }
    push(file, tag, vr, &value);
}

fn push(file: &mut Vec<u8>, tag: [u16; 2], vr: &[u8; 2], value: &[u8]) {
    file.extend(tag.iter().flat_map(|part| part.to_le_bytes()));
    file.extend(vr);
    file.extend((value.len() as u16).to_le_bytes());
    file.extend(value);
}

/// The transfer syntaxes of the codecs, in the order of the selector byte of target `pixels`.
pub const SYNTAXES: [&str; 12] = [
    "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.55",
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.81",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.4.201",
    "1.2.840.10008.1.2.4.110",
    "1.2.840.10008.1.2.1.98",
];
