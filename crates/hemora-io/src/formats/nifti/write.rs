//! Volumes of bytes to NIfTI-1 files (nifti1.h) in gzip.

use std::io::{self, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use hemora_base::write_whole;

/// Where the voxels begin: after the header and four bytes that say that nothing extends it.
const VOXELS: usize = 352;

/// A volume to write.
#[derive(Debug, Clone, PartialEq)]
pub struct NewVolume {
    /// Voxels along the three axes, the first fastest: columns, rows and slices of a stack.
    pub size: [usize; 3],
    /// A byte for each voxel.
    pub voxels: Vec<u8>,
    /// What a byte stands for is `slope` times its value.
    pub slope: f32,
    /// Patient coordinates (DICOM's: left, back, head; mm) of a voxel: three rows of three factors of
    /// its indices and what is added.
    pub patient_from_voxel: [[f64; 4]; 3],
}

/// Writes a volume as NIfTI-1 in gzip, whole or not at all. Its name should end with `.nii.gz`. The same
/// volume always gives the same bytes. The folder must be there.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] if an axis has no voxels or more than 32767, the bytes do not fill the
/// size, or a number is not finite; else what the operating system reports.
pub fn write_volume(path: &Path, volume: &NewVolume) -> io::Result<()> {
    let header = volume.header()?;
    write_whole(path, |file| {
        let mut encoder = GzEncoder::new(file, Compression::default());
        encoder.write_all(&header)?;
        encoder.write_all(&volume.voxels)?;
        encoder.finish().map(|_| ())
    })
}

impl NewVolume {
    fn header(&self) -> io::Result<[u8; VOXELS]> {
        let refused = |problem: String| io::Error::new(io::ErrorKind::InvalidInput, problem);
        let dims: Vec<i16> = self.size.iter().filter_map(|&it| i16::try_from(it).ok()).collect();
        let (&[columns, rows, slices], true) = (dims.as_slice(), !self.size.contains(&0)) else {
            let [a, b, c] = self.size;
            return Err(refused(format!("{a} × {b} × {c} voxels; a NIfTI axis has 1 to 32767")));
        };
        if self.size.iter().product::<usize>() != self.voxels.len() {
            let found = self.voxels.len();
            return Err(refused(format!("{found} bytes do not fill {:?} voxels", self.size)));
        }
        let numbers = || self.patient_from_voxel.iter().flatten();
        if !self.slope.is_finite() || !numbers().all(|it| it.is_finite()) {
            return Err(refused("the volume's place or scale is not finite".to_owned()));
        }
        let mut header = [0; VOXELS];
        let mut set = |place: usize, bytes: &[u8]| {
            header[place..place + bytes.len()].copy_from_slice(bytes);
        };
        set(0, &348i32.to_le_bytes());
        for (index, dim) in [3, columns, rows, slices, 1, 1, 1, 1].into_iter().enumerate() {
            set(40 + 2 * index, &dim.to_le_bytes());
        }
        // Bytes, of 8 bits.
        set(70, &2i16.to_le_bytes());
        set(72, &8i16.to_le_bytes());
        set(76, &1f32.to_le_bytes());
        for axis in 0..3 {
            let length = self.patient_from_voxel.iter().map(|row| row[axis].powi(2)).sum::<f64>();
            set(80 + 4 * axis, &(length.sqrt() as f32).to_le_bytes());
        }
        set(108, &(VOXELS as f32).to_le_bytes());
        set(112, &self.slope.to_le_bytes());
        // Millimetres.
        set(123, &[2]);
        // The matrix alone says where it lies, in the scanner's coordinates: it may be sheared, as that
        // of a tilted gantry is, for which a quaternion has no form.
        set(254, &1i16.to_le_bytes());
        // NIfTI counts to the right and to the front, DICOM to the left and to the back.
        for (row, (values, sign)) in
            self.patient_from_voxel.iter().zip([-1.0, -1.0, 1.0]).enumerate()
        {
            for (column, value) in values.iter().enumerate() {
                set(280 + 16 * row + 4 * column, &((sign * value) as f32).to_le_bytes());
            }
        }
        set(344, b"n+1\0");
        Ok(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(size: [usize; 3], voxels: usize) -> NewVolume {
        let patient_from_voxel = [[0.5, 0.0, 0.0, 1.0], [0.0, 0.5, 0.0, 2.0], [0.0, 0.0, 5.0, 3.0]];
        NewVolume { size, voxels: vec![7; voxels], slope: 1.0, patient_from_voxel }
    }

    #[test]
    fn what_no_file_can_hold_is_refused() {
        assert!(volume([2, 3, 4], 24).header().is_ok());
        let refused = |volume: NewVolume| volume.header().unwrap_err().to_string();
        assert!(refused(volume([2, 3, 4], 23)).contains("23 bytes"));
        assert!(refused(volume([2, 0, 4], 0)).contains("2 × 0 × 4"));
        assert!(refused(volume([1, 1, 32768], 32768)).contains("32767"));
        let nowhere = NewVolume { patient_from_voxel: [[f64::NAN; 4]; 3], ..volume([1, 1, 1], 1) };
        assert!(refused(nowhere).contains("not finite"));
    }
}
