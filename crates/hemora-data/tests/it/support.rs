//! Tiny PNG files, label tables and the place of the shared sample.

use std::path::{Path, PathBuf};

use hemora_ct::Label;

/// Writes an 8-bit grey PNG of one value.
pub fn write_flat_png(path: &Path, side: u32, value: u8) {
    write_png(path, side, &vec![value; (side * side) as usize]);
}

/// Writes a square 8-bit grey PNG.
pub fn write_png(path: &Path, side: u32, pixels: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut encoder = png::Encoder::new(std::fs::File::create(path).unwrap(), side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header().unwrap().write_image_data(pixels).unwrap();
}

/// Writes a label table: every image with its positive labels.
pub fn write_labels(path: &Path, images: &[(&str, &[Label])]) {
    let mut text = String::from("ID,Label\n");
    for (id, positive) in images {
        for label in Label::ALL {
            text += &format!("{id}_{label},{}\n", u8::from(positive.contains(&label)));
        }
    }
    std::fs::write(path, text).unwrap();
}

/// The shared sample of the competition's data, or a line that says that it is not there.
pub fn shared_sample() -> Option<PathBuf> {
    let shared = std::env::var_os("HEMORA_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let sample = shared.join("rsna-sample");
    if sample.is_dir() {
        return Some(sample);
    }
    eprintln!("skipped: {} is not there (set HEMORA_SHARED)", sample.display());
    None
}

/// The Python interpreter with the peers, or `None` with a word about it.
pub fn python() -> Option<PathBuf> {
    let path = std::env::var_os("HEMORA_PEERS_PYTHON").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.env/peers/bin/python"),
        PathBuf::from,
    );
    if path.is_file() {
        return Some(path);
    }
    eprintln!("skipped: {} is not there (set HEMORA_PEERS_PYTHON)", path.display());
    None
}

/// DICOM files of a folder, in order.
pub fn dicom_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "dcm")).collect();
    files.sort();
    files
}
