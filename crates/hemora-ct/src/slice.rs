//! One CT image in Hounsfield units.

use crate::resize::resize_mapped;
use crate::{ImagePlane, Plane, Turn, Window, widest};

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

    /// An axial image as radiologists look at it: the patient's left on the right, the back at the
    /// bottom. Some scanners and anonymisers store it upside down or mirrored, and say so in
    /// ImageOrientationPatient; networks learn from upright heads. The pixels are flipped or
    /// transposed, never resampled, so a tilt stays. Unchanged without a plane, and where the image
    /// is nearer to sagittal or coronal.
    pub fn into_upright(self) -> Self {
        let Some(plane) = self.plane else { return self };
        let turn = Turn::upright(Some(plane));
        if turn == Turn::default() {
            return self;
        }
        let [rows, columns] = turn.size([self.rows, self.columns]);
        let last = [rows - 1, columns - 1];
        let mut hu = Vec::with_capacity(self.hu.len());
        for row in 0..rows {
            hu.extend((0..columns).map(|column| {
                let [row, column] = turn.stored(last, [row, column]);
                self.hu[row * self.columns + column]
            }));
        }
        let plane = turn.plane(plane, [rows, columns]);
        Self { rows, columns, hu, plane: Some(plane) }
    }

    /// The pixels alone, in HU.
    pub fn into_plane(self) -> Plane {
        Plane { rows: self.rows, columns: self.columns, values: self.hu }
    }

    /// 8-bit grey in a window, row by row.
    pub fn grey(&self, window: Window) -> Vec<u8> {
        widest(
            #[inline(always)]
            || self.hu.iter().map(|&hu| window.to_grey(hu)).collect(),
        )
    }

    /// The image in a window as values 0–1.
    pub fn windowed(&self, window: Window) -> Plane {
        self.windowed_at(window, self.rows, self.columns)
    }

    /// As [`Slice::windowed`], resampled to `rows` × `columns` (both at least 1) by [`resize`](crate::resize()).
    pub fn windowed_at(&self, window: Window, rows: usize, columns: usize) -> Plane {
        resize_mapped(
            &self.hu,
            [self.rows, self.columns],
            [rows, columns],
            #[inline(always)]
            |hu| window.to_unit(hu),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2 rows × 3 columns of 0 to 5, 2 mm between rows and 1 mm between columns, as `orientation`
    /// says.
    fn slice(orientation: [f64; 6]) -> Slice {
        let plane = ImagePlane::new([10.0, 20.0, 30.0], orientation, Some([2.0, 1.0])).unwrap();
        Slice::new(2, 3, (0..6).map(|value| value as f32).collect(), Some(plane)).unwrap()
    }

    #[test]
    fn axial_images_are_turned_upright_and_keep_their_place() {
        let orientations = [
            ([1.0, 0.0, 0.0, 0.0, 1.0, 0.0], [0, 1, 2, 3, 4, 5]),
            ([-1.0, 0.0, 0.0, 0.0, -1.0, 0.0], [5, 4, 3, 2, 1, 0]),
            ([1.0, 0.0, 0.0, 0.0, -1.0, 0.0], [3, 4, 5, 0, 1, 2]),
            ([-1.0, 0.0, 0.0, 0.0, 1.0, 0.0], [2, 1, 0, 5, 4, 3]),
            ([0.0, 1.0, 0.0, 1.0, 0.0, 0.0], [0, 3, 1, 4, 2, 5]),
            ([0.0, -1.0, 0.0, 1.0, 0.0, 0.0], [2, 5, 1, 4, 0, 3]),
            ([0.0, 1.0, 0.0, -1.0, 0.0, 0.0], [3, 0, 4, 1, 5, 2]),
            ([0.0, -1.0, 0.0, -1.0, 0.0, 0.0], [5, 2, 4, 1, 3, 0]),
        ];
        for (orientation, expected) in orientations {
            let stored = slice(orientation);
            let place = |slice: &Slice, value: f32| {
                let at = slice.hu().iter().position(|&hu| hu == value).unwrap();
                let voxel = [at / slice.columns(), at % slice.columns()].map(|it| it as f64);
                slice.plane.unwrap().patient_from_voxel(voxel).unwrap()
            };
            let upright = stored.clone().into_upright();
            assert_eq!(upright.hu(), expected.map(|value| value as f32), "{orientation:?}");
            assert_eq!(upright.rows() * upright.columns(), 6);
            let plane = upright.plane.unwrap();
            assert_eq!(
                (plane.row_direction, plane.column_direction),
                ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
            );
            for value in 0..6 {
                assert_eq!(place(&upright, value as f32), place(&stored, value as f32));
            }
        }
    }

    #[test]
    fn other_planes_and_unknown_ones_stay_as_they_are() {
        let coronal = slice([-1.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        let unknown = Slice { plane: None, ..coronal.clone() };
        for slice in [coronal, unknown] {
            assert_eq!(slice.clone().into_upright(), slice);
        }
        let (sin, cos) = 20f64.to_radians().sin_cos();
        let tilted = slice([-1.0, 0.0, 0.0, 0.0, -cos, sin]);
        let tilt = tilted.plane.unwrap().tilt_degrees();
        assert!((tilted.into_upright().plane.unwrap().tilt_degrees() - tilt).abs() < 1e-9);
    }

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
