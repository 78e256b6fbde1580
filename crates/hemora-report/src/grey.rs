//! A slice as one grey PNG: every pixel of it, or a small picture.

use hemora_ct::{Slice, Window, nearest_byte};

use crate::ReportError;
use crate::picture::{canvas, encode};

/// A slice in a window as an 8-bit grey PNG, every pixel as [`Slice::grey`] has it.
///
/// # Errors
/// [`ReportError::Picture`] if it cannot be encoded.
pub fn grey_png(slice: &Slice, window: Window) -> Result<Vec<u8>, ReportError> {
    let size = [slice.rows(), slice.columns()];
    encode(size, png::ColorType::Grayscale, &slice.grey(window))
}

/// A slice in a window as an 8-bit grey PNG that is true to the patient and whose longer side is at most
/// `longest` pixels.
///
/// # Errors
/// As [`grey_png`].
pub fn thumbnail_png(
    slice: &Slice,
    window: Window,
    longest: usize,
) -> Result<Vec<u8>, ReportError> {
    let (canvas, _) = canvas(slice, longest);
    let [columns, rows] = canvas.map(|side| (side.round() as usize).clamp(1, longest.max(1)));
    let small = slice.windowed_at(window, rows, columns);
    let grey: Vec<u8> = small.values.iter().map(|value| nearest_byte(value * 255.0)).collect();
    encode([rows, columns], png::ColorType::Grayscale, &grey)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hemora_ct::ImagePlane;

    fn decoded(file: &[u8]) -> ([u32; 2], Vec<u8>) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        ([info.height, info.width], pixels)
    }

    fn slice(rows: usize, columns: usize, spacing: Option<[f64; 2]>) -> Slice {
        let plane = ImagePlane::new([0.0; 3], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0], spacing).unwrap();
        let hu = (0..rows * columns).map(|at| (at % 117) as f32 - 20.0).collect();
        Slice::new(rows, columns, hu, Some(plane)).unwrap()
    }

    #[test]
    fn every_pixel_is_that_of_the_slice() {
        let slice = slice(300, 500, None);
        for window in [Window::BRAIN, Window::BONE] {
            let (size, pixels) = decoded(&grey_png(&slice, window).unwrap());
            assert_eq!((size, pixels), ([300, 500], slice.grey(window)));
        }
    }

    #[test]
    fn small_pictures_are_true_to_the_patient() {
        let size = |slice: &Slice| decoded(&thumbnail_png(slice, Window::BRAIN, 128).unwrap()).0;
        assert_eq!(size(&slice(512, 512, Some([1.0, 0.5]))), [128, 64]);
        assert_eq!(size(&slice(512, 512, None)), [128, 128]);
        assert_eq!(size(&slice(32, 64, None)), [64, 128]);
        assert_eq!(size(&slice(1, 5000, None)), [16, 128]);
    }
}
