//! Tiny PNG files, label tables and the place of the shared sample.

use std::path::{Path, PathBuf};

use hemora_ct::Label;
pub use hemora_testing::{dicom_files, python};

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

/// The shared sample of the competition's data, if it is there.
pub fn shared_sample() -> Option<PathBuf> {
    hemora_testing::shared("rsna-sample")
}
