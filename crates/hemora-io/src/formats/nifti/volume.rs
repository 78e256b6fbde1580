//! The slices of a volume: its third axis cut into images, turned as DICOM shows them.

use hemora_ct::{GeometryError, ImagePlane, Slice};

use super::header::{Header, Number, volume};
use crate::uid::dotted_uid;
use crate::{FileFormat, ReadError, SliceHeader, Source, StoredFormat};

/// HU where a real number is none: outside of what was scanned.
const AIR: f32 = -1000.0;

/// A volume with its voxels.
#[derive(Debug)]
pub(crate) struct Volume {
    source: Source,
    bytes: Vec<u8>,
    header: Header,
    turned: Turned,
    /// Of the file's content.
    uid: String,
}

/// How images are turned so that their rows run to the patient's left and their columns to the
/// back, as those of DICOM do: the network has seen no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Turned {
    /// The axis of the volume, 0 or 1, along which the columns of an image are counted.
    column_axis: usize,
    /// Whether each of the two axes is counted backwards.
    backwards: [bool; 2],
}

impl Turned {
    fn from_matrix(matrix: &[[f64; 4]; 3]) -> Self {
        let along = |axis: usize| -> [f64; 3] { std::array::from_fn(|row| matrix[row][axis]) };
        let length = |axis: usize| along(axis).iter().map(|value| value * value).sum::<f64>();
        // Compared as parts of their lengths: voxels need not be square.
        let sideways = |axis: usize| along(axis)[0].powi(2) / length(axis).max(f64::MIN_POSITIVE);
        let column_axis = usize::from(sideways(1) > sideways(0));
        let backwards = |axis: usize| {
            let largest = along(axis).into_iter().max_by(|a, b| a.abs().total_cmp(&b.abs()));
            largest.unwrap_or(0.0) < 0.0
        };
        Self { column_axis, backwards: [0, 1].map(backwards) }
    }

    fn row_axis(self) -> usize {
        1 - self.column_axis
    }
}

impl Volume {
    /// A volume of a file's bytes.
    pub(crate) fn open(source: &Source, bytes: Vec<u8>) -> Result<Self, ReadError> {
        let uid = dotted_uid(&bytes);
        let header = Header::read(&bytes)?;
        let turned = Turned::from_matrix(&header.patient_from_voxel);
        let volume = Self { source: source.clone(), bytes, header, turned, uid };
        volume.plane(0).map_err(|error| super::header::volume(error.to_string()))?;
        Ok(volume)
    }

    /// Number of slices, at least 1.
    pub(crate) fn len(&self) -> usize {
        self.header.size[2]
    }

    /// Bytes of memory that the voxels take.
    pub(super) fn byte_count(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn rows(&self) -> usize {
        self.header.size[self.turned.row_axis()]
    }

    fn columns(&self) -> usize {
        self.header.size[self.turned.column_axis]
    }

    /// What stands for a DICOM header of slice `index`; its identifiers are made of the content.
    pub(crate) fn slice_header(&self, index: usize) -> SliceHeader {
        let number = self.header.number;
        let bits = (number.bytes() as u16 * 8).min(32);
        let source = match self.len() {
            1 => self.source.clone(),
            _ => Source::Frame { object: Box::new(self.source.clone()), number: index + 1 },
        };
        SliceHeader {
            sop_instance_uid: Some(format!("{}.1.{}", self.uid, index + 1)),
            series_instance_uid: Some(format!("{}.1", self.uid)),
            study_instance_uid: Some(self.uid.clone()),
            instance_number: i32::try_from(index + 1).ok(),
            plane: self.plane(index).ok(),
            stored: StoredFormat {
                bits_allocated: bits,
                bits_stored: bits,
                signed: number.signed(),
            },
            rescale_slope: self.header.slope,
            rescale_intercept: self.header.intercept,
            ..SliceHeader::new(source, FileFormat::Volume("NIfTI"), [self.rows(), self.columns()])
        }
    }

    fn plane(&self, index: usize) -> Result<ImagePlane, GeometryError> {
        let matrix = &self.header.patient_from_voxel;
        let Turned { column_axis, backwards } = self.turned;
        let mut corner = [0.0, 0.0, index as f64];
        for axis in [0, 1] {
            if backwards[axis] {
                corner[axis] = (self.header.size[axis] - 1) as f64;
            }
        }
        let position = matrix.map(|[a, b, c, d]| a * corner[0] + b * corner[1] + c * corner[2] + d);
        let step = |axis: usize| {
            let sign = if backwards[axis] { -1.0 } else { 1.0 };
            matrix.map(|row| row[axis] * sign)
        };
        let length = |step: [f64; 3]| step.iter().map(|value| value * value).sum::<f64>().sqrt();
        let (row, column) = (step(column_axis), step(self.turned.row_axis()));
        let [across, down] = [row, column].map(length);
        if !(across > 0.0 && down > 0.0) {
            return Err(GeometryError::Spacing(down, across));
        }
        let ([a, b, c], [d, e, f]) =
            (row.map(|value| value / across), column.map(|value| value / down));
        ImagePlane::new(position, [a, b, c, d, e, f], Some([down, across]))
    }

    /// The HU of slice `index`, which must be there. Real numbers that are not finite become air.
    pub(super) fn decode_slice(&self, index: usize) -> Result<Slice, ReadError> {
        let [width, height, _] = self.header.size;
        let number = self.header.number;
        let size = width * height * number.bytes();
        let begin = self.header.offset + index * size;
        // That all are there was checked with the header.
        let bytes = self.bytes.get(begin..begin + size).unwrap_or_default();
        let file = self.decode(bytes);
        let (rows, columns) = (self.rows(), self.columns());
        let from = |axis: usize, index: usize| match self.turned.backwards[axis] {
            true => self.header.size[axis] - 1 - index,
            false => index,
        };
        let mut hu = Vec::with_capacity(file.len());
        for row in 0..rows {
            for column in 0..columns {
                let mut voxel = [0, 0];
                voxel[self.turned.row_axis()] = from(self.turned.row_axis(), row);
                voxel[self.turned.column_axis] = from(self.turned.column_axis, column);
                hu.push(file[voxel[1] * width + voxel[0]]);
            }
        }
        let plane = self.plane(index).ok();
        Slice::new(rows, columns, hu, plane).map_err(|error| volume(error.to_string()))
    }

    /// Voxels in the order of the file, as HU.
    fn decode(&self, bytes: &[u8]) -> Vec<f32> {
        match self.header.number {
            Number::U8 => self.scaled::<1>(bytes, |[byte]| byte.into()),
            Number::I8 => self.scaled::<1>(bytes, |[byte]| f64::from(byte as i8)),
            Number::I16 => self.scaled(bytes, |pair| i16::from_le_bytes(pair).into()),
            Number::U16 => self.scaled(bytes, |pair| u16::from_le_bytes(pair).into()),
            Number::I32 => self.scaled(bytes, |four| i32::from_le_bytes(four).into()),
            Number::U32 => self.scaled(bytes, |four| u32::from_le_bytes(four).into()),
            Number::F32 => self.scaled(bytes, |four| f32::from_le_bytes(four).into()),
            Number::F64 => self.scaled(bytes, f64::from_le_bytes),
        }
    }

    fn scaled<const N: usize>(&self, bytes: &[u8], number: impl Fn([u8; N]) -> f64) -> Vec<f32> {
        let hu = |&voxel: &[u8; N]| {
            let mut voxel = voxel;
            if self.header.big_endian {
                voxel.reverse();
            }
            let hu = (number(voxel) * self.header.slope + self.header.intercept) as f32;
            if hu.is_finite() { hu } else { AIR }
        };
        bytes.as_chunks::<N>().0.iter().map(hu).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_turned_to_left_and_back_whichever_way_the_axes_run() {
        // Columns of the matrix: the first axis, the second, the third, the offset; in LPS.
        let turned = |matrix: [[f64; 4]; 3]| Turned::from_matrix(&matrix);
        let rows =
            |x: [f64; 3], y: [f64; 3], z: [f64; 3]| [x, y, z].map(|[a, b, c]| [a, b, c, 0.0]);
        let plain = turned(rows([0.5, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 5.0]));
        assert_eq!((plain.column_axis, plain.backwards), (0, [false, false]));
        // RAS, the usual NIfTI.
        let ras = turned(rows([-0.5, 0.0, 0.0], [0.0, -0.5, 0.0], [0.0, 0.0, 5.0]));
        assert_eq!((ras.column_axis, ras.backwards), (0, [true, true]));
        // The first axis to the back, the second to the right, in voxels twice as long as wide.
        let swapped = turned(rows([0.0, -0.4, 0.0], [0.8, 0.0, 0.0], [0.0, 0.0, 5.0]));
        assert_eq!((swapped.column_axis, swapped.backwards), (1, [false, true]));
    }
}
