//! 8-bit JPEG files to planes of values 0–1, with every size checked first.

use std::io::Read as _;
use std::path::Path;

use hemora_ct::Plane;
use jpeg_decoder::{Decoder, PixelFormat};

use super::png::MAX_SIDE;

/// Largest JPEG file, bytes: far above one of the largest size.
const MAX_BYTES: u64 = 64 << 20;

/// Why a JPEG is not used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JpegError {
    /// The operating system refused.
    #[error("cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// The file is larger than any image that would be accepted.
    #[error("the file has more than {MAX_BYTES} bytes")]
    TooLong,
    /// Not a JPEG, or a broken one.
    #[error("not a readable JPEG: {0}")]
    Decode(#[from] jpeg_decoder::Error),
    /// Declared dimensions out of bounds.
    #[error("{rows} × {columns} pixels; expected at most {MAX_SIDE} × {MAX_SIDE}")]
    Size {
        /// Declared rows.
        rows: u32,
        /// Declared columns.
        columns: u32,
    },
    /// Other channels, or not 8 bits.
    #[error("{0:?}; expected 8-bit grey or RGB")]
    Format(PixelFormat),
    /// Nothing says how large the image is.
    #[error("the frame has no header")]
    NoHeader,
    /// A frame with fewer pixels than its header declares.
    #[error("{found} values for {rows} × {columns} pixels")]
    CutOff {
        /// Declared rows.
        rows: usize,
        /// Declared columns.
        columns: usize,
        /// Values found.
        found: usize,
    },
}

/// An 8-bit JPEG, grey or RGB.
#[derive(Debug, Clone)]
pub struct JpegPixels {
    /// Height.
    pub rows: usize,
    /// Width.
    pub columns: usize,
    /// 1 or 3.
    pub channels: usize,
    /// The bytes of all channels of a pixel, then those of the next, row by row.
    pub bytes: Vec<u8>,
}

/// Reads an 8-bit JPEG, grey or RGB.
///
/// # Errors
/// [`JpegError`] names what was found instead.
pub fn read_jpeg_pixels(path: &Path) -> Result<JpegPixels, JpegError> {
    decode_pixels(&read_limited(path)?)
}

fn decode_pixels(file: &[u8]) -> Result<JpegPixels, JpegError> {
    let mut decoder = Decoder::new(file);
    let (rows, columns, channels) = header(&mut decoder)?;
    decoder.set_max_decoding_buffer_size(rows * columns * channels);
    let bytes = decoder.decode()?;
    if bytes.len() != rows * columns * channels {
        return Err(JpegError::CutOff { rows, columns, found: bytes.len() });
    }
    Ok(JpegPixels { rows, columns, channels, bytes })
}

/// Reads an 8-bit JPEG, grey or RGB, as one plane or three of values 0–1 (value / 255).
///
/// # Errors
/// [`JpegError`] names what was found instead.
pub fn read_jpeg(path: &Path) -> Result<Vec<Plane>, JpegError> {
    decode_jpeg(&read_limited(path)?)
}

/// As [`read_jpeg`], of a file's bytes.
pub(crate) fn decode_jpeg(bytes: &[u8]) -> Result<Vec<Plane>, JpegError> {
    let JpegPixels { rows, columns, channels, bytes } = decode_pixels(bytes)?;
    let plane = |channel: usize| {
        let values = bytes[channel..].iter().step_by(channels);
        Plane { rows, columns, values: values.map(|byte| f32::from(*byte) / 255.0).collect() }
    };
    Ok((0..channels).map(plane).collect())
}

/// Channels of a JPEG, 1 or 3.
///
/// # Errors
/// [`JpegError`] names what was found instead.
pub fn jpeg_channels(path: &Path) -> Result<usize, JpegError> {
    let bytes = read_limited(path)?;
    Ok(header(&mut Decoder::new(bytes.as_slice()))?.2)
}

fn read_limited(path: &Path) -> Result<Vec<u8>, JpegError> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(JpegError::TooLong);
    }
    Ok(bytes)
}

/// Rows, columns and channels.
fn header(decoder: &mut Decoder<&[u8]>) -> Result<(usize, usize, usize), JpegError> {
    decoder.read_info()?;
    let info = decoder.info().ok_or(JpegError::NoHeader)?;
    let (rows, columns) = (u32::from(info.height), u32::from(info.width));
    if !(1..=MAX_SIDE).contains(&rows) || !(1..=MAX_SIDE).contains(&columns) {
        return Err(JpegError::Size { rows, columns });
    }
    let channels = match info.pixel_format {
        PixelFormat::L8 => 1,
        PixelFormat::RGB24 => 3,
        other => return Err(JpegError::Format(other)),
    };
    Ok((rows as usize, columns as usize, channels))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

    fn encode(pixels: &[u8], side: u16, colour: ColorType) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, 100);
        encoder.set_sampling_factor(SamplingFactor::F_1_1);
        encoder.encode(pixels, side, side, colour).unwrap();
        bytes
    }

    #[test]
    fn colours_are_planes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.jpg");
        std::fs::write(&path, encode(&[200, 100, 50].repeat(64), 8, ColorType::Rgb)).unwrap();
        let planes = read_jpeg(&path).unwrap();
        assert_eq!((planes.len(), jpeg_channels(&path).unwrap()), (3, 3));
        for (plane, value) in planes.iter().zip([200.0, 100.0, 50.0]) {
            assert!((plane.values[9] * 255.0 - value).abs() <= 2.0, "{}", plane.values[9]);
        }
        std::fs::write(&path, encode(&[7; 64], 8, ColorType::Luma)).unwrap();
        assert_eq!(jpeg_channels(&path).unwrap(), 1);
    }

    #[test]
    fn hostile_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.jpg");
        let good = encode(&[90; 192], 8, ColorType::Rgb);
        for end in 0..good.len() {
            let mut flipped = good.clone();
            flipped[end] ^= 0x55;
            for bytes in [&good[..end], &flipped] {
                std::fs::write(&path, bytes).unwrap();
                // An image or an error, never a panic.
                let planes = read_jpeg(&path).map_or(1, |planes| planes.len());
                assert!(matches!(planes, 1 | 3));
            }
        }
        std::fs::write(&path, b"GIF89a").unwrap();
        assert!(read_jpeg(&path).unwrap_err().to_string().contains("JPEG"));
    }
}
