//! One CT image in Hounsfield units.

use crate::{ImagePlane, Plane, Window};

/// One CT image: HU, row by row, with its place in the patient if the file tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice {
    rows: usize,
    columns: usize,
    hu: Vec<f32>,
    /// Where the image lies, if known.
    pub plane: Option<ImagePlane>,
}

/// Why pixels do not make a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SliceError {
    /// The number of pixels is not rows × columns, or one of these is 0.
    #[error("{pixels} pixels do not make an image of {rows} × {columns}")]
    Size {
        /// Declared rows.
        rows: usize,
        /// Declared columns.
        columns: usize,
        /// Pixels found.
        pixels: usize,
    },
}

impl Slice {
    /// A slice of `rows` × `columns` pixels in HU, row by row.
    ///
    /// # Errors
    /// [`SliceError::Size`] if the pixels do not fill the image or the image is empty.
    pub fn new(
        rows: usize,
        columns: usize,
        hu: Vec<f32>,
        plane: Option<ImagePlane>,
    ) -> Result<Self, SliceError> {
        if hu.is_empty() || rows.checked_mul(columns) != Some(hu.len()) {
            return Err(SliceError::Size { rows, columns, pixels: hu.len() });
        }
        Ok(Self { rows, columns, hu, plane })
    }

    /// Height in pixels.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Width in pixels.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// HU, row by row, `rows × columns` values.
    pub fn hu(&self) -> &[f32] {
        &self.hu
    }

    /// The pixels alone, in HU.
    pub fn into_plane(self) -> Plane {
        Plane { rows: self.rows, columns: self.columns, values: self.hu }
    }

    /// 8-bit grey in a window, row by row.
    pub fn grey(&self, window: Window) -> Vec<u8> {
        self.hu.iter().map(|&hu| window.to_grey(hu)).collect()
    }

    /// The image in a window as values 0–1.
    pub fn windowed(&self, window: Window) -> Plane {
        let values = self.hu.iter().map(|&hu| window.to_unit(hu)).collect();
        Plane { rows: self.rows, columns: self.columns, values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_must_fill_the_image() {
        assert!(Slice::new(2, 3, vec![0.0; 6], None).is_ok());
        assert_eq!(
            Slice::new(2, 3, vec![0.0; 5], None),
            Err(SliceError::Size { rows: 2, columns: 3, pixels: 5 })
        );
        assert!(Slice::new(0, 3, vec![], None).is_err());
        assert!(Slice::new(usize::MAX, 2, vec![0.0; 2], None).is_err());
    }
}
