//! Windowed 8-bit grey PNG files to planes of values 0–1, with every size checked first.

use std::io::{BufReader, Read};
use std::path::Path;

use hemora_ct::Plane;

/// Largest height and width of a picture, pixels. CT images have 512, rarely 1024.
pub const MAX_SIDE: u32 = 4096;

/// Largest PNG file, bytes: an 8-bit RGBA image of the largest size that does not compress.
const MAX_BYTES: u64 = (MAX_SIDE as u64) * (MAX_SIDE as u64) * 4 + (1 << 20);

/// Why a PNG is not used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PngError {
    /// The operating system refused.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// The file is larger than any image that would be accepted.
    #[error("the file has more than {MAX_BYTES} bytes")]
    TooLong,
    /// Not a PNG, or a broken one.
    #[error("not a readable PNG: {0}")]
    Decode(#[from] png::DecodingError),
    /// Declared dimensions out of bounds.
    #[error("{rows} × {columns} pixels; expected at most {MAX_SIDE} × {MAX_SIDE}")]
    Size {
        /// Declared rows.
        rows: u32,
        /// Declared columns.
        columns: u32,
    },
    /// Not 8 bits a channel.
    #[error("{0}; expected 8 bits a channel")]
    Depth(&'static str),
    /// More than one channel that differ.
    #[error("{0}; expected 8-bit grey, already windowed")]
    Format(&'static str),
}

/// The pixels of an 8-bit PNG as they are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PngPixels {
    /// Height.
    pub rows: usize,
    /// Width.
    pub columns: usize,
    /// 1 for grey, 2 for grey with opacity, 3 for RGB, 4 for RGB with opacity.
    pub channels: usize,
    /// The channels of a pixel, then those of the next, row by row.
    pub bytes: Vec<u8>,
}

/// Reads an 8-bit grey PNG as values 0–1 (value / 255). Colour images whose channels are all equal
/// and opaque are taken as grey.
///
/// # Errors
/// [`PngError`] says what was found instead.
pub fn read_png(path: &Path) -> Result<Plane, PngError> {
    decode_png(&read_bytes(path)?)
}

/// Reads an 8-bit PNG of any channels but a palette.
///
/// # Errors
/// [`PngError`] says what was found instead.
pub fn read_png_pixels(path: &Path) -> Result<PngPixels, PngError> {
    decode_pixels(&read_bytes(path)?)
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, PngError> {
    let file = std::fs::File::open(path)?;
    let mut bytes = Vec::new();
    BufReader::new(file).take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > MAX_BYTES {
        true => Err(PngError::TooLong),
        false => Ok(bytes),
    }
}

/// As [`read_png`], of a file's bytes.
///
/// # Errors
/// As there.
pub(crate) fn decode_png(bytes: &[u8]) -> Result<Plane, PngError> {
    let PngPixels { rows, columns, channels, bytes } = decode_pixels(bytes)?;
    let colours = if channels > 2 { 3 } else { 1 };
    for pixel in bytes.chunks_exact(channels).filter(|_| channels > 1) {
        if pixel[..colours].iter().any(|value| *value != pixel[0]) {
            return Err(PngError::Format("colour channels that differ"));
        }
        if pixel[colours..].iter().any(|alpha| *alpha != 255) {
            return Err(PngError::Format("transparent pixels"));
        }
    }
    let values = bytes.chunks_exact(channels).map(|pixel| f32::from(pixel[0]) / 255.0).collect();
    Ok(Plane { rows, columns, values })
}

fn decode_pixels(bytes: &[u8]) -> Result<PngPixels, PngError> {
    let limits = png::Limits { bytes: MAX_BYTES as usize };
    let mut decoder = png::Decoder::new_with_limits(std::io::Cursor::new(bytes), limits);
    decoder.set_transformations(png::Transformations::IDENTITY);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let info = decoder.read_header_info()?;
    let (rows, columns) = (info.height, info.width);
    if !(1..=MAX_SIDE).contains(&rows) || !(1..=MAX_SIDE).contains(&columns) {
        return Err(PngError::Size { rows, columns });
    }
    match (info.color_type, info.bit_depth) {
        (png::ColorType::Indexed, _) => return Err(PngError::Depth("palette colours")),
        (_, png::BitDepth::Eight) => {}
        (_, png::BitDepth::Sixteen) => return Err(PngError::Depth("16 bits a channel")),
        _ => return Err(PngError::Depth("fewer than 8 bits a channel")),
    }
    let channels = info.color_type.samples();
    let mut reader = decoder.read_info()?;
    let mut bytes = vec![0u8; rows as usize * columns as usize * channels];
    if reader.output_buffer_size() != Some(bytes.len()) {
        return Err(PngError::Size { rows, columns });
    }
    reader.next_frame(&mut bytes)?;
    Ok(PngPixels { rows: rows as usize, columns: columns as usize, channels, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A PNG file's bytes.
    fn encode(
        rows: u32,
        columns: u32,
        color: png::ColorType,
        depth: png::BitDepth,
        pixels: &[u8],
    ) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, columns, rows);
        encoder.set_color(color);
        encoder.set_depth(depth);
        encoder.write_header().unwrap().write_image_data(pixels).unwrap();
        bytes
    }

    /// An 8-bit grey PNG file's bytes.
    fn grey(rows: u32, columns: u32, pixels: &[u8]) -> Vec<u8> {
        encode(rows, columns, png::ColorType::Grayscale, png::BitDepth::Eight, pixels)
    }

    #[test]
    fn grey_values_become_0_to_1() {
        let plane = decode_png(&grey(2, 3, &[0, 51, 102, 153, 204, 255])).unwrap();
        assert_eq!((plane.rows, plane.columns), (2, 3));
        assert_eq!(plane.values, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
    }

    #[test]
    fn only_grey_colours_are_taken() {
        use png::{BitDepth, ColorType};
        let rgb =
            |pixels: &[u8]| decode_png(&encode(1, 1, ColorType::Rgb, BitDepth::Eight, pixels));
        assert_eq!(rgb(&[51, 51, 51]).unwrap().values, [0.2]);
        assert!(rgb(&[51, 50, 51]).unwrap_err().to_string().contains("channels that differ"));
        let alpha = encode(1, 1, ColorType::GrayscaleAlpha, BitDepth::Eight, &[51, 128]);
        assert!(decode_png(&alpha).unwrap_err().to_string().contains("transparent"));
        let deep = encode(1, 1, ColorType::Grayscale, BitDepth::Sixteen, &[1, 2]);
        assert!(decode_png(&deep).unwrap_err().to_string().contains("16 bits"));
        let one = encode(1, 1, ColorType::Grayscale, BitDepth::One, &[128]);
        assert!(decode_png(&one).unwrap_err().to_string().contains("fewer than 8"));
    }

    #[test]
    fn hostile_files_are_refused() {
        let good = grey(4, 4, &[7; 16]);
        // Every cut and every flipped byte must give an image or an error, never a panic.
        for end in 0..good.len() {
            let _ = decode_png(&good[..end]);
            let mut flipped = good.clone();
            flipped[end] ^= 0x55;
            let _ = decode_png(&flipped);
        }
        assert!(matches!(decode_png(&good[..40]), Err(PngError::Decode(_))));
        assert!(matches!(decode_png(b"GIF89a"), Err(PngError::Decode(_))));
        let mut wide = Vec::new();
        let mut encoder = png::Encoder::new(&mut wide, 1 << 30, 1 << 30);
        encoder.set_color(png::ColorType::Grayscale);
        let writer = encoder.write_header().unwrap();
        // Forgotten: finishing would complain that there are no pixels.
        std::mem::forget(writer);
        assert!(matches!(decode_png(&wide), Err(PngError::Size { rows: 1073741824, .. })));
    }
}
